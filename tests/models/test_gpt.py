"""The small GPT: parameters, causality, a plain twin of its attention, and what it refuses."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from samcli.errors import ConfigError
from samcli.models import build
from samcli.models.gpt import CausalBlock, GPTNetwork
from samcli.shape import InputShape

SHAPE = InputShape((12,), vocabulary=31)


def network(**options: object) -> GPTNetwork:
    torch.manual_seed(0)
    made = build("gpt", shape=SHAPE, outputs=31, **{"width": 16, **options})
    assert isinstance(made, GPTNetwork)
    return made


def test_the_count_of_parameters() -> None:
    block = 4 * 64 + 64 * 3 * 64 + 3 * 64 + 64 * 64 + 64 + 2 * 4 * 64 * 64 + 4 * 64 + 64
    made = build("gpt", shape=InputShape((64,), vocabulary=256), outputs=256)
    assert sum(p.numel() for p in made.parameters()) == 256 * 64 + 64 * 64 + 2 * block + 2 * 64 == 120_576
    untied = build("gpt", shape=InputShape((64,), vocabulary=256), outputs=10)
    assert sum(p.numel() for p in untied.parameters()) == 120_576 + 10 * 64


def test_no_token_knows_of_those_after_it() -> None:
    model, tokens = network().eval(), torch.arange(24).view(2, 12)
    before = model(tokens)
    assert before.shape == (2, 12, 31)
    changed = tokens.clone()
    changed[:, 7] = 30
    after = model(changed)
    torch.testing.assert_close(after[:, :7], before[:, :7])
    assert ((after[:, 7:] - before[:, 7:]).abs().amax(-1) > 1e-6).all()


def test_shorter_texts_go_in_as_the_beginning_of_longer_ones() -> None:
    model, tokens = network().eval(), torch.arange(24).view(2, 12)
    torch.testing.assert_close(model(tokens[:, :5]), model(tokens)[:, :5])


def test_a_block_is_what_the_formula_says() -> None:
    torch.manual_seed(0)
    block, x = CausalBlock(8, 2, dropout=0.0).double(), torch.randn(3, 5, 8, dtype=torch.float64)
    query, key, value = block.qkv(block.norm1(x)).split(8, dim=2)
    mixed = torch.zeros_like(x)
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        scores = query[..., part] @ key[..., part].transpose(1, 2) / math.sqrt(4)
        scores = scores.masked_fill(torch.ones(5, 5).triu(1).bool(), -math.inf)
        mixed[..., part] = scores.softmax(-1) @ value[..., part]
    y = x + block.out(mixed)
    y = y + block.down(nn.functional.gelu(block.up(block.norm2(y)), approximate="tanh"))
    torch.testing.assert_close(block(x), y, rtol=1e-10, atol=1e-10)


def test_dropout_is_for_training_alone() -> None:
    model, tokens = network(dropout=0.5), torch.arange(12)[None]
    assert not torch.equal(model(tokens), model(tokens))
    model.eval()
    assert torch.equal(model(tokens), model(tokens))


def test_every_parameter_gets_a_gradient_and_a_second_derivative() -> None:
    model, tokens = network(), torch.arange(24).view(2, 12)
    parameters: list[Tensor] = list(model.parameters())
    with sdpa_kernel(SDPBackend.MATH):
        loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.roll(-1, 1).flatten())
        gradient = torch.autograd.grad(loss, parameters, create_graph=True)
    assert all(g.isfinite().all() and g.abs().max() > 0 for g in gradient)
    second = torch.autograd.grad(sum(g.square().sum() for g in gradient), parameters)
    assert all(g.isfinite().all() and g.abs().max() > 0 for g in second)


def test_what_it_does_not_take_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"must be a multiple of its heads, but 10 is none of 4; set width: 12\."):
        build("gpt", shape=SHAPE, outputs=31, width=10)
    with pytest.raises(ConfigError, match=r"gpt needs texts, such as those of --dataset text:PATH, but the inputs"):
        build("gpt", shape=(1, 8, 8), outputs=10)
    with pytest.raises(ConfigError, match=r"inputs are texts of 12 tokens; models that fit: .*gpt"):
        build("mlp", shape=SHAPE, outputs=31)
