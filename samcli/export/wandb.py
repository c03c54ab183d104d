"""Weights & Biases: a folder of offline runs, which `wandb sync` uploads if and when the user says so."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from samcli.errors import ResultsError
from samcli.export._entry import Entry
from samcli.export._folder import whole_folder
from samcli.export._format import Format, Progress
from samcli.export._packages import SILENT, environment
from samcli.runs.frame import Scalar


def write(entries: Sequence[Entry], output: Path, progress: Progress) -> list[str]:
    """Write a folder `offline-run-*` for each run. Values are stored as texts of all their digits; steps are epochs.

    A project is named like the experiment, a run like its folder; its state is a tag, and stands in the configuration
    beside the identity. The same run has the same id in each export, so that it is not uploaded twice.

    Raises:
        ConfigError: something else stands there.
        ResultsError: it cannot be written.
    """
    in_use = getattr(sys.modules.get("wandb"), "run", None) is not None
    with whole_folder(output, "wandb") as folder:
        own = {name: str(folder / "wandb") for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR")}
        with environment(SILENT | own, without="WANDB_"):
            import wandb

            try:
                for done, entry in enumerate(entries, 1):
                    _write_run(wandb, folder, entry)
                    progress(done)
            except wandb.Error as error:
                raise ResultsError(f"wandb cannot write {output}: {error}") from error
            finally:
                if not in_use:  # the process behind it may serve a run of the user's
                    wandb.teardown()
        _tidy(folder)
    return []


def _write_run(wandb: Any, folder: Path, entry: Entry) -> None:
    state = entry.run.state
    identity = (entry.experiment, entry.name, entry.facts.get("identity", ""), str(entry.started))
    run = wandb.init(
        project=entry.experiment,
        name=entry.name,
        id=hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16],
        tags=[state],
        config={**_blocks(entry.settings), "samcli": entry.facts},
        dir=folder,
        mode="offline",
        reinit="create_new",
        settings=wandb.Settings(
            console="off",
            silent=True,
            disable_git=True,
            disable_code=True,
            host=str(entry.run.status.get("host") or ""),
            # of the machine that exports, which has not trained the run
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
        ),
    )
    for epoch in entry.epochs():
        # the time of the epoch, which would be that of the export
        run.log({**epoch.values, "epoch": epoch.number, "_timestamp": epoch.moment}, step=epoch.number)
    run.finish(exit_code=0 if state == "finished" else 1)


def _blocks(settings: Mapping[str, Scalar]) -> dict[str, Any]:
    """The settings in their blocks again, which are shown as `optimizer.rho`; a dot in a name would part it."""
    blocks: dict[str, Any] = {}
    for name, value in settings.items():
        block, dot, key = name.partition(".")
        inner = blocks.setdefault(block, {}) if dot else None
        if isinstance(inner, dict):
            inner[key] = value
        else:
            blocks[name] = value
    return blocks


def _tidy(folder: Path) -> None:
    """Leave the runs alone, without the logs of writing them, which are of this process and not of the run."""
    for run in (folder / "wandb").glob("offline-run-*"):
        for rest in ("logs", "tmp"):
            shutil.rmtree(run / rest, ignore_errors=True)
        run.rename(folder / run.name)
    shutil.rmtree(folder / "wandb")


WANDB = Format("samcli-wandb", ("wandb",), lambda output: f"wandb sync {quote(output)}/offline-run-*", write)
