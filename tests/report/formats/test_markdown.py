"""Markdown: a table and a list, aligned and escaped."""

import re

from run_folders import Block, Results

from samcli.report import Comparison, compare, render


def test_markdown_is_a_table_and_a_list(comparison: Comparison) -> None:
    lines = render(comparison, "markdown").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(comparison.rows)
    assert len({line.count("|") for line in table}) == 1
    assert len(set(map(len, table))) == 1  # aligned also as plain text
    assert re.fullmatch(r"\|( -+:? \|)+", table[1])
    assert lines[len(table)] == ""
    assert all(line.startswith("- ") for line in lines[len(table) + 1 :])
    assert any(line.startswith("- **Note:** Diverged") for line in lines)


def test_markdown_escapes_pipes(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,), dataset={"name": "image-folder:a|b"})
    assert r"image-folder:a\|b" in render(compare(results.runs()), "markdown")
