import pytest
from torch import nn
from torchvision import models

from samcli.models import build
from samcli.weights.layers import depths_of, embeddings_of, head_of


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet18", ["fc.weight", "fc.bias"]),
        ("densenet121", ["classifier.weight", "classifier.bias"]),
        ("squeezenet1_1", ["classifier.1.weight", "classifier.1.bias"]),
        ("vit_b_16", ["heads.head.weight", "heads.head.bias"]),
        ("swin_t", ["head.weight", "head.bias"]),
        ("googlenet", ["fc.weight", "fc.bias"]),
        ("convnext_tiny", ["classifier.2.weight", "classifier.2.bias"]),
    ],
)
def test_the_head_of_known_networks(name: str, head: list[str]) -> None:
    side = 224 if name == "vit_b_16" else 64
    assert head_of(build(f"torchvision:{name}", shape=(3, side, side), outputs=7), 7) == head


def test_the_head_is_known_by_its_outputs_where_it_is_declared_first() -> None:
    class Reversed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 3)
            self.body = nn.Linear(5, 4)

    assert head_of(Reversed(), 3) == ["head.weight", "head.bias"]


def test_embeddings_of_a_vision_transformer_are_patches_token_and_positions() -> None:
    vit = models.VisionTransformer(image_size=16, patch_size=8, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=16)
    assert set(embeddings_of(vit)) == {"class_token", "conv_proj.weight", "conv_proj.bias", "encoder.pos_embedding"}
    own = build("vit", shape=(1, 8, 8), outputs=3, dim=6, depth=2)
    assert set(embeddings_of(own)) == {"position", "patches.weight", "patches.bias"}


def test_depths_count_blocks_from_the_head() -> None:
    vit = models.VisionTransformer(
        image_size=16, patch_size=8, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=16, num_classes=3
    )
    depths = depths_of(vit, 3)
    assert depths["heads.head.weight"] == 0
    blocks = {name: depth for name, depth in depths.items() if "encoder_layer_" in name}
    assert {depth for name, depth in blocks.items() if "encoder_layer_1" in name} == {1}
    assert {depth for name, depth in blocks.items() if "encoder_layer_0" in name} == {2}
    assert depths["encoder.ln.weight"] == 1
    assert depths["class_token"] == depths["conv_proj.weight"] == depths["encoder.pos_embedding"] == 3


def test_depths_of_a_residual_network_are_its_stages() -> None:
    depths = depths_of(models.resnet18(num_classes=3), 3)
    stages = {name.partition(".")[0]: depth for name, depth in depths.items()}
    assert stages == {"conv1": 5, "bn1": 5, "layer1": 4, "layer2": 3, "layer3": 2, "layer4": 1, "fc": 0}


def test_tables_of_embeddings_beside_the_first_belong_to_it() -> None:
    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(5, 4), nn.Embedding(3, 4)
            self.block = nn.Linear(4, 4)
            self.last, self.head = nn.LayerNorm(4), nn.Linear(4, 2)

    assert embeddings_of(Decoder()) == ["tokens.weight", "places.weight"]
    depths = depths_of(Decoder(), 2)
    assert (depths["tokens.weight"], depths["places.weight"], depths["block.weight"]) == (2, 2, 1)
    alone = nn.Sequential(nn.Sequential(nn.Embedding(5, 4), nn.LayerNorm(4)), nn.Linear(4, 4), nn.Linear(4, 2))
    assert embeddings_of(alone) == ["0.0.weight", "0.1.weight", "0.1.bias"]
