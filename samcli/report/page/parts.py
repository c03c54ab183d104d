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


_WIDE, _HIGH, _ENDS = 200, 20, 6  # of the picture of a difference, in pixels; the ends have room for its point


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
    text = re.sub(r" ([=<%±]) ", "\u00a0\\1\u00a0", text)
    return html_text(re.sub(r"(\[[+-][^ \]]*), ([+-][^ \]]*\])", "\\1,\u00a0\\2", text))


def paragraphs(texts: Iterable[str], kind: str = "note") -> str:
    """Each text as a paragraph.

    >>> paragraphs(["a", "b"])
    '<p class="note">a</p><p class="note">b</p>'
    """
    return "".join(f'<p class="{kind}">{html_text(text)}</p>' for text in texts)


def bar(
    word: str, low: float, middle: float, high: float, scale: tuple[float, float], margin: float | None = None
) -> str:
    """A difference with its interval as a small picture, on a scale that its neighbours share; zero is a line.

    Args:
        word: the verdict, which colours it.
        low: where its interval begins.
        middle: the difference.
        high: where its interval ends.
        scale: what its ends stand for; zero lies within.
        margin: what counts as no difference; a band around zero.

    >>> bar("better", 0.0, 5.0, 10.0, (-10.0, 10.0)).count("<line")
    2
    """
    kind, _ = _MARKS.get(word, ("open", ""))
    least, most = scale
    width = most - least

    def place(value: float) -> str:
        return f"{_ENDS + (_WIDE - 2 * _ENDS) * (min(max(value, least), most) - least) / width:.1f}"

    band = ""
    if margin:
        left, right = place(-margin), place(margin)
        band = f'<rect class="band" x="{left}" y="0" width="{float(right) - float(left):.1f}" height="{_HIGH}"/>'
    middle_line, half = place(0.0), _HIGH // 2
    return (
        f'<svg class="bar {kind}" viewBox="0 0 {_WIDE} {_HIGH}" width="{_WIDE}" height="{_HIGH}" aria-hidden="true">'
        f"{band}"
        f'<line class="zero" x1="{middle_line}" x2="{middle_line}" y1="0" y2="{_HIGH}"/>'
        f'<line x1="{place(low)}" x2="{place(high)}" y1="{half}" y2="{half}"/>'
        f'<circle cx="{place(middle)}" cy="{half}" r="4"/></svg>'
    )


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


def scrolled(label: str, content: str) -> str:
    """A box that scrolls where what it holds is larger; `page.js` marks it while there is more on its right.

    Args:
        label: what it holds, in words.
        content: markup.

    >>> scrolled("digits", "<table></table>")
    '<div class="wide"><div class="scroll" tabindex="0" role="region" aria-label="digits"><table></table></div></div>'
    """
    return (
        f'<div class="wide"><div class="scroll" tabindex="0" role="region" aria-label="{html_text(label)}">'
        f"{content}</div></div>"
    )


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
    <div class="wide"><div class="scroll" tabindex="0" role="region" aria-label="digits"><table><caption>digits...
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
    return scrolled(
        caption,
        f"<table><caption>{html_text(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>",
    )
