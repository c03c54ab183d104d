"""What a network of texts says of files."""

from pathlib import Path
from typing import Any

import pytest
import torch

import samcli
from samcli.home.predicted import files_of, predict_files


def write(folder: Path) -> Path:
    for part in ("train", "test"):
        for name, word in (("up", "good"), ("down", "bad")):
            (folder / part / name).mkdir(parents=True)
            for i in range(12):
                (folder / part / name / f"{i:02}.txt").write_text(f"a {word} film, {part} {name} {i}\n")
    return folder


def test_files_have_the_accuracy_of_the_last_row(trained: Any, tmp_path: Path) -> None:
    films = write(tmp_path / "films")
    run = trained(f"text-folder:{films}", "text-encoder", "dataset.length=8", "epochs=4", "batch_size=4")
    network = samcli.load(run.path)
    found = list(predict_files(network, files_of([films / "test"], "tokens"), pytest.fail))
    hits = [one.record(network.classes)["class"] == one.file.parent.name for one in found]
    assert len(hits) == 24
    assert sum(hits) / 24 == run.read_metrics()[-1]["test_accuracy"]
    assert "row" not in found[0].record(network.classes)


def test_a_table_has_a_row_for_each_text(trained: Any, tmp_path: Path) -> None:
    rows = [f"{i},a {('bad', 'good')[i % 2]} film {i},{('down', 'up')[i % 2]}" for i in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["id,said,label", *rows]))
    network = samcli.load(trained(f"text-csv:{tmp_path / 't.csv'}", "text-encoder", "dataset.length=8").path)
    (tmp_path / "new.csv").write_text("said;id\na good film;1\n;2\na bad one;3\n")
    (tmp_path / "a.txt").write_bytes("\ufeffa good film\r\n".encode())
    (tmp_path / "b.txt").write_bytes(b"\x00\x01\x02\x03\x04")
    (tmp_path / "c.txt").write_text(" \n")
    (tmp_path / "d.csv").write_text("sayd,id\na good film,1\n")
    faults: list[str] = []
    files = [tmp_path / name for name in ("new.csv", "a.txt", "b.txt", "c.txt", "d.csv", "e.txt")]
    found = list(predict_files(network, files, faults.append))
    assert [(one.file.name, one.row) for one in found] == [("new.csv", 1), ("new.csv", 3), ("a.txt", None)]
    torch.testing.assert_close(found[0].prediction, found[2].prediction)
    torch.testing.assert_close(torch.stack([one.prediction for one in found[:2]]),
                               network.predict(["a good film", "a bad one"]))  # fmt: skip
    told = [fault.replace(f"{tmp_path}/", "") for fault in faults]
    assert told[0] == "new.csv, row 2, has no text."
    assert told[1].startswith("b.txt is no text, for it holds control characters")
    assert told[2] == "c.txt has no text."
    assert told[3].startswith("d.csv has no column 'said' of texts")
    assert told[4].startswith("e.txt cannot be read (No such file or directory)")
