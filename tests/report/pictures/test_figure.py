"""The entries of a legend and their order, and the lines of a title."""

from samcli.report.pictures._figure import CHARACTERS_PER_INCH, legend_groups, titled_figure


def test_groups_are_in_the_order_of_their_numbers() -> None:
    """Not in that of their digits, nor in that of the runs."""
    groups = ("sgd lr=0.1", "sam rho=0.1", "sam rho=10", "sgd lr=5e-05", "sam rho=9", "sgd", "sam rho=0.05 m=1")
    assert list(legend_groups([(group, "seed 3") for group in groups])) == [
        "sam rho=0.05 m=1 seed 3",
        "sam rho=0.1 seed 3",
        "sam rho=9 seed 3",
        "sam rho=10 seed 3",
        "sgd seed 3",
        "sgd lr=5e-05 seed 3",
        "sgd lr=0.1 seed 3",
    ]
    assert legend_groups([("sgd", "seed 1"), ("sam", "seed 0"), ("sgd", "seed 0")]) == {
        "sam seed 0": [1],
        "sgd, 2 runs": [0, 2],
    }


def test_titles_are_filled_to_the_width() -> None:
    with titled_figure(("word " * 60, "below"), 5.0, 3.0) as figure:
        lines = figure.get_suptitle().split("\n")
    assert lines[-1] == "below"
    assert 0.9 * 5 * CHARACTERS_PER_INCH < max(map(len, lines)) <= 5 * CHARACTERS_PER_INCH
