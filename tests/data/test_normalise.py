import torch
from torch import Tensor

from samcli.data.normalise import Normalisation, image_statistics, table_statistics

CPU = torch.device("cpu")


def images(*shape: int) -> Tensor:
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_image_statistics_are_those_of_the_pixels() -> None:
    pixels = images(20, 5, 6, 3)
    mean, std = image_statistics(pixels)
    exact = pixels.double().div(255).flatten(0, 2)
    torch.testing.assert_close(mean, exact.mean(0))
    torch.testing.assert_close(std, exact.std(0, correction=0))


def test_normalised_images_have_mean_0_and_spread_1() -> None:
    pixels = images(50, 8, 8, 3)
    x = Normalisation(pixels, CPU).images(pixels)
    assert x.shape == (50, 3, 8, 8)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    # 3,200 float32 values a channel
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_a_view_becomes_channels_last_too() -> None:
    pixels = images(4, 12, 12, 3)
    normalisation = Normalisation(pixels, CPU)
    x = normalisation.images(pixels[:, 2:-2, 2:-2])
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(x, normalisation.images(pixels)[:, :, 2:-2, 2:-2])


def test_what_never_changes_has_spread_1() -> None:
    rows = torch.stack([torch.arange(5.0), torch.full((5,), 0.1)], 1)
    assert table_statistics(rows)[1].tolist() == [2.0**0.5, 1.0]
    assert image_statistics(torch.full((3, 4, 4, 1), 7, dtype=torch.uint8))[1].tolist() == [1.0]


def test_normalised_tables_have_mean_0_and_spread_1() -> None:
    rows = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 100.0, 1e-3]) + 5
    x = Normalisation(rows, CPU).table(rows)
    # the third column has lost digits to its offset: 5 beside a spread of 0.001
    torch.testing.assert_close(x.mean(0), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(x.std(0, correction=0), torch.ones(3), atol=1e-3, rtol=0)


def test_categories_and_tokens_stay_as_they_are() -> None:
    rows = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
    mixed = Normalisation(rows, torch.device("cpu"), categories=(0, 3))
    assert torch.equal(mixed.stored(rows), torch.tensor([[-1.0, 2.0], [1.0, 0.0]]))
    tokens = torch.tensor([[5, 7]], dtype=torch.int32)
    plain = Normalisation(tokens, torch.device("cpu"))
    assert plain.stored(tokens) is tokens
    assert plain.ready(tokens).dtype == torch.int64
    assert plain.mean.numel() == 0
