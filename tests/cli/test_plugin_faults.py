"""Errors and prints of plug-in files, in the command's own process."""

import json
from pathlib import Path

import pytest
from command import Samcli

MODEL = """
from dataclasses import dataclass
from samcli.models import MODELS, ModelKind
print("loaded")

@MODELS.register("{name}")
@dataclass(frozen=True, kw_only=True)
class Mine(ModelKind):
    'Raises.'

    def build(self, shape, outputs):
        raise {error}
"""
FLAGS = ("--optimizer", "sgd", "--epochs", "1", "--set", "sharpness.every=0")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("KeyError('rho')", "KeyError: 'rho'"),
        ("TimeoutError('slow')", "TimeoutError: slow"),
        ("ValueError", "ValueError"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_model_that_raises_is_told_with_its_line(
    samcli: Samcli, tmp_path: Path, error: str, told: str, more: tuple[str, ...]
) -> None:
    name = f"raises-{error[:3]}-{len(more)}".lower()
    (tmp_path / "mine.py").write_text(MODEL.format(name=name, error=error))
    called = samcli(
        "train",
        *FLAGS,
        "--dataset",
        "digits",
        "--model",
        name,
        "--plugin",
        tmp_path / "mine.py",
        "--results",
        tmp_path / "r",
        *more,
    )
    assert called.code == 2
    assert f"{tmp_path / 'mine.py'}, line 12: {told}. Mend the file and try again." in called.err
    assert "Traceback" not in called.err


def test_what_a_file_prints_when_it_is_loaded_is_no_result(samcli: Samcli, tmp_path: Path) -> None:
    (tmp_path / "prints.py").write_text("print('loaded')")
    flags = (*FLAGS, "--dataset", "wine", "--model", "linear", "--seeds", "0", "--plugin", tmp_path / "prints.py")
    called = samcli("train", *flags, "--results", tmp_path / "r", "--json")
    assert called.code == 0
    assert json.loads(called.out)["runs"]
    assert "loaded" in called.err
