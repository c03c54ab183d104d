"""What `robustness.json` must hold to be believed."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from samcli.runs.robustness_file import RobustnessFile

ENTRY: dict[str, Any] = {
    "label": "pgd eps=0.1",
    "key": {"test": "pgd", "examples": 100, "seed": 0, "parameters": {"eps": 0.1}},
    "value": 0.9,
    "stderr": 0.03,
    "interval": [0.8, 0.95],
    "n": 100,
    "score": "accuracy",
    "details": {"eps": 0.1, "norm": float("inf"), "attacked": 95, "flat": 0, "only_one_step": 1, "seed": 0},
}


def read_back(folder: Path, entry: dict[str, Any]) -> dict[str, Any] | None:
    """What is found of the entry after somebody wrote another in its place."""
    RobustnessFile(folder / "checkpoint.pt").add([ENTRY], epoch=3)
    file = folder / "robustness.json"
    document = json.loads(file.read_text())
    if entry is not ENTRY:
        document["tested"] = [entry]
    file.write_text(json.dumps(document))
    return RobustnessFile(folder / "checkpoint.pt").find(ENTRY["key"])


def test_what_was_written_is_read(tmp_path: Path) -> None:
    found = read_back(tmp_path, ENTRY)
    assert found is not None
    assert (found["value"], found["details"]["norm"]) == (0.9, "inf")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("value", -1.0),
        ("value", 1e308),
        ("value", "inf"),
        ("interval", []),
        ("interval", [0.1]),
        ("interval", [0.1, 0.2, 0.3]),
        ("details eps", None),
        ("details eps", "x"),
        ("details eps", []),
        ("details norm", {}),
        ("details norm", "nan"),
        ("details attacked", "x"),
        ("details flat", -1),
        ("details only_one_step", None),
        ("details", []),
        ("score", "points"),
    ],
)
def test_what_samcli_does_not_write_is_found_out_anew(tmp_path: Path, place: str, value: Any) -> None:
    spoilt = copy.deepcopy(ENTRY)
    *above, last = place.split()
    part = spoilt[above[0]] if above else spoilt
    part[last] = value
    if spoilt["details"] and spoilt["details"].get("norm") == float("inf"):
        spoilt["details"]["norm"] = "inf"
    assert read_back(tmp_path, spoilt) is None


@pytest.mark.parametrize("missing", ["eps", "norm"])
def test_an_attack_has_a_ball(tmp_path: Path, missing: str) -> None:
    spoilt = copy.deepcopy(ENTRY)
    spoilt["details"]["norm"] = "inf"
    del spoilt["details"][missing]
    assert read_back(tmp_path, spoilt) is None
