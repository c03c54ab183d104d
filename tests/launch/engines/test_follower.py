"""Rows of runs that train elsewhere are told once each, whenever the table is looked at."""

from pathlib import Path

import pytest
import torch
from recorder import Recorder

from samcli import launch
from samcli.config import Draft, parse
from samcli.launch.engines import _follower
from samcli.launch.engines._follower import Follower
from samcli.train import CATALOGUE

TEXT = "{name: small, dataset: {name: wine}, model: linear, epochs: 3, optimizer: sgd, sharpness: {every: 0}}"


def test_each_row_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_follower, "SECONDS_BETWEEN_LOOKS", 0.0)
    (cell,) = launch.plan(Draft.of(parse(TEXT, "x"), CATALOGUE).expand(), tmp_path)
    recorder = Recorder()
    follower = Follower(recorder)
    follower.begin(cell)
    follower.look()
    assert recorder.events == []

    def on_epoch(row: object) -> None:
        follower.look()

    launch.train_cell(cell, data_dir=Path("data"), device=torch.device("cpu"), on_epoch=on_epoch)
    follower.end(cell)
    assert recorder.events == [("epoch", 1), ("epoch", 2), ("epoch", 3)]
    follower.look()
    (again,) = launch.plan(Draft.of(parse(TEXT, "x"), CATALOGUE).expand(), tmp_path)
    follower.begin(again)
    follower.end(again)
    assert len(recorder.events) == 3  # what a run had before it was continued is not told again


def test_a_torn_table_is_read_later(tmp_path: Path) -> None:
    (cell,) = launch.plan(Draft.of(parse(TEXT, "x"), CATALOGUE).expand(), tmp_path)
    launch.train_cell(cell, data_dir=Path("data"), device=torch.device("cpu"))
    whole = cell.folder.metrics.read_bytes()
    cell.folder.metrics.write_bytes(whole[:40])
    recorder = Recorder()
    follower = Follower(recorder)
    follower.begin(cell)
    follower.look()
    assert recorder.events == []
    cell.folder.metrics.write_bytes(whole)
    follower.end(cell)
    assert [event[1] for event in recorder.events] == [1, 2, 3]
