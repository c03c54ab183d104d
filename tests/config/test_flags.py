"""Names and shorthands from flags."""

from pathlib import Path

import pytest

from samcli.config import Draft, parse
from samcli.config.flags import apply_shorthand, names_in
from samcli.errors import ConfigError
from samcli.train import CATALOGUE


def test_a_path_that_exists_is_not_cut(tmp_path: Path) -> None:
    folder = tmp_path / "a,b, c"
    folder.mkdir()
    (tmp_path / "m,y.py").touch()
    names = [f"image-folder:{folder}", "digits", f"{tmp_path}/m,y.py:mine"]
    assert names_in([",".join(names)]) == names
    assert names_in([f"image-folder:{tmp_path}/a,digits"]) == [f"image-folder:{tmp_path}/a", "digits"]
    (tmp_path / "mine.py").touch()
    assert names_in([f"{tmp_path}/mine.py:mine,sgd"]) == [f"{tmp_path}/mine.py:mine", "sgd"]
    assert names_in([r"image-folder:not\,there,wine", "wine"]) == ["image-folder:not,there", "wine"]


@pytest.mark.parametrize("texts", [["sgd,"], [""], ["sgd", ",sam"]])
def test_an_empty_name(texts: list[str]) -> None:
    with pytest.raises(ConfigError, match="An empty name"):
        names_in(texts)


def draft(text: str) -> Draft:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE)


def test_shorthands_are_what_set_is() -> None:
    short, long = draft("{epochs: 2, seeds: 0-1}"), draft("{epochs: 2, seeds: 0-1}")
    given = {"lr": "0.05,0.1", "rho": "0.2", "batch-size": "64", "label-noise": "0,0.4", "epochs": "3"}
    for flag, text in given.items():
        apply_shorthand(short, flag, [text])
    for assignment in (
        "optimizer.lr=[0.05,0.1]",
        "optimizer.rho=0.2",
        "batch_size=64",
        "dataset.label_noise=[0,0.4]",
        "epochs=3",
    ):
        long.set(assignment)
    assert [run.identity for run in short.expand()] == [run.identity for run in long.expand()]


def test_a_shorthand_that_nothing_here_has() -> None:
    with pytest.raises(ConfigError) as caught:
        apply_shorthand(draft("optimizer: [sgd, adam]"), "rho", ["0.1"])
    assert str(caught.value) == (
        "--rho: adam, sgd has no option rho; choose one that has it, as with --optimizer sgd,sam."
    )


@pytest.mark.parametrize(("flag", "text"), [("lr", "fast"), ("batch-size", "0"), ("epochs", "x"), ("label-noise", "2")])
def test_a_value_that_does_not_fit_is_told_as_one_of_the_command_line(flag: str, text: str) -> None:
    flagged = draft("optimizer: sgd")
    with pytest.raises(ConfigError, match=r"the command line: .* must be .*, not"):
        apply_shorthand(flagged, flag, [text])
        flagged.expand()
