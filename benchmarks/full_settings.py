"""Whether claims train at the size of their source: every arm of every `full` setting, for a shortened epoch.

    python benchmarks/full_settings.py --data-dir DIR [--device cuda] [--images FOLDER] [--examples 2000]
                                       [--claims noise,edge] [--out results/claims/full_settings.csv]

Each kind of arm is trained by `samcli train` with seed 0: of several radii, rates and shares of wrong labels the first;
one epoch in place of all of them, two where lengths differ, eight where an average needs several networks; a stage one
epoch each and a repeated one twice; of the training set so many examples at most. `--images FOLDER` stands in for
CIFAR-10 and CIFAR-100 where only a folder of images is at hand. The CSV has a row for each arm: what trained, on what,
the loss of its last epoch, and training examples in a second. A folder that is given by `--results` is kept, and a
second command goes on from there.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import torch
import yaml

from samcli import config
from samcli.cli.asked_claims import claim_names, shipped_claim
from samcli.config.claim import claim_of
from samcli.runs import scan

COLUMNS = (
    *("claim", "arm", "model", "dataset", "examples", "batch_size", "status", "train_loss", "train_seconds"),
    *("examples_per_second", "device", "torch", "date"),
)
STANDS_FOR = ("cifar10", "cifar100")
NOT_TRAINED = ("claim", "hypotheses")
TOKENS = ("tokens", "train_tokens", "test_tokens")
SHORTER = 39  # leaves whole windows of the small text


def main() -> None:
    """Train them, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--images", help="a folder of images in place of CIFAR")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--claims", help="names, separated by commas; all that have a full size if left out")
    parser.add_argument("--jobs", default="auto")
    parser.add_argument("--jobs-per-gpu", type=int)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    names = args.claims.split(",") if args.claims else claim_names()
    with contextlib.ExitStack() as stack:
        results = args.results or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        results.mkdir(parents=True, exist_ok=True)
        for name in names:
            source = config.read(shipped_claim(name))
            claim = claim_of(source)
            if claim is None or not claim.full:
                continue
            short = results / f"{name}.yaml"
            document = shortened(config.at_full_size(source).data, args.examples, args.images)
            short.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
            flags = ["--results", str(results), "--data-dir", args.data_dir, "--device", args.device, "-q"]
            flags += ["--jobs", args.jobs, *(["--jobs-per-gpu", str(args.jobs_per_gpu)] if args.jobs_per_gpu else [])]
            done = subprocess.run(
                [sys.executable, "-m", "samcli", "train", str(short), *flags], check=False, stdout=subprocess.DEVNULL
            )
            print(f"{name}: exit code {done.returncode}", file=sys.stderr, flush=True)
            if args.out:  # after each, so that an interrupted command leaves what there is
                with args.out.open("w", newline="", encoding="utf-8") as file:
                    write(results, args.device, file)
        if not args.out:
            write(results, args.device, sys.stdout)


def write(results: Path, device: str, file: TextIO) -> None:
    """The table of what has been trained."""
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table(results, device))


def shortened(document: Mapping[str, Any], examples: int, images: str | None) -> dict[str, Any]:
    """An experiment of a shortened epoch for each of its settings, with seed 0.

    >>> of_two = {"epochs": [200, 400], "exclude": {"epochs": 400}, "dataset": "mnist", "optimizer": {"name": "sgd"}}
    >>> found = shortened(of_two, 50, None)
    >>> found["epochs"], found["exclude"], found["dataset"], found["seeds"]
    ([1, 2], [{'epochs': 2}], {'name': 'mnist', 'train_examples': 50}, 0)
    """
    short = {key: value for key, value in document.items() if key not in NOT_TRAINED}
    asked = document["optimizer"]
    arms = [_one_of_each(one) for one in (asked if isinstance(asked, list) else [asked])]
    lengths = document.get("epochs")
    rank = {value: turn for turn, value in enumerate(lengths if isinstance(lengths, list) else [lengths], 1)}
    if "tokens" in short:  # a language model's length; its epochs follow from it
        short = _fewer_tokens(short)
    else:
        short["epochs"] = [rank[one] for one in lengths] if isinstance(lengths, list) else 1
    short.pop("stop_at_train_loss", None)
    if any("swa" in (one.get("average") or ()) for one in arms):
        short["epochs"] = 8
    short["evaluate"] = {"every": 1}
    short["seeds"] = 0
    if left_out := _still_there(short.pop("exclude", ()), rank):
        short["exclude"] = left_out
    short["optimizer"] = arms
    if "federated" in short:
        short["federated"] = _one_of_each(short["federated"])
    if "sharpness" in short:
        measured = short["sharpness"]
        fewer = {"examples": min(measured["examples"], examples)} if "examples" in measured else {}
        short["sharpness"] = {**measured, **fewer, "every": min(measured.get("every", 0), 1)}
    if "schedule" in short and isinstance(short["schedule"], dict) and "tokens" not in short:
        short["schedule"] = {**short["schedule"], "warmup_epochs": 0}
    short["dataset"] = _smaller(short["dataset"], examples, images)
    if "stages" in short:
        short["stages"] = [_short_stage(one, examples, images) for one in short["stages"]]
    return short


def _short_stage(stage: Mapping[str, Any], examples: int, images: str | None) -> dict[str, Any]:
    short = {**stage, "dataset": _smaller(stage["dataset"], examples, images)}
    if "epochs" in stage:
        short["epochs"] = 1
    if "repeat" in stage:
        short["repeat"] = 2
    return short


def _smaller(dataset: Any, examples: int, images: str | None) -> dict[str, Any]:
    block = {"name": dataset} if isinstance(dataset, str) else _one_of_each(dataset)
    if block["name"] in STANDS_FOR and images:
        block["name"] = f"image-folder:{images}"
    if not block["name"].startswith("text"):
        block["train_examples"] = min(examples, block.get("train_examples", examples))
    return block


def _one_of_each(block: Mapping[str, Any]) -> dict[str, Any]:
    """A block with the first of several numbers, and the first and second beginning of SAM."""
    short = {}
    for key, value in block.items():
        several = isinstance(value, list) and any(isinstance(one, float) for one in value)
        short[key] = value[0] if several else [int(one > 0) for one in value[:2]] if key == "start_epoch" else value
    return short


def _still_there(patterns: Any, rank: Mapping[Any, int]) -> list[dict[str, Any]]:
    """What is left out, of runs that are still in the grid, with the new numbers of epochs."""
    blocks = patterns if isinstance(patterns, list | tuple) else [patterns]
    return [
        {key: rank.get(value, value) if key == "epochs" else value for key, value in one.items()}
        for one in blocks
        if not any(isinstance(value, float) for value in one.values()) or "tokens" in str(one)
    ]


def _fewer_tokens(value: Any, key: str = "") -> Any:
    """A document whose numbers of tokens are a `SHORTER`-th."""
    if isinstance(value, dict):
        return {name: _fewer_tokens(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_fewer_tokens(one, key) for one in value]
    return value // SHORTER if key.rpartition(".")[2] in TOKENS else value


def table(results: Path, device: str) -> Iterator[dict[str, Any]]:
    """A row for each run."""
    where = torch.cuda.get_device_name() if device.startswith("cuda") else f"CPU, {torch.get_num_threads()} threads"
    for run in sorted(scan([results])[0], key=lambda one: (one.experiment, one.folder.name)):
        last = dict(zip(run.columns, run.table[-1].tolist(), strict=True)) if len(run.table) else {}
        seconds, loss = last.get("train_seconds"), last.get("train_loss")
        examples = run.config["dataset"].get("train_examples") or run.config["dataset"]["train_tokens"]
        yield {
            "claim": run.experiment.removesuffix("-full"),
            "arm": re.sub(r"-seed0-[0-9a-f]+$", "", run.folder.name),
            "model": run.config["model"]["name"],
            "dataset": run.config["dataset"]["name"].partition(":")[0],
            "examples": examples,
            "batch_size": run.config["batch_size"],
            "status": run.state,
            "train_loss": "" if loss is None else f"{loss:.4g}",
            "train_seconds": "" if seconds is None else f"{seconds:.3g}",
            "examples_per_second": f"{examples / seconds:.3g}" if seconds and examples else "",
            "device": where,
            "torch": torch.__version__,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }


if __name__ == "__main__":
    main()
