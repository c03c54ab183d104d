import pytest
import torch
from torch import Tensor

from samcli.data import DATASETS
from samcli.data.augment import AUGMENTATIONS, PADDING, ImageStore, mix
from samcli.data.regions import erased, fill_


def images(n: int, height: int, width: int, channels: int) -> Tensor:
    shape = (n, height, width, channels)
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def reference(image: Tensor, flip: bool, dy: int, dx: int) -> Tensor:
    """One image of one batch, as the papers say it: pad with zeros, cut out a window, mirror."""
    height, width, channels = image.shape
    if flip:
        image = torch.stack([image[:, width - 1 - x] for x in range(width)], 1)
    padded = torch.zeros(height + 2 * PADDING, width + 2 * PADDING, channels, dtype=torch.uint8)
    padded[PADDING : PADDING + height, PADDING : PADDING + width] = image
    return padded[dy : dy + height, dx : dx + width]


@pytest.mark.parametrize("augment", [(), ("crop",), ("flip",), ("crop", "flip"), ("flip", "crop", "cutout")])
@pytest.mark.parametrize("shape", [(30, 8, 8, 3), (30, 28, 28, 1), (30, 5, 9, 3)])
def test_the_strided_gather_equals_a_plain_loop(augment: tuple[str, ...], shape: tuple[int, ...]) -> None:
    raw = images(*shape)
    store, order = ImageStore(raw, augment), torch.randperm(30)
    plan = store.plan(order, seed=0, epoch=1)
    gathered = store.gather(plan[:, 3:20])
    assert gathered.shape == (17, *shape[1:])
    for column, image in zip(range(3, 20), gathered, strict=True):
        source, flip = int(plan[0, column]) % 30, int(plan[0, column]) >= 30
        assert source == order[column]
        dy, dx = (int(d) for d in plan[1:3, column]) if "crop" in augment else (PADDING, PADDING)
        assert torch.equal(image, reference(raw[source], flip, dy, dx))
    assert torch.equal(store.inputs, raw)


def test_draws_are_uniform_and_bounded() -> None:
    n = 9000
    plan = ImageStore(images(n, 6, 8, 1), ("crop", "flip", "cutout")).plan(torch.arange(n), seed=0, epoch=0)
    bounds = [2, 9, 9, 6, 8]  # flip, dy, dx, and the centre of the hole
    rows = [plan[0] // n, *plan[1:]]
    for row, bound in zip(rows, bounds, strict=True):
        counts = row.bincount()
        assert len(counts) == bound
        # five standard deviations of a binomial
        assert ((counts - n / bound).abs() < 5 * (n / bound * (1 - 1 / bound)) ** 0.5).all()


def test_one_augmentation_changes_nothing_about_another() -> None:
    raw, order = images(40, 8, 8, 1), torch.arange(40)
    everything = ImageStore(raw, ("crop", "flip", "cutout")).plan(order, seed=5, epoch=2)
    assert torch.equal(ImageStore(raw, ("flip",)).plan(order, seed=5, epoch=2)[0], everything[0])
    assert torch.equal(ImageStore(raw, ("crop",)).plan(order, seed=5, epoch=2)[1:], everything[1:3])
    assert torch.equal(ImageStore(raw, ("cutout",)).plan(order, seed=5, epoch=2)[1:], everything[3:])
    assert not torch.equal(ImageStore(raw, ("crop",)).plan(order, seed=5, epoch=3)[1:], everything[1:3])


def test_mix_is_an_average_with_the_neighbour() -> None:
    x = torch.randn(5, 3, 4, 4).to(memory_format=torch.channels_last)
    mixed = mix(x, 0.3)
    for i in range(5):
        torch.testing.assert_close(mixed[i], 0.3 * x[i] + 0.7 * x[i - 1])
    assert mixed.is_contiguous(memory_format=torch.channels_last)


def test_an_unknown_augmentation_is_an_error() -> None:
    with pytest.raises(ValueError, match="no augmentation named 'rotate'"):
        ImageStore(images(1, 2, 2, 1), ("rotate",))


def test_erasing_and_cutout_have_rows_of_their_own() -> None:
    raw, order = images(40, 8, 12, 1), torch.arange(40)
    for names in (("random-erasing",), ("crop", "random-erasing"), ("crop", "flip", "random-erasing", "cutout")):
        store = ImageStore(raw, names)
        plan = store.plan(order, seed=5, epoch=2)
        x = store.cut(torch.ones(40, 1, 8, 12), plan)
        first = 3 if "crop" in names else 1
        assert torch.equal(plan[first : first + 4], erased(40, 8, 12, 5, 2))
        expected = fill_(torch.ones(40, 1, 8, 12), *erased(40, 8, 12, 5, 2))
        if "cutout" in names:
            alone = ImageStore(raw, ("cutout",))
            expected = alone.cut(expected, alone.plan(order, seed=5, epoch=2))
        assert torch.equal(x, expected)


def test_every_name_is_an_option() -> None:
    assert DATASETS.options("digits")["augment"].choices == AUGMENTATIONS
