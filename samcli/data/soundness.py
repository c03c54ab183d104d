"""The soundness of raw data: whether they are what training takes them for, found before the first run."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from samcli.data.base import DatasetKind, Source
from samcli.data.lazy import LazyImages
from samcli.tasks import Task

# Numbers beyond these have no square in 32 bits: the loss of such targets, and the spread of such inputs, is infinite.
LARGEST = 1e18


def source_faults(source: Source, kind: DatasetKind) -> list[str]:
    """The faults of a source, in sentences; empty if there are none.

    Each of them would otherwise end in an error far from its cause, or in a wrong number: targets of the shape (N, 1),
    say, broadcast against outputs, and a single NaN looks like a learning rate that is too large.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS
    >>> wine = DATASETS.create("wine")
    >>> source_faults(wine.source(Path()), wine)
    []
    """
    if not isinstance(source, Source):
        return [f"source must return a samcli.data.Source, not {type(source).__name__}."]
    if not isinstance(source.task, Task):
        return [f"The task of the source must be one of samcli.tasks, not {type(source.task).__name__}."]
    faults = []
    for part, inputs, targets in source.parts():
        found = list(_faults_of_inputs(part, inputs, kind))
        found += _faults_of_targets(part, targets, source.task)
        found = found or list(_faults_of_codes(part, inputs, source))
        if not found and (len(inputs) != len(targets) or not len(inputs)):
            found.append(f"The {part} part has {len(inputs)} inputs and {len(targets)} targets.")
        faults += found
    if not faults and kind.is_tokens != bool(source.vocabulary):
        faults.append(f"A source of tokens has a vocabulary, and no other has; here it is {source.vocabulary}.")
    return faults or [*_faults_between(source), *_faults_of_sameness(source), *_faults_of_classes(source)]


def _faults_of_inputs(part: str, inputs: Tensor, kind: DatasetKind) -> Iterator[str]:
    is_images, is_tokens = kind.is_images, kind.is_tokens
    wanted, layout = (torch.uint8, "(N, H, W, C)") if is_images else (torch.float32, "(N, F)")
    if is_tokens:
        wanted, layout = torch.int32, "(N, T)"
    if not isinstance(inputs, Tensor | LazyImages):
        yield f"The {part} inputs must be a torch tensor, not {type(inputs).__name__}."
    elif fault := _fault_of_place(inputs):
        yield f"The {part} inputs {fault}."
    elif inputs.dtype != wanted:
        asking = f"is_tokens = {is_tokens}" if is_tokens else f"is_images = {is_images}"
        yield f"The {part} inputs are {inputs.dtype}; {asking} asks for {wanted}."
    elif inputs.dim() != len(layout.split(",")):
        yield f"The {part} inputs must have the shape {layout}, and have {tuple(inputs.shape)}."
    elif len(inputs) and not inputs.numel():
        yield f"The {part} inputs have the shape {tuple(inputs.shape)}: there is nothing in them."
    elif is_images or is_tokens:
        return
    elif count := int((~inputs.isfinite()).sum()):
        columns = (~inputs.isfinite()).any(0).nonzero().flatten() + 1
        named = ", ".join(map(str, columns[:5].tolist())) + (", ..." if len(columns) > 5 else "")
        yield (
            f"The {part} inputs hold {_values(count)} not finite (column{'s' if len(columns) > 1 else ''} {named}, "
            "counted from 1)."
        )
    elif (huge := inputs.abs() > LARGEST).any():
        column = int(huge.any(0).nonzero()[0])
        yield (
            f"The {part} inputs hold {inputs[huge][0].item():g} (column {column + 1}, counted from 1); numbers beyond "
            f"{LARGEST:g} have no square in 32 bits."
        )


def _faults_of_targets(part: str, targets: Tensor, task: Task) -> Iterator[str]:
    if not isinstance(targets, Tensor):
        yield f"The {part} targets must be a torch tensor, not {type(targets).__name__}."
    elif fault := _fault_of_place(targets):
        yield f"The {part} targets {fault}."
    elif targets.dim() != task.target_dims:
        wanted = "(N,), one for each example," if task.target_dims == 1 else "(N, T)"
        yield f"The {part} targets must have the shape {wanted} and have {tuple(targets.shape)}."
    elif task.classes is None and task.target_type == torch.float32:
        if targets.dtype != torch.float32:
            yield f"The {part} targets of a regression must be torch.float32, and are {targets.dtype}."
        elif count := int((~targets.isfinite()).sum()):
            first = int((~targets.isfinite()).nonzero()[0])
            yield f"The {part} targets hold {_values(count)} not finite (the first is that of example {first + 1})."
        elif (huge := targets.abs() > LARGEST).any():
            yield f"The {part} targets hold {targets[huge][0].item():g}, which has no square in 32 bits; scale them."
    elif targets.dtype != torch.int64:
        yield f"The {part} targets must be class numbers, torch.int64, and are {targets.dtype}."
    elif fault := _fault_of_range(targets, task.classes or task.outputs):
        yield f"The {part} targets must be class numbers {fault}."


def _faults_of_codes(part: str, inputs: Tensor, source: Source) -> Iterator[str]:
    """Tokens and codes of categories that no embedding has a place for."""
    if source.vocabulary and (fault := _fault_of_range(inputs, source.vocabulary)):
        yield f"The {part} inputs must be tokens {fault}."
    if source.categories and len(source.categories) != inputs.shape[1]:
        yield f"categories has {len(source.categories)} entries for {inputs.shape[1]} columns."
        return
    for i, codes in enumerate(source.categories):
        column = inputs[:, i]
        fault = _fault_of_range(column, codes) if codes else None
        if codes and (fault or not torch.equal(column, column.round())):
            yield f"Column {i + 1} of the {part} inputs must hold whole codes {fault or f'below {codes}'}."


def _fault_of_range(values: Tensor, end: int) -> str | None:
    """What is wrong with whole numbers that have to be at least 0 and below an end; None if nothing is."""
    if not values.numel() or (int(values.min()) >= 0 and int(values.max()) < end):
        return None
    return f"from 0 to {end - 1}, and reach from {int(values.min())} to {int(values.max())}"


def _fault_of_place(tensor: Tensor) -> str | None:
    if tensor.layout != torch.strided:
        return f"must be dense, and are {tensor.layout}"
    if tensor.device.type != "cpu":
        return f"must be on the host, and are on {tensor.device}"
    return "must not require a gradient" if tensor.requires_grad else None


def _faults_between(source: Source) -> Iterator[str]:
    train = tuple(source.inputs.shape[1:])
    for part, inputs, _ in source.parts():
        if (other := tuple(inputs.shape[1:])) != train:
            yield f"A training input has the shape {train}, a {part} input {other}."


def _faults_of_sameness(source: Source) -> Iterator[str]:
    """Parts whose inputs or targets never vary: nothing can be learnt from them, or told by them."""
    for part, inputs, targets in source.parts():
        nothing = "there is nothing to learn from" if part == "training" else "they tell nothing"
        if are_equal(inputs) and (len(inputs) > 1 or part == "training"):
            first = inputs[0].flatten()
            what = f"the same number, {first[0].item() + 0:g}" if (first == first[0]).all() else "equal"
            yield f"All {part} inputs are {what}: {nothing}."
        if source.task.target_dims == 1 and source.task.classes is None and are_equal(targets):
            yield f"All {part} targets are the same number, {targets[0].item():g}: {nothing}."


def _faults_of_classes(source: Source) -> Iterator[str]:
    classes = source.task.classes
    if classes is None:
        return
    if source.class_names and len(source.class_names) != classes:
        yield f"There are {len(source.class_names)} class names for {classes} classes."
        return
    known = source.targets.bincount(minlength=classes)
    if int((known > 0).sum()) == 1:
        yield f"All training targets are of one class, {class_name(source, int(known.argmax()))}."
        return
    for part, _, targets in source.parts():
        counts = targets.bincount(minlength=classes)
        for c in ((counts > 0) & (known == 0)).nonzero().flatten().tolist()[:3]:
            examples = "1 example" if counts[c] == 1 else f"{counts[c]} examples"
            yield (
                f"The {part} part has {examples} of the class {class_name(source, c)}, of which the training part has "
                "none."
            )


def source_notes(source: Source) -> Iterator[str]:
    """What a user should know of sound data, in clauses: it may be meant so, and numbers have to be read with it.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS
    >>> list(source_notes(DATASETS.create("wine").source(Path())))
    []
    """
    if source.task.classes is None:
        return
    for part, _, targets in source.parts():
        missing = (targets.bincount(minlength=source.task.classes) == 0).nonzero().flatten().tolist()
        if missing:
            named = ", ".join(class_name(source, c) for c in missing[:5]) + (", ..." if len(missing) > 5 else "")
            yield f"no {part} example of {named}"
    if source.inputs.dtype != torch.uint8:
        return
    for c in range(source.task.classes):
        images = source.inputs.index_select(0, (source.targets == c).nonzero().flatten())
        if len(images) > 1 and are_equal(images):
            yield f"all {len(images):,} training images of {class_name(source, c)} are equal"
    seen = set(_hashes(source.inputs))
    if again := sum(number in seen for number in _hashes(source.test_inputs)):
        yield f"{again:,} of {len(source.test_inputs):,} test images are training images too"


def _hashes(images: Tensor | LazyImages) -> list[int]:
    """Numbers of 64 bits: no two are equal by chance."""
    if isinstance(images, LazyImages):
        return images.hashes()
    return [hash(image.tobytes()) for image in images.numpy()]


def class_name(source: Source, c: int) -> str:
    """What a class is called."""
    return source.class_names[c] if source.class_names else str(c)


def are_equal(values: Tensor | LazyImages) -> bool:
    """Whether all entries along the first dimension are equal.

    >>> are_equal(torch.tensor([[1, 2], [1, 2]])), are_equal(torch.tensor([1, 2]))
    (True, False)
    """
    # nearly always two of the first differ, and the others need no look
    first = values[:1]
    return all(bool((values[start : start + 64] == first).all()) for start in range(0, len(values), 64))


def _values(count: int) -> str:
    return "1 value that is" if count == 1 else f"{count} values that are"
