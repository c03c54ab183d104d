"""`samcli train`: what it prints where, and what it says to each mistake."""

import errno
import json
import os
from pathlib import Path

import pytest
from command import Samcli

from samcli import shipped
from samcli.runs import RunFolder
from samcli.runs.hypotheses_file import recorded
from samcli.runs.lease import Lease

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SMALL = ("--set", "dataset.train_examples=60", "--epochs", "2", "--set", "sharpness.examples=20")


def test_grid_from_flags(samcli: Samcli, tmp_path: Path) -> None:
    small = ("--dataset", "digits", "--model", "mlp", "--optimizer", "sgd,sam", "--seeds", "0-2", *SMALL)
    called = samcli("train", *small, "--results", tmp_path)
    assert called.code == 0
    assert "run 6/6  digits mlp sam rho=0.05 seed 2" in called.err
    assert "epoch 2/2" in called.err
    assert f"metrics.csv and checkpoint.pt of every run lie in {tmp_path}/digits/<run>/" in called.err
    # results on standard output, progress not
    assert "sam rho=0.05" in called.out
    assert "baseline" in called.out
    assert "run 6/6" not in called.out
    assert "no interval" not in called.out
    assert len(list(tmp_path.glob("digits/*/metrics.csv"))) == 6

    again = samcli("train", *small, "--results", tmp_path)
    assert again.code == 0
    assert "6 of 6 runs are finished already, 0 left to do." in again.err
    assert "epoch" not in again.err

    more = samcli("train", *small, "--results", tmp_path, "--seeds", "0-3")
    assert "6 of 8 runs are finished already, 2 left to do." in more.err


def test_config_of_a_run_repeats_the_run(samcli: Samcli, tmp_path: Path) -> None:
    samcli("train", "--optimizer", "sam", "--model", "mlp", *SMALL, "--results", tmp_path / "a")
    (config,) = tmp_path.glob("a/digits/*/config.yaml")
    samcli("train", config, "--results", tmp_path / "b")
    (again,) = tmp_path.glob("b/digits/*/config.yaml")
    assert again.parent.name == config.parent.name
    assert again.read_text() == config.read_text()

    def losses(folder: Path) -> list[str]:
        return [line.split(",")[1] for line in (folder / "metrics.csv").read_text().splitlines()]

    assert losses(again.parent) == losses(config.parent)


EXPECTED = """\
name: trial
dataset: {name: digits, train_examples: 60}
model: mlp
epochs: 1
sharpness: {examples: 20}
optimizer: [sgd, sam]
seeds: %s
hypotheses: [{says: SAM wins, better: {optimizer: sam}, than: {optimizer: sgd}}]
"""


def test_repeating_a_run_withdraws_no_hypothesis(samcli: Samcli, tmp_path: Path) -> None:
    file = tmp_path / "trial.yaml"
    file.write_text(EXPECTED % "0")
    results = ("--results", tmp_path / "results")
    samcli("train", file, *results)
    config, _ = tmp_path.glob("results/trial/*/config.yaml")
    assert samcli("train", config, *results).code == 0
    assert samcli("train", "--name", "trial", "--optimizer", "sgd", "--model", "mlp", *SMALL, *results).code == 0
    (one,) = recorded(tmp_path / "results" / "trial")
    assert one.withdrawn is None
    file.write_text(EXPECTED.partition("hypotheses")[0] % "0")
    samcli("train", file, *results)
    (one,) = recorded(tmp_path / "results" / "trial")
    assert one.withdrawn is not None


def test_hypotheses_written_after_other_runs_of_the_experiment_say_so(samcli: Samcli, tmp_path: Path) -> None:
    file = tmp_path / "trial.yaml"
    file.write_text(EXPECTED.partition("hypotheses")[0] % "0-1")
    samcli("train", file, "--results", tmp_path / "results")
    file.write_text(EXPECTED % "2")
    called = samcli("train", file, "--results", tmp_path / "results")
    (one,) = recorded(tmp_path / "results" / "trial")
    assert one.finished_before == 4
    assert "SAM wins *" in called.out


def test_json_is_one_document(samcli: Samcli, tmp_path: Path) -> None:
    called = samcli("train", "--optimizer", "sgd,sam", "--model", "mlp", *SMALL, "--results", tmp_path, "--json")
    document = json.loads(called.out)
    assert set(document["runs"].values()) == {"finished"}
    assert document["results"] == [f"{tmp_path}/digits"]
    assert {row["optimizer"] for row in document["comparison"]["rows"]} == {"sgd", "sam"}


def test_dry_run_names_what_another_process_has(samcli: Samcli, tmp_path: Path) -> None:
    small = ("train", "--dataset", "wine", "--optimizer", "sgd", "--seeds", "0-1", "--results", tmp_path, "--dry-run")
    first, _ = json.loads(samcli(*small, "--json").out)["runs"]
    with Lease(Path(first["folder"])):
        called = samcli(*small)
    assert called.out.split()[0] == "busy"
    assert "2 runs, 1 left to do besides 1 that another process has." in called.err
    assert f"{Path(first['folder']).name} is being trained by process {os.getpid()} on " in " ".join(called.err.split())


def test_dry_run_trains_nothing(samcli: Samcli, tmp_path: Path) -> None:
    called = samcli("train", "--dry-run", "--results", tmp_path / "results")
    assert called.code == 0
    assert len(called.out.splitlines()) == 6
    assert "quickstart/digits-cnn-sam-rho0.3-seed2-" in called.out
    assert "6 runs, 6 left to do." in called.err
    assert not (tmp_path / "results").exists()
    document = json.loads(samcli("train", "--dry-run", "--json", "--results", tmp_path).out)
    assert [run["state"] for run in document["runs"]] == ["new"] * 6
    assert document["runs"][1]["config"]["optimizer"]["rho"] == 0.3


def test_an_experiment_that_comes_with_samcli_is_called_by_its_name(samcli: Samcli, tmp_path: Path) -> None:
    by_name = samcli("train", "label_noise", "--dry-run", "--json", "--results", tmp_path)
    by_file = samcli("train", EXPERIMENTS / "label_noise.yaml", "--dry-run", "--json", "--results", tmp_path)
    assert by_name.code == 0
    assert by_name.out == by_file.out
    called = samcli("train", "lable-noise", "--dry-run")
    assert called.code == 2
    assert "There is neither a file lable-noise nor an experiment of that name; did you mean label-noise?" in called.err


def test_a_file_of_that_name_comes_first(samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quickstart").write_text("{dataset: wine, optimizer: sgd, epochs: 1}")
    called = samcli("train", "quickstart", "--dry-run")
    assert called.code == 0
    assert "1 run, 1 left to do." in called.err


RULE = """
from dataclasses import dataclass

from samcli.optim import VARIANTS
from samcli.optim.variants.sam import SAM


@VARIANTS.register("own-sam")
@dataclass(frozen=True, kw_only=True)
class OwnSam(SAM):
    \"\"\"SAM under a name of its own.\"\"\"
"""


def test_what_a_file_names_beside_it_is_found_by_its_name_too(
    samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    (place / "claims").mkdir(parents=True)
    (place / "rule.py").write_text(RULE)
    (place / "wide.yaml").write_text("dataset: wine\nplugins: [rule.py]\noptimizer: own-sam\nepochs: 1\n")
    (place / "claims" / "own_one.yaml").write_text("base: ../wide.yaml\nepochs: 2\n")
    (place / "wrong.yaml").write_text("base: wide.yaml\nepochs: none\n")
    monkeypatch.setattr(shipped, "folder", lambda: place)
    monkeypatch.chdir(tmp_path)
    for name, epochs in (("wide", 1), ("claims/own-one", 2)):
        (run,) = json.loads(samcli("train", name, "--dry-run", "--json").out)["runs"]
        assert (run["config"]["optimizer"]["name"], run["config"]["epochs"]) == ("own-sam", epochs)
        assert [Path(file).resolve() for file in run["config"]["plugins"]] == [place / "rule.py"]
    assert Path(run["folder"]).parent == Path("results/own_one"), "as that of its file"
    called = samcli("train", "wrong", "--dry-run")
    assert called.code == 2
    assert f"{place / 'wrong.yaml'}, line 2: epochs must be" in called.err


def test_every_shipped_experiment_is_valid(samcli: Samcli, tmp_path: Path) -> None:
    files = sorted(EXPERIMENTS.rglob("*.yaml"))
    assert len(files) >= 7
    for file in files:
        called = samcli("train", file, "--dry-run", "--results", tmp_path)
        assert called.code == 0, called.err
        assert file.read_text().startswith("# ")


def test_diverged_run_is_told_and_the_others_go_on(samcli: Samcli, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        "dataset: diabetes\nepochs: 3\nschedule: constant\n"
        "optimizer: [{name: sgd, lr: 1e30}, {name: sam, lr: 0.01, rho: 0.01}]\n"
    )
    called = samcli("train", file, "--results", tmp_path / "results")
    assert called.code == 1
    assert "diabetes linear sgd lr=1e+30 seed 0 diverged. The loss was not finite in epoch 1" in called.err
    assert "sam rho=0.01" in called.out
    assert "Traceback" not in called.err
    assert (tmp_path / "results" / "x").is_dir()  # named after the file


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--optimizer", "smg"], "There is no optimizer named 'smg'; did you mean sgd?"),
        (["--dataset", "digit"], "There is no dataset named 'digit'; did you mean digits?"),
        (["--model", "resnet19"], "There is no model named 'resnet19'; did you mean resnet18?"),
        (["--model", "torchvision:resnet19"], "the nearest are resnet18"),
        (["--set", "optimizer.lr=abc"], "lr must be a number at least 0, not 'abc'."),
        (["--set", "optimizer.rho=-1"], "rho must be a number at least 0, not -1."),
        (["--set", "optimizer.roh=1"], "no optimizer here has an option 'roh'; did you mean rho?"),
        (["--set", "epochs"], "must be written key=value"),
        (["--epochs", "0"], "epochs must be a whole number at least 1, not 0."),
        (["--seeds", "a-b"], "seeds must be written as 3, 0-4 or 0,2,5, not 'a-b'."),
        (["--device", "cuda:99"], "There is no GPU for --device cuda:99 on this machine; use --device cpu or auto."),
        (["--device", "tpu9"], "There is no device named 'tpu9'; use auto, cpu, cuda or mps."),
        (["--optimizer", "sgd,,sam"], "An empty name in 'sgd,,sam'"),
        (["absent.yaml"], "There is no file absent.yaml"),
        (["."], ". is a directory; name an experiment file in it."),
        (["--dataset", "wine", "--model", "cnn"], "models that fit: linear, mlp"),
        (["--dataset", "image-folder:absent"], "absent"),
        (["--dataset", "diabetes", "--set", "label_smoothing=0.1"], "label"),
        (["--dataset", "wine", "--set", "dataset.augment=[crop]"], "augment is for images"),
    ],
)
def test_mistakes(
    samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    called = samcli("train", *arguments)
    assert called.code == 2, called.err
    assert sentence in called.err
    assert called.err.startswith("samcli: ")
    assert "Traceback" not in called.err
    assert called.out == ""
    assert not list(tmp_path.glob("results/*/*"))


def test_mistakes_in_a_file_name_the_line(samcli: Samcli, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    for text, sentence in (
        ("epochs: 3\nlearning_rate: 1\n", "line 2: unknown key 'learning_rate'"),
        ("epochs: 3\nepochs: 4\n", "line 2: the key 'epochs' is set in line 1 already; remove one."),
        ("optimizer:\n  name: sam\n  lr: abc\n", "line 3: lr must be a number at least 0, not 'abc'."),
        ("", "is empty; start from what samcli list experiments quickstart shows."),
    ):
        file.write_text(text)
        called = samcli("train", file, "--results", tmp_path / "results")
        assert called.code == 2
        assert sentence in called.err
        assert str(file) in called.err
        assert "Traceback" not in called.err


def test_scientific_notation_is_a_number(samcli: Samcli, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("optimizer: {name: sgd, lr: 1e-3}\n")
    document = json.loads(samcli("train", file, "--dry-run", "--json").out)
    assert document["runs"][0]["config"]["optimizer"]["lr"] == 0.001


def test_missing_data_set_without_network(samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    called = samcli("train", "--dataset", "cifar10", "--data-dir", tmp_path / "sets", "--results", tmp_path / "results")
    assert called.code == 2
    assert "CIFAR-10 is missing" in called.err
    assert str(tmp_path / "sets") in called.err
    assert "--data-dir" in called.err
    assert "Traceback" not in called.err
    assert not list((tmp_path / "results").glob("*"))


def test_results_that_cannot_be_written(samcli: Samcli, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    called = samcli("train", "--results", blocked / "results")
    assert called.code == 2
    assert f"Cannot write to the results folder {blocked}/results" in called.err
    assert "choose another with --results" in called.err
    assert "Traceback" not in called.err


def test_full_disk(samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    called = samcli("train", "--optimizer", "sgd", "--model", "mlp", *SMALL, "--results", tmp_path)
    assert called.code == 2
    assert "No space left on device" in called.err
    assert "run the same command again" in called.err
    assert "Traceback" not in called.err


def test_defect_keeps_its_traceback(samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object) -> None:
        raise ZeroDivisionError("a defect of ours")

    monkeypatch.setattr("samcli.train.session.Session.train_epoch", broken)
    called = samcli("train", "--optimizer", "sgd", "--model", "mlp", *SMALL, "--results", tmp_path)
    assert called.code == 1
    assert "Traceback" in called.err
    assert "ZeroDivisionError: a defect of ours" in called.err


ONE = ("--optimizer", "sgd", "--model", "mlp", *SMALL)


def test_damaged_files_of_a_run_do_not_block_it(samcli: Samcli, tmp_path: Path) -> None:
    samcli("train", *ONE, "--results", tmp_path)
    (run,) = tmp_path.glob("digits/*")
    whole = (run / "checkpoint.pt").read_bytes()
    (run / "run.json").write_text("x")
    assert samcli("train", *ONE, "--results", tmp_path).code == 0
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    (run / "checkpoint.pt").write_bytes(whole[:3000])
    (run / "run.json").write_text('{"status": "interrupted", "epochs_done": 1}')
    assert samcli("train", *ONE, "--results", tmp_path).code == 0
    assert (run / "checkpoint.damaged").read_bytes() == whole[:3000]
    assert len((run / "metrics.csv").read_text().splitlines()) == 3


def test_a_finished_run_is_not_rehearsed(samcli: Samcli, tmp_path: Path) -> None:
    """What would stop it if it were trained is of no concern."""
    impossible = ("--dataset", "wine", "--model", "cnn", "--optimizer", "sgd", "--epochs", "1", "--results", tmp_path)
    refused = samcli("train", *impossible)
    assert (refused.code, "models that fit" in refused.err) == (2, True)
    (cell,) = json.loads(samcli("train", *impossible, "--dry-run", "--json").out)["runs"]
    folder = RunFolder(Path(cell["folder"]))
    folder.write_status({"status": "finished", "epochs_done": 1})
    folder.write_config(cell["config"])
    folder.write_metrics([{"epoch": 1, "train_loss": 0.5}])
    assert "models that fit" not in samcli("train", *impossible).err


def test_order_of_set_does_not_matter(samcli: Samcli) -> None:
    for flags in (("schedule.warmup_epochs=2", "schedule=cosine"), ("schedule=cosine", "schedule.warmup_epochs=2")):
        called = samcli("train", "--dry-run", "--json", "--optimizer", "sgd", *(w for f in flags for w in ("--set", f)))
        assert json.loads(called.out)["runs"][0]["config"]["schedule"]["warmup_epochs"] == 2.0


def test_set_counts_where_a_flag_gives_the_same_key(samcli: Samcli) -> None:
    """As --set optimizer.rho did beside --rho; --epochs and --batch-size went before their --set without a word."""

    def identities(*arguments: str) -> list[str]:
        called = samcli("train", "--dry-run", "--json", "--seeds", "0", *arguments)
        return [run["folder"] for run in json.loads(called.out)["runs"]]

    both = ("--epochs", "3", "--batch-size", "30", "--rho", "0.3", "--lr", "0.3")
    sets = [w for f in ("epochs=5", "batch_size=20", "optimizer.rho=0.2", "optimizer.lr=0.2") for w in ("--set", f)]
    alone = identities("--optimizer", "sam", *sets)
    assert identities("--optimizer", "sam", *both, *sets) == alone
    assert identities("--optimizer", "sgd", "--set", "optimizer=sam", *both, *sets) == alone
    assert identities("--optimizer", "sam", *both) != alone


@pytest.mark.parametrize("arguments", [("--epochs", "0"), ("--seeds", "a"), ("--set", "optimizer.lr=abc")])
def test_mistakes_in_flags_are_not_blamed_on_the_file(samcli: Samcli, arguments: tuple[str, ...]) -> None:
    called = samcli("train", *arguments)
    assert called.err.startswith("samcli: the command line: ")
    assert "line 7" not in called.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seeds: []", "seeds is empty"),
        ("seeds: 0-100000000", "are more than 10,000 seeds; name fewer."),
        ("epochs: []", "epochs is an empty list; give it a value."),
        ("optimizer: []", "optimizer is an empty list"),
        ("epochs: &a [*a]", "has an alias inside what it stands for"),
    ],
)
def test_more_mistakes_in_files(samcli: Samcli, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "x.yaml").write_text(text + "\n")
    called = samcli("train", tmp_path / "x.yaml", "--dry-run")
    assert called.code == 2
    assert sentence in called.err


def test_an_image_folder_is_known_by_its_absolute_path(
    samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        called = samcli("train", "--dataset", "image-folder:pics", "--optimizer", "sgd", "--dry-run", "--json")
        (run,) = json.loads(called.out)["runs"]
        assert run["config"]["dataset"]["name"] == f"image-folder:{tmp_path / place / 'pics'}"
        names.append(run["folder"])
    assert names[0] != names[1]


def test_labels_tell_runs_apart(samcli: Samcli, tmp_path: Path) -> None:
    called = samcli("train", *ONE, "--set", "optimizer.lr=[0.1,0.2]", "--results", tmp_path)
    assert "digits mlp sgd lr=0.1 seed 0" in called.err
    assert "digits mlp sgd lr=0.2 seed 0" in called.err


def test_a_dry_run_finds_what_training_would(samcli: Samcli, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    called = samcli("train", "--dataset", f"image-folder:{tmp_path}/absent", "--dry-run", "--results", tmp_path)
    assert called.code == 2
    assert "There is no folder" in called.err
    assert "new " in called.out
    called = samcli("train", "--dataset", "wine", "--dry-run", "--results", tmp_path / "a.py" / "b")
    assert called.code == 2
    assert "A file stands where the results folder" in called.err


def test_only_some_cells_of_the_grid(samcli: Samcli, tmp_path: Path) -> None:
    file = tmp_path / "some.yaml"
    file.write_text("optimizer: [sgd, sam]\nseeds: 0-2\nexclude: {optimizer: sam, seeds: 2}\n")
    called = samcli("train", file, "--only", "optimizer=sam", "--dry-run", "--results", tmp_path)
    assert called.code == 0
    assert [line.split("/")[-1][:-9] for line in called.out.splitlines()] == [
        "digits-cnn-sam-rho0.05-seed0",
        "digits-cnn-sam-rho0.05-seed1",
    ]
    assert "4 cells of the grid left out by only and exclude." in called.err
    wrong = samcli("train", file, "--only", "optimizer=samm", "--results", tmp_path)
    assert wrong.code == 2
    assert wrong.err == "samcli: --only optimizer=samm: no run has optimizer samm; did you mean sam?\n"


def test_a_file_begins_from_another(samcli: Samcli, tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("name: first\noptimizer: {name: sam, rho: 0.1}\nmodel: mlp\nepochs: 1\n")
    file = tmp_path / "second.yaml"
    file.write_text("base: first.yaml\noptimizer: {rho: 0.2}\n")
    called = samcli("train", file, "--dry-run", "--results", tmp_path)
    (line,) = called.out.splitlines()
    assert "/second/digits-mlp-sam-rho0.2-seed0-" in line
    file.write_text("epochs: 2\nbase: thrid.yaml\n")
    wrong = samcli("train", file, "--dry-run", "--results", tmp_path)
    assert wrong.code == 2
    assert wrong.err.startswith(f"samcli: {file}, line 2: there is no file {tmp_path}/thrid.yaml; ")


def test_a_dry_run_tells_how_long_it_takes(samcli: Samcli, tmp_path: Path) -> None:
    one = ("train", "--dataset", "wine", "--optimizer", "sgd", "--results", tmp_path)
    small = (*one, "--jobs", "1", "--threads", "1")
    unknown = samcli(*small, "--epochs", "2", "--dry-run")
    assert "How long it takes is not known, for no run like these has finished." in unknown.err
    assert samcli(*one, "--epochs", "2", "--jobs", "0").code == 0  # of one thread, as all tests
    known = samcli(*small, "--epochs", "1000", "--seeds", "0-1", "--dry-run")
    assert "with 1 job, from finished runs of the same kind." in known.err
    told = json.loads(samcli(*small, "--epochs", "1000", "--dry-run", "--json").out)["estimate"]
    assert told["kinds_unknown"] == 0
    assert told["seconds"] > 0
    assert "kind" not in samcli(*small, "--epochs", "2", "--dry-run").err, "nothing is left to do"


@pytest.mark.parametrize("flag", ["--timeout", "--threads", "--jobs-per-gpu"])
def test_what_needs_a_process_for_each_run_is_refused_in_this_one(samcli: Samcli, flag: str) -> None:
    called = samcli("train", "--dataset", "wine", "--jobs", "0", flag, "3")
    assert called.code == 2
    assert f"{flag} is for runs in processes of their own, and --jobs 0 trains in the command's own" in called.err


@pytest.mark.parametrize("jobs", ["-1", "two", "1.5", "99999", "", "²"])
def test_jobs_are_auto_or_a_number(samcli: Samcli, jobs: str) -> None:
    called = samcli("train", "--dataset", "wine", f"--jobs={jobs}")
    assert called.code == 2
    assert f"--jobs must be auto or a whole number from 0 to 1024, not {jobs!r}." in called.err


@pytest.mark.parametrize(
    "model",
    [
        "{name: linear, init: nowhere/run, freeze: [backbone]}",
        "{name: linear, init: nowhere.pth, freeze: [absent]}",
        "{name: 'torchvision:resnet18', weights: nowhere/mine.pth, freeze: [absent]}",
        "{name: 'torchvision:resnet18', weights: nowhere/mine.pth}",
    ],
)
def test_a_missing_file_to_begin_with_is_told_first(samcli: Samcli, tmp_path: Path, model: str) -> None:
    """Whatever else is wrong with a model, which may be so because its file is not the one that was meant."""
    small = ("--optimizer", "sgd", "--epochs", "1", "--results", tmp_path)
    for further in ([], ["--dry-run"]):
        called = samcli("train", "--dataset", "digits", *small, "--set", f"model={model}", *further)
        assert called.code == 2
        assert "is missing; name a checkpoint, a .safetensors file or a file of torch.save." in called.err
        assert "freeze" not in called.err
