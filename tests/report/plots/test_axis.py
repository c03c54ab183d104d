"""A metric along an option: the lines, their means and spreads, and what holds all along."""

import pandas as pd
import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report.plots import along_axis

RADII = (0.4, 0.05, 0.1)


@pytest.fixture
def radii(results: Results, sgd: Block, sam: Block) -> Results:
    """SGD, and SAM and ASAM at three radii, of which ASAM lacks one; three seeds each."""
    for seed in range(3):
        results.add(sgd, seed, (0.5, 0.7 + 0.01 * seed))
        for rho in RADII:
            results.add({**sam, "rho": rho}, seed, (0.9, 0.8 + rho * 0.1 + 0.02 * seed))
        for rho in RADII[:2]:
            results.add({**sam, "name": "asam", "rho": rho}, seed, (0.9, 0.75 + 0.01 * seed**2))
    return results


def test_a_line_for_what_else_settings_differ_in(radii: Results) -> None:
    plot = along_axis(radii.runs(), "rho")
    (panel,) = plot.panels
    assert (panel.x.name, panel.x.label, panel.x.is_logarithmic) == ("optimizer.rho", "rho", True)
    asam, sam, sgd = panel.series
    assert (asam.name, sam.name, sgd.name) == ("asam", "sam", "sgd")
    assert [point.x for point in asam.points] == [0.05, 0.4]
    assert [point.x for point in sgd.points] == [None]
    rows = [
        (run.config["optimizer"]["name"], run.config["optimizer"].get("rho"), run.metrics["test_accuracy"].iloc[-1])
        for run in radii.runs()
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(["name", "rho", "value"]))
    by_rho = frame[frame["name"] == "sam"].groupby("rho")["value"].agg(["mean", "std", "count"]).reset_index()
    assert [(p.x, p.y, p.y_sd, p.n) for p in sam.points] == [
        pytest.approx(row) for row in by_rho.itertuples(index=False, name=None)
    ]
    level = frame[frame["name"] == "sgd"]["value"]
    assert (sgd.points[0].y, sgd.points[0].y_sd) == pytest.approx((level.mean(), level.std()))


def test_an_option_of_the_data_is_an_axis_and_makes_no_panels(results: Results, sgd: Block, sam: Block) -> None:
    for noise in (0.0, 0.2, 0.4):
        results.add(sgd, 0, (0.9 - noise,), dataset={"label_noise": noise})
        results.add(sam, 0, (0.95 - noise,), dataset={"label_noise": noise})
    plot = along_axis(results.runs(), "dataset.label_noise")
    (panel,) = plot.panels
    assert (panel.where, panel.x.label, panel.x.is_logarithmic) == ("digits, cnn", "label noise", False)
    assert [(one.name, [point.x for point in one.points]) for one in panel.series] == [
        ("sam rho=0.1", [0.0, 0.2, 0.4]),
        ("sgd", [0.0, 0.2, 0.4]),
    ]


@pytest.mark.parametrize(("values", "logarithmic"), [((1, 8), True), ((1, 7), False), ((0, 8), False)])
def test_logarithmic_from_a_factor_of_eight(
    results: Results, sgd: Block, values: tuple[int, int], logarithmic: bool
) -> None:
    for value in values:
        results.add(sgd, 0, (0.5,), batch_size=value)
    assert along_axis(results.runs(), "batch_size").panels[0].x.is_logarithmic == logarithmic


def test_null_is_no_number_but_no_mistake(results: Results, sam: Block) -> None:
    for m in (None, 16, 32):
        results.add({**sam, "m": m}, 0, (0.5,))
    (panel,) = along_axis(results.runs(), "m").panels
    assert {(point.x, point.n) for one in panel.series for point in one.points} == {(None, 1), (16.0, 1), (32.0, 1)}


@pytest.mark.parametrize(
    ("axis", "sentence"),
    [
        ("roh", "--axis roh: no run has a setting 'roh'; did you mean rho?"),
        ("lr", "--axis lr: all runs that have it have 0.05; name an option in which they differ."),
        ("schedule", "--axis schedule: cosine is no number; name an option with numbers."),
        ("nesterov", "--axis nesterov: false is no number; name an option with numbers."),
        ("clip_norm", "--axis clip_norm: all runs that have it have no number; name an option in which they differ."),
    ],
)
def test_mistakes(radii: Results, axis: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        along_axis(radii.runs(), axis)
    assert str(refused.value) == sentence
