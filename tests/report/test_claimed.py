"""What becomes of a claim, from what becomes of its hypotheses."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import SAM, SGD, Results

from samcli.config import parse
from samcli.config.claim import Claim
from samcli.config.hypotheses import hypotheses_of
from samcli.report.claim_files import write_claim
from samcli.report.claimed import Claimed, claimed
from samcli.report.claims_table import claim_lines, claims_table
from samcli.report.judged_table import found_in, hypotheses_table
from samcli.report.page.claims import claims
from samcli.runs.claim_file import NAME, record_claim, recorded_claim
from samcli.runs.hypotheses_file import record

BLOCK: dict[str, Any] = {"says": "it helps", "source": "Foret et al.", "where": "Table 1", "published": "+2 points"}
BETTER = "better: {optimizer: sam}, than: {optimizer: sgd}"
WORSE = "better: {optimizer: sgd}, than: {optimizer: sam}"


def found(results: Results, *hypotheses: str, seeds: int = 10, block: dict[str, Any] = BLOCK) -> Claimed:
    """A claim on runs in which SAM is better by about three points."""
    generator = np.random.default_rng(0)
    for seed in range(seeds):
        at = generator.uniform(0.7, 0.8)
        results.add(SGD, seed, (at,))
        results.add(SAM, seed, (at + generator.normal(0.03, 0.003),))
    text = "\n".join(f"  - {{says: number {number}, {one}}}" for number, one in enumerate(hypotheses))
    place = results.path / "trial"
    record(place, hypotheses_of(parse(f"hypotheses:\n{text}", "x.yaml")), 0)
    record_claim(place, block)
    (one,) = claimed(results.runs())
    return one


@pytest.mark.parametrize(
    ("hypotheses", "outcome", "words"),
    [
        ([BETTER], "held", "held."),
        ([WORSE], "contradicted", "contradicted, for it is not so that number 0."),
        ([BETTER, WORSE], "contradicted", "contradicted, for it is not so that number 1."),
        ([BETTER, f"{WORSE}, contrast: true"], "held", "held."),
        ([BETTER, f"{BETTER}, by: 0.0301"], "undecided", "undecided: "),
        ([f"{BETTER}, contrast: true"], "undecided", "undecided: nothing is known yet."),
        ([BETTER, f"{BETTER}, metric: trace"], "undecided", "undecided: nothing tells yet whether number 1."),
        ([WORSE, f"{BETTER}, metric: trace"], "contradicted", "contradicted, for it is not so that number 0."),
    ],
)
def test_it_rests_on_all_hypotheses_but_contrasts(
    results: Results, hypotheses: list[str], outcome: str, words: str
) -> None:
    one = found(results, *hypotheses)
    assert one.outcome == outcome
    assert one.words().startswith(words)


def test_few_seeds_say_what_it_would_take(results: Results) -> None:
    one = found(results, BETTER, seeds=3)
    assert one.outcome == "undecided"
    assert one.words() == "undecided: about 6 seeds would probably decide it."


def test_one_seed_says_nothing_of_how_many_it_takes(results: Results) -> None:
    one = found(results, BETTER, seeds=1)
    assert one.words() == "undecided: nothing tells how many seeds would decide it."
    (judgement,) = one.judgements
    assert found_in(judgement).endswith("; 1 seed, and no test is possible below 6")


def test_a_table_tells_contrasts_from_what_a_claim_rests_on(results: Results) -> None:
    one = found(results, BETTER, f"{WORSE}, contrast: true")
    table = hypotheses_table(one.judgements)
    assert [(row["Verdict"], row["Hypothesis"]) for row in table.texts] == [
        ("held", "number 0"),
        ("contradicted", "number 1 (contrast)"),
    ]
    assert "Contrast: shows something beside a claim, which does not rest on it." in table.legend
    assert "number 1 (contrast)" in claims(results.runs())


def test_its_files_have_the_numbers_and_the_picture(results: Results, tmp_path: Path) -> None:
    block = {**BLOCK, "picture": {"kind": "pareto", "over": "gradients"}}
    one = found(results, f"{BETTER}, published: +2 points", block=block)
    told = write_claim(one, results.runs(), tmp_path)
    assert told == [
        "Made of seeds 0-9, with 1 epoch, 2026-01-01.",
        f"Numbers: {tmp_path}/verdict.csv, {tmp_path}/arms.csv",
        f"Picture: {tmp_path}/picture.png",
    ]
    with (tmp_path / "verdict.csv").open() as file:
        (values,) = csv.DictReader(file)
    assert (values["verdict"], values["n"], values["published"]) == ("held", "10", "'+2 points")
    assert float(values["estimate"]) == pytest.approx(0.03, abs=0.005)
    assert len((tmp_path / "arms.csv").read_text().splitlines()) == 3
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    impossible = found(results, BETTER, seeds=0, block={**BLOCK, "picture": {"kind": "axis", "axis": "optimizer.k"}})
    assert write_claim(impossible, results.runs(), tmp_path)[2].startswith("No picture: ")
    unmeasured = found(results, BETTER, seeds=0, block={**BLOCK, "picture": {"kind": "curves", "metric": "trace"}})
    assert write_claim(unmeasured, results.runs(), tmp_path)[2].startswith("No picture: No run has a metric 'trace'")
    assert len((tmp_path / "arms.csv").read_text().splitlines()) == 3, "the arms have their numbers all the same"


def test_a_claim_is_told_in_words(results: Results) -> None:
    one = found(results, BETTER, block={**BLOCK, "traps": ["noise"], "differs": "smaller"})
    before, after = (claim_lines(one, Path("results/claims"), before=before) for before in (True, False))
    assert before == ["trial: it helps", "Foret et al., Table 1", "Verdict: held."]
    assert after == [
        "Published: +2 points",
        "Here: smaller",
        "Mind: noise",
        "All of it: samcli compare results/claims/trial",
    ]


def test_the_table_of_claims(results: Results) -> None:
    from samcli.config import Draft
    from samcli.train import CATALOGUE

    runs = Draft.of(parse("{name: trial, dataset: wine, seeds: 0-2, optimizer: sgd}", "x"), CATALOGUE).expand()
    claim = Claim("it helps", "Foret et al.", "Table 1", seconds=90.0)
    known = found(results, BETTER)
    new, run = (claims_table([(runs, claim, one)]) for one in ({}, {"trial": known}))
    assert new.texts[0] == {
        "Claim": "trial",
        "Says": "it helps",
        "Source": "Foret et al.",
        "Here": "not run",
        "Runs": "3",
        "Time": "2 min",
    }
    assert run.texts[0]["Here"] == "held"
    assert run.records[0]["seconds"] == 90.0


@pytest.mark.parametrize("content", ["", "[]", '{"says": "x"}', '{"says": 1, "source": "y", "where": "z"}'])
def test_a_damaged_file_is_no_claim(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    assert recorded_claim(tmp_path) is None


def test_a_claim_is_kept_as_written(tmp_path: Path) -> None:
    record_claim(tmp_path / "new", {**BLOCK, "full": {"epochs": 200}})
    assert json.loads((tmp_path / "new" / NAME).read_text())["full"] == {"epochs": 200}
    kept = recorded_claim(tmp_path / "new")
    assert kept is not None
    assert kept.full == {"epochs": 200}
