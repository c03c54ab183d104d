"""What a page has beside the comparison: several data sets, sensitivity to an option, landscapes."""

from collections.abc import Callable

import pytest
from page_reader import Page
from run_folders import Block, Results

from samcli.report import compare
from samcli.report.over_tasks import over_tasks_table
from samcli.report.sensitivity import sensitivity_table
from samcli.runs import Run
from samcli.runs.landscape_file import LandscapeFile

MakePage = Callable[..., Page]


@pytest.fixture
def grid(results: Results, sgd: Block, sam: Block) -> Results:
    for noise in (0.0, 0.4):
        for seed in range(6):
            data = {"label_noise": noise}
            results.add(sgd, seed, [0.5, 0.6 + 0.01 * seed], validation=[0.5, 0.6], dataset=data)
            for rho in (0.05, 0.1):
                value = 0.7 + rho + 0.02 * seed
                results.add({**sam, "rho": rho}, seed, [0.5, value], validation=[0.5, value], dataset=data)
    return results


def test_several_data_sets_have_the_numbers_of_compare(grid: Results, page: MakePage) -> None:
    made = page(grid.runs())
    (section,) = made.all("section", id="tasks")
    for row in over_tasks_table(compare(grid.runs())).texts:
        for text in row.values():
            assert text in section.text


def test_an_option_has_its_table_below_its_plot(grid: Results, page: MakePage) -> None:
    runs = grid.runs()
    (section,) = page(runs).all("section", id="axes")
    made = sensitivity_table(compare(runs), runs, "optimizer.rho")
    for row in made.texts:
        for text in row.values():
            assert text in section.text
    for line in made.legend:
        assert line in section.text
    # it reads runs at their end, with nothing chosen beforehand
    assert "Sensitivity" not in page(runs, budget="gradients").source
    assert "Sensitivity" not in page(runs, select="epoch").source


def test_one_data_set_has_no_such_section(noisy: Results, page: MakePage) -> None:
    made = page(noisy.runs())
    assert not made.all("section", id="tasks")
    assert not made.all("section", id="landscape")


def test_slices_that_were_kept_are_drawn(results: Results, sgd: Block, page: MakePage) -> None:
    folder = results.add(sgd, 0, [0.5, 0.6])
    folder.checkpoint.write_bytes(b"weights")
    key = {"dimensions": 1, "directions": "random", "span": 1.0, "points": 3, "examples": 100, "seed": 0}
    entry = {"key": key, "loss": "cross-entropy in nats", "axes": [[-1.0, 0.0, 1.0]], "losses": [3.0, 1.0, 2.0]}
    LandscapeFile(folder.checkpoint).add([entry | {"examples": 90, "converged": True}], epoch=2)
    made = page(results.runs())
    (section,) = [one for one in made.data("plots")["sections"] if one["key"] == "landscape"]
    assert section["views"][0]["panels"][0]["series"][0]["y"] == [3.0, 1.0, 2.0]
    assert made.all("section", id="landscape")


def test_planes_are_a_picture_of_one_seed_of_each_setting(
    results: Results, sgd: Block, sam: Block, page: MakePage
) -> None:
    assert not page([*results_of(results, sgd, sam)]).all("section", id="planes")
    key = {"dimensions": 2, "directions": "random", "span": 1.0, "points": 2, "examples": 100, "seed": 0}
    for run in results.runs():
        entry = {"key": key, "loss": "cross-entropy in nats", "axes": [[-1.0, 1.0]] * 2, "losses": [3.0, 1.0, 2.0, 4.0]}
        LandscapeFile(run.folder / "checkpoint.pt").add([entry | {"examples": 90, "converged": True}], epoch=2)
    made = page(results.runs())
    (section,) = made.all("section", id="planes")
    (image,) = made.all("img")
    assert str(image.attributes["src"]).startswith("data:image/png;base64,")
    assert image.attributes["alt"] == (
        "Training loss in a plane of two filter-normalised random directions: sgd seed 0, sam rho=0.1 seed 0"
    )
    assert "One seed of each setting" in section.text


def results_of(results: Results, *optimizers: Block) -> list[Run]:
    for optimizer in optimizers:
        for seed in range(2):
            results.add(optimizer, seed, [0.5, 0.6]).checkpoint.write_bytes(f"{optimizer['name']}{seed}".encode())
    return results.runs()
