"""The sections of a page as HTML, each a function from what it tells to its markup."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import yaml

from samcli.errors import ConfigError, NothingToCompare
from samcli.escape import html_text, visible
from samcli.metrics import title
from samcli.report import cells
from samcli.report.groups import grouped
from samcli.report.judged_table import experiment_names, judged_legend, statement
from samcli.report.over_tasks import over_tasks_table
from samcli.report.page.facts import HASH, hypotheses_of_runs, measures_of_runs, robustness_of_runs, settings_of_runs
from samcli.report.page.figures import MOST_AT_FIRST, Section
from samcli.report.page.parts import bar, chip, folded, listed, name, paragraphs, scrolled, sentence, table
from samcli.report.row import Comparison, Row
from samcli.report.sensitivity import sensitivity_table
from samcli.report.sentences import judgement_sentence, verdict_counts, verdict_sentence, verdict_word
from samcli.report.small_table import SmallTable
from samcli.runs.reader import Run

MOST_SENTENCES = 12  # that are read without being asked for; of more the counts stand there

BARS = "Marks: the mean difference with its 95 % interval; the thin upright line is no difference"


def verdicts(comparison: Comparison) -> str:
    """The hypotheses and what became of them, then each row against its baseline.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> "too few seeds" in verdicts(compare(example_runs()))
    True
    """
    parts = []
    if found := comparison.judgements:
        whose = experiment_names(found)
        items = [
            f"<li>{chip(str(one.outcome))}<div><p class=says>"
            f"{f'{name(whose[one.experiment])}: ' if len(whose) > 1 else ''}{name(statement(one))}</p>"
            f"<p>{sentence(judgement_sentence(one))}</p></div></li>"
            for one in found
        ]
        parts.append(f"<h3>Hypotheses</h3><ul class=verdicts>{''.join(items)}</ul>{paragraphs(judged_legend(found))}")
        parts.append("<h3>Settings</h3>")
    sentences = sum(not row.is_baseline for row in comparison.rows)
    if any(_interval(row) for row in comparison.rows):
        parts.append(paragraphs([f"{BARS}, the band the margin." if comparison.margin else f"{BARS}."]))
    for rows in grouped(comparison.rows, lambda row: row.place).values():
        compared = [row for row in rows if not row.is_baseline]
        where = f"{rows[0].where}: {title(rows[0].metric)}"
        if not compared:
            parts.append(f"<h4>{name(where)}</h4>{paragraphs(['There is nothing but the baseline.'], 'lead')}")
            continue
        bars = _bars(compared, comparison.margin)
        items = [
            f"<li>{chip(verdict_word(row))}<p>{sentence(verdict_sentence(row, comparison))}</p>{drawn}</li>"
            for row, drawn in zip(compared, bars, strict=True)
        ]
        several = f"<ul class=verdicts>{''.join(items)}</ul>"
        if sentences > MOST_SENTENCES:
            several = folded(f"All {len(items)} in sentences", several)
        counts = paragraphs([verdict_counts(rows)], "lead") if len(items) > 1 else ""
        parts.append(f"<h4>{name(where)}</h4>{counts}{several}")
    return "".join(parts)


def _bars(rows: Sequence[Row], margin: float | None) -> list[str]:
    """A picture of the difference of each row, all on one scale; empty where there is no interval."""
    intervals = [_interval(row) for row in rows]
    ends = [end for one in intervals if one for end in (one[0], one[2])]
    scale = (min([0.0, *ends]), max([0.0, *ends]))
    if scale[0] == scale[1]:
        return [""] * len(rows)
    return [
        bar(verdict_word(row), *one, scale, margin) if one else "" for row, one in zip(rows, intervals, strict=True)
    ]


def _interval(row: Row) -> tuple[float, float, float] | None:
    """The ends of the interval of a row's difference with the mean between them."""
    found = row.difference
    if found is None or found.low is None or found.mean is None or found.high is None:
        return None
    return found.low, found.mean, found.high


def comparison_tables(comparison: Comparison) -> str:
    """The table of `samcli compare` for each data set and model, its legend, and its notes.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> "82.50 ± 3.54" in comparison_tables(compare(example_runs()))
    True
    """
    used = cells.used_columns([cells.cells(row) for row in comparison.rows])
    shown = [column for column in used if column not in (cells.DATASET, cells.MODEL, cells.METRIC, cells.SETTINGS)]
    parts = []
    for _, group in itertools.groupby(comparison.rows, key=lambda row: (row.place, row.metric)):
        rows = list(group)
        parts.append(_table(rows, shown))
    legend = "".join(f"<li>{html_text(line)}</li>" for line in cells.legend(comparison, shown))
    parts.append(folded("How to read the columns", f"<ul class=legend-of-table>{legend}</ul>"))
    if comparison.notes:
        parts.append(f"<h3>What to know about these numbers</h3>{paragraphs(comparison.notes)}")
    return "".join(parts)


def _table(rows: Sequence[Row], columns: Sequence[cells.Column]) -> str:
    texts = [cells.cells(row) for row in rows]
    headings = {column: cells.heading(column, texts) for column in columns if any(text[column] for text in texts)}
    lines = [
        {heading: row.who if column is cells.OPTIMIZER else text[column] for column, heading in headings.items()}
        for row, text in zip(rows, texts, strict=True)
    ]
    return table(
        list(headings.values()),
        lines,
        caption=f"{rows[0].where}: {title(rows[0].metric)}",
        numbers=[heading for column, heading in headings.items() if column.is_number],
        marked=[number for number, row in enumerate(rows) if row.is_baseline],
        verdict=headings.get(cells.VERDICT, ""),
    )


def small(made: SmallTable) -> str:
    """A small table with what explains it.

    >>> small(SmallTable("Ranks.", [{"Optimizer": "sgd", "Rank": "1.5"}], [{}], ["Less is better."]))[-35:]
    '<p class="note">Less is better.</p>'
    """
    headings = list(made.texts[0])
    verdict = "Verdict" if "Verdict" in headings else ""
    numbers = [heading for heading in headings[1:] if heading != verdict]
    body = table(headings, made.texts, caption=made.caption.removesuffix("."), numbers=numbers, verdict=verdict)
    return body + listed(made.legend)


def over_tasks(comparison: Comparison) -> str:
    """Optimizers over all data sets and models; empty where there are not several, or nothing is on all of them.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> over_tasks(compare(example_runs()))
    ''
    """
    try:
        return small(over_tasks_table(comparison))
    except (ConfigError, NothingToCompare):
        return ""


def along(comparison: Comparison, runs: Sequence[Run], axis: str) -> str:
    """What depends on an option of the optimizer or the training, see `samcli.report.sensitivity`; empty for others.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> along(compare(example_runs()), example_runs(), "optimizer.rho")
    ''
    """
    if comparison.budget != "epochs" or comparison.select != "last":  # which it knows nothing of
        return ""
    try:
        made = sensitivity_table(comparison, runs, axis)
    except ConfigError:
        return ""
    return folded(made.caption.removesuffix("."), small(made))


def plots(section: Section, known: set[str]) -> str:
    """A section of plots: where they are drawn, what to know of them, and where their numbers go.

    Args:
        section: with at least one plot.
        known: notes that were told before; the new ones are added.

    >>> from samcli.report.example import example_runs
    >>> from samcli.report.page.figures import sections_of
    >>> 'data-view="gradient evaluations"' in plots(sections_of(example_runs())[0], set())
    True
    """
    key = html_text(section.key)
    first = next(iter(section.plots.values()))
    views = list(section.plots)
    choice = ""
    if len(views) > 1:
        buttons = "".join(
            f'<button type="button" data-view="{html_text(view)}" aria-pressed="{"false" if number else "true"}">'
            f"{html_text(view)}</button>"
            for number, view in enumerate(views)
        )
        choice = f'<div class="choice" role="group" aria-label="Over what">{buttons}</div>'
    notes = list(dict.fromkeys(note for plot in section.plots.values() for note in plot.notes))
    # what goes unsaid is told below the table, in almost the same words
    new = [note for note in notes if note not in known and not note.startswith("Settings that do not say otherwise")]
    known |= set(notes)
    many = len(section.names)
    few = (
        f"{MOST_AT_FIRST} of {many} lines are shown at first: the baseline's, and those that end best. "
        "Press a name to show or hide it."
        if section.kind in ("curves", "axis") and many > MOST_AT_FIRST
        else "Press a name to hide or show it."
    )
    figures = "".join(
        f'<figure><figcaption>{name(panel.where)}</figcaption><div class="canvas" data-panel="{number}" role="img" '
        f'aria-label="{html_text(f"{first.title}, {panel.where}; the numbers follow as a table")}"></div>'
        f'<details class="numbers"><summary>Numbers</summary>'
        f"{scrolled(f'Numbers of {first.title}, {panel.where}', '')}</details></figure>"
        for number, panel in enumerate(first.panels)
    )
    caption = first.caption.replace("numbers: settings", "the dotted line joins the settings")
    about = [f"{first.title}: {caption}.", *([section.left_out] if section.left_out else [])]
    return (
        f'<div class="plots {section.kind}" data-section="{key}">{paragraphs(about)}{choice}'
        f'<div class="legend" role="group" aria-label="Settings"></div>{paragraphs([few], "note screen-only")}'
        f'<div class="panels">{figures}</div>{listed(new)}</div>'
    )


def measures(runs: Sequence[Run]) -> str:
    """The measures of sharpness that are kept beside the runs; empty without any.

    >>> from samcli.report.example import example_runs
    >>> measures(example_runs())
    ''
    """
    return _kept(*measures_of_runs(runs), "Measures kept by samcli sharpness")


def robustness(runs: Sequence[Run]) -> str:
    """The robustness tests that are kept beside the runs; empty without any.

    >>> from samcli.report.example import example_runs
    >>> robustness(example_runs())
    ''
    """
    return _kept(*robustness_of_runs(runs), "Tests kept by samcli robustness")


def _kept(headings: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    if not rows:
        return ""
    lines = [dict(zip(headings, row, strict=True)) for row in rows]
    told = ["Mean ± standard deviation over runs, and in brackets how many; of the last checkpoint."]
    return paragraphs(told) + table(headings, lines, caption=caption, numbers=headings[1:])


def provenance(runs: Sequence[Run], warnings: Sequence[str]) -> str:
    """Every setting with its configuration and its runs, the hypotheses with their dates, and what cannot be read.

    >>> from samcli.report.example import example_runs
    >>> provenance(example_runs(), []).count("<details")
    2
    """
    parts = [paragraphs(warnings, "note warning")] if warnings else []
    for one in settings_of_runs(runs):
        headings = [heading for heading in one.runs[0] if any(run[heading] for run in one.runs)]
        written = yaml.safe_dump(dict(one.config), sort_keys=False, allow_unicode=True)
        body = table(headings, one.runs, caption="Runs", numbers=["Threads"])
        parts.append(folded(f"{one.name} – {one.states}", f"{body}<pre>{html_text(written, keep=chr(10))}</pre>"))
    if found := hypotheses_of_runs(runs):
        rows = [
            {
                "Hypothesis": one.hypothesis.says,
                "First seen": one.first_seen,
                "Runs finished by then": str(one.finished_before),
                "Withdrawn": one.withdrawn or "",
                "Digest": one.hypothesis.digest[:HASH],
            }
            for one in found
        ]
        parts.append(
            f"<h3>Hypotheses</h3>{table(list(rows[0]), rows, caption='Hypotheses and when they were written')}"
        )
    return "".join(parts)


def plain(text: str) -> str:
    """A text for the title of the window.

    >>> plain("a<b")
    'a&lt;b'
    """
    return html_text(visible(text))
