"""A transformer that gives a text its class, as BERT (Devlin et al., NAACL 2019)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional

from samcli.errors import ConfigError
from samcli.models._base import MODELS, ModelKind
from samcli.models._pretrained import Pretrained, absolute
from samcli.models._texts import check_length, check_vocabulary, is_text, mean_over
from samcli.registry import option
from samcli.shape import InputShape

SMALL = {"layers": 2, "width": 64, "heads": 4}


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of an encoder.

    Attributes:
        vocabulary, positions, types: rows of the three tables of embeddings.
        layers, width, heads: of the transformer; heads divides width.
        inner: width between the two dense layers of each.
        epsilon: added to the variance in normalisations.
    """

    vocabulary: int
    positions: int
    layers: int
    width: int
    heads: int
    inner: int
    types: int = 2
    epsilon: float = 1e-12


class Embeddings(nn.Module):
    """The sum of the vectors of token, position and type 0, normalised."""

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(sizes.vocabulary, sizes.width)
        self.position_embeddings = nn.Embedding(sizes.positions, sizes.width)
        self.token_type_embeddings = nn.Embedding(sizes.types, sizes.width)
        self.LayerNorm = nn.LayerNorm(sizes.width, eps=sizes.epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T) tokens to (N, T, width)."""
        places = self.position_embeddings.weight[: tokens.shape[1]] + self.token_type_embeddings.weight[0]
        return self.dropout(self.LayerNorm(self.word_embeddings(tokens) + places))  # type: ignore[no-any-return]


class AddAndNorm(nn.Module):
    """x, y → LN(y + dense(x)): what comes out of a part, added to what went in."""

    def __init__(self, inputs: int, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, sizes.width)
        self.LayerNorm = nn.LayerNorm(sizes.width, eps=sizes.epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """The sum, normalised."""
        return self.LayerNorm(before + self.dropout(self.dense(x)))  # type: ignore[no-any-return]


class Layer(nn.Module):
    """Attention to the tokens that are no padding, then two dense layers with GELU, each followed by a normalisation.

    The modules have the names that BERT's have.
    """

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        width, self.heads, self.dropout = sizes.width, sizes.heads, dropout
        names = ("query", "key", "value")
        self.attention = nn.ModuleDict(
            {
                "self": nn.ModuleDict({name: nn.Linear(width, width) for name in names}),
                "output": AddAndNorm(width, sizes, dropout),
            }
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, sizes.inner)})
        self.output = AddAndNorm(sizes.inner, sizes, dropout)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """(N, T, width) to the same; `there` (N, 1, 1, T) says which tokens are attended to."""
        projections: nn.ModuleDict = self.attention["self"]  # type: ignore[assignment]
        query, key, value = (layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in projections.values())
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=there, dropout_p=dropout)
        x = self.attention["output"](mixed.transpose(1, 2).flatten(2), x)
        return self.output(functional.gelu(self.intermediate["dense"](x)), x)  # type: ignore[no-any-return]


class TextEncoderNetwork(nn.Module):
    """Embeddings, layers, the mean over the tokens that are no padding, and a linear head.

    Args:
        sizes: of the encoder.
        outputs: numbers for each text.
        dropout: probability of a zero after the embeddings, in attention and after both parts of a layer.
    """

    def __init__(self, sizes: Sizes, outputs: int, dropout: float) -> None:
        super().__init__()
        self.embeddings = Embeddings(sizes, dropout)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer(sizes, dropout) for _ in range(sizes.layers))})
        self.head = nn.Linear(sizes.width, outputs)
        for module in self.modules():  # as BERT
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def encoded(self, tokens: Tensor) -> Tensor:
        """(N, T) int64 to the vectors of the tokens, (N, T, width)."""
        x: Tensor = self.embeddings(tokens)
        there = is_text(tokens)[:, None, None]
        layers: nn.ModuleList = self.encoder["layer"]  # type: ignore[assignment]
        for layer in layers:
            x = layer(x, there)
        return x

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T) int64 to (N, outputs); token 0 is padding and changes nothing."""
        return self.head(mean_over(self.encoded(tokens), is_text(tokens)))  # type: ignore[no-any-return]


@MODELS.register("text-encoder")
@dataclass(frozen=True, kw_only=True)
class TextEncoder(ModelKind):
    """A small BERT for classes of texts: the mean over the tokens of its last layer, and a linear head.

    Normalisation comes last in each part. `weights` names a file of safetensors of a BERT, whose `config.json` beside
    it has the sizes; all but the head is then that of the file.
    """

    reads_tokens: ClassVar[bool] = True
    spare: ClassVar[tuple[str, ...]] = ("pooler.", "cls.", "classifier.", "embeddings.position_ids")

    weights: str | None = option(
        None, "model.safetensors of a BERT to begin with, with its config.json; null draws them", canonical=absolute
    )
    layers: int | None = option(None, "number of layers; null: 2, or that of weights", minimum=1, maximum=1000)
    width: int | None = option(None, "width of the tokens; null: 64, or that of weights", minimum=1, maximum=1_000_000)
    heads: int | None = option(
        None, "attention heads in each layer, a divisor of width; null: 4, or that of weights", minimum=1
    )
    dropout: float = option(0.1, "probability of a zero in attention and after each part", minimum=0.0, below=1.0)

    def __post_init__(self) -> None:
        sizes = {name: getattr(self, name) for name in SMALL}
        if self.weights is not None:
            if self.init is not None:
                raise ConfigError("weights and init are two ways to begin; leave one of them out.")
            if said := [name for name, value in sizes.items() if value is not None]:
                raise ConfigError(f"The weights of text-encoder have sizes of their own; leave {said[0]} out.")
            return
        width, heads = self.width or SMALL["width"], self.heads or SMALL["heads"]
        if width % heads != 0:
            raise ConfigError(
                f"The width of text-encoder must be a multiple of its heads, but {width} is none of {heads}; set "
                f"width: {-(-width // heads) * heads}."
            )

    def fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 1

    @property
    def needs(self) -> str:
        return "texts, such as those of --dataset text-csv:FILE"

    def pretrained(self) -> Pretrained | None:
        """See `ModelKind.pretrained`."""
        if self.weights is None:
            return None
        file = Path(self.weights)
        return Pretrained(
            self.weights, find=lambda: file, fetch=lambda: file, mean=(), std=(), size=None,
            spare=self.spare, rename=lambda name: name.removeprefix("bert."),
        )  # fmt: skip

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """See `ModelKind.build`.

        Raises:
            ConfigError: the texts have more tokens than the weights, or the tokens of another vocabulary.
        """
        sizes = self._sizes(shape)
        check_vocabulary(sizes.vocabulary, InputShape.of(shape).vocabulary, self.weights or "text-encoder")
        check_length(sizes.positions, shape[0], self.weights or "text-encoder")
        return TextEncoderNetwork(sizes, outputs, self.dropout)

    def _sizes(self, shape: tuple[int, ...]) -> Sizes:
        if self.weights is not None:
            return sizes_of(Path(self.weights).with_name("config.json"))
        layers, width, heads = (getattr(self, name) or small for name, small in SMALL.items())
        vocabulary = InputShape.of(shape).vocabulary
        return Sizes(
            vocabulary=vocabulary, positions=shape[0], layers=layers, width=width, heads=heads, inner=4 * width
        )


def sizes_of(file: Path) -> Sizes:
    """The sizes in the `config.json` of a BERT.

    Raises:
        ConfigError: it is missing, or is of another kind of network.
    """
    advice = "name the model.safetensors of a BERT that lies beside its config.json"
    try:
        held: Any = json.loads(file.read_bytes())
        kind = (held.get("model_type"), held.get("hidden_act"), held.get("position_embedding_type", "absolute"))
        sizes = Sizes(
            vocabulary=held["vocab_size"],
            positions=held["max_position_embeddings"],
            layers=held["num_hidden_layers"],
            width=held["hidden_size"],
            heads=held["num_attention_heads"],
            inner=held["intermediate_size"],
            types=held["type_vocab_size"],
            epsilon=float(held.get("layer_norm_eps", 1e-12)),
        )
        numbers = [value for name, value in vars(sizes).items() if name != "epsilon"]
        if any(type(number) is not int or not 0 < number < 2**31 for number in numbers) or sizes.width % sizes.heads:
            raise ValueError("a size is no whole number above 0, or heads do not divide the width")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); {advice}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise ConfigError(f"{file} does not have the sizes of a BERT ({reason}); {advice}.") from error
    if kind != ("bert", "gelu", "absolute"):
        raise ConfigError(
            f"{file} is of a network of the kind {kind[0]!r:.60} with {kind[1]!r:.60} and {kind[2]!r:.60} positions; "
            "text-encoder knows bert, gelu and absolute alone. Take transformers:FOLDER."
        )
    return sizes
