"""The planes through trained weights that `samcli landscape --dimensions 2` has kept, as a picture in the page."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from samcli.escape import html_text
from samcli.report.groups import finished_by_setting
from samcli.report.page.parts import paragraphs
from samcli.report.settings import captions
from samcli.report.slices import Slices, slices_of, usual_cut
from samcli.runs.reader import Run
from samcli.words import count

MOST = 6  # planes that one picture shows


def planes(runs: Sequence[Run]) -> str:
    """A picture with a plane for each setting, that of its first seed, on one scale of colours; empty without any.

    Of planes that were cut in several ways those count that most runs have, of several the last ones made.

    Args:
        runs: any; those that have finished count.

    >>> from samcli.report.example import example_runs
    >>> planes(example_runs())
    ''
    """
    found: list[tuple[Run, Slices]] = []
    for members in finished_by_setting({"all": runs}).values():
        for run in sorted(members, key=lambda run: run.seed):
            if cut := slices_of(run, dimensions=2):
                found.append((run, cut))
                break
    if (usual := usual_cut(cut for _, cut in found)) is None:
        return ""
    how, _ = usual
    chosen = [(run, cut[how]) for run, cut in found if how in cut]
    left_out = [f"{count(len(chosen) - MOST, 'further setting')} left out."] if len(chosen) > MOST else []
    return _drawn(chosen[:MOST], json.loads(how)) + paragraphs(left_out)


def _drawn(chosen: Sequence[tuple[Run, Mapping[str, Any]]], key: Mapping[str, Any]) -> str:
    from samcli.report.pictures import encode
    from samcli.report.pictures.landscape import draw_panels, slice_labels

    configs = [run.config for run, _ in chosen]
    cut = [_landscape(entry) for _, entry in chosen]
    names = captions(configs)
    labels = slice_labels(configs, cut, chosen[0][1]["loss"], key["directions"], key["seed"])
    picture = base64.b64encode(encode(draw_panels(cut, names, labels), "png")).decode()
    told = f"{labels.title[0]}: {', '.join(' '.join(name) for name in names)}"
    return (
        f'<figure class="picture"><img alt="{html_text(told)}" src="data:image/png;base64,{picture}">'
        f"<figcaption>{html_text('One seed of each setting; steps of colour are losses, the same in every panel.')}"
        "</figcaption></figure>"
    )


def _landscape(entry: Mapping[str, Any]) -> Any:
    """A kept plane as the pictures take it."""
    import torch

    losses = [float(value) if value is not None else math.nan for value in entry["losses"]]
    axes = tuple(map(tuple, entry["axes"]))
    plane = torch.tensor(losses, dtype=torch.float64).reshape(*map(len, axes))
    return SimpleNamespace(axes=axes, losses=plane, examples=entry["examples"], converged=entry["converged"])
