import pytest
import torch
from torch import nn
from torch.nn import functional

from samcli.errors import ConfigError
from samcli.models import build
from samcli.models.vit import EncoderBlock, SelfAttention, VisionTransformer


def first_attention(model: nn.Module) -> SelfAttention:
    return next(layer for layer in model.modules() if isinstance(layer, SelfAttention))


def test_the_count_of_parameters() -> None:
    block = 4 * 192 + (192 + 1) * 3 * 192 + (192 + 1) * 192 + (192 + 1) * 384 + (384 + 1) * 192
    expected = (3 * 16 + 1) * 192 + 64 * 192 + 6 * block + 2 * 192 + 193 * 10
    assert sum(p.numel() for p in build("vit", shape=(3, 32, 32), outputs=10).parameters()) == expected == 1_806_154


def test_an_encoder_block_equals_torchs_own() -> None:
    torch.manual_seed(0)
    ours = EncoderBlock(dim=12, heads=3, dropout=0.0).double()
    theirs = nn.TransformerEncoderLayer(
        12,
        3,
        dim_feedforward=24,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
        dtype=torch.float64,
    )
    attention = ours.attention[0]
    assert isinstance(attention, SelfAttention)
    pairs = [
        (ours.norm1, theirs.norm1),
        (attention.out, theirs.self_attn.out_proj),
        (ours.norm2, theirs.norm2),
        (ours.mlp[0], theirs.linear1),
        (ours.mlp[3], theirs.linear2),
    ]
    for layer, theirs_layer in pairs:
        theirs_layer.load_state_dict(layer.state_dict())
    theirs.self_attn.in_proj_weight.data.copy_(attention.qkv.weight)
    theirs.self_attn.in_proj_bias.data.copy_(attention.qkv.bias)
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    # float64: only the order of summation differs
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-10, atol=1e-10)


def test_tokens_are_the_patches_in_rows() -> None:
    torch.manual_seed(0)
    model = build("vit", shape=(2, 6, 4), outputs=3, patch=2, dim=8, depth=1, heads=2).double()
    assert isinstance(model, VisionTransformer)
    x = torch.randn(3, 2, 6, 4, dtype=torch.float64)
    patches = functional.unfold(x, kernel_size=2, stride=2).transpose(1, 2)
    tokens = patches @ model.patches.weight.flatten(1).T + model.patches.bias + model.position
    expected = model.head(model.norm(model.blocks(tokens)).mean(1))
    torch.testing.assert_close(model(x), expected, rtol=1e-10, atol=1e-10)


def test_queries_keys_and_values_start_with_their_own_bounds() -> None:
    torch.manual_seed(0)
    weight = first_attention(build("vit", shape=(1, 8, 8), outputs=2)).qkv.weight
    # Glorot uniform with fan-in and fan-out 192: bound √(6 / 384); the largest of 36 864 draws comes within 1 %
    for matrix in weight.detach().chunk(3):
        assert matrix.abs().max().item() == pytest.approx((6 / 384) ** 0.5, rel=0.01)


def test_dim_and_heads_that_disagree_are_a_sentence() -> None:
    with pytest.raises(ConfigError, match=r"multiple of its heads, but 100 is none of 3; set dim: 102\.$"):
        build("vit", shape=(1, 8, 8), outputs=2, dim=100)


def test_another_patch_lets_other_images_in() -> None:
    assert build("vit", shape=(1, 30, 28), outputs=2, patch=2, depth=1)(torch.zeros(1, 1, 30, 28)).shape == (1, 2)
