"""The numbers of landscapes come back to the last bit."""

import csv
import io
import math

import torch

from samcli.report.landscape_csv import line_as_csv, slices_as_csv
from samcli.sharpness import Landscape

AXIS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def curve(scale: float = 1.0, low: float = 0.5) -> Landscape:
    return Landscape((AXIS,), low + scale * torch.tensor(AXIS, dtype=torch.float64).square(), 100)


def bowl(scale: float = 1.0, low: float = 0.5) -> Landscape:
    square = torch.tensor(AXIS, dtype=torch.float64).square()
    return Landscape((AXIS, AXIS), low + scale * (square[:, None] + 2 * square), 100)


def test_numbers_come_back_to_the_last_bit() -> None:
    slices = [bowl(1 / 3), Landscape((AXIS, AXIS), bowl().losses * math.inf, 100)]
    rows = list(csv.DictReader(io.StringIO(slices_as_csv(["a,b.pt", "c.pt"], slices))))
    assert list(rows[0]) == ["checkpoint", "alpha", "beta", "train_loss"]
    assert [row["checkpoint"] for row in rows] == ["a,b.pt"] * 25 + ["c.pt"] * 25
    assert [float(row["train_loss"]) for row in rows] == [v for s in slices for v in s.losses.flatten().tolist()]
    assert [(float(row["alpha"]), float(row["beta"])) for row in rows[:6]] == [(-1.0, b) for b in AXIS] + [(-0.5, -1.0)]
    table = line_as_csv({"train": curve(1 / 3), "test": curve(2 / 3)})
    lines = list(csv.DictReader(io.StringIO(table)))
    assert list(lines[0]) == ["t", "train_loss", "test_loss"]
    assert [float(row["test_loss"]) for row in lines] == curve(2 / 3).losses.tolist()
    assert [float(row["t"]) for row in lines] == list(AXIS)
