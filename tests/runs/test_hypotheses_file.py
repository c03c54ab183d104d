"""What an experiment was expected to show is kept with its date, whatever becomes of its file."""

import json
from pathlib import Path

import pytest

from samcli.config import parse
from samcli.config.hypotheses import Hypothesis, hypotheses_of
from samcli.config.source import Source
from samcli.runs.hypotheses_file import NAME, record, recorded


def hypotheses(*says: str) -> tuple[Hypothesis, ...]:
    lines = "".join(f"  - {{says: {one}, better: {{optimizer: sam}}, than: {{optimizer: sgd}}}}\n" for one in says)
    return hypotheses_of(parse(f"hypotheses:\n{lines}", "x.yaml"))


def test_the_first_date_stays(tmp_path: Path) -> None:
    record(tmp_path, hypotheses("a"), finished=0)
    (first,) = recorded(tmp_path)
    record(tmp_path, hypotheses("a", "b"), finished=7)
    one, two = recorded(tmp_path)
    assert one == first
    assert (two.hypothesis.says, two.finished_before, two.withdrawn) == ("b", 7, None)


def test_what_is_withdrawn_is_not_forgotten(tmp_path: Path) -> None:
    record(tmp_path, hypotheses("a", "b"), finished=0)
    record(tmp_path, hypotheses("b"), finished=3)
    assert [(one.hypothesis.says, one.withdrawn is None) for one in recorded(tmp_path)] == [("b", True), ("a", False)]
    record(tmp_path, (), finished=4)
    assert all(one.withdrawn for one in recorded(tmp_path))
    record(tmp_path, hypotheses("a", "b"), finished=5)
    assert [(one.finished_before, one.withdrawn) for one in recorded(tmp_path)] == [(0, None), (0, None)]


def test_without_any_there_is_no_file(tmp_path: Path) -> None:
    record(tmp_path / "new", (), finished=0)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"hypotheses": 3}',
        '{"hypotheses": [3, null, {}]}',
        '{"hypotheses": [{"document": {"says": 1}}]}',
    ],
)
def test_what_is_damaged_is_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    assert recorded(tmp_path) == []
    record(tmp_path, hypotheses("a"), finished=0)
    assert [one.hypothesis.says for one in recorded(tmp_path)] == ["a"]


def test_one_that_was_edited_in_the_file_is_another(tmp_path: Path) -> None:
    record(tmp_path, hypotheses("a"), finished=0)
    content = json.loads((tmp_path / NAME).read_text())
    content["hypotheses"][0]["document"]["than"] = {"optimizer": "adam"}
    (tmp_path / NAME).write_text(json.dumps(content))
    assert recorded(tmp_path) == []


def test_what_is_said_beside_a_hypothesis_makes_it_no_other_one(tmp_path: Path) -> None:
    """Published numbers, and whether a claim rests on it, may be added after the runs; the latest are kept."""
    record(tmp_path, hypotheses("a"), finished=0)
    (before,) = recorded(tmp_path)
    document = {**before.hypothesis.document, "published": "+2 points", "contrast": True}
    record(tmp_path, hypotheses_of(Source({"hypotheses": [document]})), finished=9)
    (after,) = recorded(tmp_path)
    assert (after.first_seen, after.finished_before, after.withdrawn) == (before.first_seen, 0, None)
    assert (after.hypothesis.published, after.hypothesis.contrast) == ("+2 points", True)
