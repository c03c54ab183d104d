"""The claims on a page: what was published stands beside what was found."""

from run_folders import SAM, SGD, Results

from samcli.config import parse
from samcli.config.hypotheses import hypotheses_of
from samcli.report import compare
from samcli.report.page import page
from samcli.report.page.claims import claims
from samcli.runs.claim_file import record_claim
from samcli.runs.hypotheses_file import record

TEXT = """
hypotheses:
  - {says: SAM is better, better: {optimizer: sam}, than: {optimizer: sgd}, published: <two> points}
  - {says: SGD is better, better: {optimizer: sgd}, than: {optimizer: sam}, contrast: true}
"""
CLAIM = {
    "says": "SAM <b>helps</b>",
    "source": "Foret et al.",
    "where": "Table 1",
    "traps": ["noise"],
    "not_at_size": "a week",
}


def test_a_claim_stands_first_with_both_numbers(results: Results) -> None:
    for seed in range(10):
        results.add(SGD, seed, (0.7 + 0.001 * seed,))
        results.add(SAM, seed, (0.8 + 0.002 * seed,))
    assert claims(results.runs()) == ""
    place = results.path / "trial"
    record(place, hypotheses_of(parse(TEXT, "x.yaml")), 0)
    record_claim(place, CLAIM)
    runs = results.runs()
    text = claims(runs)
    assert "Of 1: 1 held." in text
    assert "SAM &lt;b&gt;helps&lt;/b&gt;" in text
    assert "<b>helps" not in text
    assert "&lt;two&gt; points" in text
    assert "Not tried at size: a week" in text
    whole = page(runs, compare(runs))
    assert whole.index('id="claims"') < whole.index('id="verdicts"')


def test_a_contradiction_says_of_what(results: Results) -> None:
    for seed in range(10):
        results.add(SGD, seed, (0.8 + 0.001 * seed,))
        results.add(SAM, seed, (0.7 + 0.002 * seed,))
    place = results.path / "trial"
    record(place, hypotheses_of(parse(TEXT, "x.yaml")), 0)
    record_claim(place, CLAIM)
    assert "contradicted, for it is not so that SAM is better." in claims(results.runs())
