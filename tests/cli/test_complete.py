"""What the TAB key offers, in the three shells."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from samcli.cli import complete
from samcli.metrics import columns
from samcli.sharpness import MEASURES
from samcli.train import CATALOGUE


def test_the_names_in_the_files_are_those_of_the_registries() -> None:
    def own(registry: object) -> list[str]:
        kinds = registry._kinds  # type: ignore[attr-defined]
        return sorted(name for name, kind in kinds.items() if kind.__module__.startswith("samcli."))

    assert complete.names("datasets") == own(CATALOGUE.datasets)
    assert complete.names("models") == own(CATALOGUE.models)
    assert complete.names("schedules") == own(CATALOGUE.schedules)
    assert complete.names("measures") == own(MEASURES)
    assert complete.names("optimizers") == [*own(CATALOGUE.bases), *own(CATALOGUE.variants)]
    assert set(columns("accuracy")) - {"epoch"} < set(complete.metrics())


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("results/grid/a-run", "results/.replaced", "resources"):
        Path(name).mkdir(parents=True)
    for name in ("grid.yaml", "rule.py", "results/grid/loose.pt"):
        Path(name).touch()
    assert complete.experiments("")[:3] == ["grid.yaml", "resources", "results"]
    assert complete.experiments("gri") == ["grid.yaml"]
    assert "label-noise" in complete.experiments("la")
    assert complete.python_files("ru") == ["rule.py"]
    assert complete.runs("") == ["results/grid", "results/grid/a-run", "results/grid/loose.pt"]
    assert complete.runs("resu") == ["results", "results/grid"]
    assert complete.runs("absent/x") == []


def completed(words: str, shell: str) -> list[str]:
    """What a shell is told for a command line whose last word is being typed; torch may not be imported for it."""
    asked = {
        "bash": {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": words},
        "fish": {"_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    program = (
        "import sys\nfrom samcli.cli.app import main\ntry: main([])\nfinally:\n"
        "    heavy = {'torch', 'numpy', 'pandas', 'scipy', 'yaml'} & set(sys.modules)\n"
        "    print(*sorted(heavy), file=sys.stderr, end='')"
    )
    environment = os.environ | asked | {"_SAMCLI_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert done.stderr == "", "a key imports nothing heavy"
    return done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells(shell: str) -> None:
    assert any("sgd,asam" in word for word in completed("samcli train --optimizer sgd,asa", shell))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("samcli train --dataset fash", ["fashion-mnist"]),
        ("samcli train --model wrn", ["wrn-16-4", "wrn-28-10"]),
        ("samcli sharpness x --measure lambda-mi", ["lambda-min"]),
        ("samcli compare --metric test_l", ["test_loss", "test_log_loss"]),
        ("samcli compare --format la", ["latex"]),
        ("samcli run", ["runs"]),
        ("samcli runs --status failed,inter", ["failed,interrupted"]),
        ("samcli runs rm --status dam", ["damaged"]),
        ("samcli runs rm", ["rm"]),
        ("samcli compare --baseline looks", ["looksam"]),
        ("samcli export --to ten", ["tensorboard"]),
        ("samcli plot --kind sh", ["sharpness"]),
        ("samcli plot --metric test_l", ["test_loss", "test_log_loss"]),
        ("samcli plot --metric bal", ["balanced-accuracy"]),
        ("samcli plot --axis optimizer.weight", ["optimizer.weight_decay"]),
        ("samcli plot --axis dataset.label", ["dataset.label_noise"]),
        ("samcli plot --axis batch", ["batch_size"]),
        ("samcli report --baseline looks", ["looksam"]),
        ("samcli report --metric test_l", ["test_loss", "test_log_loss"]),
        ("samcli report --budget gr", ["gradients"]),
        ("samcli train --device c", ["cpu", "cuda"]),
        ("samcli list opt", ["optimizers"]),
        ("samcli list optimizers looks", ["looksam"]),
        ("samcli check x.py --base adamw", ["adamw"]),
        ("samcli train quick", ["quickstart"]),
        ("samcli tune fai", ["fair"]),
        ("samcli train claims/noi", ["claims/noise"]),
        ("samcli claims noi", ["noise"]),
        ("samcli list experiments quick", ["quickstart"]),
    ],
)
def test_every_option_with_names(words: str, offered: list[str]) -> None:
    assert completed(words, "bash") == offered
