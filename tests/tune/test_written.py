"""What a search leaves behind: the table, the warnings, and the experiment file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml
from tuning import TEXT, UNIT, Listed, made, outcome

from samcli.config import Draft, RunConfig, parse, read
from samcli.config.tune import Choices
from samcli.train import CATALOGUE
from samcli.tune.search import Progress, rounds
from samcli.tune.table import as_csv, comment, summary, summary_texts, trial_rows, warnings_of
from samcli.tune.trial import Outcome
from samcli.tune.written import experiment_text, fitting, is_own, tuned_runs


def searched(text: str = TEXT) -> tuple[Draft, Progress, str]:
    draft, runs, contenders = made(text)
    assert draft.tuning is not None
    suggesters = {one.name: Listed(one) for one in contenders}

    def train(configs: Sequence[RunConfig]) -> list[Outcome]:
        return [outcome(config) for config in configs]

    (*_, progress) = rounds(contenders, draft.tuning, suggesters, UNIT, train, CATALOGUE)
    tuned = tuned_runs(runs, progress, draft.tuning, CATALOGUE)
    kept, left = fitting(draft.hypotheses, tuned, CATALOGUE)
    words = comment(progress, draft.tuning, "5.0.0", [one.says for one in left])
    return draft, progress, experiment_text(tuned, kept, words, CATALOGUE, draft.tuning.space)


def test_the_experiment_has_what_was_chosen_and_all_else_as_it_was() -> None:
    draft, _, text = searched()
    runs = Draft.of(parse(text, "small-tuned.yaml"), CATALOGUE).expand()
    before = draft.expand()
    assert [(run.optimizer["name"], run.optimizer["lr"], run.seed) for run in runs] == [
        (name, 0.03, seed) for seed in (0, 1) for name in ("sgd", "sam")
    ]
    for run, old in zip(runs, before, strict=True):
        optimizer = {**old.optimizer, "lr": 0.03}
        assert replace(run, name="small") == replace(old, optimizer=optimizer)
    content = yaml.safe_load(text)
    assert content["name"] == "small-tuned"
    assert "tune" not in content


def test_hypotheses_stay_where_what_they_name_is_still_there() -> None:
    _, _, text = searched()
    assert [one["says"] for one in yaml.safe_load(text)["hypotheses"]] == ["SAM: better", "at the radius of the file"]
    _, _, text = searched(TEXT.replace("optimizer.rho: 0.1}", "optimizer.lr: 0.05}"))
    assert [one["says"] for one in yaml.safe_load(text)["hypotheses"]] == ["SAM: better"]
    assert "# left out, for it is on settings that were not chosen: at the radius of the file\n" in text


def test_the_comment_says_how_it_was_found() -> None:
    _, _, text = searched()
    assert "# from small.yaml: 8 trials each, tpe of Optuna 5.0.0 with seed 0, on seeds 100, 101,\n" in text
    assert "# sgd: trial 2 of 8 (0 broke off), 8.00 evaluations, lr=0.03 gave 0.91\n" in text
    assert "# sam: trial 2 of 8 (0 broke off), 16.00 evaluations, lr=0.03 rho=0.1 gave 0.91\n" in text
    assert text == searched()[2], "same input, same bytes"


def test_words_of_several_lines_are_one(tmp_path: Path) -> None:
    says = 'says: "SAM: better"'
    assert says in TEXT
    _, _, text = searched(TEXT.replace(says, r'says: "SAM is\n\n better: # {ρ}"'))
    (tmp_path / "a.yaml").write_text(text)
    (one, _) = Draft.of(read(tmp_path / "a.yaml"), CATALOGUE).hypotheses
    assert one.says == "SAM is better: # {ρ}"


def test_a_file_is_ours_until_somebody_changes_it(tmp_path: Path) -> None:
    file = tmp_path / "small-tuned.yaml"
    assert is_own(file)
    file.write_text(searched()[2])
    assert is_own(file)
    file.write_text(searched()[2].replace("lr: 0.03", "lr: 0.02"))
    assert not is_own(file)
    file.write_text("epochs: 2\n")
    assert not is_own(file)
    assert not is_own(tmp_path)


def test_every_trial_is_a_row_with_each_seed() -> None:
    _, progress, _ = searched()
    header, first, *rest = as_csv(trial_rows(progress)).splitlines()
    names = "optimizer,trial,state,optimizer.lr,optimizer.rho,validation_accuracy_seed100,"
    assert header == f"{names}validation_accuracy_seed101,validation_accuracy,evaluations,gradient_evaluations"
    cells = first.split(",")
    assert cells[:5] == ["sgd", "0", "finished", "0.01", ""]
    assert [round(float(cell), 9) for cell in cells[5:]] == [0.88, 0.9, 0.89, 1.0, 1000.0]
    assert len(rest) == 15


def test_a_best_at_the_end_of_a_range_is_told_unless_the_option_ends_there() -> None:
    _, progress, _ = searched(TEXT.replace("from: 0.01, to: 1.0, log: true", "from: 0.029, to: 0.2"))
    assert list(warnings_of(progress)) == [
        f"{name}: the best lr=0.03 lies at the lower end of its range, 0.029; widen it." for name in ("sgd", "sam")
    ]
    _, progress, _ = searched(TEXT.replace("from: 0.01, to: 1.0, log: true", "from: 0.01, to: 0.031"))
    assert "lr=0.03 lies at the upper end" in "".join(warnings_of(progress))
    _, progress, _ = searched()
    assert list(warnings_of(progress)) == []
    sam = progress.contenders[1]
    settings = {"lr": 0.03, "rho": 0.0}
    trials = {"sam": [replace(progress.trials["sam"][2], settings=settings)]}
    assert list(warnings_of(Progress([sam], trials))) == [], "there is no radius below 0"


def test_the_summary_counts_what_broke_off() -> None:
    _, progress, _ = searched()
    trials = progress.trials["sam"]
    for index, state in ((0, "diverged"), (1, "failed"), (2, "failed")):
        outcomes = {**trials[index].outcomes, 100: replace(trials[index].outcomes[100], state=state, score=None)}
        trials[index] = replace(trials[index], outcomes=outcomes)
    row = summary(progress)[1]
    assert (row["trials"], row["diverged"], row["failed"], row["best_trial"]) == (8, 1, 2, 3)
    assert summary_texts(progress)[1]["Diverged"] == "1"
    assert "sam: 2 trials failed and count as the worst; --retry-failed tries again." in list(warnings_of(progress))


def test_values_of_any_kind_are_cells() -> None:
    _, progress, _ = searched()
    settings = {"betas": (0.9, 0.99), "nesterov": True, "k": None, "base": "=1+1"}
    axes = {key: Choices((value,)) for key, value in settings.items()}
    one = replace(progress.contenders[0], axes=axes)
    trial = replace(progress.trials["sgd"][0], settings=settings)
    (row,) = trial_rows(Progress([one], {"sgd": [trial]}))
    assert as_csv([row]).splitlines()[1].startswith("""sgd,0,finished,"[0.9, 0.99]",true,null,'=1+1,""")


def test_what_comes_before_is_written_too() -> None:
    """`experiment_text` itself refuses a text that is read as other runs."""
    stages = (
        "stages: [{dataset: {name: wine, split_seed: 3}, optimizer: {name: sam, rho: 0.2}, epochs: 2}]\nmixup: 0.1\n"
    )
    runs = Draft.of(parse(stages + TEXT.partition("hypotheses:")[0], "x.yaml"), CATALOGUE).expand()
    text = experiment_text(runs, [], [], CATALOGUE)
    stage = "{dataset: {name: wine, split_seed: 3}, optimizer: {name: sam, base: sgd, rho: 0.2}, schedule: cosine, "
    assert f"stages:\n  - {stage}epochs: 2}}\n" in text


def test_clients_are_written_with_what_their_server_has() -> None:
    text = (
        "{dataset: digits, optimizer: [sgd, sam], federated: {clients: 9, alpha: 0.2, server: [momentum]}, seeds: 0-1}"
    )
    runs = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    written = experiment_text(runs, [], [], CATALOGUE)
    assert Draft.of(parse(written, "x.yaml"), CATALOGUE).expand() == runs
