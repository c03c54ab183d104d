"""The entry to this library: robustness tests of a network by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from samcli.errors import ConfigError, nearest
from samcli.examples import moved_to, pairs
from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.outcome import Outcome
from samcli.robustness.pixels import Pixels
from samcli.robustness.strength import strength, strength_text
from samcli.robustness.subject import Prediction, Subject
from samcli.weights.state import untouched

Data = Sequence[tuple[Tensor, Tensor]]
SOURCES = ("shift", "other-classes")  # tests of other data, a result for each of these


def measure(
    model: nn.Module,
    task: Prediction,
    data: Data,
    tests: str | Sequence[str] = ("clean", "fgsm", "pgd"),
    *,
    pixels: Pixels | None = None,
    seed: int = 0,
    shifted: Mapping[str, Data] | None = None,
    foreign: Mapping[str, Data] | None = None,
    **parameters: Any,
) -> dict[str, Outcome]:
    """Test what a network does when its inputs or weights change, in evaluation mode, and leave it as it was.

    Parameters, buffers, modes and the global random state come back bit for bit, also after an error.

    Args:
        model: takes the inputs of `data`.
        task: what it predicts, such as `samcli.tasks.Classification(10)`.
        data: (inputs, targets) batches of any sizes, the inputs as the network gets them.
        tests: names from `PERTURBATIONS`; one, or several.
        pixels: the scale of the images, `Pixels.of(mean, std)`; tests that change pixels need it.
        seed: decides all random draws.
        shifted: for `shift`, examples of the same classes from elsewhere, by name.
        foreign: for `other-classes`, examples of other classes, by name, whose targets are not looked at.
        parameters: options of the tests, each given to all that have it: `eps`, in pixel units, also as "8/255", or
            several; `steps`, `restarts`, `bits`, ...; see the fields of each.

    Returns:
        An outcome for each test by its label, which names its strength: `pgd eps=2/255`, `weight-rounding bits=4`.

    Raises:
        ConfigError: no test of that name, or a parameter that none of them has.
        NotApplicable: a test is not defined for this network or its inputs.
        ExamplesError: no examples, or no (inputs, targets) pairs.

    >>> from samcli.tasks import Classification
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    >>> model[1].weight.data = torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    >>> model[1].bias = nn.Parameter(torch.tensor([-0.2, 0.0]))  # class 0 where the sum of the pixels is above 0.2
    >>> batch = torch.full((2, 1, 2, 2), 0.1), torch.zeros(2, dtype=torch.int64)
    >>> pixels = Pixels.of((0.0,), (1.0,))
    >>> found = measure(model, Classification(2), [batch], "fgsm", pixels=pixels, eps=[0.02, "51/255"])
    >>> {label: outcome.value for label, outcome in found.items()}
    {'fgsm eps=0.02': 1.0, 'fgsm eps=51/255': 0.0}
    """
    tests = [tests] if isinstance(tests, str) else tests
    chosen = labels(tests, parameters, shifted=list(shifted or {}), foreign=list(foreign or {}))
    with challenging(model, task, data, pixels=pixels, seed=seed, shifted=shifted, foreign=foreign) as subject:
        return {label: PERTURBATIONS.create(name, **settings).of(subject) for label, name, settings in chosen}


@contextmanager
def challenging(
    model: nn.Module,
    task: Prediction,
    data: Data,
    *,
    pixels: Pixels | None = None,
    seed: int = 0,
    shifted: Mapping[str, Data] | None = None,
    foreign: Mapping[str, Data] | None = None,
) -> Iterator[Subject]:
    """The subject of tests, while the network is in evaluation mode; arguments and errors are those of `measure`."""
    inner = cast(nn.Module, getattr(model, "_orig_mod", model))
    device = next((parameter.device for parameter in inner.parameters()), torch.device("cpu"))

    def placed(data: Data) -> Data:
        return [moved_to(batch, device) for batch in pairs(data)]

    others = [{name: placed(data) for name, data in (named or {}).items()} for named in (shifted, foreign)]
    if pixels is not None:
        pixels = Pixels(pixels.mean.to(device), pixels.std.to(device))
    with untouched(inner):
        yield Subject(inner, task, placed(data), pixels=pixels, seed=seed, shifted=others[0], foreign=others[1])


def labels(
    tests: Sequence[str],
    parameters: Mapping[str, Any],
    *,
    shifted: Sequence[str] = (),
    foreign: Sequence[str] = (),
) -> list[tuple[str, str, dict[str, Any]]]:
    """The outcomes that `measure` returns: the label, test and parameters of each, strengths in the order given.

    Args:
        tests: names from `PERTURBATIONS`.
        parameters: as `measure` takes them; those that are left out get their defaults.
        shifted: the names of data for `shift`.
        foreign: the names of data for `other-classes`.

    Raises:
        ConfigError: no test of that name, or a parameter that none of them has.

    >>> labels(["fgsm"], {"eps": "8/255"})
    [('fgsm eps=8/255', 'fgsm', {'eps': 0.03137254901960784})]
    """
    known = {key for name in tests for key in PERTURBATIONS.options(name)}
    for key in parameters:
        if key not in known:
            raise ConfigError(f"None of the robustness tests has a parameter {key!r}; {nearest(key, sorted(known))}")
    found = []
    for name in dict.fromkeys(tests):
        options, kind = PERTURBATIONS.options(name), PERTURBATIONS.kind(name)
        settings = {key: parameters.get(key, option.default) for key, option in options.items()}
        if name in SOURCES:
            for source in (shifted if name == "shift" else foreign) or [""]:
                found.append((f"{name} {source}".strip(), name, {**settings, "source": source}))
            continue
        if not kind.STRENGTH:
            found.append((name, name, settings))
            continue
        given = parameters.get(kind.STRENGTH, kind.USUAL)
        values = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
        for value in values:
            exact = strength(value) if kind.STRENGTH == "eps" else value
            text = strength_text(exact) if kind.STRENGTH == "eps" else f"{exact:g}"
            found.append((f"{name} {kind.STRENGTH}={text}", name, {**settings, kind.STRENGTH: exact}))
    return found
