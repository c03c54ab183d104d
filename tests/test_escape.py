"""Text of strangers does nothing wherever it is printed."""

import csv
import io
import json
import unicodedata
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from samcli.escape import (
    STAND_IN,
    csv_cell,
    html_text,
    json_text,
    latex_text,
    markdown_text,
    script_json,
    spelled_out,
    visible,
)

HOSTILE = [
    "\x1b]0;owned\x07\x1b[31mred\x1b[0m",
    "\x9b31mred",
    "abc\u202edcba\u2066x\u2069",
    "zero\u200bwidth\u2060\ufeff\u00ad\u3164",
    "a\rb\nc\x00\x7f\x85\u2028\u2029",
    "caf\udce9",
    "tag\U000e0041 \ufe0f",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_invisible_is_left(text: str) -> None:
    shown = visible(text)
    assert {unicodedata.category(character) for character in shown}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert visible(shown) == shown
    for form in (markdown_text, latex_text, csv_cell, html_text):
        assert form(text).isascii()
        assert form(text).isprintable()
    document = json_text([text])
    assert json.loads(document) == [text]
    assert document.isascii()
    assert document.replace("\n", "").isprintable()


def test_letters_stay() -> None:
    for text in ("ρ=0.05", "naïve café", "数据 集", "данные", "82.50 ± 3.54 ×", "nbsp\u00a0here"):
        assert visible(text) == text
    assert visible("two\nlines", keep="\n") == "two\nlines"


@pytest.mark.parametrize(
    "text",
    [
        "</p><script>alert(1)</script>",
        "\" onload='x' `y`",
        "&lt;&copy;&#60;&amp",
        "<!-- --> <![CDATA[ ]]> </",
        "a<b>c & d",
    ],
)
def test_html_shows_the_text_itself(text: str) -> None:
    """Between tags and in an attribute, whichever quotes it has, as the parser of the standard library reads it."""
    found: list[tuple[str, object]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, attrs))

        def handle_data(self, data: str) -> None:
            found.append(("text", data))

    reader = Reader()
    reader.feed(f"<p title=\"{html_text(text)}\" lang='{html_text(text)}'>{html_text(text)}</p>")
    reader.close()
    assert found == [("p", [("title", text), ("lang", text)]), ("text", text)]


@pytest.mark.parametrize("text", [*HOSTILE, "</script>", "<!--<script>", "]]>", "a & b", "\u2028"])
def test_json_in_a_script_element_cannot_end_it(text: str) -> None:
    document = script_json(json_text({text: [text]}))
    assert json.loads(document) == {text: [text]}
    assert not set("<>&\u2028\u2029") & set(document)


@pytest.mark.parametrize(
    "text",
    [
        "a|b",
        "<script>alert(1)</script>",
        "[x](https://e.org)",
        "![x](https://e.org/i.png)",
        "<https://e.org>",
        "&lt;&copy;",
        "*a* **b** _c_ __d__ `e` ~~f~~",
        r"\*a\* \| \<b>",
        "# heading",
        "a\nb\n\n- c",
        "label_noise=0.4 wrn-16-4",
        "[x]: https://e.org",
    ],
)
def test_markdown_shows_the_text_itself(text: str) -> None:
    """Read back by an independent parser, in a cell and in an item of a list: one text, nothing else."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    written = markdown_text(text)
    for page in (f"| a | b |\n| --- | --- |\n| {written} | x |\n", f"- **Note:** {written} end\n"):
        tokens = parser.parse(page)
        inlines = [token for token in tokens if token.type == "inline"]
        (inline,) = [token for token in inlines if visible(text).split()[0] in _plain(token)]
        kinds = {child.type for child in inline.children or []}
        assert kinds <= {"text", "text_special", "strong_open", "strong_close"}
        assert visible(text) in _plain(inline)
    assert "://" not in written
    assert "www." not in markdown_text("www.example.org")


def _plain(token: object) -> str:
    return "".join(child.content for child in getattr(token, "children", None) or [])


def test_latex_has_no_command_of_the_text() -> None:
    written = latex_text(r"\input{/etc/passwd} 50% $x$ a_b ~ ^ # & `ls` --x -1.5 ρ")
    assert written == (
        r"\textbackslash{}input\{/etc/passwd\} 50\% \$x\$ a\_b \textasciitilde{} \textasciicircum{} \# \& "
        r"\textasciigrave{}ls\textasciigrave{} -{}-x $-$1.5 $\rho$"
    )


def test_cells_of_csv_are_no_formulas() -> None:
    for text in ("=cmd|' /C calc'!A0", "@SUM(A1)", "+1+1", "-1+1", " =1", "\t=1", "\r=1", "＝1"):
        assert str(csv_cell(text)).startswith("'")
    for number in ("-1.2", "+5", "-inf", "1e-3"):
        assert csv_cell(number) == number
    assert [csv_cell(value) for value in (-1.2, None, True, 3)] == [-1.2, None, True, 3]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow([csv_cell('a\r\n"b",c')])
    assert list(csv.reader(io.StringIO(written.getvalue()))) == [[r'a\r\n"b",c']]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437", "shift_jis", "utf-8"])
def test_every_encoding_takes_every_text(encoding: str) -> None:
    text = "ρ Δ × ± ─ τ λ ‖ é 数 \u202e \udce9"
    text.encode(encoding, errors=STAND_IN)
    assert "ρ Δ ×".encode("ascii", errors=STAND_IN) == b"rho delta x"
    assert "Rk² ≤ é".encode("ascii", errors=STAND_IN) == b"Rk2 <= e"


def test_columns_stay_where_words_take_the_place_of_symbols() -> None:
    table = "name      Δ\n───────────\nsam   1.00×"
    assert spelled_out(table, "ascii") == "name  delta\n-----------\nsam   1.00x"
    assert spelled_out(table, "utf-8") == table
