"""Hypotheses are judged by all the runs of their experiment, whichever of them are compared."""

import dataclasses
from pathlib import Path

import pytest
from run_folders import SAM, SGD, Results

from samcli.config import parse
from samcli.config.hypotheses import hypotheses_of
from samcli.report import compare
from samcli.report.judged_table import hypotheses_table
from samcli.report.judgement import Outcome
from samcli.report.page.sections import verdicts
from samcli.runs import Run, scan
from samcli.runs.hypotheses_file import record

TEXT = "hypotheses: [{says: SAM beats SGD, better: {optimizer: sam}, than: {optimizer: sgd}}]"


@pytest.fixture
def ten(results: Results) -> Results:
    for seed in range(10):
        results.add(SGD, seed, (0.6 + 0.01 * seed,))
        results.add(SAM, seed, (0.65 + 0.01 * seed if seed < 7 else 0.5,))
    record(results.path / "trial", hypotheses_of(parse(TEXT, "x.yaml")), finished=0)
    return results


def with_end(runs: list[Run], date: str) -> list[Run]:
    """Runs that ended on a day."""
    return [dataclasses.replace(run, status={**run.status, "ended": date}) for run in runs]


def test_a_part_that_was_picked_has_the_verdicts_of_the_whole(ten: Results) -> None:
    whole = compare(ten.runs())
    picked = [run for run in ten.runs() if run.seed < 7]
    part = compare(picked)
    assert whole.judgements == part.judgements
    assert whole.judgements[0].outcome is Outcome.UNDECIDED  # of the seven picked seeds alone it would be held
    assert part.notes[0] == (
        "14 of the 20 runs of trial are compared: p is adjusted for the rows shown, and whoever picks rows afterwards "
        "makes it too small; its hypotheses are judged by all of its runs."
    )
    assert not any("runs of trial are compared" in note for note in whole.notes)


def test_a_name_with_dots_or_another_way_there_is_the_whole_all_the_same(
    ten: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ten.path)
    for way in ("trial", "../" + ten.path.name + "/trial", "."):
        runs, _ = scan([Path(way)])
        found = compare(runs)
        assert len(found.judgements) == 1
        assert not any("runs of trial are compared" in note for note in found.notes)


def test_hypotheses_that_were_withdrawn_are_told_and_not_judged(ten: Results) -> None:
    record(ten.path / "trial", (), finished=20)
    (sentence,) = [note for note in compare(with_end(ten.runs(), "2026-01-02")).notes if "withdrawn" in note]
    assert sentence.startswith("trial no longer states 'SAM beats SGD', as it did on 20")
    assert not [note for note in compare(with_end(ten.runs(), "9999-01-01")).notes if "withdrawn" in note], "in time"
    part = compare([run for run in ten.runs() if run.seed < 7])
    assert part.judgements == ()
    assert part.notes[0].endswith("whoever picks rows afterwards makes it too small.")
    assert not any("hypotheses" in note for note in part.notes)


def test_two_experiments_are_told_apart(results: Results) -> None:
    for name in ("one", "two"):
        for seed in range(8):
            results.add(SGD, seed, (0.6,))
            results.add(SAM, seed, (0.65 + 0.01 * seed,))
        (results.path / "trial").rename(results.path / name)
        record(results.path / name, hypotheses_of(parse(TEXT, "x.yaml")), finished=0)
    found = compare(results.runs())
    assert [one.p for one in found.judgements] == [2 / 2**8] * 2
    table = hypotheses_table(found.judgements)
    assert [text["Experiment"] for text in table.texts] == ["one", "two"]
    assert [record["experiment"] for record in table.records] == ["one", "two"]
    assert not any("adjusted" in line for line in table.legend)  # each has one alone
    assert "<bdi>one</bdi>: <bdi>SAM beats SGD</bdi>" in verdicts(found)
    (only, *_) = hypotheses_table(
        compare([run for run in results.runs() if "one" in run.folder.parts]).judgements
    ).texts
    assert "Experiment" not in only


def test_p_is_adjusted_for_what_cannot_be_judged_too(ten: Results) -> None:
    other = "{says: ADAM wins, better: {optimizer: adam}, than: {optimizer: sgd}}]"
    record(ten.path / "trial", hypotheses_of(parse(TEXT.replace("}}]", "}}, ") + other, "x.yaml")), finished=0)
    found = compare([run for run in ten.runs() if run.seed < 7])
    one, two = found.judgements
    assert one.evidence is not None and one.evidence.p_held is not None and two.evidence is None
    assert one.p == min(1.0, 2 * one.evidence.p_held)
    assert "adjusted for 2 hypotheses by Holm's method" in hypotheses_table(found.judgements).legend[0]


def test_hypotheses_that_are_lost_are_told(ten: Results) -> None:
    file = ten.path / "trial" / "hypotheses.json"
    whole = file.read_text()
    assert not any("hypotheses.json" in note for note in compare(ten.runs()).notes)
    file.write_text(whole.replace('"by"', '"bye"').replace("SAM beats SGD", "SAM loses to SGD"))
    found = compare(ten.runs())
    assert found.judgements == ()
    assert any(note.startswith(f"1 of the hypotheses in {file} is not as samcli wrote it") for note in found.notes)
    file.write_text(whole[:-20])
    assert any(note.startswith(f"{file} cannot be read") for note in compare(ten.runs()).notes)


def test_a_damaged_folder_is_no_run_that_was_left_out(ten: Results) -> None:
    (ten.path / "trial" / "damaged").mkdir()
    (ten.path / "trial" / "damaged" / "config.yaml").write_text("{")
    (ten.path / "trial" / "notes.txt").write_text("mine")
    runs, warnings = scan([ten.path])
    assert len(runs) == 20
    assert len(warnings) == 1
    assert not any("are compared" in note for note in compare(runs).notes)
