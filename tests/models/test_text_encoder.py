"""The encoder of texts: parameters, padding, a plain twin of a layer, weights of a file, and what it refuses."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from samcli.errors import ConfigError
from samcli.models import MODELS, build
from samcli.models.text_encoder import Layer, Sizes, TextEncoderNetwork
from samcli.shape import InputShape
from samcli.weights.frozen import freeze
from samcli.weights.layers import depths_of, embeddings_of

SHAPE = InputShape((12,), vocabulary=31)
TABLES = ["word_embeddings.weight", "position_embeddings.weight", "token_type_embeddings.weight"]
EMBEDDINGS = [f"embeddings.{name}" for name in (*TABLES, "LayerNorm.weight", "LayerNorm.bias")]


def network(**options: Any) -> TextEncoderNetwork:
    torch.manual_seed(0)
    made = build("text-encoder", shape=SHAPE, outputs=3, **{"width": 16, "dropout": 0.0, **options})
    assert isinstance(made, TextEncoderNetwork)
    return made


def texts() -> Tensor:
    tokens = torch.arange(1, 25).view(2, 12)
    tokens[1, 5:] = 0
    return tokens


def test_the_count_of_parameters() -> None:
    layer = 4 * (64 * 64 + 64) + 2 * 4 * 64 * 64 + 4 * 64 + 64 + 4 * 64
    made = build("text-encoder", shape=InputShape((20,), vocabulary=100), outputs=3)
    assert sum(p.numel() for p in made.parameters()) == (100 + 20 + 2) * 64 + 2 * 64 + 2 * layer + 64 * 3 + 3


@pytest.mark.parametrize("length", [5, 8, 12])
def test_padding_changes_nothing(length: int) -> None:
    model = network().eval()
    assert model(texts()).shape == (2, 3)
    torch.testing.assert_close(model(texts()[1:, :length]), model(texts())[1:])


def test_padding_is_no_word() -> None:
    model = network().eval()
    changed = texts()
    changed[1, 5] = 9
    assert (model(changed)[1] - model(texts())[1]).abs().max() > 1e-4
    with torch.no_grad():
        model.embeddings.word_embeddings.weight[0] += 1.0
    torch.testing.assert_close(model(changed)[0], model(texts())[0])


def test_a_text_of_padding_alone_is_finite() -> None:
    assert network()(torch.zeros(2, 12, dtype=torch.int64)).isfinite().all()


def test_a_layer_is_what_the_formula_says() -> None:
    torch.manual_seed(0)
    sizes = Sizes(vocabulary=9, positions=5, layers=1, width=8, heads=2, inner=12, epsilon=1e-3)
    layer, x = Layer(sizes, dropout=0.0).double(), torch.randn(3, 5, 8, dtype=torch.float64)
    there = torch.tensor([True, True, False, True, True]).expand(3, 1, 1, 5)
    own = layer.attention["self"]
    query, key, value = (own[name](x) for name in ("query", "key", "value"))
    mixed = torch.zeros_like(x)
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        scores = query[..., part] @ key[..., part].transpose(1, 2) / math.sqrt(4)
        scores[:, :, 2] = -math.inf
        mixed[..., part] = scores.softmax(-1) @ value[..., part]
    after = layer.attention["output"]
    y = nn.functional.layer_norm(x + after.dense(mixed), (8,), after.LayerNorm.weight, after.LayerNorm.bias, 1e-3)
    inner = layer.intermediate["dense"](y)
    inner = inner * 0.5 * (1.0 + torch.erf(inner / math.sqrt(2.0)))
    last = layer.output
    y = nn.functional.layer_norm(y + last.dense(inner), (8,), last.LayerNorm.weight, last.LayerNorm.bias, 1e-3)
    torch.testing.assert_close(layer(x, there), y, rtol=1e-10, atol=1e-10)


def test_dropout_is_for_training_alone() -> None:
    model = network(dropout=0.5)
    assert not torch.equal(model(texts()), model(texts()))
    model.eval()
    assert torch.equal(model(texts()), model(texts()))


def test_embeddings_are_three_tables_and_their_normalisation() -> None:
    model = network()
    assert embeddings_of(model) == EMBEDDINGS
    freeze(model, ["embeddings"], outputs=3)
    assert [name for name, p in model.named_parameters() if not p.requires_grad] == EMBEDDINGS
    depths = depths_of(model, 3)
    assert {depths[name] for name in EMBEDDINGS} == {3}
    assert {depth for name, depth in depths.items() if name.startswith("encoder.layer.0.")} == {2}
    assert {depth for name, depth in depths.items() if name.startswith("encoder.layer.1.")} == {1}
    assert depths["head.weight"] == depths["head.bias"] == 0


def written(folder: Path, **changed: Any) -> str:
    """A file as BERT's are, of a network of one layer."""
    sizes = {"vocab_size": 31, "max_position_embeddings": 16, "num_hidden_layers": 1, "hidden_size": 8}
    more = {"num_attention_heads": 2, "intermediate_size": 20, "type_vocab_size": 2, "layer_norm_eps": 1e-12}
    kind = {"model_type": "bert", "hidden_act": "gelu"}
    (folder / "config.json").write_text(json.dumps({**sizes, **more, **kind, **changed}))
    torch.manual_seed(1)
    model = TextEncoderNetwork(
        Sizes(vocabulary=31, positions=16, layers=1, width=8, heads=2, inner=20), outputs=3, dropout=0.0
    )
    tensors = {f"bert.{name}": tensor for name, tensor in model.state_dict().items() if not name.startswith("head")}
    save_file(
        {**tensors, "bert.pooler.dense.weight": torch.ones(8, 8), "cls.bias": torch.ones(8)}, folder / "m.safetensors"
    )
    return str(folder / "m.safetensors")


def test_a_file_gives_sizes_and_tensors(tmp_path: Path) -> None:
    from samcli.config import Draft, parse
    from samcli.train import CATALOGUE
    from samcli.train.initial import initialise

    file = written(tmp_path)
    text = f"{{dataset: wine, model: {{name: text-encoder, weights: '{file}'}}, optimizer: sgd}}"
    (config,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    model = build("text-encoder", shape=SHAPE, outputs=2, weights=file)
    record = initialise(config, model, SHAPE, 2)
    assert record is not None
    assert record["drawn"] == ["head.weight", "head.bias"]
    torch.manual_seed(1)
    first = TextEncoderNetwork(
        Sizes(vocabulary=31, positions=16, layers=1, width=8, heads=2, inner=20), outputs=3, dropout=0.0
    )
    torch.testing.assert_close(model.eval().encoded(texts()), first.eval().encoded(texts()))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"vocab_size": 40},
            r"has embeddings of 40 tokens, and the data have 31; give dataset.tokenizer the tokenizer",
        ),
        ({"vocab_size": 20}, r"has embeddings of 20 tokens, and the data have 31"),
        ({"max_position_embeddings": 8}, r"has 8 positions, and the texts have 12 tokens; set dataset.length to 8\."),
        (
            {"model_type": "roberta"},
            r"of the kind 'roberta' with 'gelu' and 'absolute' positions; .* transformers:FOLD",
        ),
        ({"num_attention_heads": 3}, r"does not have the sizes of a BERT \(a size .* or heads do not divide the width"),
        ({"hidden_size": "8"}, r"does not have the sizes of a BERT"),
        ({"vocab_size": None}, r"does not have the sizes of a BERT"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, changed: dict[str, Any], sentence: str) -> None:
    file = written(tmp_path, **changed)
    with pytest.raises(ConfigError, match=sentence):
        build("text-encoder", shape=SHAPE, outputs=2, weights=file)


def test_what_it_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be a multiple of its heads, but 10 is none of 4; set width: 12\."):
        MODELS.create("text-encoder", width=10)
    with pytest.raises(ConfigError, match="have sizes of their own; leave layers out"):
        MODELS.create("text-encoder", weights="m.safetensors", layers=3)
    with pytest.raises(ConfigError, match="weights and init are two ways to begin"):
        MODELS.create("text-encoder", weights="m.safetensors", init="n.safetensors")
    with pytest.raises(ConfigError, match=r"config.json cannot be read \(No such file or directory\); name the model"):
        build("text-encoder", shape=SHAPE, outputs=2, weights=str(tmp_path / "m.safetensors"))
    with pytest.raises(ConfigError, match="text-encoder needs texts, such as those of --dataset text-csv:FILE, but"):
        build("text-encoder", shape=(1, 8, 8), outputs=10)
