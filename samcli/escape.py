"""Text that others wrote, made safe for the form it is printed in.

Names come from a stranger's files, checkpoints and folders. What is printed passes through this module, once for each
form: a terminal obeys no sequence hidden in it, a spreadsheet no formula, Markdown, LaTeX and HTML no markup.
"""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from typing import Any

# printable by Python's reckoning, invisible all the same (Unicode's Default_Ignorable_Code_Point beyond category Cf)
_INVISIBLE = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff"
)
_SUSPECT = re.compile(r"[^ -~]")


def visible(text: str, keep: str = "") -> str:
    r"""The text with what does not show as a character, such as the escapes that a terminal obeys, written out.

    Control characters, those that turn the direction of writing, other invisible ones and lone surrogates become
    `\x1b`, `\u202e`, `\udce9`, as Python writes them.

    Args:
        text: any.
        keep: characters that stay nevertheless: line breaks in a text of several lines.

    >>> print(visible("\x1b[31mred \u202e evil"))
    \x1b[31mred \u202e evil
    >>> print(visible("naïve ρ"))
    naïve ρ
    """

    def written(match: re.Match[str]) -> str:
        character = match[0]
        shows = character.isprintable() or unicodedata.category(character) == "Zs"
        if character in keep or (shows and not re.match(f"[{_INVISIBLE}]", character)):
            return character
        return character.encode("unicode_escape").decode("ascii")

    return _SUSPECT.sub(written, text)


_MARKDOWN = re.compile(r"([\\`*<>&|\[\]~$#{}!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=:)/(?=/)|(?<=www)\.|@)", re.I)


def markdown_text(text: str) -> str:
    r"""The text for Markdown, where it shows as it is: no emphasis, no cell of its own, no link, no HTML.

    >>> print(markdown_text("a|b <script> [x](https://x.y)"))
    a\|b \<script\> \[x\](https:\//x.y)
    """
    return _MARKDOWN.sub(r"\\\1", visible(text))


_LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\textasciigrave{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "±": r"$\pm$",
    "≤": r"$\leq$",
    "∞": r"$\infty$",
    "←": r"$\leftarrow$",
    "×": r"$\times$",
    "²": "$^2$",
    "Δ": r"$\Delta$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "ε": r"$\varepsilon$",
    "η": r"$\eta$",
    "λ": r"$\lambda$",
    "ρ": r"$\rho$",
    "σ": r"$\sigma$",
    "τ": r"$\tau$",
    "−": "$-$",
    "–": "--",
    "—": "---",
    "…": r"\dots{}",
}


def latex_text(text: str) -> str:
    r"""The text for LaTeX: its own characters escaped, and a real minus before a number.

    >>> print(latex_text("label_noise=40 % ^ -1.5"))
    label\_noise=40 \% \textasciicircum{} $-$1.5
    """
    escaped = "".join(_LATEX.get(character, character) for character in visible(text).replace("--", "-\0-"))
    return re.sub(r"(?<![\w.}-])-(?=\d)", "$-$", escaped).replace("\0", "{}")


def html_text(text: str, keep: str = "") -> str:
    r"""The text for HTML, between tags and in quoted attributes alike: no tag, no entity, no end of an attribute.

    Quotes are numeric entities, which the labels of Plotly, a small part of HTML, know too.

    Args:
        text: any.
        keep: characters that do not show and stay nevertheless, see `visible`.

    >>> print(html_text("<script>alert('x')</script> \"&amp; \u202e"))
    &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &#34;&amp;amp; \u202e
    """
    escaped = visible(text, keep).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&#34;").replace("'", "&#39;")


def script_json(document: str) -> str:
    r"""A JSON document for a script element of HTML, which it cannot end; it reads back as it was.

    Args:
        document: as `json_text` writes it.

    >>> print(script_json(json_text("</script><!-- & \u2028", indent=None)))
    "\u003c/script\u003e\u003c!-- \u0026 \u2028"
    """
    return document.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def csv_cell(value: Any) -> Any:
    r"""The value for a cell of CSV: text in one line, and with a `'` before what a spreadsheet would compute.

    Numbers, and texts that are numbers, stay as they are.

    >>> csv_cell("=HYPERLINK(1)"), csv_cell("-1.2"), csv_cell(-1.2), csv_cell("a\rb")
    ("'=HYPERLINK(1)", '-1.2', -1.2, 'a\\rb')
    """
    if not isinstance(value, str):
        return value
    text = visible(value)
    if not value.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) and not value.startswith(
        ("\t", "\r")
    ):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def json_text(content: Any, indent: int | None = 2) -> str:
    r"""The content as one JSON document that any terminal and any encoding takes, and that reads back as it was.

    Raises:
        ValueError: a number that JSON has none for.

    >>> print(json_text({"name": "ρ \x9b \ud800"}, indent=None))
    {"name": "ρ \u009b \ud800"}
    """
    document = json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)
    return _SUSPECT.sub(_in_json, document)


def _in_json(match: re.Match[str]) -> str:
    """The character, or its escape in JSON if it would not be shown; outside strings JSON has none such."""
    character = match[0]
    return character if character == "\n" or visible(character) == character else json.dumps(character)[1:-1]


_STAND_INS = {
    "ρ": "rho",
    "Δ": "delta",
    "τ": "tau",
    "η": "eta",
    "ε": "eps",
    "λ": "lambda",
    "σ": "sigma",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "‖": "|",
    "∞": "inf",
    "±": "+-",
    "×": "x",
    "²": "2",
    "─": "-",
    "━": "-",
    "╸": "-",
    "╺": "-",
    "│": "|",
    "…": "...",
    "–": "-",
    "−": "-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "∇": "grad ",
}
STAND_IN = "samcli.stand-in"


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """The error handler of a stream whose encoding lacks characters: words for symbols, escapes for the rest."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(_ascii(character) for character in characters), error.end


def _ascii(character: str) -> str:
    if character in _STAND_INS:
        return _STAND_INS[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return plain or character.encode("unicode_escape").decode("ascii")


codecs.register_error(STAND_IN, _stand_in)


def spelled_out(text: str, encoding: str) -> str:
    """The text with words for the symbols that an encoding lacks, in a table at the cost of the space beside them.

    >>> spelled_out("sam rho=0.1      Δ", "ascii"), spelled_out("2.00×", "cp1252")
    ('sam rho=0.1  delta', '2.00×')
    """
    return "\n".join(_spelled_line(line, encoding) for line in text.split("\n"))


def _spelled_line(line: str, encoding: str) -> str:
    """The line; what a cell grows by is taken from the gap before it, or else from that behind it."""
    parts = re.split(r"( {2,})", line)
    gaps = [len(gap) for gap in parts[1::2]]
    words = []
    for number, cell in enumerate(parts[::2]):
        words.append(cell.encode(encoding, errors=STAND_IN).decode(encoding))
        grown = len(words[-1]) - len(cell)
        for gap in (number - 1, number):
            if 0 <= gap < len(gaps):
                taken = min(max(grown, 0), gaps[gap] - 1)
                gaps[gap] -= taken
                grown -= taken
    return "".join(word + " " * gap for word, gap in zip(words, [*gaps, 0], strict=True))
