"""The file of loss landscapes that lies beside a checkpoint."""

from __future__ import annotations

from samcli.runs.beside_checkpoint import BesideCheckpoint
from samcli.runs.documents import LandscapeDocument


class LandscapeFile(BesideCheckpoint):
    """The file `landscape.json`: slices through one network, see `samcli.sharpness.loss_slice`.

    An entry has a `key` that says how it was cut (`dimensions`, `directions`, `span`, `points`, `examples`, `seed`),
    the name of the `loss`, the coordinates along its `axes`, the `losses` row by row (a text or null for what is no
    finite number), over how many `examples` they are means, and whether the directions have `converged`.

    >>> import tempfile
    >>> from pathlib import Path
    >>> key = {"dimensions": 1, "directions": "random", "span": 1.0, "points": 2, "examples": 100, "seed": 0}
    >>> entry = {"key": key, "loss": "nats", "axes": [[-1.0, 1.0]], "losses": [2.5, float("inf")]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = LandscapeFile(Path(folder, "checkpoint.pt"))
    ...     file.add([entry | {"examples": 90, "converged": True}], epoch=3)
    ...     LandscapeFile(Path(folder, "checkpoint.pt")).find(key)["losses"]
    [2.5, 'inf']
    """

    name = "landscape.json"
    noun = "slices"
    kind = LandscapeDocument
