"""Tables read as a whole: the same values and the same faults as when each value is looked at by itself."""

import math
import random

import numpy as np
import pytest

from samcli.metrics import columns
from samcli.runs import table
from samcli.runs.rows import from_csv, to_csv
from samcli.runs.table import values_of

HEADER = columns("accuracy")
SOUND = to_csv([{"epoch": i, "train_loss": 0.1 * i, "gradient_evaluations": 7 * i, "rho": 0.0} for i in (1, 2, 3)])


def judged(text: str) -> str | list[list[float | None]]:
    """What `from_csv` finds: the fault of a text, or its values."""
    try:
        names, rows = from_csv(text)
    except ValueError as error:
        return str(error)
    return [[None if (value := row[name]) is None else float(value) for name in names] for row in rows]


def judged_as_a_whole(text: str) -> str | list[list[float | None]]:
    try:
        _, values = values_of(text)
    except ValueError as error:
        return str(error)
    return [[None if math.isnan(value) else value for value in row] for row in values.tolist()]


def test_usual_tables_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(0)
    rows = [
        {name: draw.random() for name in HEADER}
        | {"sharpness": None, "rho": draw.uniform(-1, 1) * 10.0 ** draw.randint(-300, 300), "mine": draw.gauss(0, 1)}
        | {"epoch": epoch, "gradient_evaluations": 10**12 + epoch, "skipped_steps": 0}
        for epoch in range(1, 51)
    ]
    text = to_csv(rows)
    expected = judged(text)
    monkeypatch.setattr(table, "from_csv", None)  # it is not needed
    assert judged_as_a_whole(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epoch,loss\n1,2\n",
        SOUND.partition("\n")[0],
        SOUND.partition("\n")[0] + "\n",
        SOUND,
        SOUND.removesuffix("\n"),
        SOUND.replace("\n", "\r\n"),
        SOUND + "\n",
        SOUND.replace("0.1,", '"0.1",'),
        SOUND.replace("epoch", '"epoch"'),
        SOUND.replace("0.1,", " 0.1,"),
        SOUND.replace("0.1,", "0.1,,"),
        SOUND.replace("0.1,", "1e999,"),
        SOUND.replace("0.1,", "1e-5,"),
        SOUND.replace("0.1,", "nan,"),
        SOUND.replace("0.1,", "-inf,"),
        SOUND.replace("0.1,", "0-1,"),
        SOUND.replace("0.1,", "1" * 400 + ","),
        SOUND.replace(",14,", ",6,"),
        SOUND.replace(",14,", ",14.0,"),
        SOUND.replace(",14,", ",-14,"),
        SOUND.replace(",14,", ",,"),
        SOUND.replace(",14,", ",13e0,"),
        SOUND.replace(",7,", ",,").replace(",14,", ",,").replace(",21,", ",,"),
        SOUND.replace(",14,", "," + "9" * 30 + ","),
        SOUND.replace("\n2,", "\n3,"),
        SOUND.replace("\n2,", "\n2.0,"),
        SOUND.replace("\n2,", "\n,"),
        SOUND.replace("0.0,", "1" * 400 + ","),  # of ρ, which may be any number
    ],
)
def test_other_texts_are_judged_alike(text: str) -> None:
    assert judged_as_a_whole(text) == judged(text.replace("1" * 400, "1e400"))


def test_each_damage_of_one_character_is_judged_alike() -> None:
    draw = random.Random(1)
    for _ in range(2000):
        at = draw.randrange(len(SOUND))
        text = SOUND[:at] + draw.choice('0159.,-+eE\n\r"n _') + SOUND[at + draw.randrange(2) :]
        assert judged_as_a_whole(text) == judged(text), repr(text)


def test_values_are_an_array() -> None:
    names, values = values_of(SOUND)
    assert names == HEADER
    assert values.shape == (3, len(HEADER))
    assert values.dtype == np.float64
