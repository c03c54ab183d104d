"""Hypotheses are judged by all the runs of their experiment, whichever of them are compared."""

from pathlib import Path

import pytest
from run_folders import SAM, SGD, Results

from samcli.config import parse
from samcli.config.hypotheses import hypotheses_of
from samcli.report import compare
from samcli.report.judgement import Outcome
from samcli.runs import scan
from samcli.runs.hypotheses_file import record

TEXT = "hypotheses: [{says: SAM beats SGD, better: {optimizer: sam}, than: {optimizer: sgd}}]"


@pytest.fixture
def ten(results: Results) -> Results:
    for seed in range(10):
        results.add(SGD, seed, (0.6 + 0.01 * seed,))
        results.add(SAM, seed, (0.65 + 0.01 * seed if seed < 7 else 0.5,))
    record(results.path / "trial", hypotheses_of(parse(TEXT, "x.yaml")), finished=0)
    return results


def test_a_part_that_was_picked_has_the_verdicts_of_the_whole(ten: Results) -> None:
    whole = compare(ten.runs())
    picked = [run for run in ten.runs() if run.seed < 7]
    part = compare(picked)
    assert whole.judgements == part.judgements
    assert whole.judgements[0].outcome is Outcome.UNDECIDED  # of the seven picked seeds alone it would be held
    assert part.notes[0] == "The hypotheses of trial are judged by all 20 of its runs, of which 14 are compared here."
    assert not any("are judged by" in note for note in whole.notes)


def test_a_name_with_dots_or_another_way_there_is_the_whole_all_the_same(
    ten: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ten.path)
    for way in ("trial", "../" + ten.path.name + "/trial", "."):
        runs, _ = scan([Path(way)])
        found = compare(runs)
        assert len(found.judgements) == 1
        assert not any("are judged by" in note for note in found.notes)


def test_nothing_is_said_of_hypotheses_that_were_withdrawn(ten: Results) -> None:
    record(ten.path / "trial", (), finished=20)
    part = compare([run for run in ten.runs() if run.seed < 7])
    assert part.judgements == ()
    assert not any("are judged by" in note for note in part.notes)
