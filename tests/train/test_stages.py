"""A run that goes on where another training ended."""

import threading
from pathlib import Path

import pytest
import torch

from samcli.config import Draft, RunConfig, parse, stage_runs
from samcli.errors import ConfigError, Interrupted
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.runs.lease import Lease
from samcli.train import CATALOGUE, train_run
from samcli.train.digests import Digests
from samcli.train.rehearsal import rehearse
from samcli.train.session import Session
from samcli.train.stages import StageFailed, stage_folder

TEXT = """
stages: [{dataset: {name: digits, classes: [0, 1, 2]}, optimizer: {name: sam, rho: 0.02}, epochs: 2}]
dataset: {name: digits, classes: [3, 4, 5], train_examples: 60}
model: {name: mlp, hidden: 16}
optimizer: sgd
epochs: 3
sharpness: {every: 0}
"""
CPU = torch.device("cpu")


def config(text: str = TEXT) -> RunConfig:
    (run,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    return run


def train(run: RunConfig, folder: Path, **options: object) -> str:
    return train_run(run, RunFolder(folder), data_dir=Path(), device=CPU, **options)  # type: ignore[arg-type]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = checkpoint.load(folder / "checkpoint.pt")["model"]
    return found


def test_it_is_the_two_trainings_done_by_hand(tmp_path: Path) -> None:
    run = config()
    assert train(run, tmp_path / "a/run") == "finished"
    (stage,) = stage_runs(run)
    first = Session(stage, data_dir=Path(), device=CPU)
    while not first.finished:
        first.train_epoch()
    second = Session(run, data_dir=Path(), device=CPU)
    head = {"5.weight", "5.bias"}  # drawn by the seed, for the classes are others
    state = second.model.state_dict()
    assert head < set(state)
    second.model.load_state_dict({k: state[k] if k in head else v for k, v in first.model.state_dict().items()})
    while not second.finished:
        second.train_epoch()
    found = weights(tmp_path / "a/run")
    assert all(torch.equal(found[name], value) for name, value in second.model.state_dict().items())
    assert len((tmp_path / "a/run/metrics.csv").read_text().splitlines()) == 1 + 3
    status = RunFolder(tmp_path / "a/run").read_status()
    assert status["stage"]["epochs"] == 2
    assert status["stage"]["gradient_evaluations"] == first.gradient_evaluations
    assert len(status["dataset"]["stages"]) == 1


def test_the_same_classes_keep_the_head(tmp_path: Path) -> None:
    run = config(TEXT.replace("[3, 4, 5]", "[0, 1, 2]"))
    session = Session(run, data_dir=Path(), device=CPU)
    (stage,) = stage_runs(run)
    first = Session(stage, data_dir=Path(), device=CPU)
    first.train_epoch()
    session.go_on_from(first.state())
    assert all(torch.equal(a, b) for a, b in zip(session.model.parameters(), first.model.parameters(), strict=True))


@pytest.mark.parametrize("epoch", [0, 1, 2, 4])
def test_interrupted_anywhere_it_is_the_same_run(tmp_path: Path, epoch: int) -> None:
    """At the beginning, within the stage, after it, and within the run itself."""
    run = config()
    train(run, tmp_path / "a/run")
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > epoch

    with pytest.raises(Interrupted):
        train(run, tmp_path / "b/run", should_stop=should_stop)
    assert RunFolder(tmp_path / "b/run").read_status()["status"] == "interrupted"
    assert train(run, tmp_path / "b/run") == "finished"
    one, other = weights(tmp_path / "a/run"), weights(tmp_path / "b/run")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_runs_that_begin_alike_share_the_stage(tmp_path: Path) -> None:
    told: list[str] = []
    train(config(), tmp_path / "sgd", on_notice=told.append)
    train(config(TEXT.replace("optimizer: sgd", "optimizer: sam")), tmp_path / "sam", on_notice=told.append)
    assert told == ["stage 1: sam on digits, 2 epochs."]
    assert len(list((tmp_path / ".stages").iterdir())) == 1


def test_it_waits_for_whoever_trains_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samcli.train.stages.SECONDS_BETWEEN_LOOKS", 0.05)
    run = config()
    folder = stage_folder(stage_runs(run)[0], tmp_path / "run", Path())
    told: list[str] = []
    other = Lease(folder.path)
    other.__enter__()

    def notice(sentence: str) -> None:
        told.append(sentence)
        if "waiting for it" in sentence:
            threading.Timer(0.2, other.__exit__, (None, None, None)).start()

    assert train(run, tmp_path / "run", on_notice=notice) == "finished"
    assert told[1] == "stage 1: sam on digits is being trained for another run; waiting for it."


def test_a_stage_that_diverges_fails_the_run_with_its_reason(tmp_path: Path) -> None:
    text = TEXT.replace("{name: sam, rho: 0.02}", "{name: sgd, lr: 1e30, momentum: 0.0}")
    with pytest.raises(StageFailed, match=r"Its stage 1: sgd on digits diverged: .*lr"):
        train(config(text), tmp_path / "run")
    assert RunFolder(tmp_path / "run").read_status()["status"] == "failed"


def test_two_stages_follow_one_another(tmp_path: Path) -> None:
    text = TEXT.replace("epochs: 2}]", "epochs: 2}, {optimizer: adam, epochs: 1}]")
    told: list[str] = []
    assert train(config(text), tmp_path / "run", on_notice=told.append) == "finished"
    assert told == ["stage 1: sam on digits, 2 epochs.", "stage 2: adam on digits, 1 epoch."]
    assert len(list((tmp_path / ".stages").iterdir())) == 2


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_damaged_checkpoint_does_not_lose_the_stage(tmp_path: Path, epoch: int) -> None:
    """Begun anew, a run begins with its stage again, and not with weights that the seed drew."""
    run = config()
    train(run, tmp_path / "a/run")
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2 + epoch

    with pytest.raises(Interrupted):
        train(run, tmp_path / "b/run", should_stop=should_stop)
    file = tmp_path / "b/run/checkpoint.pt"
    assert checkpoint.load(file)["epoch"] == epoch
    spoilt = bytearray(file.read_bytes())
    spoilt[len(spoilt) // 2] ^= 255
    file.write_bytes(spoilt)
    told: list[str] = []
    assert train(run, tmp_path / "b/run", on_notice=told.append) == "finished"
    assert [sentence for sentence in told if "begins anew" in sentence] == told
    one, other = weights(tmp_path / "a/run"), weights(tmp_path / "b/run")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_damaged_second_stage_does_not_lose_the_first(tmp_path: Path) -> None:
    run = config(TEXT.replace("epochs: 2}]", "epochs: 2}, {optimizer: adam, epochs: 1}]"))
    train(run, tmp_path / "a/run")
    file = stage_folder(stage_runs(run)[1], tmp_path / "a/run", Path()).checkpoint
    file.write_bytes(file.read_bytes()[:-40])
    other = config(TEXT.replace("epochs: 2}]", "epochs: 2}, {optimizer: adam, epochs: 1}]").replace("sgd", "sam"))
    train(other, tmp_path / "a/other")
    train(other, tmp_path / "b/other")
    one, two = weights(tmp_path / "a/other"), weights(tmp_path / "b/other")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_later_stage_is_not_shared_by_networks_that_began_otherwise(tmp_path: Path) -> None:
    """Nor is one that began with what the file held before."""
    text = TEXT.replace("epochs: 2}]", "epochs: 2}, {optimizer: adam, epochs: 1}]")
    file = tmp_path / "network.pth"
    drawn = config(text)
    begun = config(text.replace("hidden: 16", f"hidden: 16, init: {file}"))
    found = []
    for seed in (7, 8):
        other = config(text + f"seeds: [{seed}]\n")
        torch.save(Session(other, data_dir=Path(), device=CPU, begins=False).model.state_dict(), file)
        folder = tmp_path / f"x/run{seed}"
        assert train(begun, folder) == "finished"
        assert RunFolder(folder).read_status()["init"]["file"] == str(file)
        found.append(weights(folder)["1.weight"])
    train(drawn, tmp_path / "x/drawn")
    found.append(weights(tmp_path / "x/drawn")["1.weight"])
    assert not any(torch.equal(found[a], found[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert len(list((tmp_path / "x/.stages").iterdir())) == 6
    status = RunFolder(tmp_path / "x/run7").read_status()
    assert Digests(Path()).change(begun, status) == "another network.pth to begin with"


def test_a_precision_of_the_machine_is_that_of_the_stages(tmp_path: Path) -> None:
    assert train(config(TEXT + "precision: auto\n"), tmp_path / "run") == "finished"
    alone = config(TEXT.replace("epochs: 2}]", "epochs: 2, precision: auto}]"))
    assert train(alone, tmp_path / "alone") == "finished"


def test_a_stage_that_does_not_fit_is_found_before_it_is_trained() -> None:
    rest = "dataset: breast-cancer, model: {name: mlp, hidden: 16}, optimizer: sgd"
    with pytest.raises(ConfigError, match=r"stage 1 does not fit the model: .*13 there, 16x30 here"):
        rehearse([config(f"{{stages: [{{dataset: wine}}], {rest}}}")], Path())
    with pytest.raises(ConfigError, match=r"stage 2 does not fit the model: .*13 there, 16x30 here"):
        rehearse([config(f"{{stages: [{{dataset: wine}}, {{dataset: wine}}], {rest}}}")], Path())


def test_a_stage_of_other_words_is_refused(tmp_path: Path) -> None:
    for name, words in (("a", "good bad"), ("b", "gut arg")):
        rows = [f"{words.split()[n % 2]} film {words.split()[n % 2]},{n % 2}" for n in range(20)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,label", *rows, ""]))
    model = "model: {name: text-encoder, layers: 1, width: 8, heads: 2}, optimizer: sgd"
    file = f"dataset: 'text-csv:{tmp_path}"
    other = config(f"{{stages: [{{{file}/a.csv'}}], {file}/b.csv', {model}}}")
    with pytest.raises(ConfigError, match=r"^stage 1 was trained on inputs that mean something else: its tokens"):
        rehearse([other], Path())
    rehearse([config(f"{{stages: [{{epochs: 1}}], {file}/b.csv', {model}}}")], Path())


def test_progress_names_the_data_of_a_stage_by_the_file(tmp_path: Path) -> None:
    """But by their paths where two files have one name."""
    rows = "a,b,y\n" + "".join(f"{i % 7},{i % 5},{'no' if i % 2 else 'yes'}\n" for i in range(60))
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.csv").write_text(rows)
    told: list[str] = []
    for number, other in enumerate(("one", "two")):
        text = (
            f"{{stages: [{{dataset: 'csv:{tmp_path}/one/rows.csv', epochs: 1}}], "
            f"dataset: 'csv:{tmp_path}/{other}/rows.csv', model: linear, optimizer: sgd, epochs: 1}}"
        )
        assert train(config(text), tmp_path / str(number) / "run", on_notice=told.append) == "finished"
    assert told == [
        "stage 1: sgd on rows.csv, 1 epoch.",
        f"stage 1: sgd on csv:{tmp_path}/one/rows.csv, 1 epoch.",
    ]


def test_while_its_stages_train_a_run_is_running(tmp_path: Path) -> None:
    seen: list[str] = []
    run = config()
    train(run, tmp_path / "run", on_notice=lambda _: seen.append(RunFolder(tmp_path / "run").read_status()["status"]))
    assert seen == ["running"]
