"""TensorBoard: a folder of event files for each run, with its scalars by epoch, its settings and its configuration."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import yaml

from samcli.escape import visible
from samcli.export._entry import Entry
from samcli.export._folder import whole_folder
from samcli.export._format import Format, Progress

_LARGEST = 3.4028234663852886e38  # of 32 bits, which a scalar of TensorBoard has


def write(entries: Sequence[Entry], output: Path, progress: Progress) -> list[str]:
    """Write `EXPERIMENT/RUN/events.out.tfevents.*` for each run.

    A scalar has the name of its column, its step is the epoch, and its value is rounded to 32 bits. The settings, state
    and seed stand under HPARAMS, the configuration and what is known of the run under TEXT.

    Raises:
        ConfigError: something else stands there.
        ResultsError: it cannot be written.
    """
    large = 0
    with whole_folder(output, "tensorboard") as folder:
        from tensorboard.summary.writer.record_writer import RecordWriter

        for done, entry in enumerate(entries, 1):
            place = folder / entry.experiment / entry.name
            place.mkdir(parents=True)
            with (place / f"events.out.tfevents.{entry.started:.0f}.samcli").open("wb") as file:
                writer = RecordWriter(file)
                for event in _events(entry):
                    writer.write(event.SerializeToString())
            values = [value for epoch in entry.epochs() for value in epoch.values.values()]
            large += sum(math.isfinite(value) and abs(value) > _LARGEST for value in values)
            progress(done)
    return [f"TensorBoard's numbers end at 3.4e38: {large} beyond it are infinite there."] if large else []


def _events(entry: Entry) -> Iterator[Any]:
    """What the file holds, from its version on."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb  # api would import TensorFlow
    from tensorboard.plugins.text.summary_v2 import text_pb

    began = entry.started
    yield Event(wall_time=began, file_version="brain.Event:2")
    settings = {"state": entry.run.state, **entry.settings}
    yield Event(wall_time=began, summary=hparams_pb(settings, f"{entry.experiment}/{entry.name}", began))
    yield Event(wall_time=began, step=0, summary=text_pb("run", _verbatim(json.dumps(entry.facts, indent=2))))
    yield Event(wall_time=began, step=0, summary=text_pb("config", _verbatim(_yaml(entry))))
    for epoch in entry.epochs():
        scalars = [Summary.Value(tag=tag, simple_value=_narrow(value)) for tag, value in epoch.values.items()]
        yield Event(wall_time=epoch.moment, step=epoch.number, summary=Summary(value=scalars))


def _yaml(entry: Entry) -> str:
    text: str = yaml.safe_dump(entry.run.config, sort_keys=False, allow_unicode=True)
    return visible(text, keep="\n")


def _verbatim(text: str) -> str:
    """The text as Markdown shows it as it is: no line of an indented block can end the block."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _narrow(value: float) -> float:
    """The value, infinite where 32 bits do not hold it, which some protobufs refuse to write."""
    return math.copysign(math.inf, value) if abs(value) > _LARGEST else value


TENSORBOARD = Format(
    "samcli-tensorboard", ("tensorboard",), lambda output: f"tensorboard --logdir {quote(output)}", write
)
