"""Pieces of HTML. What goes in is plain text, which is escaped here; what comes out is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from samcli.escape import html_text

_MARKS = {  # a sign beside each word, for whoever does not see colours
    "better": ("good", "▲"),
    "held": ("good", "✓"),
    "worse": ("bad", "▼"),
    "contradicted": ("bad", "✗"),
    "practically equal": ("even", "="),
    "baseline": ("even", "◆"),
}


def chip(word: str) -> str:
    """A verdict as a small label with a sign.

    >>> chip("better")
    '<span class="chip good"><span aria-hidden="true">▲</span> better</span>'
    """
    kind, sign = _MARKS.get(word, ("open", "○"))
    return f'<span class="chip {kind}"><span aria-hidden="true">{sign}</span> {html_text(word)}</span>'


def name(text: str) -> str:
    """What a user named, apart from the text around it, whichever direction it is written in.

    >>> name("<b>")
    '<bdi>&lt;b&gt;</bdi>'
    """
    return f"<bdi>{html_text(text)}</bdi>"


def sentence(text: str) -> str:
    """A sentence with numbers, which no line break parts from what they are.

    >>> sentence("n = 10, p < 0.0001") == "n\u00a0=\u00a010, p\u00a0&lt;\u00a00.0001"
    True
    """
    return html_text(re.sub(r" ([=<%±]) ?", "\u00a0\\1\u00a0", text))


def paragraphs(texts: Iterable[str], kind: str = "note") -> str:
    """Each text as a paragraph.

    >>> paragraphs(["a", "b"])
    '<p class="note">a</p><p class="note">b</p>'
    """
    return "".join(f'<p class="{kind}">{html_text(text)}</p>' for text in texts)


def folded(summary: str, body: str, *, is_open: bool = False, key: str = "") -> str:
    """Markup that a reader unfolds.

    >>> folded("Numbers", "<p>1</p>")
    '<details><summary>Numbers</summary><p>1</p></details>'
    """
    attributes = (f' id="{html_text(key)}"' if key else "") + (" open" if is_open else "")
    return f"<details{attributes}><summary>{html_text(summary)}</summary>{body}</details>"


def listed(texts: Sequence[str], few: int = 4) -> str:
    """Notes as paragraphs, folded where they are many.

    >>> listed(["a"])
    '<p class="note">a</p>'
    """
    if len(texts) <= few:
        return paragraphs(texts)
    return folded(f"{len(texts)} notes", paragraphs(texts))


def table(
    headings: Sequence[str],
    rows: Iterable[Mapping[str, str]],
    *,
    caption: str,
    numbers: Iterable[str] = (),
    marked: Iterable[int] = (),
    verdict: str = "",
) -> str:
    """A table that scrolls sideways in its own box where it is wider than the page.

    Args:
        headings: of the columns, the first of which names the rows.
        rows: their texts by heading; what a row lacks is empty.
        caption: what stands above it.
        numbers: the columns that hold numbers.
        marked: the rows that stand out.
        verdict: the column that holds verdicts.

    >>> print(table(["Optimizer", "n"], [{"Optimizer": "sgd", "n": "2"}], caption="digits", numbers=["n"]))
    ... # doctest: +ELLIPSIS
    <div class="scroll" tabindex="0" role="region" aria-label="digits"><table><caption>digits</caption>...
    """
    right, strong = set(numbers), set(marked)

    def cell(heading: str, text: str) -> str:
        if heading == headings[0]:
            return f'<th scope="row">{name(text)}</th>'
        if heading == verdict and text:
            return f"<td>{chip(text)}</td>"
        return f'<td class="number">{html_text(text)}</td>' if heading in right else f"<td>{name(text)}</td>"

    head = "".join(
        f'<th scope="col"{" class=number" if heading in right else ""}>{html_text(heading)}</th>'
        for heading in headings
    )
    body = "".join(
        f"<tr{' class=strong' if number in strong else ''}>"
        + "".join(cell(heading, row.get(heading, "")) for heading in headings)
        + "</tr>\n"
        for number, row in enumerate(rows)
    )
    label = html_text(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table><caption>{label}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>\n"
    )
