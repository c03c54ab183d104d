"""A budget of tokens as passes over a text, and what it refuses."""

import pytest

from samcli.config import Draft, RunConfig, parse
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

TEXT = "{name: text:python, context: 50, train_tokens: TOKENS}"


def expand(budget: str, tokens: str, more: str = "") -> list[RunConfig]:
    dataset = TEXT.replace("TOKENS", tokens)
    text = f"dataset: {dataset}\noptimizer: sgd\ntokens: {budget}\n{more}"
    return Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()


def test_epochs_are_the_passes_that_see_so_many_tokens() -> None:
    runs = expand("[6000, 12000]", "[6000, 300]")
    assert [(run.dataset["train_tokens"], run.training.epochs) for run in runs] == [
        (6000, 1),
        (6000, 2),
        (300, 20),
        (300, 40),
    ]


def test_a_run_is_the_one_that_its_epochs_make() -> None:
    (run,) = expand("6000", "300")
    text = f"dataset: {TEXT.replace('TOKENS', '300')}\noptimizer: sgd\nepochs: 20\n"
    (same,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    assert run.identity == same.identity
    assert "tokens" not in run.document()


def test_equal_compute_comes_after_it() -> None:
    (run,) = expand("6000", "300", "equal_compute: true\n")
    assert run.training.epochs == 40


def test_a_flag_sets_it() -> None:
    draft = Draft.of(parse(f"dataset: {TEXT.replace('TOKENS', '300')}\noptimizer: sgd\n", "x.yaml"), CATALOGUE)
    draft.set("tokens=900")
    (run,) = draft.expand()
    assert run.training.epochs == 3


@pytest.mark.parametrize(
    ("budget", "tokens", "more", "sentence"),
    [
        (
            "1000",
            "300",
            "",
            r"x\.yaml, line 3: 1000 tokens are no whole number of passes over 300; set tokens: 900, or",
        ),
        ("100", "300", "", r"100 tokens are no whole number of passes over 300; set tokens: 300, or"),
        (
            "1000",
            "null",
            "",
            r"a budget of passes over a text of known length; set dataset\.train_tokens of text:python",
        ),
        ("300", "300", "epochs: 2", r"tokens says how many epochs there are; give one of the two\."),
        ("many", "300", "", r"tokens must be a whole number at least 1, not 'many'\."),
        ("0", "300", "", r"tokens must be a whole number at least 1, not 0\."),
        ("[]", "300", "", r"tokens is an empty list; give it a value\."),
        ("300", "300", "batch_size: 5", r"batches of 5 leave one of 6 windows over, which is not trained on; set"),
        (
            "300",
            "310",
            "",
            r"train_tokens must be a multiple of context, but 310 is none of 50; set train_tokens: 300\.",
        ),
    ],
)
def test_what_is_no_budget_is_refused(budget: str, tokens: str, more: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        expand(budget, tokens, more)


def test_other_data_have_no_tokens() -> None:
    draft = Draft.of(parse("{dataset: wine, optimizer: sgd, tokens: 100}", "x.yaml"), CATALOGUE)
    with pytest.raises(ConfigError, match=r"set dataset\.train_tokens of wine, or epochs instead of tokens\."):
        draft.expand()


def test_a_subset_of_examples_would_spoil_it() -> None:
    text = "{dataset: {name: text:python, context: 50, train_tokens: 300, train_examples: 2}, tokens: 600}"
    with pytest.raises(ConfigError, match=r"train_examples takes tokens away from each pass; use dataset\.train_"):
        Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
