"""What --processes and torchrun exclude, said before anything is trained."""

from pathlib import Path

import pytest
from command import Samcli

RUN = ["train", "--device", "cpu", "--dataset", "wine", "--model", "linear", "--optimizer", "sgd", "--results"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--processes", "2", "--jobs", "3"], "2 processes share one run after the other: leave out --jobs"),
        (["--processes", "2", "--jobs-per-gpu", "2"], "leave out --jobs and --jobs-per-gpu, or --processes."),
        (["--processes", "32", "--batch-size", "16"], "A batch of 16 cannot be shared by 32 processes"),
        (
            ["--processes", "2", "--optimizer", "sampa", "--set", "optimizer.processes=2"],
            "sampa with processes: 2 has two processes of its own",
        ),
        (["--processes", "0"], "--processes must be a whole number at least 1"),
    ],
)
def test_what_excludes_each_other_is_refused(samcli: Samcli, tmp_path: Path, flags: list[str], words: str):
    called = samcli(*RUN, tmp_path / "none", *flags)
    assert called.code == 2
    assert words in called.err
    assert "Traceback" not in called.err
    assert not (tmp_path / "none").exists()


def test_torchrun_and_another_number_of_processes(
    samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "localhost"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(name, value)
    called = samcli(*RUN, tmp_path / "none", "--processes", "3")
    assert called.code == 2
    assert "torchrun started 2 processes, and --processes asks for 3; leave it out." in called.err
