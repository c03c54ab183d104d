"""What a comparison says, in sentences: of each row against its baseline, and of each hypothesis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from samcli.metrics import is_share, shown
from samcli.report.cells import interval_of, probability
from samcli.report.judged_table import found_in
from samcli.report.judgement import Judgement
from samcli.report.row import Comparison, Row
from samcli.stats import Word
from samcli.stats.effect import POWER
from samcli.stats.sign_flip import SMALLEST
from samcli.words import count, joined

NO_BASELINE = "no baseline"
UNFINISHED = "not finished"


def verdict_word(row: Row) -> str:
    """The verdict on a row that is no baseline, in a word or two; also where there is nothing to judge.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> verdict_word(compare(example_runs()).rows[0])
    'too few seeds'
    """
    if not row.n:
        return UNFINISHED
    if row.difference is None:
        return NO_BASELINE
    return str(row.verdict.word) if row.verdict else str(Word.TOO_FEW)


def verdict_sentence(row: Row, comparison: Comparison) -> str:
    """What may be said of a row against its baseline: the verdict, the mean difference, its interval, seeds, and p.

    Args:
        row: one of the comparison that is no baseline itself.
        comparison: whose margin and baseline it is judged by.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> found = compare(example_runs())
    >>> print(verdict_sentence(found.rows[0], found))  # doctest: +NORMALIZE_WHITESPACE
    There are too few seeds to judge sam rho=0.05 against sgd, at least 6 are needed: mean difference +10.00 points,
    95 % interval [-53.53, +73.53], n = 2.
    """
    who, found, verdict = row.who, row.difference, row.verdict
    if not row.n:
        return f"{who} has no finished run, so nothing can be said of it."
    base = " ".join(filter(None, (comparison.baseline.split()[0], row.compared_to)))
    if found is None:
        return f"There is no finished {comparison.baseline} run on {row.where} to compare {who} to."
    if not found.n or found.mean is None:
        return f"{who} and {base} have no seed in common, so their difference is unknown."
    unit = " points" if is_share(row.metric) else ""
    numbers = [f"mean difference {shown(found.mean, row.metric, '+')}{unit}"]
    if interval := interval_of(found.low, found.high, row.metric):
        numbers.append(f"95 % interval {interval}")
    numbers.append(f"n = {found.n}")
    if verdict and verdict.p_adjusted is not None:
        numbers.append(f"adjusted p {_equals(probability(verdict.p_adjusted))}")
    return f"{_claim(row, base, comparison.margin)}: {', '.join(numbers)}."


def verdict_counts(rows: Sequence[Row]) -> str:
    """How many rows have which verdict, in a sentence; empty without a row that is compared.

    >>> verdict_counts([])
    ''
    """
    words = Counter(verdict_word(row) for row in rows if not row.is_baseline)
    order = [*map(str, Word), NO_BASELINE, UNFINISHED]
    if not words:
        return ""
    told = [f"{words[word]} {_ASIDE.get(word, word)}" for word in order if words[word]]
    return f"Of {count(words.total(), 'setting')}, {joined(told)}."


def judgement_sentence(one: Judgement) -> str:
    """What was found of a hypothesis, with its seeds and its p, and whether it was written too late to be one.

    >>> from types import SimpleNamespace as Stub
    >>> from samcli.report.judgement import Outcome
    >>> recorded = Stub(finished_before=2)
    >>> judgement_sentence(Stub(evidence=None, why="No run has finished yet.", outcome=Outcome.UNDECIDED, p=None,
    ...     recorded=recorded))
    'No run has finished yet. It was written after 2 runs of the experiment had finished.'
    """
    numbers = [found_in(one)]
    if one.evidence:
        numbers.append(f"n = {one.evidence.n}")
    if one.p is not None:
        numbers.append(f"adjusted p {_equals(probability(one.p))}")
    sentence = f"{', '.join(numbers)}."
    if before := one.recorded.finished_before:
        sentence += f" It was written after {count(before, 'run')} of the experiment had finished."
    return sentence


_ASIDE = {
    str(Word.TOO_FEW): "with too few seeds to tell",
    NO_BASELINE: "without a finished baseline",
    UNFINISHED: "without a finished run",
}


def _claim(row: Row, base: str, margin: float | None) -> str:
    word, who = verdict_word(row), row.who
    if word == Word.EQUAL and margin is not None:
        unit = " points" if is_share(row.metric) else ""
        return f"{who} and {base} are practically equal, surely within ±{shown(margin, row.metric)}{unit}"
    if word in (Word.BETTER, Word.WORSE):
        return f"{who} is {word} than {base}"
    if word == Word.INCONCLUSIVE:
        detectable = row.verdict.detectable if row.verdict else None
        unit = " points" if is_share(row.metric) else ""
        found = ""
        if detectable is not None:
            difference = f"{shown(detectable, row.metric)}{unit}"
            found = f" (a difference of {difference} would be found in {100 * POWER:.0f} % of tries)"
        return f"Whether {who} differs from {base} is open{found}"
    return f"There are too few seeds to judge {who} against {base}, at least {SMALLEST} are needed"


def _equals(p: str) -> str:
    return p.replace("<", "< ") if p.startswith("<") else f"= {p}"
