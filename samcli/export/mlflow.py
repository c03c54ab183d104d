"""MLflow: its own database in one file of SQLite, with the parameters, metrics and tags of each run."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from samcli.errors import ConfigError, ResultsError
from samcli.export._entry import Entry
from samcli.export._folder import whole_folder
from samcli.export._format import Format, Progress
from samcli.export._packages import SILENT, environment

DATABASE = "mlflow.db"
# what MLflow calls the ways in which a run ends; the tag samcli.state has our word
_STATUSES = {"finished": "FINISHED", "running": "RUNNING", "interrupted": "KILLED"}
# what one call may carry, and how long a text may be
_MOST_PARAMETERS, _MOST_METRICS, _LONGEST = 100, 1000, 5000


def write(entries: Sequence[Entry], output: Path, progress: Progress) -> list[str]:
    """Write `mlflow.db`. Values are stored with 64 bits; the step of a metric is the epoch.

    A setting is a parameter of its dotted name; the state, seed, identity and version of a run are tags of the names
    `samcli.state` and so on.

    Raises:
        ConfigError: something else stands there.
        ResultsError: it cannot be written.
    """
    if "?" in str(output):  # what follows it in the name of a database are settings
        raise ConfigError(f"MLflow cannot read a database at {output}, for the ? in it; name another place with -o.")
    infinite = 0
    with whole_folder(output, "mlflow") as folder, environment(SILENT), _quiet():
        from mlflow import MlflowClient, MlflowException

        try:
            client = MlflowClient(tracking_uri=f"sqlite:///{folder / DATABASE}")
            # nothing lies there yet; where it would is recorded now, and is not in the temporary folder
            artifacts = (output / "artifacts").as_uri()
            experiments = {one.name: one.experiment_id for one in client.search_experiments()}  # MLflow's own Default
            for name in dict.fromkeys(entry.experiment for entry in entries):
                if name not in experiments:
                    experiments[name] = client.create_experiment(name, artifact_location=artifacts)
            for done, entry in enumerate(entries, 1):
                _write_run(client, experiments[entry.experiment], entry)
                infinite += sum(math.isinf(value) for epoch in entry.epochs() for value in epoch.values.values())
                progress(done)
        except MlflowException as error:
            raise ResultsError(f"MLflow cannot write {output}: {error}") from error
    return [f"MLflow has no infinite numbers: {infinite} are the largest float there."] if infinite else []


def _write_run(client: Any, experiment: str, entry: Entry) -> None:
    from mlflow.entities import Metric, Param, RunTag

    tags = {f"samcli.{name}": value for name, value in entry.facts.items()} | {"samcli.seed": str(entry.run.seed)}
    began = _milliseconds(entry.started)
    made = client.create_run(experiment, start_time=began, run_name=entry.name)
    run = made.info.run_id
    parameters = [Param(name, str(value)[:_LONGEST]) for name, value in entry.settings.items()]
    metrics = [
        Metric(name, value, _milliseconds(epoch.moment), epoch.number)
        for epoch in entry.epochs()
        for name, value in epoch.values.items()
    ]
    client.log_batch(run, tags=[RunTag(name, value[:_LONGEST]) for name, value in tags.items()])
    for first in range(0, len(parameters), _MOST_PARAMETERS):
        client.log_batch(run, params=parameters[first : first + _MOST_PARAMETERS])
    for first in range(0, len(metrics), _MOST_METRICS):
        client.log_batch(run, metrics=metrics[first : first + _MOST_METRICS])
    status = _STATUSES.get(entry.run.state, "FAILED")
    if status == "RUNNING":
        client.update_run(run, status=status)
    else:
        client.set_terminated(run, status=status, end_time=_milliseconds(entry.ended or entry.started))


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)


@contextmanager
def _quiet() -> Iterator[None]:
    """Within the block the making of the database's tables is not told."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


MLFLOW = Format(
    "samcli-mlflow",
    ("mlflow", "sqlalchemy", "alembic"),
    lambda output: f"mlflow ui --backend-store-uri sqlite:///{quote(output)}/{DATABASE}",
    write,
)
