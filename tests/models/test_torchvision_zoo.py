import pytest
import torch
from torch import nn
from torchvision import models

from samcli.errors import ConfigError
from samcli.models import build


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("resnet18", (1, 28, 28)),
        ("mobilenet_v3_small", (1, 28, 28)),
        ("squeezenet1_1", (4, 32, 32)),
        ("shufflenet_v2_x0_5", (3, 32, 32)),
        ("regnet_y_400mf", (1, 64, 64)),
        ("googlenet", (1, 32, 32)),
        ("swin_t", (1, 32, 32)),
        ("vit_b_16", (3, 224, 224)),
    ],
)
def test_any_number_of_channels_and_outputs(name: str, shape: tuple[int, ...]) -> None:
    model = build(f"torchvision:{name}", shape=shape, outputs=5)
    assert model.training
    assert all(p.device.type == "cpu" for p in model.parameters())
    device = "meta" if shape[1] == 224 else "cpu"
    with torch.no_grad():
        assert model.to(device).eval()(torch.zeros(2, *shape, device=device)).shape == (2, 5)


def test_models_with_extra_outputs_give_one_tensor_in_training() -> None:
    model = build("torchvision:googlenet", shape=(3, 32, 32), outputs=5)
    assert model(torch.randn(2, 3, 32, 32)).shape == (2, 5)


def test_with_three_channels_it_is_torchvisions_own_model() -> None:
    torch.manual_seed(0)
    ours = build("torchvision:mobilenet_v3_small", shape=(3, 32, 32), outputs=5)
    torch.manual_seed(0)
    theirs = models.mobilenet_v3_small(num_classes=5)
    state = theirs.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in ours.state_dict().items())


def test_the_new_first_convolution_keeps_all_but_its_channels() -> None:
    torch.manual_seed(0)
    model = build("torchvision:resnet18", shape=(1, 32, 32), outputs=5)
    first = model.get_submodule("conv1")
    assert isinstance(first, nn.Conv2d)
    assert first.weight.shape == (64, 1, 7, 7)
    assert (first.stride, first.padding, first.bias) == ((2, 2), (3, 3), None)
    # He-normal, fan-in 49; 3136 draws have a relative standard error of 1 / √6272; five of them
    assert first.weight.std().item() == pytest.approx((2 / 49) ** 0.5, rel=5 / 6272**0.5)


def test_the_trial_leaves_the_statistics_of_batches_alone() -> None:
    model = build("torchvision:resnet18", shape=(3, 32, 32), outputs=5)
    norm = model.get_submodule("bn1")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.num_batches_tracked == 0


@pytest.mark.parametrize(("name", "shape"), [("alexnet", (1, 28, 28)), ("inception_v3", (3, 32, 32))])
def test_images_of_the_wrong_size_are_a_sentence(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        build(f"torchvision:{name}", shape=shape, outputs=5)
    size = "x".join(str(length) for length in shape)
    assert str(caught.value) == (
        f"torchvision:{name} cannot take images of {size} (channels, height, width): its layers are made for another "
        "size, most often 3x224x224. Choose a model for small images, such as cnn or resnet18."
    )


def test_an_unknown_name_is_a_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        build("torchvision:resnt50", shape=(3, 32, 32), outputs=5)
    start = "torchvision has no classification model named 'resnt50'; the nearest are resnet50, "
    assert str(caught.value).startswith(start)


def test_models_for_other_tasks_are_unknown() -> None:
    with pytest.raises(ConfigError, match="no classification model named 'fcn_resnet50'"):
        build("torchvision:fcn_resnet50", shape=(3, 32, 32), outputs=5)
