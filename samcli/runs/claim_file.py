"""The file of the claim that an experiment looks into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from samcli.config.claim import Claim, claim_of
from samcli.config.source import Source
from samcli.errors import ConfigError, ResultsError
from samcli.runs.door import read_json
from samcli.runs.files import write_atomic

NAME = "claim.json"


def record_claim(experiment: Path, document: dict[str, Any]) -> None:
    """Keep the claim in the folder of its experiment, for whoever reads the results without its file.

    Args:
        experiment: the folder.
        document: the block as written.

    Raises:
        ResultsError: the file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record_claim(Path(folder), {"says": "it helps", "source": "Foret et al.", "where": "Table 1"})
    ...     recorded_claim(Path(folder)).says
    'it helps'
    """
    experiment.mkdir(parents=True, exist_ok=True)
    write_atomic(experiment / NAME, json.dumps(document, indent=1, ensure_ascii=False).encode())


def recorded_claim(experiment: Path) -> Claim | None:
    """The claim that the folder of an experiment has; None without one, or where its file is damaged.

    >>> recorded_claim(Path("nowhere")) is None
    True
    """
    try:
        return claim_of(Source({"claim": read_json(experiment / NAME)}, str(experiment / NAME)))
    except (ResultsError, ConfigError, OSError):
        return None
