"""The columns of `metrics.csv`, and what is known of each: its words, its unit, and which way is better.

A new score is an entry of `SCORES` and a task that computes it, see `samcli.tasks.Task`; nothing else need know of it.
A score on request (`evaluate.metrics`) is an entry too, and is computed in `samcli.train.on_request`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

PARTS = ("train", "validation", "test")
EVALUATED = ("validation", "test")  # the parts that scores on request are of
LOSSES = tuple(f"{part}_loss" for part in PARTS)
OTHER_COLUMNS = (
    "sharpness",
    "grad_norm",
    "learning_rate",
    "rho",
    "train_seconds",
    "eval_seconds",
    "sharpness_seconds",
    "gradient_evaluations",
    "examples_per_second",
    "skipped_steps",
    "cpu_seconds",
)
OF_OWN_LABELS = {  # columns of runs with `labels: own`: shares, of which more is better; and their words
    "pseudo_label_accuracy": "pseudo-label accuracy",
    "kept_share": "share of examples kept",
}
EPOCH_OF_NETWORK = "epoch_of_network"  # column of runs with `patience`: whose network the evaluated parts tell of
NEWER_COLUMNS = ("cpu_seconds",)  # files of earlier versions lack them


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score of predictions on one part of the data, all that is known of it but how it is computed.

    Attributes:
        name: as the columns have it: `test_NAME`.
        words: the same for people.
        meaning: its definition in short; empty where the task tells it.
        is_share: whether it is a fraction from 0 to 1, which people read in percent.
        higher_is_better: whether the larger of two scores is the better one.
        on_request: what it is a score of where `evaluate.metrics` has to ask for it: classes, numbers, or noise, which
            is of the training part; None of what a task is scored by in every run, and of what is recorded of clients.
        of_clients: whether it is recorded where clients train, see `samcli.train.federated`.
    """

    name: str
    words: str
    meaning: str = ""
    is_share: bool = False
    higher_is_better: bool = True
    on_request: Literal["classes", "numbers", "noise"] | None = None
    of_clients: bool = False

    @property
    def option(self) -> str:
        """The name as `evaluate.metrics` has it.

        >>> SCORES["macro_f1"].option
        'macro-f1'
        """
        return self.name.replace("_", "-")

    def gap(self, train: float, test: float) -> float:
        """The generalisation gap: how much better the score is on the training part than on the test part.

        >>> SCORES["r2"].gap(train=0.75, test=0.5)
        0.25
        """
        return train - test if self.higher_is_better else test - train


# the first is that of a run of which nothing is known yet
SCORES = {
    score.name: score
    for score in (
        Score(name="accuracy", words="accuracy", is_share=True),
        Score(name="r2", words="R²"),
        Score(name="bits_per_byte", words="bits per byte", higher_is_better=False),
        Score(
            name="balanced_accuracy",
            words="balanced accuracy",
            meaning="fraction predicted rightly of each class, the mean over the classes that the part has",
            is_share=True,
            on_request="classes",
        ),
        Score(
            name="macro_f1",
            words="macro F1",
            meaning="F1 of each class, the mean over the classes that the part has or the model names",
            is_share=True,
            on_request="classes",
        ),
        Score(
            name="roc_auc",
            words="ROC AUC",
            meaning="area under the ROC curve; with more than two classes of each against the rest, the mean",
            on_request="classes",
        ),
        Score(
            name="log_loss",
            words="log loss",
            meaning="mean of -log p of the true class, in nats",
            higher_is_better=False,
            on_request="classes",
        ),
        Score(
            name="calibration_error",
            words="calibration error",
            meaning="expected calibration error: |accuracy - confidence| in 15 bins of confidence of equal width",
            is_share=True,
            higher_is_better=False,
            on_request="classes",
        ),
        Score(
            name="wrong_labels",
            words="accuracy on wrong labels",
            meaning="fraction predicted of the training labels that label_noise made wrong: learned by heart",
            is_share=True,
            higher_is_better=False,
            on_request="noise",
        ),
        Score(
            name="right_labels",
            words="accuracy on right labels",
            meaning="fraction predicted of the other training labels",
            is_share=True,
            on_request="noise",
        ),
        Score(
            name="mae",
            words="MAE",
            meaning="mean absolute error, in the unit of the targets",
            higher_is_better=False,
            on_request="numbers",
        ),
        Score(
            name="rmse",
            words="RMSE",
            meaning="square root of the mean squared error, in the unit of the targets",
            higher_is_better=False,
            on_request="numbers",
        ),
        Score(
            name="recent_accuracy",
            words="accuracy, mean over the last rounds",
            meaning="mean of the accuracy over the last rounds, see federated.recent",
            is_share=True,
            of_clients=True,
        ),
        Score(
            name="accuracy_scatter",
            words="accuracy, standard deviation over the last rounds",
            meaning="standard deviation of the accuracy over the last rounds, see federated.recent",
            is_share=True,
            higher_is_better=False,
            of_clients=True,
        ),
        Score(
            name="worst_clients_accuracy",
            words="accuracy of the worst tenth of the clients",
            meaning="accuracy on a client's own shares of the classes, the mean over the tenth where it is lowest",
            is_share=True,
            of_clients=True,
        ),
    )
}


def task_scores() -> dict[str, Score]:
    """The scores of which each task has one, by name.

    >>> list(task_scores())
    ['accuracy', 'r2', 'bits_per_byte']
    """
    return {name: score for name, score in SCORES.items() if score.on_request is None and not score.of_clients}


def scores_on_request() -> dict[str, Score]:
    """The scores that `evaluate.metrics` may ask for, by the names that it has for them.

    >>> list(scores_on_request())[:2]
    ['balanced-accuracy', 'macro-f1']
    """
    return {score.option: score for score in SCORES.values() if score.on_request is not None}


def score_named(name: str) -> Score:
    """The score of this name, by which a task can be scored.

    Raises:
        ValueError: there is none.

    >>> score_named("accuracy").is_share
    True
    """
    if name not in (known := task_scores()):
        raise ValueError(f"A task is scored by one of {', '.join(known)}, not {name!r}.")
    return known[name]


def score_of(column: str) -> Score | None:
    """The score that a column holds; None for a loss, a time, a measure of sharpness.

    A robustness test has its score behind its label: `pgd eps=2/255 accuracy`.

    >>> score_of("test_r2").words, score_of("test_loss"), score_of("pgd eps=2/255 accuracy").words
    ('R²', None, 'accuracy')
    """
    part, _, name = column.partition("_")
    if part in PARTS:
        return SCORES.get(name)
    label, _, name = column.rpartition(" ")
    return SCORES.get(name) if label else None


def column_called(name: str) -> str:
    """The column that a user means by a score alone: that of the test part, for label noise that of the training part.

    It may be spelled as here or as options are.

    Any other name, such as that of a measure, is returned as it is.

    >>> column_called("balanced-accuracy"), column_called("test_balanced-accuracy"), column_called("validation-r2")
    ('test_balanced_accuracy', 'test_balanced_accuracy', 'validation_r2')
    >>> column_called("lambda-max"), column_called("wrong-labels"), column_called("weight-rounding bits=3 accuracy")
    ('lambda-max', 'train_wrong_labels', 'weight-rounding bits=3 accuracy')
    """
    column = name.replace("-", "_")
    if column in SCORES:
        return f"{'train' if SCORES[column].on_request == 'noise' else 'test'}_{column}"
    return column if column.partition("_")[0] in PARTS and score_of(column) else name


def score_among(columns: Iterable[str]) -> Score:
    """What a task is scored by: the score of which most parts have a column among these; else the first of `SCORES`.

    A column `test_r2` beside those of an accuracy on all parts makes no regression of a classification, and scores on
    request say nothing.

    >>> score_among(["epoch", "train_r2", "test_r2"]).name, score_among([]).name
    ('r2', 'accuracy')
    >>> score_among(["train_accuracy", "test_accuracy", "test_r2"]).name
    'accuracy'
    """
    held = Counter(score.name for column in dict.fromkeys(columns) if (score := score_of(column)))
    return max(task_scores().values(), key=lambda score: held[score.name])


def columns(score: str) -> list[str]:
    """The columns that every `metrics.csv` has, in their order.

    Args:
        score: the name of what the task is scored by, a key of `task_scores`.

    Raises:
        ValueError: no such score.

    >>> columns("r2")[:4]
    ['epoch', 'train_loss', 'train_r2', 'validation_loss']
    """
    name = score_named(score).name
    return ["epoch", *(f"{part}_{column}" for part in PARTS for column in ("loss", name)), *OTHER_COLUMNS]


def requested_columns(metrics: Iterable[str]) -> list[str]:
    """The columns of scores on request.

    Args:
        metrics: as `evaluate.metrics` names them.

    >>> requested_columns(["macro-f1", "wrong-labels"])
    ['validation_macro_f1', 'test_macro_f1', 'train_wrong_labels']
    """
    known = scores_on_request()
    return [
        f"{part}_{known[name].name}"
        for name in metrics
        for part in (("train",) if known[name].on_request == "noise" else EVALUATED)
    ]


def client_columns() -> list[str]:
    """The columns that are recorded where clients train.

    >>> client_columns()[3:]
    ['test_recent_accuracy', 'test_accuracy_scatter', 'test_worst_clients_accuracy']
    """
    return [f"{part}_{score.name}" for part in EVALUATED for score in SCORES.values() if score.of_clients]


def is_share(column: str) -> bool:
    """Whether a column holds fractions that people read in percent.

    >>> is_share("test_accuracy"), is_share("test_r2")
    (True, False)
    """
    score = score_of(column)
    return column in OF_OWN_LABELS if score is None else score.is_share


def higher_is_better(column: str) -> bool:
    """Whether a column's larger values are the better ones; false for losses, times and sharpness.

    >>> higher_is_better("test_accuracy"), higher_is_better("test_loss")
    (True, False)
    """
    score = score_of(column)
    return column in ("examples_per_second", *OF_OWN_LABELS) if score is None else score.higher_is_better


def title(column: str) -> str:
    """A column in words, with its unit.

    >>> title("test_accuracy"), title("test_r2"), title("grad_norm")
    ('test accuracy in %', 'test R²', 'grad norm')
    >>> title("pgd eps=2/255 accuracy")
    'pgd eps=2/255: accuracy in %'
    """
    score = score_of(column)
    if column in OF_OWN_LABELS:
        return f"{OF_OWN_LABELS[column]} in %"
    if score is None:
        return column.replace("_", " ")
    label = column.rpartition(" ")[0]
    what = f"{label}:" if label else column.removesuffix(f"_{score.name}")
    return f"{what} {score.words}{' in %' if score.is_share else ''}"


def shown(value: float, column: str, sign: str = "") -> str:
    """A value of a column as people read it: a share in percent, anything else with about four digits.

    Args:
        value: in the column's own unit.
        column: its name.
        sign: "+" shows the sign of positive values too, as differences need.

    >>> shown(0.8425, "test_accuracy"), shown(0.5, "test_r2", "+"), shown(1234.5, "lambda_max")
    ('84.25', '+0.5000', '1.23e+03')
    """
    if is_share(column):
        return f"{round(100.0 * value, 2) + 0.0:{sign}.2f}"  # no minus before a zero
    return f"{value + 0.0:{sign}.4f}" if value == 0.0 or 1e-3 <= abs(value) < 1e3 else f"{value:{sign}.3g}"
