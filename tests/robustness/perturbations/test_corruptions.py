"""Corruptions against other libraries and by hand."""

import colorsys
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from images import PIXELS, images, network, self_labelled
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as T

from samcli import robustness
from samcli.errors import NotApplicable
from samcli.robustness import PERTURBATIONS, Subject
from samcli.robustness.perturbations._corruption import Corruption, in_bytes
from samcli.robustness.perturbations.translation import _moved
from samcli.rotation import turned
from samcli.tasks import Classification, Regression

KINDS = [name for name in PERTURBATIONS if issubclass(PERTURBATIONS.kind(name), Corruption)]


def generators(n: int) -> Iterator[torch.Generator]:
    return (torch.Generator().manual_seed(i) for i in range(n))


def corrupted(name: str, pixels: Tensor, level: float) -> Tensor:
    kind = PERTURBATIONS.create(name)
    assert isinstance(kind, Corruption)
    return kind.corrupted(pixels, level, generators(len(pixels)))


def colourful(n: int = 4, side: int = 32) -> Tensor:
    return torch.rand((n, 3, side, side), generator=torch.Generator().manual_seed(0))


def test_ten_kinds() -> None:
    assert len(KINDS) == 10


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_severities_grow_and_images_stay(name: str, channels: int) -> None:
    pixels = colourful(12)[:, :channels].contiguous()
    before = pixels.clone()
    kind = PERTURBATIONS.create(name)
    assert isinstance(kind, Corruption)
    distances = [float((in_bytes(corrupted(name, pixels, level)) - pixels).square().mean()) for level in kind.LEVELS]
    assert len(distances) == 5
    assert distances == sorted(distances) or name == "pixelate"  # whose areas cut pixels now here and now there
    assert 0.0 < distances[0] < distances[-1]
    assert torch.equal(pixels, before)


def test_noise_has_its_spread() -> None:
    """49,152 draws: a standard deviation is known to 0.3 %, a share of 7 % to 1.6 %, each five errors wide."""
    grey = torch.full((16, 3, 32, 32), 0.5)
    assert float((corrupted("gaussian-noise", grey, 0.1) - 0.5).std()) == pytest.approx(0.1, rel=0.02)
    shot = corrupted("shot-noise", grey, 50.0)
    assert float(shot.mean()) == pytest.approx(0.5, abs=0.003)
    assert float(shot.std()) == pytest.approx(math.sqrt(0.5 / 50), rel=0.03)
    salted = corrupted("impulse-noise", grey, 0.07)
    assert float((salted == 0).double().mean()) == pytest.approx(0.035, rel=0.15)
    assert float((salted == 1).double().mean()) == pytest.approx(0.035, rel=0.15)


def test_blur_is_torchvisions() -> None:
    pixels = colourful()
    expected = T.gaussian_blur(pixels, [9, 9], [1.0, 1.0])
    torch.testing.assert_close(corrupted("blur", pixels, 1.0), expected, atol=2e-6, rtol=0)
    half = T.gaussian_blur(colourful(side=16), [5, 5], [0.5, 0.5])  # lengths go with the side
    torch.testing.assert_close(corrupted("blur", colourful(side=16), 1.0), half, atol=2e-6, rtol=0)


def test_brightness_is_that_of_hsv() -> None:
    pixels = colourful(1, 4)
    pixels[0, :, 0, 0] = 0.0
    found = corrupted("brightness", pixels, 0.3)
    for row in range(4):
        for column in range(4):
            h, s, v = colorsys.rgb_to_hsv(*pixels[0, :, row, column].tolist())
            expected = colorsys.hsv_to_rgb(h, s, min(v + 0.3, 1.0))
            assert found[0, :, row, column].tolist() == pytest.approx(expected, abs=1e-6)


def test_contrast_by_hand() -> None:
    pixels = torch.tensor([[[[0.2, 0.6]]]])
    torch.testing.assert_close(corrupted("contrast", pixels, 0.5), torch.tensor([[[[0.3, 0.5]]]]))


def test_pixelate_is_pillows_box() -> None:
    """Pillow rounds to 8 bits after the first of its two steps, which is half a 255th."""
    pixels = (colourful(1) * 255).round() / 255
    found = in_bytes(corrupted("pixelate", pixels, 0.5))
    image = Image.fromarray((pixels[0].permute(1, 2, 0) * 255).round().byte().numpy())
    small = image.resize((16, 16), Image.Resampling.BOX).resize((32, 32), Image.Resampling.BOX)
    difference = (found[0].permute(1, 2, 0) * 255 - torch.from_numpy(np.array(small)).float()).abs()
    assert float(difference.max()) <= 1.0


@pytest.mark.filterwarnings("ignore:The image decoding and encoding capabilities:DeprecationWarning")
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_torchvisions(channels: int) -> None:
    """Another binding of the same library; Pillow halves the resolution of colours, as cameras do, and so does this."""
    from torchvision.io import decode_jpeg, encode_jpeg

    pixels = in_bytes(colourful(2)[:, :channels])
    stored = (pixels * 255).round().to(torch.uint8)
    expected = torch.stack([decode_jpeg(encode_jpeg(image, quality=50)) for image in stored]) / 255.0
    assert torch.equal(corrupted("jpeg", pixels, 50.0), expected)


@pytest.mark.parametrize("size", [(8, 8), (9, 9), (8, 12)])
@pytest.mark.parametrize("degrees", [90.0, -30.0, 45.0])
def test_rotation_is_torchvisions(size: tuple[int, int], degrees: float) -> None:
    """Within the image; at its border the two differ in how they blend with what comes in."""
    smooth = torch.nn.functional.interpolate(colourful(1, 3), size, mode="bicubic").clamp(0, 1)
    found = turned(smooth, torch.tensor([degrees]))
    expected = T.rotate(smooth, degrees, interpolation=T.InterpolationMode.BILINEAR)
    middle = (..., slice(3, -3), slice(3, -3))
    torch.testing.assert_close(found[middle], expected[middle], atol=1e-5, rtol=0)


def test_translation_by_hand() -> None:
    image = torch.arange(9.0).view(1, 3, 3) + 1
    assert _moved(image, 1, 0)[0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert _moved(image, -1, 1)[0].tolist() == [[0, 4, 5], [0, 7, 8], [0, 0, 0]]
    assert _moved(image, 0, -3)[0].tolist() == [[0, 0, 0]] * 3


@pytest.mark.parametrize("name", [*KINDS, "corruptions"])
def test_batches_and_seeds(name: str) -> None:
    model = network()
    data = self_labelled(model, images(30))
    joined = [tuple(torch.cat(parts) for parts in zip(*data, strict=True))]
    first, again = (
        robustness.measure(model, Classification(4), one, name, pixels=PIXELS, seed=3)[name] for one in (data, joined)
    )
    assert first == again
    assert 0.0 <= first.value <= 1.0
    assert sum(first.details["severities"]) / 5 == pytest.approx(first.value)


def test_all_kinds_have_the_same_weight() -> None:
    model = network()
    data = self_labelled(model, images(30))
    found = robustness.measure(model, Classification(4), data, [*KINDS, "corruptions"], pixels=PIXELS)
    assert found["corruptions"].value == pytest.approx(sum(found[name].value for name in KINDS) / 10)
    assert found["corruptions"].details["kinds"] == pytest.approx({name: found[name].value for name in KINDS})
    some = robustness.measure(model, Classification(4), data, "corruptions", pixels=PIXELS, kinds=("blur", "contrast"))
    expected = (found["blur"].value + found["contrast"].value) / 2
    assert some["corruptions"].value == pytest.approx(expected)


def test_the_network_gets_what_was_corrupted() -> None:
    """A network that tells bright images from dark ones, on grey ones: contrast changes nothing, brightness all."""

    class Bright(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            pixels = PIXELS.from_inputs(x).mean((1, 2, 3))
            return torch.stack([0.52 - pixels, pixels - 0.52], 1)

    grey = PIXELS.to_inputs(torch.full((6, 3, 8, 8), 0.5))
    found = robustness.measure(
        Bright(), Classification(2), [(grey, torch.zeros(6, dtype=torch.int64))], ["brightness", "contrast"],
        pixels=PIXELS,
    )  # fmt: skip
    assert found["brightness"].value == 0.0
    assert found["contrast"].value == 1.0


def test_inputs_that_are_no_images_are_refused() -> None:
    data = [(torch.zeros(3, 5), torch.zeros(3, dtype=torch.int64))]
    with pytest.raises(NotApplicable, match="no images"):
        robustness.measure(nn.Linear(5, 2), Classification(2), data, "blur")
    subject = Subject(nn.Linear(5, 1), Regression(0.0, 1.0), data)
    with pytest.raises(NotApplicable, match="classes"):
        PERTURBATIONS.create("blur").of(subject)


def test_jpeg_of_two_channels_is_refused() -> None:
    with pytest.raises(NotApplicable, match="1 or 3 channels"):
        corrupted("jpeg", torch.rand(1, 2, 8, 8), 50.0)
