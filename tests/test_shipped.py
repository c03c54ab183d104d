"""The experiments that come along: which file a name means, and what is said of one that means none."""

from pathlib import Path

import pytest

from samcli import config, shipped
from samcli.config import Draft
from samcli.config.claim import claim_of
from samcli.errors import ConfigError
from samcli.shipped import experiment_file, names, path_of, question
from samcli.train import CATALOGUE

ROOT = Path(__file__).parents[1]


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three experiments as all that come along, and a current folder with nothing in it."""
    folder = tmp_path / "experiments"
    (folder / "claims").mkdir(parents=True)
    for name in ("label_noise.yaml", "claims/label_noise.yaml", "claims/edge-momentum.yaml"):
        (folder / name).touch()
    (tmp_path / "here").mkdir()
    monkeypatch.setattr(shipped, "folder", lambda: folder)
    monkeypatch.chdir(tmp_path / "here")
    return folder


def test_a_checkout_has_them_at_its_top_and_nowhere_else() -> None:
    assert shipped.folder() == ROOT / "experiments"
    assert not list((ROOT / "samcli").rglob("*.yaml"))
    assert len(names()) == len(list((ROOT / "experiments").rglob("*.yaml"))), "each has a name of its own"
    assert not [name for name in names() if "_" in name]


def test_a_wheel_has_them_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "samcli"
    (package / "experiments").mkdir(parents=True)
    (package / "experiments" / "own.yaml").touch()
    (package.parent / "experiments").mkdir()  # of another package
    monkeypatch.setattr(shipped, "HERE", package)
    assert names() == ["own"]


def test_hyphens_and_folders(three: Path) -> None:
    assert names() == ["claims/edge-momentum", "claims/label-noise", "label-noise"]
    for name in ("label-noise", "label_noise"):
        assert path_of(name) == three / "label_noise.yaml"
        assert path_of(f"claims/{name}") == three / "claims" / "label_noise.yaml"
    assert path_of("claims/edge_momentum") == three / "claims" / "edge-momentum.yaml"
    assert path_of("claims") is None
    assert path_of("claims/../label-noise") is None


def test_what_is_in_the_current_folder(three: Path) -> None:
    Path("label_noise").write_text("epochs: 1")
    Path("label-noise").mkdir()
    assert experiment_file(Path("label_noise")) == Path("label_noise"), "a file comes first"
    assert experiment_file(Path("label-noise")) == three / "label_noise.yaml", "a folder hides none"
    Path("other").mkdir()
    assert experiment_file(Path("other")) == Path("other")  # config.read says that it is a directory
    Path("label-noise.yaml").write_text("epochs: 1")
    assert experiment_file(Path("label-noise.yaml")) == Path("label-noise.yaml")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("lable", "There is neither a file lable nor an experiment of that name; did you mean "),
        ("edge", "did you mean claims/edge-momentum? See samcli list experiments."),
        ("zzz", "There is neither a file zzz nor an experiment of that name; see samcli list experiments."),
        ("label_noise.yaml", "the one that comes with samcli is named label-noise, without .yaml."),
        ("experiments/claims/edge_momentum.yml", "is named claims/edge-momentum, without .yml."),
        ("../elsewhere/experiments/label-noise.yaml", "is named label-noise, without .yaml."),
    ],
)
def test_what_is_said_of_a_name_that_means_none(three: Path, given: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        experiment_file(Path(given))
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("given", ["grid.yaml", "rule.py", "myexperiments/label-noise.yaml", "x/label-noise.yaml"])
def test_files_that_are_no_experiment_of_ours(three: Path, given: str) -> None:
    assert experiment_file(Path(given)) == Path(given)  # config.read says that there is none


@pytest.mark.parametrize(
    ("head", "asked"),
    [
        ("# Does it help? It may.\nname: a", "Does it help?"),
        ("# After Foret et al. (2021), ρ = 0.05\n# on digits. More.", "After Foret et al. (2021), ρ = 0.05 on digits."),
        ("# No end", "No end"),
        ("name: a\n# Too late.", ""),
    ],
)
def test_the_question_is_the_first_sentence(tmp_path: Path, head: str, asked: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(head, encoding="utf-8")
    assert question(file) == asked


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("claims/")])
def test_claims_that_come_along_can_be_judged_at_both_sizes(name: str) -> None:
    """Every hypothesis is about runs that there are, and every claim is one file with what its source says."""
    file = path_of(name)
    assert file is not None
    small = config.read(file)
    claim = claim_of(small)
    assert claim is not None
    for size in (small, config.at_full_size(small)) if claim.full else (small,):
        draft = Draft.of(size, CATALOGUE)
        assert draft.hypotheses
        assert draft.expand()


def test_the_help_topics_are_a_text_that_needs_no_network(tmp_path: Path) -> None:
    file = path_of("claims/fine-tuning")
    assert file is not None
    run = Draft.of(config.read(file), CATALOGUE).expand()[0]
    source = CATALOGUE.create("dataset", run.dataset).source(tmp_path)
    assert tuple(source.inputs.shape) == (15360 // 48, 48)
    assert source.vocabulary == 256
    assert len(source.test_inputs) == 28800 // 48
