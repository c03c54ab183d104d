"""The verdicts on hypotheses: adjusted over the file, and their errors by simulation."""

from pathlib import Path

import numpy as np
import pytest
from run_folders import SAM, SGD, Results

from samcli.config import parse
from samcli.config.hypotheses import hypotheses_of
from samcli.report import compare, render
from samcli.report.hypotheses import Evidence
from samcli.report.judged_table import hypotheses_table
from samcli.report.judgement import Judgement, Outcome, judge
from samcli.report.small_table import written
from samcli.runs.hypotheses_file import Recorded, record

THREE = """
hypotheses:
  - {says: SAM wins, better: {optimizer: sam, optimizer.rho: 0.1}, than: {optimizer: sgd}}
  - {says: SAM loses, better: {optimizer: sgd}, than: {optimizer: sam, optimizer.rho: 0.1}}
  - {says: a large radius wins, better: {optimizer: sam, optimizer.rho: 0.5}, than: {optimizer: sgd}}
"""


def standing(text: str = THREE, finished_before: int = 0) -> list[Recorded]:
    return [Recorded(one, "2026-11-26T10:00:00+00:00", finished_before) for one in hypotheses_of(parse(text, "x.yaml"))]


@pytest.fixture
def ten(results: Results) -> Results:
    generator = np.random.default_rng(0)
    for seed in range(10):
        base = 0.7 + 0.02 * generator.normal()
        results.add(SGD, seed, (base,))
        results.add(SAM, seed, (base + 0.1 + 0.01 * generator.normal(),))
        results.add({**SAM, "rho": 0.5}, seed, (base + 0.01 * generator.normal(),))
    return results


def outcomes(found: list[Judgement]) -> list[str]:
    return [str(one.outcome) for one in found]


def test_held_contradicted_and_undecided(ten: Results) -> None:
    found = judge(standing(), ten.runs())
    assert outcomes(found) == ["held", "contradicted", "undecided"]
    assert found[0].p == found[1].p == pytest.approx(3 * 2 / 2**10)
    assert found[2].seeds is None or found[2].seeds > 10


def test_withdrawn_ones_are_not_judged_and_not_counted(ten: Results) -> None:
    first, second, third = standing()
    withdrawn = Recorded(second.hypothesis, second.first_seen, 0, "2026-11-27")
    found = judge([first, withdrawn, third], ten.runs())
    assert outcomes(found) == ["held", "undecided"]
    assert found[0].p == pytest.approx(2 * 2 / 2**10)


def test_below_six_seeds_all_is_undecided(results: Results) -> None:
    for seed in range(5):
        results.add(SGD, seed, (0.5,))
        results.add(SAM, seed, (0.9 + 0.001 * seed,))
    first, *_ = judge(standing(), results.runs())
    assert (first.outcome, first.p, first.seeds) == (Outcome.UNDECIDED, None, 7)
    assert first.why == "5 seeds, and no test is possible below 6."


def test_any_wrong_held_is_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hypotheses of eight seeds where nothing differs: any *held* in at most 5 % of 600 files."""
    from samcli.report import judgement
    from samcli.report.hypotheses._evidence import all_above_zero

    generator, wrong, trials = np.random.default_rng(0), 0, 600
    text = "hypotheses:\n" + "".join(
        f"  - {{says: '{i}', better: {{optimizer: sam}}, than: {{optimizer: sgd}}}}\n" for i in range(5)
    )
    hypotheses = standing(text)

    def drawn(recorded: Recorded, cases: object) -> Evidence:
        parts = [dict(enumerate(generator.normal(size=8)))]
        return Evidence("", 0.0, None, None, 8, *all_above_zero(parts))

    monkeypatch.setattr(judgement, "_evidence", drawn)
    for _ in range(trials):
        wrong += "held" in outcomes(judge(hypotheses, []))
    assert wrong / trials <= 0.05 + 3 * (0.05 * 0.95 / trials) ** 0.5


def test_without_finished_runs_nothing_is_known(results: Results) -> None:
    found = judge(standing(), results.runs() if results.path.exists() else [])
    assert {one.why for one in found} == {"No run has finished yet."}


def test_they_stand_under_the_table_of_every_format(ten: Results) -> None:
    record(ten.path / "trial", hypotheses_of(parse(THREE, "x.yaml")), finished=0)
    found = compare(ten.runs())
    assert outcomes(list(found.judgements)) == ["held", "contradicted", "undecided"]
    for form in ("table", "markdown", "latex", "json"):
        text = render(found, form, width=100)
        assert "SAM wins" in text
        assert "contradicted" in text
    assert "SAM wins" not in render(found, "csv")
    alone = written(hypotheses_table(found.judgements), "csv").splitlines()
    assert alone[0].startswith("says,kind,verdict,estimate")
    assert alone[1].startswith("SAM wins,better,held,")


def test_what_was_written_afterwards_is_marked(ten: Results) -> None:
    early, late = judge(standing(), ten.runs()), judge(standing(finished_before=12), ten.runs())
    assert "*" not in written(hypotheses_table(early), "table", width=120)
    shown = written(hypotheses_table(late), "table", width=120)
    assert "SAM wins *" in shown
    assert "*: written after runs of the experiment had finished (3 of 3)." in shown


def test_names_are_text_in_every_format(ten: Results) -> None:
    text = (
        "hypotheses: [{says: '50 % & <b>_x_|$', better: {optimizer: sam, optimizer.rho: 0.1}, than: {optimizer: sgd}}]"
    )
    found = judge(standing(text), ten.runs())
    assert r"50 \% \& $<$b$>$\_x\_" in written(hypotheses_table(found), "latex")
    assert "<b>" not in written(hypotheses_table(found), "markdown")


def test_another_experiment_has_its_own(ten: Results, tmp_path: Path) -> None:
    record(ten.path / "trial", hypotheses_of(parse(THREE, "x.yaml")), finished=0)
    other = Results(tmp_path / "other")
    other.add(SGD, 0, (0.5,))
    found = compare([*ten.runs(), *other.runs()])
    assert len(found.judgements) == 3
