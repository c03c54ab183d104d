"""The image classifiers of timm for any number of channels, untrained or with published weights."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from samcli.errors import ConfigError, DataError, nearest
from samcli.models._base import MODELS, ModelKind
from samcli.models._meta import check_takes
from samcli.models._pretrained import Pretrained, downloaded, is_file, name_or_file, not_at_hand
from samcli.registry import option

EXTRA = "pip install 'samcli[timm]'"


@MODELS.register("timm:")
@dataclass(frozen=True)
class TimmModel(ModelKind):
    """Any image classifier of timm, an extra: pip install 'samcli[timm]'.

    A name may have a tag after a dot, `resnet18.a1_in1k`, which says whose weights `weights: DEFAULT` are. Images are
    then normalised by the constants of these weights, and all but a head of other classes is theirs.

    Attributes:
        argument: a name of `timm.list_models()`, with or without a tag.

    Raises:
        ConfigError: timm is not installed, or has no such model, or none such weights.
    """

    argument: str

    weights: str | None = option(
        None,
        "published weights to begin with: DEFAULT, a tag such as a1_in1k, or a file of such; null draws them",
        canonical=name_or_file,
    )

    def __post_init__(self) -> None:
        timm = _timm()
        architecture, _, tag = self.argument.partition(".")
        if not timm.is_model(architecture):
            near = difflib.get_close_matches(architecture.lower(), timm.list_models(), n=3, cutoff=0.0)
            raise ConfigError(f"timm has no model named {architecture!r}; the nearest are {', '.join(near)}.")
        if tag:
            self._check_tag(tag)
        if self.weights is None:
            return
        if self.init is not None:
            raise ConfigError("weights and init are two ways to begin; leave one of them out.")
        if not is_file(self.weights) and self.weights != "DEFAULT":
            self._check_tag(self.weights)
        if not is_file(self.weights) and self._config().custom_load:
            raise ConfigError(f"timm loads the weights of {self.argument} in a way of its own; take another tag.")

    @staticmethod
    def serves(name: str) -> bool:
        """Whether timm is there and has a model of this name that torchvision, which always is, has not."""
        if find_spec("timm") is None or not _timm().is_model(name.partition(".")[0]):
            return False
        from torchvision import models

        return name not in models.list_models(module=models)

    def pretrained(self) -> Pretrained | None:
        """See `ModelKind.pretrained`."""
        if self.weights is None:
            return None
        given, config = Path(self.weights) if is_file(self.weights) else None, self._config()
        name = str(given) if given else f"{config.architecture}.{config.tag}"
        return Pretrained(
            name,
            find=lambda: given if given else _cached(config),
            fetch=lambda: given if given else _cached(config) or _fetched(name, config),
            mean=tuple(config.mean),
            std=tuple(config.std),
            size=int(config.input_size[-1]),
        )

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """See `ModelKind.build`.

        Raises:
            ConfigError: the model cannot take images of this shape.
        """
        size = {"img_size": shape[1:]} if self._config().fixed_input_size else {}
        try:
            network: nn.Module = _timm().create_model(
                self.argument, pretrained=False, num_classes=outputs, in_chans=shape[0], **size
            )
        except (TypeError, RuntimeError, AssertionError, ValueError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise ConfigError(f"timm cannot make {self.argument} for images of {shape}: {reason}.") from error
        check_takes(network, shape, f"timm:{self.argument}")
        return network

    def _check_tag(self, tag: str) -> None:
        known = _tags(self.argument.partition(".")[0])
        if tag not in known:
            meant = nearest(tag, known) if known else "it has none."
            raise ConfigError(f"timm has no weights {tag!r} of {self.argument.partition('.')[0]}; {meant}")

    def _config(self) -> Any:
        """What timm says of the weights that are meant: where they lie, and what images they were trained on."""
        from timm.models import PretrainedCfg, get_pretrained_cfg

        named = self.weights is not None and self.weights != "DEFAULT" and not is_file(self.weights)
        model = f"{self.argument.partition('.')[0]}.{self.weights}" if named else self.argument
        return get_pretrained_cfg(model) or PretrainedCfg()


def _timm() -> Any:
    try:
        import timm
    except ImportError:
        raise ConfigError(f"timm:NAME needs timm; install it with: {EXTRA}") from None
    return timm


def _tags(architecture: str) -> list[str]:
    from timm.models import list_pretrained

    names = list_pretrained(f"{architecture}.*") or []
    return [name.partition(".")[2] for name in names if name.partition(".")[0] == architecture]


def _hub_file(config: Any) -> str:
    return str(config.hf_hub_filename or "model.safetensors")


def _cached(config: Any) -> Path | None:
    """The file of published weights on this machine."""
    if config.hf_hub_id:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(config.hf_hub_id, _hub_file(config))
        if isinstance(found, str):
            return Path(found)
    target = _target(config)
    return target if target is not None and target.is_file() else None


def _target(config: Any) -> Path | None:
    return Path(torch.hub.get_dir(), "checkpoints", config.url.rpartition("/")[2]) if config.url else None


def _fetched(name: str, config: Any) -> Path:
    if not config.hf_hub_id:
        target = _target(config)
        if target is None:
            raise ConfigError(f"timm knows no place where {name} lies; give a file: weights: FILE.")
        return downloaded(name, config.url, target)
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(config.hf_hub_id, _hub_file(config)))
    except Exception as error:  # each of the client's libraries has errors of its own for want of a network
        raise DataError(not_at_hand(name, config.hf_hub_id, str(error))) from error
