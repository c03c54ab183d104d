"""Which plots a page has, and their numbers."""

import pytest
from run_folders import SAM, SGD, Results

from samcli.report.page.figures import MOST_AT_FIRST, looks_of, record, sections_of
from samcli.report.palette import COLOURS
from samcli.report.plots import axes_of, curves


def test_the_numbers_are_those_of_the_plots(noisy: Results) -> None:
    runs = noisy.runs()
    (section, *_) = sections_of(runs)
    found = record(section, looks_of([section]))
    for view, over in zip(found["views"], ("epochs", "gradients", "seconds"), strict=True):
        (panel,), (drawn,) = curves(runs, over=over).panels, view["panels"]
        for series, one in zip(panel.series, drawn["series"], strict=True):
            assert one["x"] == pytest.approx([point.x for point in series.points], rel=1e-6)
            assert one["y"] == pytest.approx([100.0 * point.y for point in series.points], rel=1e-6)
            assert one["ySd"] == pytest.approx([100.0 * (point.y_sd or 0.0) for point in series.points], rel=1e-6)
            assert one["n"] == [point.n for point in series.points]


def test_a_setting_looks_the_same_in_all_plots(results: Results) -> None:
    for rho in (0.05, 0.1):
        results.add({**SAM, "rho": rho}, 0, (0.5, 0.8))
    results.add(SGD, 0, (0.5, 0.7))
    sections = sections_of(results.runs())
    looks = looks_of(sections)
    found = {(one["name"], one["look"]) for section in sections for one in record(section, looks)["series"]}
    assert found == {("sam rho=0.05", 0), ("sam rho=0.1", 1), ("sgd", 6), ("sam", 2)}


def test_no_other_setting_has_the_colour_of_the_baseline_until_the_pairs_are_used_up(results: Results) -> None:
    for rho in range(1, 20):
        results.add({**SAM, "rho": rho / 100}, 0, (0.5, 0.8))
    results.add(SGD, 0, (0.5, 0.7))
    looks = looks_of(sections_of(results.runs()))
    assert [name for name, look in looks.items() if look % len(COLOURS) == looks["sgd"] % len(COLOURS)] == ["sgd"]
    assert len(set(looks.values())) == len(looks)


def test_axes_are_the_numbers_of_a_grid(results: Results) -> None:
    """That two optimizers have different weight decays makes no axis of it, nor does one value, nor a word."""
    for noise in (0.0, 0.4):
        for rho in (0.05, 0.1):
            results.add({**SAM, "rho": rho, "weight_decay": 0.1}, 0, (0.5, 0.8), dataset={"label_noise": noise})
        results.add(SGD, 0, (0.5, 0.7), dataset={"label_noise": noise})
    results.add({**SAM, "norm": "inf"}, 0, (0.5, 0.8))
    runs = results.runs()
    assert axes_of(runs) == ["optimizer.rho", "dataset.label_noise"]
    axes = [section for section in sections_of(runs) if section.kind == "axis"]
    assert [section.heading for section in axes] == ["Along rho", "Along label noise"]
    assert [panel.where for panel in axes[0].plots[""].panels] == [
        "digits label_noise=0, cnn",
        "digits label_noise=0.4, cnn",
    ]


def test_many_lines_begin_with_few(results: Results) -> None:
    for number in range(20):
        results.add({**SAM, "rho": 0.01 * (1 + number)}, 0, (0.5, 0.6 + 0.01 * number))
    results.add(SGD, 0, (0.5, 0.1))
    curves = sections_of(results.runs())[0]
    shown = [one["name"] for one in record(curves, looks_of([curves]))["series"] if one["shown"]]
    assert len(shown) == MOST_AT_FIRST
    assert "sgd" in shown
    assert "sam rho=0.2" in shown
    assert "sam rho=0.01" not in shown


def test_what_cannot_be_drawn_is_left_out(results: Results) -> None:
    """No sharpness, no baseline, and seconds of different machines."""
    for threads, optimizer in ((1, SAM), (2, {**SAM, "rho": 0.5})):
        results.add(optimizer, 0, (0.5, 0.8), sharpness=None, status={"threads": threads})
    sections = sections_of(results.runs())
    assert [section.key for section in sections] == ["curves", "axis-optimizer.rho"]
    assert list(sections[0].plots) == ["epochs", "gradient evaluations"]
    assert sections[0].left_out.startswith("Seconds are left out")
