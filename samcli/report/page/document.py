"""The page of a comparison: one HTML document that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from samcli import __version__
from samcli.escape import html_text, json_text, script_json
from samcli.report.formats.json import json
from samcli.report.page import figures, sections
from samcli.report.page.claims import claims
from samcli.report.page.confusion import confusions
from samcli.report.page.facts import title_of, what_was_compared, when_and_with_what
from samcli.report.page.parts import paragraphs
from samcli.report.page.planes import planes
from samcli.report.row import Comparison
from samcli.runs.reader import Run

HERE = Path(__file__).parent
WHOLE_RUNS = "Plots show all epochs of all finished runs, whatever budget or selection the table has."
NOTHING_YET = "No run has finished yet, so there is nothing to draw."


def page(
    runs: Sequence[Run],
    comparison: Comparison,
    *,
    metric: str | None = None,
    warnings: Sequence[str] = (),
    reload: float | None = None,
) -> str:
    """The page; the same results make the same page, for its dates are those of the runs.

    Args:
        runs: at least one; those that were compared.
        comparison: of them.
        metric: what it compares, if not the test score of the task.
        warnings: sentences on what could not be read.
        reload: seconds after which the page loads itself anew, for runs that go on; None for one that stays.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> runs = example_runs()
    >>> text = page(runs, compare(runs))
    >>> text[:15], text.count('<script src='), 5_000_000 < len(text) + 200_000
    ('<!doctype html>', 0, True)
    """
    drawn = figures.sections_of(runs, baseline=comparison.baseline, metric=metric)
    looks = figures.looks_of(drawn, comparison.baseline)
    values = {
        "palette": figures.palette(),
        "sections": [figures.record(one, looks, comparison.baseline) for one in drawn],
    }
    body = _body(runs, comparison, drawn, warnings)
    plotly, script = _plotly() if drawn else "", _file("page.js")
    title = title_of(runs) or "samcli"
    return Template(_file("page.html")).substitute(
        policy=_policy([code for code in (plotly, script) if code]),
        reload=f' data-reload="{reload:g}"' if reload else "",
        window=html_text(f"{title}: report of samcli"),
        title=html_text(title),
        what=html_text(what_was_compared(runs)),
        when=html_text(when_and_with_what(runs)),
        version=html_text(__version__),
        style=_file("page.css"),
        navigation="".join(f'<li><a href="#{key}">{html_text(heading)}</a></li>' for key, heading, _ in body),
        body="\n".join(
            f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{html_text(heading)}</h2>'
            f"{text}</section>"
            for key, heading, text in body
        ),
        comparison=script_json(json(comparison)),
        plots=script_json(json_text(values, indent=None)),
        plotly=f"<script>{plotly}</script>" if plotly else "",
        script=script,
    )


def _body(
    runs: Sequence[Run], comparison: Comparison, drawn: Sequence[figures.Section], warnings: Sequence[str]
) -> list[tuple[str, str, str]]:
    """The sections: where a link finds each, its heading, and its markup."""
    found = [("claims", "Claims", told)] if (told := claims(runs)) else []
    found += [
        ("verdicts", "Verdicts", sections.verdicts(comparison)),
        ("table", "Comparison", sections.comparison_tables(comparison)),
    ]
    if tasks := sections.over_tasks(comparison):
        found.append(("tasks", "Over all tasks", tasks))
    known = set(comparison.notes)
    told = paragraphs([WHOLE_RUNS]) if comparison.budget != "epochs" or comparison.select != "last" else ""
    axes = []
    for section in drawn:
        text, told = told + sections.plots(section, known), ""
        if section.kind == "axis":
            table = sections.along(comparison, runs, section.key.removeprefix("axis-"))
            axes.append(f"<h3>{html_text(section.heading)}</h3>{text}{table}")
        else:
            found.append((section.key, section.heading, text))
    if axes:
        found.append(("axes", "Along the grid", "".join(axes)))
    if not drawn:
        found.append(("curves", "Learning curves", f"<p class=note>{NOTHING_YET}</p>"))
    if around := planes(runs):
        found.append(("planes", "Planes around the weights", around))
    if measured := sections.measures(runs):
        found.append(("measures", "Sharpness", measured))
    if tested := sections.robustness(runs):
        found.append(("robustness", "Robustness", tested))
    if confused := confusions(runs):
        found.append(("confusion", "Which classes are confused", confused))
    found.append(("runs", "Runs", sections.provenance(runs, warnings)))
    return found


def _policy(scripts: Sequence[str]) -> str:
    """What a browser may run and load: these scripts, what stands in the page, and nothing from anywhere."""
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    """The bundle of Plotly, in which nothing may end the script element."""
    from plotly.offline import get_plotlyjs

    bundle: Any = get_plotlyjs()
    return re.sub(r"</(script)", r"<\\/\1", str(bundle), flags=re.IGNORECASE)
