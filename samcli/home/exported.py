"""A network written for other programs, and tried out before its file gets its name."""

from __future__ import annotations

import copy
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import samcli
from samcli.errors import ConfigError, nearest
from samcli.home.formats import FORMATS, Format
from samcli.home.known import Known
from samcli.home.network import Network
from samcli.home.program import Program
from samcli.runs.files import atomic_path
from samcli.tasks import Regression
from samcli.words import joined

BATCHES = (1, 2, 7)  # sizes, so that a program which holds for one size only is found out
TOLERANCE = 1e-4  # of a probability, or of a standard deviation of the target: rounding in 32 bits is below it


@dataclass(frozen=True)
class ExportedModel:
    """What was written.

    Attributes:
        form: the key of `FORMATS`.
        output: the file.
        bytes: how many it has.
        difference: the largest difference of its predictions from those of the network, on made-up inputs.
        inputs: how many there were.
        use: what runs it.
    """

    form: str
    output: Path
    bytes: int
    difference: float
    inputs: int
    use: str

    def record(self) -> dict[str, Any]:
        """The same in plain values, as `samcli export-model --json` has it.

        >>> ExportedModel("onnx", Path("a.onnx"), 9, 0.0, 10, "").record()["format"]
        'onnx'
        """
        return {
            "format": self.form,
            "output": str(self.output),
            "bytes": self.bytes,
            "largest_difference": self.difference,
            "inputs": self.inputs,
        }


def export_model(network: Network, form: str, output: Path, *, force: bool = False) -> ExportedModel:
    """Write a network in a form that other programs read, see docs/taking-home.md.

    The file is run on made-up inputs before it gets its name; one that predicts something else is not left behind.

    Args:
        network: see `samcli.load`.
        form: a key of `FORMATS`.
        output: the file.
        force: whether it may replace one that is there.

    Raises:
        ConfigError: no such form, a package that it needs is missing, a file is there, the network cannot be written
            so, or what was written predicts something else.
        ResultsError: it cannot be written.
    """
    if form not in FORMATS:
        raise ConfigError(f"There is no format named {form!r}; {nearest(form, FORMATS)}")
    to = FORMATS[form]
    _require(form, to)
    if output.exists() and not force:
        raise ConfigError(f"{output} is there already; --force replaces it, or give another name with -o.")
    program = copy.deepcopy(network.program).cpu().requires_grad_(False)
    content = _encoded(program, to, network, form)
    with atomic_path(output, replace=force) as temporary:
        temporary.write_bytes(content)
        difference = _difference(to, temporary, network, form)
    return ExportedModel(form, output, len(content), difference, sum(BATCHES), to.use(str(output)))


def about(network: Network) -> dict[str, str]:
    """What is known of a network, each value in JSON: safetensors and ONNX have room for texts only.

    There is no path in it, and no name of the data set, which may be one.
    """
    known, config = network.known, network.config
    facts = {
        "samcli": samcli.__version__,
        "identity": config.identity,
        "epoch": network.epoch,
        "seed": config.seed,
        "model": config.model,
        "task": known.task.document(),
        "classes": list(known.class_names),
        "kind": known.kind,
        "shape": list(known.shape),
        "categories": list(known.shape.categories),
        "vocabulary": known.shape.vocabulary,
        "mean": known.mean.tolist(),
        "std": known.std.tolist(),
        "reading": known.reading,
    }
    return {key: json.dumps(value, ensure_ascii=False) for key, value in facts.items()}


def made_up(known: Known, number: int, seed: int = 0) -> Tensor:
    """Raw inputs that nobody took: pixels and tokens drawn evenly, rows normally, categories evenly.

    Args:
        known: of the network that they are for.
        number: how many.
        seed: decides which.
    """
    generator = torch.Generator().manual_seed(seed)
    if known.kind == "images":
        channels, height, width = known.shape
        return torch.randint(256, (number, height, width, channels), generator=generator, dtype=torch.uint8)
    if known.kind == "tokens":
        return torch.randint(known.shape.vocabulary, (number, known.shape[0]), generator=generator)
    rows = known.mean + known.std * torch.randn((number, known.shape[0]), generator=generator)
    for i, codes in enumerate(known.shape.categories):
        if codes:
            rows[:, i] = torch.randint(codes, (number,), generator=generator).float()
    return rows


def _require(form: str, to: Format) -> None:
    missing = [package for package in to.packages if importlib.util.find_spec(package) is None]
    if missing:
        them = "it" if len(missing) == 1 else "them"
        raise ConfigError(f"--to {form} needs {joined(missing)}; install {them} with: pip install 'samcli[{to.extra}]'")


def _encoded(program: Program, to: Format, network: Network, form: str) -> bytes:
    # torch's exporters take weights in the usual memory order
    program = program.to(memory_format=torch.contiguous_format)
    try:
        return to.encode(program, made_up(network.known, 2), about(network))
    except ConfigError:
        raise
    except Exception as error:  # exporters raise whatever a model of a user leads them to
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
        others = "; --to safetensors takes its weights" if form != "safetensors" else ""
        raise ConfigError(
            f"{network.config.model['name']} cannot be written as {form} ({reason:.200}){others}."
        ) from error


def _difference(to: Format, file: Path, network: Network, form: str) -> float:
    """The largest difference between what a file predicts and what its network does.

    Raises:
        ConfigError: it is beyond `TOLERANCE`, or the file cannot be run.
    """
    unit = network.task.std if isinstance(network.task, Regression) else 1.0
    largest, reference = 0.0, copy.deepcopy(network.program).cpu()
    try:
        predict = to.opened(file, network)
        for number in BATCHES:
            raw = made_up(network.known, number, seed=number)
            with torch.inference_mode():
                wanted = reference(raw)
            found = predict(raw)
            if found.shape != wanted.shape:
                raise ValueError(f"{number} inputs give numbers of shape {tuple(found.shape)}")
            largest = max(largest, float((found - wanted).abs().nan_to_num(float("inf")).max()))
    except Exception as error:  # whatever a runtime stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
        raise ConfigError(
            f"{network.config.model['name']} was written as {form} and could not be run ({reason:.200}); nothing is "
            "left of it. Take another --to."
        ) from error
    if not largest <= TOLERANCE * unit:
        raise ConfigError(
            f"{network.config.model['name']} written as {form} predicts something else than the network, by up to "
            f"{largest:.3g}; nothing is left of it. Take another --to."
        )
    return largest
