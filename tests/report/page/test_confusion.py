"""The confusion matrices of a page: a table for each setting, the sum over its seeds."""

from collections.abc import Callable

from page_reader import Page
from run_folders import Block, Results

from samcli.runs.confusion import NAME, Confusion, write_confusion

MakePage = Callable[..., Page]
ONE = Confusion(("cat", "<b>dog"), ((3, 1), (0, 4)))


def test_each_setting_has_the_sum_over_its_seeds(results: Results, sgd: Block, sam: Block, page: MakePage) -> None:
    for seed in range(2):
        write_confusion(results.add(sgd, seed, [0.5]).path, ONE)
        write_confusion(results.add(sam, seed, [0.5]).path, Confusion(ONE.names, ((40, 2), (3, 50))))
    made = page(results.runs())
    assert len(made.all("section", id="confusion")) == 1
    first, second = made.all("table", kind="heat")
    cells = [cell for cell in made.all("td") if "--share" in str(cell.attributes.get("style"))]
    assert [cell.text for cell in cells] == [*("80", "4", "6", "100"), *("6", "2", "0", "8")]
    shares = [cell.attributes["style"] for cell in cells[4:]]
    assert shares == ["--share:0.750", "--share:0.250", "--share:0.000", "--share:1.000"]
    assert [cell.attributes["class"] for cell in cells[4:]] == ["number right", "number", "number", "number right"]
    assert "sam" in first.text
    assert "sgd" in second.text
    assert "<b>dog" in second.text


def test_of_many_classes_the_most_frequent_mistakes_are_told(results: Results, sgd: Block, page: MakePage) -> None:
    names = tuple(f"class{number}" for number in range(30))
    counts = [[10 if i == j else 0 for j in range(30)] for i in range(30)]
    counts[4][7], counts[9][2] = 40, 5
    write_confusion(results.add(sgd, 0, [0.5]).path, Confusion(names, tuple(map(tuple, counts))))
    made = page(results.runs())
    (section,) = made.all("section", id="confusion")
    assert not made.all("table", kind="heat")
    assert "class4" in section.text
    assert "80.0" in section.text  # 40 of 50
    assert section.text.index("class4") < section.text.index("class9")
    assert "class11" not in section.text


def test_runs_without_one_have_no_section(noisy: Results, page: MakePage) -> None:
    assert not page(noisy.runs()).all("section", id="confusion")


def test_what_cannot_be_read_or_added_up_is_told(results: Results, sgd: Block, sam: Block, page: MakePage) -> None:
    (results.add(sgd, 0, [0.5]).path / NAME).write_text("torn")
    write_confusion(results.add(sgd, 1, [0.5]).path, ONE)
    write_confusion(results.add(sam, 0, [0.5]).path, ONE)
    write_confusion(results.add(sam, 1, [0.5]).path, Confusion(("cat", "cow"), ONE.counts))
    made = page(results.runs())
    (section,) = made.all("section", id="confusion")
    assert "is not the confusion matrix of a run" in section.text
    assert "its runs have other classes than each other" in section.text
    assert len(made.all("table", kind="heat")) == 1


def test_runs_that_did_not_finish_do_not_count(results: Results, sgd: Block, page: MakePage) -> None:
    write_confusion(results.add(sgd, 0, [0.5]).path, ONE)
    write_confusion(results.add(sgd, 1, [0.5], status={"status": "failed"}).path, ONE)
    (section,) = page(results.runs()).all("section", id="confusion")
    assert "1 seed" in section.text
