"""The networks for tables against those of their authors, weight by weight."""

from collections.abc import Iterator

import pytest
import torch
from rtdl_revisiting_models import FTTransformer, ResNet
from torch import Tensor, nn

from samcli import models
from samcli.errors import ConfigError
from samcli.shape import InputShape


def weights_of(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters()
    yield from ((name, buffer) for name, buffer in module.named_buffers() if "running" in name)


def randomise(module: nn.Module) -> None:
    """Draw everything, also what begins as 0 or 1."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, tensor in weights_of(module):
            tensor.copy_(torch.rand_like(tensor) + 0.5 if "running_var" in name else 0.5 * torch.randn_like(tensor))


def copy(theirs: nn.Module, ours: nn.Module) -> None:
    """By the order of the layers, which is one for both."""
    source, target = ([t for _, t in weights_of(module)] for module in (theirs, ours))
    with torch.no_grad():
        for one, other in zip(source, target, strict=True):
            other.copy_(one)


@pytest.mark.parametrize("training", [False, True])
def test_resnet_is_the_authors(training: bool) -> None:
    theirs = ResNet(
        d_in=5, d_out=3, n_blocks=2, d_block=8, d_hidden=12, d_hidden_multiplier=None, dropout1=0.0, dropout2=0.0
    ).double()
    options = {"width": 8, "hidden": 12, "depth": 2, "dropout": 0.0}
    ours = models.build("resnet-tabular", shape=(5,), outputs=3, **options).double()
    randomise(theirs)
    copy(theirs, ours)
    x = torch.randn(7, 5, dtype=torch.float64)
    torch.testing.assert_close(ours.train(training)(x), theirs.train(training)(x), rtol=1e-12, atol=1e-12)


def ft_pair(categories: tuple[int, ...], heads: int, depth: int) -> tuple[nn.Module, FTTransformer]:
    theirs = FTTransformer(
        n_cont_features=categories.count(0),
        cat_cardinalities=[codes for codes in categories if codes],
        d_out=3,
        n_blocks=depth,
        d_block=8,
        attention_n_heads=heads,
        attention_dropout=0.0,
        ffn_d_hidden=10,
        ffn_d_hidden_multiplier=None,
        ffn_dropout=0.0,
        residual_dropout=0.0,
    ).double()
    ours = models.build(
        "ft-transformer", shape=InputShape((len(categories),), categories=categories), outputs=3, depth=depth, dim=8,
        heads=heads, hidden=10, attention_dropout=0.0, dropout=0.0,
    ).double()  # fmt: skip
    randomise(theirs)
    names = {"attention.query": "attention.W_q", "attention.key": "attention.W_k", "attention.value": "attention.W_v",
             "attention.out": "attention.W_out", "norm1": "attention_normalization", "norm2": "ffn_normalization",
             "widen": "ffn.linear1", "narrow": "ffn.linear2"}  # fmt: skip
    found = dict(theirs.named_parameters())
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            if name.startswith("blocks."):
                _, number, rest = name.split(".", 2)
                layer, _, last = rest.rpartition(".")
                parameter.copy_(found.pop(f"backbone.blocks.{number}.{names[layer]}.{last}"))
        tokens, head = ours.tokens, ours.head
        tokens.first.copy_(found.pop("cls_embedding.weight"))
        biases = []
        if categories.count(0):
            tokens.weight.copy_(found.pop("cont_embeddings.weight"))
            biases.append(found.pop("cont_embeddings.bias"))
        if any(categories):
            biases.append(found.pop("cat_embeddings.bias"))
            for number, embedding in enumerate(tokens.embeddings):
                embedding.weight.copy_(found.pop(f"cat_embeddings.embeddings.{number}.weight"))
        tokens.bias.copy_(torch.cat(biases))
        for place, layer in ((0, "normalization"), (2, "linear")):
            head[place].weight.copy_(found.pop(f"backbone.output.{layer}.weight"))
            head[place].bias.copy_(found.pop(f"backbone.output.{layer}.bias"))
    assert found == {}
    return ours, theirs


@pytest.mark.parametrize("categories", [(0, 0, 0), (0, 4, 0, 3), (5, 2)])
@pytest.mark.parametrize(("heads", "depth"), [(4, 3), (1, 1)])
def test_ft_transformer_is_the_authors(categories: tuple[int, ...], heads: int, depth: int) -> None:
    ours, theirs = ft_pair(categories, heads, depth)
    numbers = [i for i, codes in enumerate(categories) if not codes]
    coded = [i for i, codes in enumerate(categories) if codes]
    columns = [torch.randint(codes, (9,)).double() if codes else torch.randn(9).double() for codes in categories]
    x = torch.stack(columns, 1)
    given = (x[:, numbers] if numbers else None, x[:, coded].long() if coded else None)
    torch.testing.assert_close(ours(x), theirs(*given), rtol=1e-10, atol=1e-10)


def test_the_defaults_are_the_authors() -> None:
    theirs = FTTransformer(n_cont_features=5, cat_cardinalities=[], d_out=2, **FTTransformer.get_default_kwargs(3))
    ours = models.build("ft-transformer", shape=(5,), outputs=2)
    sizes = [sum(p.numel() for p in network.parameters()) for network in (ours, theirs)]
    assert sizes[0] == sizes[1]
    probabilities = [sorted({m.p for m in n.modules() if isinstance(m, nn.Dropout)}) for n in (ours, theirs)]
    assert probabilities[0] == [p for p in probabilities[1] if p > 0.0] == [0.1, 0.2]


@pytest.mark.parametrize("name", ["resnet-tabular", "ft-transformer"])
def test_a_seed_decides_the_weights(name: str) -> None:
    built = []
    for _ in range(2):
        torch.manual_seed(3)
        built.append(models.build(name, shape=(4,), outputs=1))
    assert all(torch.equal(a, b) for a, b in zip(*(n.parameters() for n in built), strict=True))


def test_the_first_weights_are_within_their_bounds() -> None:
    tokens = models.build("ft-transformer", shape=InputShape((3,), categories=(0, 9, 0)), outputs=1).tokens
    for parameter in tokens.parameters():
        assert 0.5 * 192**-0.5 < parameter.abs().max() <= 192**-0.5


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_mlp_may_be_normalised(norm: str) -> None:
    torch.manual_seed(0)
    network = models.build("mlp", shape=(4,), outputs=1, hidden=5, depth=2, norm=norm)
    x = 100.0 * torch.randn(16, 4) + 7.0
    first = torch.nn.functional.linear(x, network[1].weight, network[1].bias)
    over = 0 if norm == "batch" else 1
    by_hand = (first - first.mean(over, keepdim=True)) / (first.var(over, correction=0, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(network[:3](x), by_hand, rtol=1e-4, atol=1e-4)
    assert [type(layer).__name__ for layer in network].count("ReLU") == 2
    assert isinstance(network[3], nn.ReLU)


def test_images_are_no_tables() -> None:
    with pytest.raises(ConfigError, match=r"ft-transformer needs tables, but the inputs are images of 1x8x8"):
        models.build("ft-transformer", shape=(1, 8, 8), outputs=2)
    with pytest.raises(ConfigError, match="but 10 is none of 4; set dim: 12"):
        models.build("ft-transformer", shape=(3,), outputs=2, dim=10, heads=4)


def test_dropout_is_on_in_training_alone() -> None:
    for name in ("resnet-tabular", "ft-transformer"):
        network, x = models.build(name, shape=(4,), outputs=1), torch.randn(8, 4)
        network(x)
        assert torch.equal(network.eval()(x), network(x))
        assert not torch.equal(network.train()(x), network(x))
