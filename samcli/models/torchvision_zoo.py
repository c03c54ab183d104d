"""The classification models of torchvision for any number of channels, untrained or with its published weights."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from samcli.errors import ConfigError, nearest
from samcli.models._base import MODELS, ModelKind
from samcli.models._meta import check_takes
from samcli.models._pretrained import Pretrained, downloaded, is_file, name_or_file
from samcli.registry import option

# Both have extra outputs in the middle by default, and warn unless they are told how to start.
_SETTINGS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}
_EXTRA_OUTPUTS = ("aux1.", "aux2.", "AuxLogits.")
# The published files of densenets have names of an older torchvision: norm.1 for norm1.
_OLDER_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)")


@MODELS.register("torchvision:")
@dataclass(frozen=True)
class TorchvisionModel(ModelKind):
    """Any classification model of torchvision.

    The models start as torchvision makes them; where images have not three channels, the first convolution gets new
    weights to match. Most are made for images of 224x224 pixels and shrink a small image to a point early on.

    With `weights` a model begins with what torchvision publishes, all but the head where the classes are others, and
    images are normalised by the constants of these weights.

    Attributes:
        argument: the name in `torchvision.models.list_models(module=torchvision.models)`.

    Raises:
        ConfigError: torchvision has no such model, or none such weights.
    """

    argument: str

    weights: str | None = option(
        None,
        "published weights to begin with: DEFAULT, a name such as IMAGENET1K_V1, or a file of such; null draws them",
        canonical=name_or_file,
    )

    def __post_init__(self) -> None:
        names = _names()
        if self.argument not in names:
            near = difflib.get_close_matches(self.argument.lower(), names, n=3, cutoff=0.0)
            raise ConfigError(
                f"torchvision has no classification model named {self.argument!r}; the nearest are {', '.join(near)}."
            )
        if self.weights is None:
            return
        if self.init is not None:
            raise ConfigError("weights and init are two ways to begin; leave one of them out.")
        known = [entry.name for entry in _entries(self.argument)]
        if not known:
            raise ConfigError(f"torchvision publishes no weights of {self.argument}; leave weights out, or give init.")
        if not is_file(self.weights) and self.weights not in ("DEFAULT", *known):
            meant = nearest(self.weights, ["DEFAULT", *known])
            raise ConfigError(f"torchvision has no weights {self.weights!r} of {self.argument}; {meant}")

    @staticmethod
    def serves(name: str) -> bool:
        """Whether torchvision has a model of this name."""
        return name in _names()

    def pretrained(self) -> Pretrained | None:
        """See `ModelKind.pretrained`; a file has the constants of the weights it is named like, or of the default."""
        if self.weights is None:
            return None
        given = Path(self.weights) if is_file(self.weights) else None
        entries, wanted = _entries(self.argument), given.name if given else self.weights
        default = next(entry for entry in entries if entry is type(entry).DEFAULT)
        entry = next((entry for entry in entries if wanted in (entry.name, _file_name(entry))), default)
        transforms = entry.transforms()
        target = given or Path(torch.hub.get_dir(), "checkpoints", _file_name(entry))
        name = str(given) if given else f"{self.argument} {entry.name}"
        prefix = re.search(r"-([0-9a-f]{8,})\.", target.name)

        def fetch() -> Path:
            return given or downloaded(name, entry.url, target, prefix and prefix[1])

        return Pretrained(
            name,
            find=lambda: target if target.is_file() else None,
            fetch=fetch,
            mean=tuple(transforms.mean),
            std=tuple(transforms.std),
            size=transforms.crop_size[0],
            spare=_EXTRA_OUTPUTS,
            rename=lambda key: _OLDER_NAME.sub(r"\1", key),
        )

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """See `ModelKind.build`.

        Raises:
            ConfigError: the model cannot take images of this shape, found out by a forward pass without data.
        """
        from torchvision.models import get_model

        settings = dict(_SETTINGS.get(self.argument, {}))
        if settings and self.weights is not None:
            settings["transform_input"] = True  # their weights were trained with inputs of another scale
        network: nn.Module = get_model(self.argument, weights=None, num_classes=outputs, **settings)
        if shape[0] != 3:
            _adapt_first_convolution(network, shape[0])
        check_takes(network, shape, f"torchvision:{self.argument}")
        return network


def _names() -> list[str]:
    from torchvision import models

    return list(models.list_models(module=models))


def _entries(model: str) -> list[Any]:
    """The weights that torchvision publishes of a model: entries of an enumeration."""
    from torchvision.models import get_model_weights

    return list(get_model_weights(model))


def _file_name(entry: Any) -> str:
    return str(entry.url).rpartition("/")[2]


def _adapt_first_convolution(network: nn.Module, channels: int) -> None:
    """Let the first convolution take another number of channels; its new weights are He-normal by fan-in."""
    first = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d))
    first.in_channels = channels
    first.weight = nn.Parameter(torch.empty(first.out_channels, channels, *first.kernel_size))
    nn.init.kaiming_normal_(first.weight, nonlinearity="relu")
