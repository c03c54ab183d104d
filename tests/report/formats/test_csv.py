"""CSV: numbers that read back."""

import csv
import io

import pandas as pd
import pytest

from samcli.report import Comparison, render


def test_csv_has_unrounded_fractions(comparison: Comparison) -> None:
    text = render(comparison, "csv")
    table = pd.read_csv(io.StringIO(text))
    assert len(table) == 3
    sam = table.iloc[0]
    assert sam["last_mean"] == pytest.approx(0.84, rel=1e-12)
    assert sam["difference"] == pytest.approx(0.1, rel=1e-12)
    assert (sam["n"], sam["pairs"], sam["finished"], sam["settings"]) == (4, 3, 4, "rho=0.1")
    assert table["is_baseline"].tolist() == [False, True, False]
    records = list(csv.DictReader(io.StringIO(text)))
    assert float(records[0]["last_sd"]) == comparison.rows[0].last.sd  # bit for bit
    assert (records[2]["last_mean"], records[2]["diverged"], records[1]["difference"]) == ("", "1", "")
