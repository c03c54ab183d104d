"""Where the numbers of a comparison come from."""

import json
from dataclasses import replace
from typing import Any

import pytest
from run_folders import Block, Results

from samcli.report import compare, render
from samcli.report.example import example_runs
from samcli.report.origin import common_data, common_loss

STATUS: Block = {
    "device": "cpu",
    "threads": 2,
    "jobs": 2,
    "hardware": {"processor": "AMD EPYC", "cores": 2, "accelerator": None},
    "versions": {"samcli": "0.1.0", "torch": "2.14.1"},
    "git": {"commit": "0123456789abcdef", "dirty": True},
    "started": "2026-11-26T16:15:13+00:00",
}
WHOLE = (
    "Made of seeds 0-3, with 2 epochs, on AMD EPYC (2 threads and 2 runs at once), by samcli 0.1.0, "
    "commit 0123456789ab with changes, torch 2.14.1, 2026-11-26."
)


@pytest.fixture
def four(results: Results, sgd: Block) -> Results:
    for seed in range(4):
        results.add(sgd, seed, [0.5, 0.6], status=STATUS)
    results.add(sgd, 9, [0.5, 0.6], status={**STATUS, "status": "diverged"})
    return results


def test_it_stands_in_every_format_for_people_and_in_json(four: Results) -> None:
    found = compare(four.runs())
    assert found.origin == WHOLE
    assert WHOLE in " ".join(render(found, "table", width=80).split())
    assert WHOLE in render(found, "markdown").replace("\\", "")
    assert "Made of seeds 0-3, with 2 epochs, on AMD EPYC" in render(found, "latex")
    assert json.loads(render(found, "json"))["origin"] == WHOLE
    assert "Made of" not in render(found, "csv")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            {"device": "cuda", "hardware": {"processor": "x", "accelerator": "NVIDIA H100"}},
            "on NVIDIA H100 and AMD EPYC",
        ),
        (
            {"git": {"commit": "fedcba9876543210", "dirty": False}},
            "commit fedcba987654, commit 0123456789ab with changes,",
        ),
        ({"started": "2026-11-24T10:00:00+00:00"}, "2026-11-24 to 2026-11-26."),
        (
            {"git": None, "hardware": None, "versions": None, "device": None, "threads": None},
            "Made of seeds 0-3, 8, with 2 epochs, on AMD EPYC",
        ),
    ],
)
def test_what_differs_is_named(four: Results, sgd: Block, status: dict[str, Any], words: str) -> None:
    folder = four.add(sgd, 8, [0.5, 0.6])
    folder.write_status({**STATUS, "status": "finished", "seed": 8} | status)
    runs = sorted(four.runs(), key=lambda run: run.seed != 8)
    assert words in compare(runs).origin


def test_lengths_and_budgets(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, [0.5] * 4)
    results.add(sam, 0, [0.5] * 2, gradients=200)
    assert compare(results.runs()).origin.startswith("Made of seed 0, with 2 to 4 epochs")
    gradients = compare(results.runs(), budget="gradients").origin
    assert gradients.startswith("Made of seed 0, with 2 to 4 epochs within equal gradient evaluations")


def test_nothing_has_finished(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, [0.5], status={"status": "failed"})
    assert compare(results.runs()).origin == ""


def test_what_is_younger_and_at_its_default_is_not_told() -> None:
    runs = [
        replace(run, config=run.config | {"dataset": {"name": "digits", "label_noise": 0.4, **defaults}})
        for run, defaults in zip(example_runs()[:2], ({}, {"shrink": 1, "resize": "crop"}), strict=True)
    ]
    assert common_data(runs) == "label_noise=0.4"


def test_what_the_loss_of_all_runs_has() -> None:
    """What only some have tells rows apart, and is no matter of all."""
    plain = example_runs()
    weighted = [replace(run, config=run.config | {"class_weight": "balanced", "mixup": 0.0}) for run in plain]
    assert common_loss(weighted) == "class_weight=balanced"
    assert common_loss([*weighted[:1], *plain[1:]]) == common_loss([*plain[:1], *weighted[1:]]) == ""
    smooth = [replace(run, config=run.config | {"label_smoothing": 0.1}) for run in weighted]
    assert common_loss(smooth) == "class_weight=balanced label_smoothing=0.1"
    assert "all with class_weight=balanced label_smoothing=0.1" in render(compare(smooth), "table")
