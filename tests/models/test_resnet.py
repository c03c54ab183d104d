import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import resnet18

from samcli.models import build
from samcli.models.resnet import PaddedShortcut, padding


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("size", [(4, 4), (5, 7), (1, 1)])
def test_the_padded_shortcut_against_numpy(size: tuple[int, int]) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, *size)).astype(np.float32)
    expected = np.zeros((2, 6, -(-size[0] // 2), -(-size[1] // 2)), dtype=np.float32)
    for row in range(expected.shape[2]):
        for column in range(expected.shape[3]):
            expected[:, :3, row, column] = x[:, :, 2 * row, 2 * column]
    shortcut = padding(3, 6)
    assert isinstance(shortcut, PaddedShortcut)
    assert not list(shortcut.parameters())
    assert torch.equal(shortcut(torch.from_numpy(x)), torch.from_numpy(expected))


def test_resnet20_has_the_papers_parameters() -> None:
    def stage(channels: int, width: int) -> int:
        return 9 * channels * width + 9 * width * width * 5 + 6 * 2 * width

    closed_form = 9 * 3 * 16 + 2 * 16 + stage(16, 16) + stage(16, 32) + stage(32, 64) + 65 * 10
    found = count(build("resnet20", shape=(3, 32, 32), outputs=10))
    assert found == closed_form
    assert round(found / 1e6, 2) == 0.27  # He et al., CVPR 2016, table 6


@pytest.mark.parametrize("layers", [20, 32])
def test_resnets_have_the_layers_with_weights_that_their_names_say(layers: int) -> None:
    found = build(f"resnet{layers}", shape=(3, 32, 32), outputs=10).modules()
    assert sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in found) == layers


def test_resnet32_has_the_papers_parameters() -> None:
    assert round(count(build("resnet32", shape=(3, 32, 32), outputs=10)) / 1e6, 2) == 0.46  # the paper's table 6


def test_resnet18_has_the_known_count_of_parameters() -> None:
    # torchvision's has 11 689 512 for 1000 classes; the stem is 3x3 for 7x7, the head has 10 rows for 1000
    expected = 11_689_512 - 64 * 3 * (49 - 9) - 513 * 990
    assert count(build("resnet18", shape=(3, 32, 32), outputs=10)) == expected == 11_173_962


@pytest.mark.parametrize("name", ["resnet20", "wrn-16-4"])
def test_what_is_computed_in_place_has_the_bits_of_new_tensors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def derivatives() -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = build(name, shape=(3, 8, 8), outputs=10)
        loss = functional.cross_entropy(model(torch.randn(4, 3, 8, 8)), torch.arange(4))
        weights = list(model.parameters())
        gradient = torch.autograd.grad(loss, weights, create_graph=True)
        curved = torch.autograd.grad(sum(g.pow(2).sum() for g in gradient), weights, allow_unused=True)
        return [loss, *gradient, *(c for c in curved if c is not None)]

    found = derivatives()
    monkeypatch.setattr(functional, "relu_", functional.relu)
    monkeypatch.setattr(torch.Tensor, "add_", torch.Tensor.add)
    assert all(map(torch.equal, found, derivatives()))


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("training", [True, False])
def test_resnet18_equals_torchvisions_with_another_stem(training: bool, norm: str) -> None:
    def group_norm(channels: int) -> nn.Module:
        return nn.GroupNorm(32, channels)

    torch.manual_seed(0)
    theirs = resnet18(num_classes=10, norm_layer=group_norm if norm == "group" else None)
    theirs.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)
    theirs.maxpool = nn.Identity()
    ours = build("resnet18", shape=(3, 32, 32), outputs=10, norm_layer=norm)
    # the layers come in the same order, so the tensors pair up
    names, tensors = ours.state_dict().keys(), theirs.state_dict().values()
    ours.load_state_dict(dict(zip(names, tensors, strict=True)))
    ours, theirs = ours.double().train(training), theirs.double().train(training)
    x = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    # float64; the means over positions may be summed in another order
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["resnet20", "resnet18", "wrn-16-4"])
def test_convolutions_start_he_normal(name: str) -> None:
    torch.manual_seed(0)
    for layer in build(name, shape=(3, 32, 32), outputs=10).modules():
        if isinstance(layer, nn.Conv2d):
            fan_in = layer.weight[0].numel()
            # the deviation of n normal numbers has a relative standard error of 1 / √(2n); five of them
            tolerance = 5 / (2 * layer.weight.numel()) ** 0.5
            assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=tolerance)
