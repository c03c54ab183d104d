"""Malformed inputs from a seed: what `benchmarks/malformed.py` tries.

An input is a folder `work` that a command is run in, and the command's arguments. It begins as a small sound thing (an
experiment, flags, a results folder with two finished runs), and is then spoilt at one to three places: by bytes,
by lines,
by values out of a list of nasty ones at a random place of the document, by what stands in a file's place.
"""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

CANARY = "executed"  # the file that code makes, if any is run from an input


class Code:
    """What a pickle runs if it is read by who trusts it."""

    def __reduce__(self) -> object:
        return os.mkdir, (CANARY,)


NASTY_TEXTS = (
    "", " ", "\x00", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\u202etxt.exe", "\ud800", "\r\n", "a\nb", "\t",
    "'", '"', "`", "\\",
    "[red]x[/red]", "[/]", "=cmd|'/C calc'!A0", "@SUM(1)", "-1+1", "<script>alert(1)</script>", "[x](http://x)",
    "a|b", "$x_1$ & 50 %",
    "../../etc/passwd", "/dev/zero", "~", "%s%n", "{0}", "${HOME}", "é" * 300, "x" * 5000, "nan", "inf", "-inf",
    "1e400", "0x1F", "1_000",
    "٣", "true", "null", "2026-01-01", "2026-99-99", "sgd", "sam", "digits", "image-folder:.",
    "torchvision:resnet18", "evil.py:mine",
    "evil.py", "nowhere.py:mine", ":", "a:b:c", "--help", "-1",
)  # fmt: skip
NASTY_NUMBERS = (
    0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400, 0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"),
    float("-inf"), True, False,
)  # fmt: skip
NASTY_VALUES: tuple[Any, ...] = (
    *NASTY_TEXTS,
    *NASTY_NUMBERS,
    None,
    [],
    {},
    [[]],
    [None],
    {"name": "sgd"},
    {"": ""},
    [1, [2, [3]]],
)
NASTY_YAML = (
    "!!int x", "!!float x", "!!bool x", "!!timestamp 2026-99-99", "!!timestamp x", "!!set {a, b}", "!!binary aGk=",
    "!!omap [a: 1]",
    "!!python/object/apply:os.mkdir [executed]", "!!python/name:os.system", "&z [*z]", "*nowhere", "{<<: 3}",
    "{<<: *x}", "[" * 500 + "]" * 500,
    "[" * 50_000, "{" * 2000, "9" * 4301, "0" * 10_000, "1" * 30, ".inf", "-.nan", "0o17", "010", "12:30",
    "|\n  block", "? a", "- - - a",
    "\x00", "\x85", "\ufeff", '"\\uD800"', '"\\x00"', "%YAML 9.9", "---", "...", "a: b: c", "@x", "`x`", "!x y",
    "2026-01-01: 2", "null: 2",
)  # fmt: skip
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
EXPERIMENT = {
    "name": "small",
    "dataset": {"name": "wine", "label_noise": [0.0, 0.2], "train_examples": 60, "validation": 0.1},
    "model": {"name": "mlp", "hidden": [8]},
    "epochs": 1,
    "batch_size": 32,
    "schedule": {"name": "cosine", "warmup_epochs": 1},
    "optimizer": [
        {"name": "sgd", "lr": 0.05, "momentum": 0.9},
        {"name": ["sam", "asam"], "base": "adam", "lr": 0.01, "rho": [0.05, 0.1], "rho_schedule": "linear"},
    ],
    "sharpness": {"measures": ["one-step"], "every": 1, "examples": 10},
    "seeds": "0-1",
}
FLAGS = (
    "--dataset", "--model", "--optimizer", "--seeds", "--epochs", "--set", "--plugin", "--results", "--name",
    "--data-dir", "--device",
    "--lr", "--rho", "--batch-size", "--label-noise", "--dry-run", "--json", "--baseline", "--metric", "--budget",
    "--format", "--measure",
    "--examples", "--seed", "--batch-norm", "--m", "--output", "--correlate", "--columns", "-h", "-q", "-v",
)  # fmt: skip
SOUND_FLAG_VALUES = (
    "wine",
    "mlp",
    "sgd,sam",
    "0-2",
    "2",
    "optimizer.rho=0.1",
    "epochs=2",
    "table",
    "csv",
    "cpu",
    "trace",
    "epochs",
)


def base_results(folder: Path) -> None:
    """Two finished runs, one of them with measures of its sharpness: what results folders begin as."""
    from samcli.cli.app import main

    small = ("--dataset", "wine", "--model", "linear", "--optimizer", "sgd,sam", "--epochs", "2", "--name", "e")
    for arguments in (
        ["train", *small, "--results", str(folder), "--set", "sharpness.examples=10", "--device", "cpu"],
        ["sharpness", str(folder / "e"), "--measure", "one-step", "--examples", "10", "--device", "cpu"],
    ):
        try:
            main(arguments)
        except SystemExit as ended:
            if ended.code:
                raise RuntimeError(f"{arguments} ended with {ended.code}") from ended


def make(kind: str, rng: random.Random, work: Path, base: Path) -> list[str]:
    """Make an input in an empty folder; the arguments of the command to try it with.

    Args:
        kind: a key of `KINDS`.
        rng: decides everything.
        work: the empty folder.
        base: results as `base_results` makes them.
    """
    (work / "evil.py").write_text(f"import os\nos.mkdir({CANARY!r})\n")
    return KINDS[kind](rng, work, base)


def _experiment(rng: random.Random, work: Path, base: Path) -> list[str]:
    document = copy.deepcopy(EXPERIMENT)
    for _ in range(rng.randint(0, 2)):
        _spoil_value(rng, document)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=rng.random() < 0.5)
    data = _spoil_text(rng, text.encode("utf-8", "surrogatepass"), NASTY_YAML)
    (work / "x.yaml").write_bytes(data.replace(b"evil.py", b"absent.py"))  # an experiment of one's own may run files
    return ["train", "x.yaml", "--dry-run", *(["--json"] if rng.random() < 0.2 else [])]


def _flags(rng: random.Random, work: Path, base: Path) -> list[str]:
    shutil.copytree(base, work / "results")
    command = rng.choice(
        ["train", "train", "compare", "sharpness", "landscape", "list", "check", rng.choice(NASTY_TEXTS)]
    )
    arguments = [command, *(["results/e"] if command in ("compare", "sharpness", "landscape") else [])]
    if command == "train":
        arguments.append("--dry-run")  # first, or it may be taken for the value of a flag
    for _ in range(rng.randint(1, 4)):
        arguments.append(rng.choice(FLAGS))
        if rng.random() < 0.9:
            arguments.append(
                rng.choice([str(rng.choice(NASTY_VALUES)), rng.choice(SOUND_FLAG_VALUES), _assignment(rng)])
            )
    if command == "landscape":
        arguments += ["--examples", "4", "--points", "3"]
    # neither an argument of a program nor a file's name can hold these
    return [
        argument.replace("\x00", "").replace("\ud800", "").replace("evil.py", "absent.py") for argument in arguments
    ]


def _assignment(rng: random.Random) -> str:
    keys = (
        "optimizer.rho",
        "optimizer.lr",
        "optimizer.base",
        "dataset.train_examples",
        "model.hidden",
        "epochs",
        "schedule",
        "x",
        "",
        "rho",
    )
    return f"{rng.choice(keys)}={rng.choice([*map(str, NASTY_VALUES), *NASTY_YAML])}"


def _results(rng: random.Random, work: Path, base: Path) -> list[str]:
    shutil.copytree(base, work / "results")
    runs = sorted((work / "results" / "e").iterdir())
    for _ in range(rng.randint(1, 3)):
        run = rng.choice(runs)
        name = rng.choice(["config.yaml", "run.json", "metrics.csv", "sharpness.json", ".owner.json"])
        _spoil_file(rng, run / name, runs)
    # a run under a strange name
    if rng.random() < 0.2:
        _rename(rng, runs[0])
    commands = (
        ["compare", "results"],
        ["compare", "results", "--format", rng.choice(["json", "csv", "latex", "markdown"])],
        ["compare", "results", "--correlate"],
        ["compare", "results", "--metric", "one-step"],
        ["train", "--dataset", "wine", "--model", "linear", "--optimizer", "sgd,sam", "--epochs", "2", "--name", "e",
         "--set", "sharpness.examples=10", "--device", "cpu"],
        ["sharpness", "results", "--measure", "one-step", "--examples", "10", "--device", "cpu"],
    )  # fmt: skip
    return list(rng.choice(commands))


def _checkpoints(rng: random.Random, work: Path, base: Path) -> list[str]:
    shutil.copytree(base, work / "results")
    runs = sorted((work / "results" / "e").iterdir())
    run = rng.choice(runs)
    file = run / "checkpoint.pt"
    if rng.random() < 0.6:
        content = torch.load(file, weights_only=True)
        for _ in range(rng.randint(1, 2)):
            _spoil_value(rng, content)
        if rng.random() < 0.1:
            content["x"] = Code()
        buffer = io.BytesIO()
        torch.save(content, buffer)
        file.write_bytes(buffer.getvalue())
    else:
        _spoil_file(rng, file, runs)
    status = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(status | {"status": rng.choice(["interrupted", "finished", "failed"])}))
    if rng.random() < 0.3:
        (run / "metrics.csv").unlink()
    commands = (
        ["sharpness", str(file.relative_to(work)), "--measure", "one-step,grad-norm", "--examples", "10",
        "--device", "cpu"],
        ["landscape", str(file.relative_to(work)), "--examples", "10", "--points", "3", "--device", "cpu"],
        ["train", "--dataset", "wine", "--model", "linear", "--optimizer", "sgd,sam", "--epochs", "2", "--name", "e",
         "--set", "sharpness.examples=10", "--device", "cpu"],
    )  # fmt: skip
    return list(rng.choice(commands))


KINDS: dict[str, Callable[[random.Random, Path, Path], list[str]]] = {
    "experiments": _experiment,
    "flags": _flags,
    "results folders": _results,
    "checkpoints": _checkpoints,
}


def _spoil_value(rng: random.Random, document: Any) -> None:
    """Put a nasty value, or a nasty key, at a random place of a document."""
    place = document
    for _ in range(rng.randint(0, 4)):
        inner = [
            item
            for item in (place.values() if isinstance(place, dict) else place)
            if isinstance(item, dict | list) and item
        ]
        if not inner:
            break
        place = rng.choice(inner)
    value = copy.deepcopy(
        rng.choice([*NASTY_VALUES, torch.zeros(3)] if "model" in document and "rows" in document else NASTY_VALUES)
    )
    if isinstance(place, dict):
        key = rng.choice(list(place)) if place and rng.random() < 0.85 else rng.choice(NASTY_TEXTS)
        if rng.random() < 0.15:
            place.pop(key, None)
        else:
            place[key] = value
    elif place:
        place[rng.randrange(len(place))] = value


def _spoil_text(rng: random.Random, data: bytes, tokens: tuple[str, ...]) -> bytes:
    lines = data.split(b"\n")
    for _ in range(rng.randint(0, 2)):
        number, token = rng.randrange(len(lines)), rng.choice(tokens).encode("utf-8", "surrogatepass")
        way = rng.randrange(7)
        if way == 0:
            lines[number] = lines[number].partition(b":")[0] + b": " + token
        elif way == 1:
            lines.insert(number, token)
        elif way == 2:
            del lines[number : number + rng.randint(1, 3)]
            lines = lines or [b""]
        elif way == 3:
            lines.insert(number, lines[number])
        elif way == 4 and lines[number]:
            at = rng.randrange(len(lines[number]))
            lines[number] = lines[number][:at] + bytes([rng.randrange(256)]) + lines[number][at + 1 :]
        elif way == 5:
            lines[number] = lines[number].replace(b" ", b"\t", 1) if rng.random() < 0.5 else b" " + lines[number]
        else:
            lines = [*lines[:number], lines[number][: rng.randint(0, len(lines[number]))]]
    if rng.random() < 0.02:
        return BOMB.encode()
    return b"\n".join(lines)


def _spoil_file(rng: random.Random, path: Path, runs: list[Path]) -> None:
    """Spoil a file of a run: its document, its text, or what stands in its place."""
    if path.is_symlink() or path.is_fifo():
        path.unlink()
    elif path.is_dir():
        path.rmdir()
    elif path.is_file() and path.stat().st_size > 10**7:  # of nothing, from the time before
        path.write_bytes(b"x")
    way = rng.random()
    if way < 0.2:
        _put_in_place(rng, path, runs)
    elif way < 0.6 and path.suffix in (".yaml", ".json") and path.is_file():
        try:
            document = yaml.safe_load(path.read_text())
            _spoil_value(rng, document)
            path.write_text(yaml.safe_dump(document) if path.suffix == ".yaml" else json.dumps(document))
        except (ValueError, AttributeError, TypeError, RecursionError, yaml.YAMLError):  # spoilt already
            path.write_text("x")
    elif path.suffix == ".pt" and path.is_file():
        data = bytearray(path.read_bytes())
        for _ in range(rng.randint(1, 5)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data if rng.random() < 0.7 else data[: rng.randrange(len(data))])
    else:
        before = (
            path.read_bytes()
            if path.is_file()
            else b'{"token": "t", "host": "x", "pid": 1, "machine": "y", "process_started": null}'
        )
        cells = ("1,2", "nan", "-5", "5", "1_0", "inf", "x" * 200_000, '"', "epoch", "=1+1", "9" * 5000)
        path.write_bytes(_spoil_text(rng, before, cells if path.suffix == ".csv" else NASTY_YAML))


def _put_in_place(rng: random.Random, path: Path, runs: list[Path]) -> None:
    path.unlink(missing_ok=True)
    way = rng.randrange(9)
    if way == 0:
        path.mkdir()
    elif way == 1:
        os.mkfifo(path)
    elif way == 2:
        path.symlink_to(path.name)
    elif way == 3:
        path.symlink_to(rng.choice(["/dev/zero", "/dev/random", "/proc/self/mem", "/nowhere"]))
    elif way == 4:
        with path.open("wb") as file:
            file.truncate(rng.choice([10**8, 10**11]) if path.suffix != ".pt" else 10**7)  # sparse
    elif way == 5:
        path.write_bytes(rng.randbytes(rng.choice([0, 1, 100, 10_000])))
    elif way == 6:
        path.write_bytes(pickle.dumps(Code()))
    elif way == 7:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", bytes(50_000_000))
    else:
        other = rng.choice(runs) / path.name
        if other != path and other.is_file():
            shutil.copy(other, path)


def _rename(rng: random.Random, run: Path) -> None:
    name = rng.choice(NASTY_TEXTS).replace("/", "").replace("\x00", "").replace("\ud800", "")[:80]
    if name.strip() and name not in (".", ".."):
        run.rename(run.with_name(name))
