"""The tensors that a run begins with: those of an earlier run, of a file, or weights that somebody published."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from samcli.config import RunConfig, stage_runs
from samcli.data.meaning import other_meaning
from samcli.errors import CheckpointError, ConfigError
from samcli.models import Pretrained, for_channels, is_file
from samcli.runs import checkpoint
from samcli.train.catalogue import CATALOGUE
from samcli.weights.adopt import adopt
from samcli.weights.stored import stored_tensors, tensors_in


def initialise(
    config: RunConfig,
    model: nn.Module,
    shape: tuple[int, ...],
    outputs: int,
    *,
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Give a run's model the tensors that it is to begin with, all but a head that does not fit.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> initialise(config, nn.Linear(13, 3), (13,), 3)  # they were drawn by the seed, and stay

    Args:
        config: the run.
        model: as it was built; on the meta device it is only found out whether the tensors fit.
        shape: of one input, without the batch.
        outputs: columns of the model's output.
        data: what the inputs are, see `samcli.data.Dataset.document`; a checkpoint whose inputs mean something else is
            then refused.

    Returns:
        What `run.json` keeps: the file, its SHA-256, how many tensors it gave, and the names of those that were drawn
        all the same. None if all were drawn.

    Raises:
        CheckpointError: the file is missing, unreadable or holds code.
        ConfigError: its tensors do not fit, or its inputs mean something else.
        DataError: published weights are not at hand and cannot be downloaded.
    """
    kind = CATALOGUE.create("model", config.model)
    pretrained: Pretrained | None = kind.pretrained()
    if pretrained is None and kind.init is None:
        return None
    file = pretrained.fetch() if pretrained else init_file(kind.init)
    tensors, known = stored_in(file)
    if pretrained:
        tensors = {pretrained.rename(name): tensor for name, tensor in tensors.items()}
    if pretrained and len(shape) == 3:
        first = next((name for name, p in model.named_parameters() if p.dim() == 4), "")
        tensors = for_channels(tensors, first, shape[0])
    source = pretrained.name if pretrained else str(file)
    spare = pretrained.spare if pretrained else kind.spare
    found = adopt(model, tensors, outputs, source=source, new_head=kind.new_head, spare=spare)
    if data is not None:
        check_meaning(known, data, source)
    return {
        "source": source,
        "file": str(file),
        "digest": digest_of(file),
        "taken": len(found.taken),
        "drawn": list(found.fresh),
    }


def init_file(init: str) -> Path:
    """The file that `init` stands for: of a run's folder its checkpoint.

    >>> init_file("network.safetensors")
    PosixPath('network.safetensors')
    """
    path = Path(init)
    return path / "checkpoint.pt" if path.is_dir() else path


def check_file(config: RunConfig) -> None:
    """Refuse a run that names a file to begin with which is not there, whatever else is wrong with the run.

    Raises:
        CheckpointError: it is missing.

    >>> from samcli.config import Draft, parse
    >>> text = "{dataset: wine, model: {name: linear, init: nowhere.pth}, optimizer: sgd}"
    >>> check_file(*Draft.of(parse(text, "x.yaml"), CATALOGUE).expand())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    samcli.errors.CheckpointError: ...nowhere.pth is missing; name a checkpoint, a .safetensors file or a file of ...
    """
    init, weights = config.model.get("init"), config.model.get("weights")
    named = init_file(init) if init is not None else Path(weights) if weights is not None and is_file(weights) else None
    if named is not None and not named.is_file():
        stored_in(named)


def begin_with_stage(
    config: RunConfig,
    model: nn.Module,
    outputs: int,
    data: Mapping[str, Any],
    stage: Mapping[str, Tensor],
    known: Mapping[str, Any],
) -> None:
    """Give a run's model the network of the stage before it; the head stays where the classes are others.

    Args:
        config: the run.
        model: as it was built; on the meta device it is only found out whether the tensors fit.
        outputs: columns of the model's output.
        data: what the inputs and classes are, see `samcli.data.Dataset.document`.
        stage: the tensors of its network.
        known: what its inputs and classes were.

    Raises:
        ConfigError: its tensors do not fit, or its inputs mean something else.

    >>> from samcli.config import Draft, parse
    >>> text = "{stages: [{epochs: 1}], dataset: wine, model: linear, optimizer: sgd}"
    >>> (config,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    >>> data = {"class_names": ["a", "b"], "task": {"name": "classification", "number": 2}}
    >>> model, before = (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(2))
    >>> begin_with_stage(config, model, 2, data, before.state_dict(), data)
    >>> bool((model[1].weight == before[1].weight).all())
    True
    """
    source = f"stage {len(stage_runs(config))}"
    same = all(known[key] == data[key] for key in ("class_names", "task"))
    adopt(model, stage, outputs, source=source, new_head=not same or bool(config.model.get("new_head")))
    check_meaning(known, data, source)


def stored_in(file: Path) -> tuple[Mapping[str, Tensor], Mapping[str, Any]]:
    """The tensors in a file, and what is known of the inputs of their network.

    Of a checkpoint of samcli, once it is seen to be whole, they are those of its model, and its entry `data`; of other
    files, and of checkpoints of earlier versions, nothing is known.

    Raises:
        CheckpointError: it is missing, damaged, or holds code.
    """
    if file.name != "checkpoint.pt" and not checkpoint.is_sealed(file):
        return stored_tensors(file), {}
    content = checkpoint.load(file)
    known = content.get("data")
    return tensors_in(content), known if isinstance(known, Mapping) else {}


def check_meaning(there: Mapping[str, Any], here: Mapping[str, Any], source: str) -> None:
    """See that the inputs of a network mean what those of the data set mean that it is to be trained on.

    Args:
        there: what the network's inputs were, see `samcli.data.Dataset.document`.
        here: what they are now.
        source: where the network is from, for the message.

    Raises:
        ConfigError: they mean something else.

    >>> check_meaning({"reading": {"tokenizer": "bytes"}}, {"reading": {"tokenizer": "bytes"}}, "a.pt")
    """
    if not (other := other_meaning(there, here)):
        return
    way = "dataset.tokenizer names one vocabulary for both" if "token" in other else "give both the same columns"
    raise ConfigError(f"{source} was trained on inputs that mean something else: {other}; {way}.")


def file_at_hand(config: RunConfig) -> Path | None:
    """The file that a run would begin with today; None if it begins with none, or it is not there.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> file_at_hand(config)
    """
    kind = CATALOGUE.create("model", config.model)
    pretrained: Pretrained | None = kind.pretrained()
    file = pretrained.find() if pretrained else None if kind.init is None else init_file(kind.init)
    return file if file is not None and file.is_file() else None


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, computed once as long as neither its size nor its time changes.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        known = file.stat()
        return _digest(file, known.st_size, known.st_mtime_ns)
    except OSError as error:
        raise CheckpointError(f"Cannot read {file} ({error.strerror}); check permissions, then try again.") from error


@lru_cache(maxsize=64)
def _digest(file: Path, size: int, time: int) -> str:
    del size, time
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def told_of(record: Mapping[str, Any], config: RunConfig, shape: tuple[int, ...]) -> list[str]:
    """What a user should know of the tensors that a run begins with, in sentences.

    Args:
        record: what `initialise` returned.
        config: the run.
        shape: of one input.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> told_of({"source": "a.pth", "taken": 4, "drawn": ["2.weight", "2.bias"]}, config, (13,))
    ['linear begins with 4 tensors of a.pth; drawn anew are 2.weight, 2.bias.']
    """
    drawn = record["drawn"]
    names = ", ".join(drawn[:4]) + (", ..." if len(drawn) > 4 else "")
    rest = f"; drawn anew are {names}" if drawn else ", and nothing is drawn"
    told = [f"{config.model['name']} begins with {record['taken']} tensors of {record['source']}{rest}."]
    pretrained: Pretrained | None = CATALOGUE.create("model", config.model).pretrained()
    if pretrained is None or len(shape) != 3:
        return told
    if shape[0] != len(pretrained.mean):
        told.append(
            f"{pretrained.name} were trained on images of {len(pretrained.mean)} channels, these have {shape[0]}: the "
            "weights of the first convolution and the normalisation are fitted to that."
        )
    if pretrained.size is not None and shape[1:] != (pretrained.size, pretrained.size):
        told.append(
            f"{pretrained.name} were trained on images of {pretrained.size}x{pretrained.size} pixels, these have "
            f"{shape[1]}x{shape[2]}; a data set with the option size can have them so."
        )
    return told
