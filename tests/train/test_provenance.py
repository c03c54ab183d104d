"""Where a run came from."""

import json
import subprocess
from pathlib import Path

import pytest
import torch
from small_run import MakeConfig

from samcli.train.provenance import earlier_provenance, git_state, provenance


def test_is_plain_json(config_of: MakeConfig) -> None:
    config = config_of()
    found = provenance(config, torch.device("cpu"), Path("data"))
    assert json.loads(json.dumps(found)) == found
    assert found["identity"] == config.identity
    assert found["threads"] == torch.get_num_threads()
    assert found["hardware"]["accelerator"] is None
    assert set(found["versions"]) == {"samcli", "python", "torch", "torchvision", "numpy"}


def test_git_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() == {"commit": None, "dirty": None}
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "x")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "x@example.org")
    file = tmp_path / "file"
    file.write_text("1")
    for command in (["init", "-q"], ["add", "file"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *command], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert git_state() == {"commit": commit, "dirty": False}
    file.write_text("2")
    assert git_state()["dirty"] is True


def test_the_jobs_of_before_are_kept() -> None:
    before = {"epochs_done": 73, "threads": 1}  # one run after the other, which did not say so
    assert earlier_provenance(before, {"threads": 1, "jobs": 2}) == [{"epochs_done": 73, "jobs": 1}]
    assert earlier_provenance(before, {"threads": 1, "jobs": 1}) == []
    assert earlier_provenance({**before, "jobs": 4}, {"threads": 1}) == [{"epochs_done": 73, "jobs": 4}]
