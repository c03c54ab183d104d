"""The name of an experiment that nobody named."""

import pytest

from samcli.config import Draft, parse
from samcli.config.name import default_name
from samcli.train import CATALOGUE


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("digits", "digits"),
        ("fashion-mnist", "fashion-mnist"),
        ("text:python", "text-python"),
        ("csv:/home/me/data/iris.csv", "iris"),
        ("csv:/home/me/data/iris.final.csv", "iris-final"),
        ("text:/home/me/.book", "book"),
        ("image-folder:/data/pets.v2", "pets-v2"),
        ("image-folder:/data/my pets/", "my-pets"),
        ("text-folder:/reviews", "reviews"),
        ("csv:/data/\u00fcbung.csv", "bung"),
        ("csv:/data/\u4e2d\u6587.csv", "csv-data-csv"),
        ("csv:/data/" + "a" * 200 + ".csv", "a" * 100),
        ("rules/mine.py:Mine", "rules-mine-py-Mine"),
    ],
)
def test_names_of_data(dataset: str, name: str) -> None:
    """That of the file or folder; of what has no path, or a name without Latin letters, as ever."""
    assert default_name(dataset) == name


def test_two_of_one_name_keep_their_paths() -> None:
    both = ["csv:/a/iris.csv", "text:/b/iris"]
    assert [default_name(one, beside=both) for one in both] == ["csv-a-iris-csv", "text-b-iris"]
    assert default_name(both[0], beside=[both[0], both[0]]) == "iris"


def test_runs_of_a_file_and_those_of_a_data_set_of_that_name_lie_apart() -> None:
    text = "{dataset: ['csv:/nowhere/wine.csv', wine, 'csv:/nowhere/other.csv'], model: linear, optimizer: sgd}"
    runs = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    assert [run.name for run in runs] == ["csv-wine", "wine", "other"]


def test_a_folder_of_an_earlier_version_goes_on() -> None:
    draft = Draft.of(parse("{dataset: 'csv:/nowhere/other.csv', model: linear, optimizer: sgd}", "x.yaml"), CATALOGUE)
    (new,) = draft.expand()
    draft.folders = frozenset(["other", "csv-nowhere-other-csv"])
    (old,) = draft.expand()
    assert (new.name, old.name) == ("other", "csv-nowhere-other-csv")
    assert new.identity == old.identity
