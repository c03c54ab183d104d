"""The encoders of texts that `transformers` has, of a folder or of the hub."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from samcli.errors import ConfigError, DataError
from samcli.models._base import MODELS, ModelKind
from samcli.models._pretrained import Pretrained, absolute
from samcli.models._texts import PADDING, check_length, check_vocabulary, is_text, mean_over
from samcli.registry import option
from samcli.shape import InputShape

EXTRA = "pip install 'samcli[text]'"
FILE = "model.safetensors"
# what files have beside an encoder: the heads of what it was trained for, and numbers that no training changes
HEADS = (
    "cls",
    "lm_head",
    "classifier",
    "qa_outputs",
    "vocab_",
    "generator_",
    "discriminator_",
    "mlm",
    "head",
    "decoder",
)


class EncoderNetwork(nn.Module):
    """An encoder of transformers, the mean over its tokens or what it pools itself, and a linear head.

    Args:
        encoder: a model that `AutoModel` makes.
        outputs: numbers for each text.
        pools: whether the encoder pools; otherwise the mean over the tokens that are no padding is taken.
    """

    def __init__(self, encoder: nn.Module, outputs: int, *, pools: bool) -> None:
        super().__init__()
        self.encoder, self.pools = encoder, pools
        self.head = nn.Linear(int(encoder.config.hidden_size), outputs)  # type: ignore[union-attr, arg-type]

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T) int64 to (N, outputs); token 0 is padding."""
        there = is_text(tokens)
        if tokens.is_meta:  # shapes alone are wanted, and some encoders look at numbers
            return self.head(self.head.weight.new_empty(len(tokens), self.head.in_features))  # type: ignore[no-any-return]
        found = self.encoder(input_ids=tokens, attention_mask=there.long())
        pooled = found.pooler_output if self.pools else mean_over(found.last_hidden_state, there)
        return self.head(pooled)  # type: ignore[no-any-return]


@MODELS.register("transformers:")
@dataclass(frozen=True)
class TransformersModel(ModelKind):
    """Any encoder of texts of transformers, an extra: pip install 'samcli[text]'.

    PATH is a folder with its config.json and model.safetensors, or a name of the hub. It begins with these weights,
    with a new linear head. No code that comes with a model is run, and none but safetensors is read.
    """

    ARGUMENT: ClassVar[str] = "PATH"
    reads_tokens: ClassVar[bool] = True

    argument: str

    weights: str | None = option(
        "DEFAULT", "DEFAULT begins with the model.safetensors of the folder or the hub; null draws them",
        choices=("DEFAULT", None),
    )  # fmt: skip
    pooling: str = option(
        "mean", "what the head sees: the mean over the tokens, or what the encoder pools itself",
        choices=("mean", "pooler"),
    )  # fmt: skip

    def __post_init__(self) -> None:
        if find_spec("transformers") is None:
            raise ConfigError(f"transformers:PATH needs transformers; install it with: {EXTRA}")
        if self.weights is not None and self.init is not None:
            raise ConfigError("weights and init are two ways to begin; with init set weights: null.")

    @staticmethod
    def canonical(argument: str) -> str:
        """The absolute path of a folder; any other argument is a name of the hub.

        Raises:
            ConfigError: it is neither.
        """
        path = os.path.expanduser(argument)
        if os.path.isdir(path) or argument.startswith((".", "~", os.sep)):
            return str(absolute(argument))
        return argument

    def fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 1

    @property
    def needs(self) -> str:
        return "texts, such as those of --dataset text-csv:FILE"

    def pretrained(self) -> Pretrained | None:
        """See `ModelKind.pretrained`."""
        if self.weights is None:
            return None
        return Pretrained(
            str(self._local or self.argument), find=self._find, fetch=self._fetch, mean=(), std=(), size=None,
            spare=tuple(f"encoder.{head}" for head in (*HEADS, *(["pooler."] if self.pooling == "mean" else []))),
            rename=self._renamed,
        )  # fmt: skip

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """See `ModelKind.build`.

        Raises:
            ConfigError: it is no encoder of such tokens, or cannot be had.
        """
        from transformers import AutoModel

        config, name = self._config(), f"transformers:{self.argument}"
        try:
            encoder = AutoModel.from_config(config, trust_remote_code=False)
            rows = encoder.get_input_embeddings().num_embeddings
        except (ValueError, NotImplementedError, AttributeError, ImportError, KeyError) as error:
            raise ConfigError(
                f"{name} is no encoder that transformers makes without code of others ({_short(error)})."
            ) from error
        if config.is_encoder_decoder or getattr(config, "is_decoder", False):
            raise ConfigError(f"{name} is no encoder alone ({config.model_type}); take one such as BERT or DistilBERT.")
        if (padding := getattr(config, "pad_token_id", PADDING)) not in (PADDING, None):
            raise ConfigError(
                f"{name} pads texts with token {padding}, and here token 0 is padding; take another model."
            )
        check_vocabulary(rows, InputShape.of(shape).vocabulary, name)
        check_length(getattr(config, "max_position_embeddings", shape[0]), shape[0], name)
        if self.pooling == "pooler" and getattr(encoder, "pooler", None) is None:
            raise ConfigError(f"{name} pools nothing itself; set model.pooling: mean.")
        if self.pooling == "mean" and getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # nothing trains it
        return EncoderNetwork(encoder.float(), outputs, pools=self.pooling == "pooler")

    @property
    def _local(self) -> Path | None:
        """The folder; None for a name of the hub."""
        path = Path(self.argument).expanduser()
        return path if path.is_dir() or self.argument.startswith((".", "~", os.sep)) else None

    def _config(self) -> Any:
        local = self._local
        if local is None:
            return _config_of(self.argument, 0)
        try:
            return _config_of(str(local), (local / "config.json").stat().st_mtime_ns)
        except OSError as error:
            raise ConfigError(
                f"{local} has no readable config.json ({error.strerror}); give the folder of a model that "
                "save_pretrained wrote."
            ) from error

    def _find(self) -> Path | None:
        if self._local is not None:
            return self._local / FILE
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.argument, FILE)
        return Path(found) if isinstance(found, str) else None

    def _fetch(self) -> Path:
        if (found := self._find()) is not None:
            return found
        from huggingface_hub import hf_hub_download

        try:
            return Path(hf_hub_download(self.argument, FILE))
        except Exception as error:  # as above
            raise DataError(
                f"{FILE} of {self.argument} is not on this machine and cannot be downloaded ({_short(error)}); give "
                "the folder of a model: transformers:FOLDER."
            ) from error

    def _renamed(self, name: str) -> str:
        """The network's own name for one of the file, which a model with a head wrote with the name of its encoder."""
        prefix = getattr(_class_of(self._config()), "base_model_prefix", "")
        return f"encoder.{name.removeprefix(f'{prefix}.')}"


@functools.lru_cache(maxsize=16)
def _config_of(argument: str, modified: int) -> Any:
    """The configuration of a folder or of the hub, as long as the folder's does not change.

    Raises:
        ConfigError: it cannot be had.
    """
    from transformers import AutoConfig

    del modified
    try:
        try:
            return AutoConfig.from_pretrained(argument, trust_remote_code=False, local_files_only=True)
        except OSError:
            if os.path.isdir(argument):
                raise
            return AutoConfig.from_pretrained(argument, trust_remote_code=False)
    except Exception as error:  # the hub's client has errors of its own for want of a network
        raise ConfigError(
            f"transformers:{argument} cannot be had ({_short(error)}); give the folder of a model, or the name of one "
            "where there is a network."
        ) from error


def _class_of(config: Any) -> Any:
    """The class of the encoder that a configuration is of."""
    from transformers import MODEL_MAPPING

    return MODEL_MAPPING[type(config)]


def _short(error: Exception) -> str:
    """The first line of what a library says."""
    return (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".:")[:200]
