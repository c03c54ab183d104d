"""The file of robustness tests that lies beside a checkpoint."""

from __future__ import annotations

from samcli.runs.beside_checkpoint import BesideCheckpoint
from samcli.runs.documents import RobustnessDocument


class RobustnessFile(BesideCheckpoint):
    """The file `robustness.json`.

    An entry has a `label`, a `key` that says what was tested and how, and the fields of the outcome: `value` (null for
    what is no finite number), `stderr`, `interval`, `n`, `score`, `details`.

    >>> import tempfile
    >>> from pathlib import Path
    >>> key = {"test": "clean", "examples": 100, "seed": 0}
    >>> found = {"value": 0.9, "stderr": 0.03, "interval": [0.8, 0.95], "n": 100, "score": "accuracy", "details": {}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = RobustnessFile(Path(folder, "checkpoint.pt"))
    ...     file.add([{"label": "clean", "key": key, **found}], epoch=3)
    ...     RobustnessFile(Path(folder, "checkpoint.pt")).find(key)["value"]
    0.9
    """

    name = "robustness.json"
    noun = "tested"
    kind = RobustnessDocument
