"""The file of measured sharpness that lies beside a checkpoint."""

from __future__ import annotations

from samcli.runs.beside_checkpoint import BesideCheckpoint
from samcli.runs.documents import MeasurementDocument


class SharpnessFile(BesideCheckpoint):
    """The file `sharpness.json`.

    An entry has a `label`, a `key` that says what was measured and how, and the fields of the result: `value` (null for
    what is no finite number), `stderr`, `converged`, `details`.

    >>> import tempfile
    >>> from pathlib import Path
    >>> key = {"measure": "trace", "examples": 100}
    >>> details = {"examples": 100, "batch_norm": "evaluation"}
    >>> entry = {"label": "trace", "key": key, "value": 9.5, "stderr": 0.1, "converged": True, "details": details}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = SharpnessFile(Path(folder, "checkpoint.pt"))
    ...     file.add([entry], epoch=3)
    ...     SharpnessFile(Path(folder, "checkpoint.pt")).find(key)["value"]
    9.5
    """

    name = "sharpness.json"
    noun = "measured"
    kind = MeasurementDocument
