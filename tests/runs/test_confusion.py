"""The file of a confusion matrix: it reads back, and what no run wrote is refused in a sentence."""

from pathlib import Path

import pytest

from samcli.errors import ResultsError
from samcli.runs import Confusion, read_confusion
from samcli.runs.confusion import MOST_CLASSES, NAME, total, write_confusion

TWO = Confusion(("cat", "dog"), ((3, 1), (0, 4)))


@pytest.mark.parametrize("names", [("a", "b"), ("a,b", 'a"b'), ("1", "2"), (" a ", "naïve ρ"), ("b\n", "c")])
def test_what_is_written_reads_back_save_for_what_does_not_show(tmp_path: Path, names: tuple[str, ...]) -> None:
    write_confusion(tmp_path, Confusion(names, TWO.counts))
    found = read_confusion(str(tmp_path))
    assert found == Confusion(tuple(name.replace("\n", "\\n") for name in names), TWO.counts)


def test_names_are_no_formulas(tmp_path: Path) -> None:
    write_confusion(tmp_path, Confusion(("=HYPERLINK(1)", "\x1b[31m"), TWO.counts))
    assert (tmp_path / NAME).read_text() == "true,'=HYPERLINK(1),\\x1b[31m\n'=HYPERLINK(1),3,1\n\\x1b[31m,0,4\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "true\n",
        "true,a,b\na,1,2\n",
        "true,a,b\na,1,2\nb,3\n",
        "true,a,b\na,1,2\nc,3,4\n",
        "true,a,b\na,1,-2\nb,3,4\n",
        "true,a,b\na,1,0.5\nb,3,4\n",
        "true,a,b\na,1,\nb,3,4\n",
        "true,a,b\na,0,0\nb,0,0\n",
        f"true,a\na,{'9' * 30}\n",
        "true,a\na,1\n\n",
        'true,a\n"a,1\n',
        "\x00",
        "true" + ",a" * (MOST_CLASSES + 1) + "\n" + ("a" + ",1" * (MOST_CLASSES + 1) + "\n") * (MOST_CLASSES + 1),
    ],
)
def test_what_no_run_wrote(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ResultsError, match="is not the confusion matrix of a run; remove it"):
        read_confusion(tmp_path)


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(ResultsError):
        read_confusion(tmp_path)
    assert read_confusion(tmp_path / "nowhere") is None


def test_mistakes_are_those_off_the_diagonal_by_number() -> None:
    three = Confusion(("a", "b", "c"), ((5, 1, 0), (7, 2, 3), (1, 0, 9)))
    assert three.mistakes() == [("b", "a", 7), ("b", "c", 3), ("a", "b", 1), ("c", "a", 1)]
    assert (three.examples, three.accuracy) == (28, 16 / 28)
    assert total([three, three, three]).counts == ((15, 3, 0), (21, 6, 9), (3, 0, 27))
