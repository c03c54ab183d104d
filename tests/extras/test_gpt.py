"""The small GPT against the GPT-2 of transformers, with the same weights."""

import pytest
import torch

from samcli.models import build
from samcli.models.gpt import GPTNetwork
from samcli.shape import InputShape

pytest.importorskip("transformers", reason="transformers is not installed; make test-extras installs it")


def test_logits_are_those_of_gpt2() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=50, n_positions=16, n_embd=24, n_layer=3, n_head=4)
    torch.manual_seed(0)
    theirs = GPT2LMHeadModel(config).eval()
    for parameter in theirs.parameters():  # biases and normalisations too
        torch.nn.init.normal_(parameter, std=0.3)
    ours = build("gpt", shape=InputShape((16,), vocabulary=50), outputs=50, layers=3, width=24, heads=4).eval()
    assert isinstance(ours, GPTNetwork)
    inner = theirs.transformer
    with torch.no_grad():
        ours.token.weight.copy_(inner.wte.weight)
        ours.position.copy_(inner.wpe.weight)
        ours.norm.load_state_dict(inner.ln_f.state_dict())
        for block, other in zip(ours.blocks, inner.h, strict=True):
            block.norm1.load_state_dict(other.ln_1.state_dict())
            block.norm2.load_state_dict(other.ln_2.state_dict())
            pairs = ((block.qkv, other.attn.c_attn), (block.out, other.attn.c_proj))
            for layer, convolution in (*pairs, (block.up, other.mlp.c_fc), (block.down, other.mlp.c_proj)):
                layer.weight.copy_(convolution.weight.T)
                layer.bias.copy_(convolution.bias)
        tokens = torch.randint(50, (5, 16))
        torch.testing.assert_close(ours(tokens), theirs(tokens).logits, rtol=1e-5, atol=1e-5)
