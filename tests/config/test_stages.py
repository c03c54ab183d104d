"""What comes before a run is part of the run."""

import pytest

from samcli.config import Draft, RunConfig, parse, stage_runs
from samcli.config.schema import identity_of
from samcli.errors import ConfigError
from samcli.train import CATALOGUE


def expand(text: str) -> list[RunConfig]:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()


STAGED = """
stages: [{dataset: wine, optimizer: [sgd, {name: sam, rho: [0.01, 0.1]}], epochs: 3}]
dataset: {name: wine, train_examples: 50}
model: linear
optimizer: [sgd, sam]
batch_size: [16, 32]
seeds: 0-1
"""


def test_the_grid_is_the_product_of_all_lists() -> None:
    runs = expand(STAGED)
    assert len(runs) == 3 * 2 * 2 * 2
    assert len({run.identity for run in runs}) == len(runs)
    told = {(run.stages[0]["optimizer"]["name"], run.stages[0]["optimizer"].get("rho")) for run in runs}
    assert told == {("sgd", None), ("sam", 0.01), ("sam", 0.1)}


def test_what_a_stage_leaves_out_is_as_in_the_run() -> None:
    for run in expand(STAGED):
        (stage,) = run.stages
        assert stage["batch_size"] == run.training.batch_size
        assert (stage["epochs"], run.training.epochs) == (3, 20)
        assert stage["schedule"] == run.schedule


def test_the_document_of_a_run_is_that_run() -> None:
    for run in expand(STAGED)[:3]:
        import yaml

        (again,) = expand(yaml.safe_dump(run.document()))
        assert again.identity == run.identity == identity_of(run.document())
        assert again.stages == run.stages


def test_a_run_without_stages_is_what_it_was() -> None:
    (plain,) = expand("{dataset: wine, optimizer: sgd}")
    (empty,) = expand("{dataset: wine, optimizer: sgd, stages: []}")
    assert plain.identity == empty.identity
    assert "stages" not in plain.document()


def test_the_stages_as_runs() -> None:
    text = "{dataset: digits, model: {name: cnn, init: a.pt, freeze: backbone}, optimizer: sam, epochs: 4, seeds: 7, "
    (run,) = expand(text + "stages: [{optimizer: sgd, epochs: 1}, {dataset: {name: digits, classes: [0, 1]}}]}")
    first, second = stage_runs(run)
    assert (first.optimizer["name"], first.training.epochs, first.seed, first.stages) == ("sgd", 1, 7, ())
    assert (second.optimizer["name"], second.training.epochs) == ("sam", 4)
    assert second.stages == run.stages[:1]
    assert [stage.model["freeze"] for stage in (first, second)] == [("none",)] * 2
    # the second does not read it, and is another network where it is another
    assert (first.model["init"], second.model["init"]) == (run.model["init"],) * 2
    assert (first.sharpness.every, first.evaluate.every) == (0, 1)


@pytest.mark.parametrize(
    ("stages", "sentence"),
    [
        ("wine", "stages must be a list"),
        ("[wine]", "stages must be a list"),
        ("[{}]", "stages must be a list"),
        ("[{model: cnn}]", "a stage has no 'model'; the model is one for all stages"),
        ("[{epoch: 3}]", r"a stage has no 'epoch'; did you mean epochs\?$"),
        ("[{dataset: win}]", "stage 1: .*There is no dataset named 'win'"),
        ("[{epochs: 3}, {epochs: 0}]", "stage 2: .*epochs must be"),
    ],
)
def test_a_mistake_is_told_with_its_stage(stages: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"x.yaml.*{sentence}"):
        expand(f"{{dataset: wine, optimizer: sgd, stages: {stages}}}")


def test_the_best_epoch_is_a_matter_of_the_last_training() -> None:
    text = "{dataset: {name: wine, validation: 0.2}, keep: best, stages: [{dataset: wine, epochs: 2}], optimizer: sgd}"
    (run,) = expand(text)
    assert "keep" not in run.stages[0]
    assert (run.training.keep, stage_runs(run)[0].training.keep) == ("best", "last")


def test_equal_compute_knows_one_training() -> None:
    with pytest.raises(ConfigError, match="equal_compute counts the passes of one training"):
        expand("{dataset: wine, optimizer: sgd, equal_compute: true, stages: [{epochs: 2}]}")


def test_runs_are_chosen_and_hypotheses_made_by_what_came_before() -> None:
    only = "only: {stage1.optimizer: sam, stage1.rho: 0.1}\n"
    said = "{says: a flat start helps, better: {stage1.optimizer: sam, optimizer: sgd}, than: {stage1.optimizer: sgd}}"
    runs = expand(STAGED + only)
    assert {run.stages[0]["optimizer"].get("rho") for run in runs} == {0.1}
    assert len(expand(f"{STAGED}hypotheses: [{said}]\n")) == 24
    with pytest.raises(ConfigError, match=r"stage1\.rho"):
        expand(STAGED + only.replace("0.1", "0.3"))


def test_how_images_are_read_is_no_part_of_a_stage() -> None:
    text = "{{dataset: image-folder:pets, optimizer: sgd, stages: [{{dataset: {{name: image-folder:pets{}}}}}]}}"
    (plain,), (streamed,) = (expand(text.format(more)) for more in ("", ", stream: true"))
    assert streamed.stages[0]["dataset"]["stream"]
    assert plain.identity == streamed.identity == identity_of(streamed.document())
    assert expand(text.format(", shrink: 2"))[0].identity != plain.identity


def test_two_ways_of_mixing_are_refused_in_a_stage_too() -> None:
    text = "{{dataset: digits, optimizer: sgd, stages: [{{mixup: {}, dataset: {{name: digits, augment: [cutmix]}}}}]}}"
    with pytest.raises(ConfigError, match="mixup and cutmix both mix the examples of a batch"):
        expand(text.format(0.2))
    assert len(expand(text.format(0))) == 1


REPEATED = """
stages:
  - {dataset: {name: digits, train_examples: 300}, epochs: 2}
  - repeat: 3
    step: {dataset.rotate: [2.5, 0], dataset.train_examples: 10}
    dataset: {name: digits, train_examples: 100, rotate: [5, 10]}
dataset: digits
model: mlp
optimizer: [adam, {name: sam, base: adam, rho: [0.05, 0.2]}]
epochs: 1
"""


def test_a_repeated_stage_is_so_many_trainings_that_go_on_by_steps() -> None:
    runs = expand(REPEATED)
    assert len(runs) == 3 * 2
    for run, step in zip(runs, [2.5, 0.0] * 3, strict=True):
        trainings = stage_runs(run)
        assert [len(one.stages) for one in trainings] == [0, 1, 2, 2]
        assert [one.dataset["rotate"] for one in trainings] == [(), *((5 + i * step, 10 + i * step) for i in range(3))]
        assert [one.dataset["train_examples"] for one in trainings] == [300, 100, 110, 120]
        assert {one.optimizer["name"] for one in trainings} == {run.optimizer["name"]}
        assert len({one.identity for one in [*trainings, run]}) == 5


def test_what_comes_before_a_repetition_is_a_document_too() -> None:
    import yaml

    (run, *_) = expand(REPEATED)
    for one in [*stage_runs(run), run]:
        (again,) = expand(yaml.safe_dump(one.document()))
        assert again.identity == one.identity
        assert [stage.identity for stage in stage_runs(again)] == [stage.identity for stage in stage_runs(one)]


def test_fewer_repetitions_are_the_first_of_more() -> None:
    more, fewer = (stage_runs(expand(text)[0]) for text in (REPEATED, REPEATED.replace("repeat: 3", "repeat: 2")))
    assert [one.identity for one in more[:3]] == [one.identity for one in fewer]


def test_steps_that_lead_nowhere_are_told() -> None:
    with pytest.raises(ConfigError, match=r"stage 2: .*rotate must be"):
        expand(REPEATED.replace("[2.5, 0]", "200"))
    with pytest.raises(ConfigError, match=r"the stage has no number 'dataset\.classes' to add 2 to"):
        expand(REPEATED.replace("dataset.rotate: [2.5, 0]", "dataset.classes: 2"))


def test_a_setting_that_a_stage_has_as_its_run_goes_without_saying() -> None:
    from samcli.report.settings import distinguishing, label

    runs = [run for run in expand(REPEATED) if run.stages[1]["step"]["dataset.rotate"]]
    words = [label(told) for told in distinguishing([run.document() for run in runs])]
    assert words == ["", "rho=0.05", "rho=0.2"]
    other = expand(REPEATED.replace("epochs: 2}", "epochs: 2, optimizer: [adam, sgd]}"))
    assert any("stage1.optimizer=sgd" in label(told) for told in distinguishing([run.document() for run in other]))
