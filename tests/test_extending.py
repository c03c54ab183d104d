"""The examples of docs/extending.md, from the document to the table."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from samcli.cli.app import main

Samcli = Callable[..., tuple[int, str, str]]  # of arguments; the exit code, standard output and standard error

DOCUMENT = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for text in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL):
        name = re.match(r"# (\w+\.py)\n", text)
        assert name
        (tmp_path / name[1]).write_text(text)
    return tmp_path


@pytest.fixture
def samcli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Samcli:
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


ONE_EPOCH = ("--epochs", "1", "--set", "dataset.train_examples=100", "--results", "results")


def test_variant_by_plugin_and_by_path(files: Path, samcli: Samcli) -> None:
    both = ("--optimizer", "sgd,half-sign-sam", "--plugin", "my_variant.py", "--model", "mlp", *ONE_EPOCH)
    code, out, err = samcli("train", *both)
    assert code == 0, err
    assert "half-sign-sam" in out
    path = (
        "--optimizer",
        "my_variant.py:half-sign-sam",
        "--set",
        "optimizer.share=[0.25,0.5]",
        "--model",
        "mlp",
        *ONE_EPOCH,
    )
    code, out, err = samcli("train", *path)
    assert code == 0, err
    assert "share=0.25" in out
    code, out, err = samcli("sharpness", "results", "--measure", "grad-norm", "--examples", "50")
    assert code == 0, err  # the plug-in is loaded in this process already
    assert out.count("half-sign-sam") >= 3


def test_model_and_data_set(files: Path, samcli: Samcli) -> None:
    code, out, err = samcli("train", "--optimizer", "sam", "--model", "my_model.py:tiny-cnn", *ONE_EPOCH)
    assert code == 0, err
    assert "tiny-cnn" in out
    small = ("--epochs", "2", "--results", "results")
    code, out, err = samcli("train", "--dataset", "my_data.py:rings", "--model", "mlp", "--optimizer", "sam", *small)
    assert code == 0, err
    assert "rings" in out


def test_from_a_file_and_from_the_config_of_a_run(files: Path, samcli: Samcli) -> None:
    (files / "x.yaml").write_text("plugins: my_variant.py\noptimizer: half-sign-sam\nmodel: mlp\nepochs: 1\n")
    code, _, err = samcli("train", "x.yaml", "--results", "a")
    assert code == 0, err
    (config,) = files.glob("a/x/*/config.yaml")
    assert "plugins" in config.read_text()
    code, _, err = samcli("train", config, "--results", "a")
    assert "1 of 1 run is finished already" in err


def test_check(files: Path, samcli: Samcli) -> None:
    for name, words in (
        ("my_variant.py", "optimizer half-sign-sam over sgd"),
        ("my_model.py", "model tiny-cnn"),
        ("my_data.py", "data set rings"),
    ):
        code, out, err = samcli("check", name)
        assert code == 0, out + err
        assert words in out
        assert "FAILS" not in out


PICKY = """
from typing import ClassVar
from samcli.optim import VARIANTS, TwoPass
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("picky")
class Picky(TwoPass):
    base_defaults: ClassVar = {"momentum": 0.0}

    def ascend(self, step):
        return steepest_ascent(step.ascent_gradient, step.rho)

    def objection(self, base, model, *, m, scaled):
        return "" if base.param_groups[0].get("momentum") == 0.0 else "picky needs momentum: 0."
"""


def test_check_tries_a_rule_over_a_base_that_it_takes(files: Path, samcli: Samcli) -> None:
    (files / "picky.py").write_text(PICKY)
    code, out, err = samcli("check", "picky.py")
    assert code == 0, out + err
    code, out, err = samcli("check", "picky.py", "--base", "adam")  # which has no such momentum
    assert code == 1
    assert "FAILS" not in out
    assert "picky is not checked: over adam" in err
    assert "it says: picky needs momentum: 0." in err
    code, out, err = samcli("check", "picky.py", "--base", "adma")
    assert code == 2
    assert "did you mean adam?" in err


def test_check_says_what_is_broken(files: Path, samcli: Samcli) -> None:
    text = (files / "my_variant.py").read_text()
    broken = text.replace("step.rho * g.sign()", "step.rho * torch.rand(()) * g.sign()").replace("half-sign", "draws")
    (files / "broken_variant.py").write_text(broken)
    code, out, err = samcli("check", "broken_variant.py")
    assert code == 1
    assert "Found: step 1 drew from torch's global generator." in out
    assert "1 of 1 does not keep its promises." in err
    text = (files / "my_model.py").read_text().replace("height * width, outputs)", "height * width, 7)")
    (files / "broken_model.py").write_text(text.replace("tiny-cnn", "wrong-cnn"))
    code, out, err = samcli("check", "broken_model.py")
    assert code == 1
    assert "give a result of shape (3, 7), not (3, 4)." in out
    text = (files / "my_data.py").read_text().replace("Classification(2)", "Classification(1)")
    (files / "broken_data.py").write_text(text.replace('"rings"', '"wrong-rings"'))
    code, out, err = samcli("check", "broken_data.py")
    assert code == 1
    assert "targets must be class numbers from 0 to 0, and reach from 0 to 1." in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--plugin", "absent.py"], "There is no Python file absent.py"),
        (["train", "--optimizer", "absent.py:x"], "There is no Python file absent.py"),
        (["check", "notes.txt"], "notes.txt is no Python file"),
        (["train", "mine.py"], "mine.py is a Python file; name it with --plugin mine.py"),
        (["train", "--optimizer", "my_variant.py:half-sing-sam"], "did you mean half-sign-sam?"),
        (["check", "empty.py"], "registers no optimizer, model or data set; see docs/extending.md."),
        (["check", "wrong.py"], "wrong.py, line 2: ZeroDivisionError: division by zero."),
        (["check", "no_gradient.py"], "Bare does not define gradient; a rule that says no more than where to look"),
        (["check", "no_ascend.py"], "Bare does not define ascend. Mend the file"),
    ],
)
def test_mistakes(files: Path, samcli: Samcli, arguments: list[str], sentence: str) -> None:
    (files / "empty.py").write_text("x = 1\n")
    (files / "notes.txt").touch()
    (files / "wrong.py").write_text("x = 1\n1 / 0\n")
    for kind, method in (("Variant", "gradient"), ("TwoPass", "ascend")):
        bare = f"from samcli.optim import VARIANTS, {kind}\n@VARIANTS.register('bare')\nclass Bare({kind}):\n    pass\n"
        (files / f"no_{method}.py").write_text(bare)
    code, out, err = samcli(*arguments)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err
    assert out == ""


def names_a_file(folder: Path, config: dict[str, object]) -> Path:
    """A checkpoint of no run, whose configuration names the Python file trap.py."""
    from samcli.runs import checkpoint

    (folder / "trap.py").write_text("open('sprung', 'w').close()\n")
    content: dict[str, object] = {"config": {"plugins": ["trap.py"], **config}, "epoch": 0, "gradient_evaluations": 0}
    content |= {"model": {}, "optimizer": {}, "scaler": None, "random_state": {}, "rows": []}
    checkpoint.save(folder / "a.pt", content)
    return folder / "a.pt"


def test_a_checkpoint_does_not_make_samcli_run_a_file(files: Path, samcli: Samcli) -> None:
    file = names_a_file(files, {"optimizer": "trap.py:x"})
    code, _, err = samcli("sharpness", file)
    assert code == 2
    assert "1 run needs what trap.py registers." in err
    assert f"samcli sharpness {file} --plugin trap.py" in err
    code, _, err = samcli("landscape", file)
    assert (code, "allow it with --plugin trap.py" in err) == (2, True)
    assert not (files / "sprung").exists()


def test_only_runs_that_need_a_file_ask_for_it_and_once(files: Path, samcli: Samcli) -> None:
    grid = "plugins: my_variant.py\ndataset: wine\noptimizer: [sgd, sam, half-sign-sam]\nepochs: 1\nseeds: 0-1\n"
    (files / "grid.yaml").write_text(grid + "sharpness: {every: 0}\n")
    code, _, err = samcli("train", "grid.yaml", "--results", "a")
    assert code == 0, err
    program = "import sys; from samcli.cli.app import main; main(sys.argv[1:])"  # where the file has not been run
    command = [sys.executable, "-c", program, "sharpness", "a/grid", "--measure", "grad-norm"]
    done = subprocess.run([*command, "--format", "csv"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1 + 4
    assert "half-sign" not in done.stdout
    assert "2 runs need what my_variant.py registers." in done.stderr
    assert "samcli sharpness a/grid --measure grad-norm --format csv --plugin my_variant.py" in done.stderr
    assert done.stderr.count("--plugin") == 1


def test_a_plugin_that_ends_the_process_or_takes_a_name(files: Path, samcli: Samcli) -> None:
    (files / "leaves.py").write_text("import sys\nsys.exit()\n")
    code, _, err = samcli("train", "--plugin", "leaves.py", *ONE_EPOCH)
    assert (code, "leaves.py, line 2: SystemExit" in err) == (2, True)
    text = (files / "my_variant.py").read_text()
    (files / "takes.py").write_text(text.replace('"half-sign-sam"', '"sam"'))
    code, _, err = samcli("train", "--plugin", "takes.py", *ONE_EPOCH)
    assert (code, "samcli has its own optimizer named 'sam'; give HalfSignSAM another name. Mend the file" in err) == (
        2,
        True,
    )
