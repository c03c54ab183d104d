"""Runs that were trained with something else than what the same command would train them with today."""

import json
from pathlib import Path

import pytest
from command import Called, Samcli
from PIL import Image

from samcli import registry

PLUGIN = """
from dataclasses import dataclass
from samcli.optim import VARIANTS, TwoPass
from samcli.registry import option

@VARIANTS.register("mine")
@dataclass(frozen=True, kw_only=True)
class Mine(TwoPass):
    '''A rule.'''

    rho: float = option(0.01, "length", minimum=0.0)

    def ascend(self, step):
        return [{factor} * step.rho * g for g in step.ascent_gradient]
"""


class Study:
    """An experiment with a plug-in, each of whose calls reads the file as a new process would."""

    def __init__(self, samcli: Samcli, folder: Path) -> None:
        self._samcli = samcli
        self.folder = folder
        self.plugin = folder / "mine.py"

    def write(self, factor: float) -> None:
        self.plugin.write_text(PLUGIN.replace("{factor}", str(factor)))

    def train(self, seeds: str, *flags: object) -> Called:
        registry._PLUGINS.clear()
        small = ("--dataset", "wine", "--model", "linear", "--optimizer", "sgd,mine", "--epochs", "1", "--name", "e")
        return self._samcli(
            "train", *small, "--plugin", self.plugin, "--seeds", seeds, "--results", self.folder / "r", *flags
        )

    def states(self, seeds: str, *flags: object) -> list[tuple[str, str]]:
        runs = json.loads(self.train(seeds, "--dry-run", "--json", *flags).out)["runs"]
        return [(run["config"]["optimizer"]["name"], run["state"]) for run in runs]


@pytest.fixture
def study(samcli: Samcli, tmp_path: Path) -> Study:
    made = Study(samcli, tmp_path)
    made.write(1.0)
    made.train("0-1")
    return made


def test_an_edited_plugin_is_told_and_its_runs_are_not_reused(study: Study) -> None:
    """Only those that use it; what they gave is kept where compare does not look."""
    assert study.states("0-1") == [("sgd", "finished"), ("mine", "finished")] * 2
    study.write(-3.0)
    assert study.states("0-2") == [("sgd", "finished"), ("mine", "changed")] * 2 + [("sgd", "new"), ("mine", "new")]
    called = study.train("0-2")
    assert called.code == 0
    assert "2 runs of before used another mine.py. They are trained anew" in called.err
    assert "continuing" not in called.err
    assert len(list(study.folder.glob("r/e/.replaced/*/metrics.csv"))) == 2
    assert study.states("0-2") == [("sgd", "finished"), ("mine", "finished")] * 3
    rows = json.loads(study.train("0-2", "--json").out)["comparison"]["rows"]
    assert {row["optimizer"]: row["runs"] if "runs" in row else row["n"] for row in rows} == {"sgd": 3, "mine": 3}


def test_a_folder_of_images_that_lost_some_is_told(samcli: Samcli, tmp_path: Path) -> None:
    def draw(name: str, level: int) -> None:
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((8, 8), level).save(tmp_path / "pets" / name)

    for number in range(10):
        draw(f"cat/{number}.png", 10)
        draw(f"dog/{number}.png", 90)
    flags = ("--dataset", f"image-folder:{tmp_path / 'pets'}", "--optimizer", "sgd", "--epochs", "1", "--name", "pets")
    flags = ("train", *flags, "--results", tmp_path / "r")

    def state() -> str:
        (run,) = json.loads(samcli(*flags, "--dry-run", "--json").out)["runs"]
        return str(run["state"])

    samcli(*flags)
    (file,) = tmp_path.glob("r/pets/*/run.json")
    recorded = json.loads(file.read_text())["dataset"]
    assert (recorded["examples"], recorded["classes"], len(recorded["digest"])) == (20, 2, 64)
    assert ": 20 images, 2 classes" in recorded["summary"]
    assert state() == "finished"
    (tmp_path / "pets" / "cat" / "3.png").unlink()
    assert state() == "changed"
    told = samcli(*flags).err
    assert "1 run of before used other data of image-folder:" in told
    assert "It is trained anew, and what it gave is kept" in told
    assert state() == "finished"
    assert len(list(tmp_path.glob("r/pets/.replaced/*"))) == 1
    (tmp_path / "pets").rename(tmp_path / "elsewhere")  # nothing can be said, and nothing is thrown away
    assert state() == "finished"


def test_they_are_reused_on_request(study: Study) -> None:
    study.write(-3.0)
    assert study.states("0-1", "--reuse-changed") == [("sgd", "finished"), ("mine", "finished")] * 2
    assert "another mine.py" not in study.train("0-1", "--reuse-changed").err
    assert not list(study.folder.glob("r/e/.replaced/*"))


def test_the_same_content_elsewhere_is_the_same(study: Study) -> None:
    study.plugin = study.plugin.rename(study.folder / "moved.py")
    assert set(study.states("0-1")) == {("sgd", "finished"), ("mine", "finished")}


def test_a_run_that_records_nothing_is_reused(study: Study) -> None:
    """One of an earlier version: nothing is known of it."""
    for file in study.folder.glob("r/e/*/run.json"):
        status = json.loads(file.read_text())
        del status["plugins"]
        file.write_text(json.dumps(status))
    study.write(-3.0)
    assert {state for _, state in study.states("0-1")} == {"finished"}


def test_one_that_was_interrupted_is_not_continued_with_another_rule(study: Study) -> None:
    for file in study.folder.glob("r/e/*mine*/run.json"):
        status = json.loads(file.read_text())
        file.write_text(json.dumps(status | {"status": "interrupted"}))
    assert set(study.states("0-1")) == {("sgd", "finished"), ("mine", "resume")}
    study.write(-3.0)
    assert set(study.states("0-1")) == {("sgd", "finished"), ("mine", "changed")}
