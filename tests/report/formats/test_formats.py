"""What all formats have in common."""

import re

import pytest
from run_folders import Block, Results

from samcli.cli.compare import Format
from samcli.errors import ConfigError
from samcli.report import FORMATS, Comparison, compare, render


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_ends_with_one_line_break(comparison: Comparison, form: str) -> None:
    text = render(comparison, form)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "nan" not in text.lower()
    assert "None" not in text


def test_unknown_format(comparison: Comparison) -> None:
    with pytest.raises(ConfigError, match=r"no format named 'tex'; did you mean latex\?"):
        render(comparison, "tex")


def test_metrics_of_two_tasks_are_told_apart(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.4,), metric="r2", dataset={"name": "diabetes"})
    results.add(sgd, 0, (0.9,))
    comparison = compare(results.runs())
    table = render(comparison, "table")
    assert "diabetes, cnn: test R²" in table
    assert "digits, cnn: test accuracy in %" in table
    markdown = render(comparison, "markdown")
    assert re.search(r"diabetes .*test R² .*0\.4000", markdown)
    assert re.search(r"digits .*test accuracy in % .*90\.00", markdown)


def test_the_command_knows_every_format() -> None:
    assert [form.value for form in Format] == list(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_columns_are_chosen_in_every_format(comparison: Comparison, form: str) -> None:
    text = render(comparison, form, columns="Optimizer, last ,Δ", width=60)
    for there in ("sam", "84" if form in ("json", "csv") else "84.00"):
        assert there in text
    for absent in ("s/epoch", "seconds_per_epoch", "Sharpness", "sharpness", "best", "Best"):
        assert absent not in text.split("\n\n")[0].split("notes")[0]
    with pytest.raises(ConfigError, match=r"no column named 'lost'; did you mean last\?"):
        render(comparison, form, columns="optimizer,lost")


def test_chosen_columns_are_never_left_out(comparison: Comparison) -> None:
    text = render(comparison, "table", columns="optimizer,best,sharpness,seconds,cost,passes", width=40)
    assert text.splitlines()[1].split() == ["Optimizer", "Best", "on", "test", "Sharpness", "s/epoch", "Cost", "Passes"]
    assert "No room" not in text
