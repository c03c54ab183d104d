import math

import pytest
import torch

from samcli.data.regions import cutmix_, cutmix_boxes, cutout_, erased, fill_


@pytest.mark.parametrize("height, width", [(32, 32), (8, 8), (12, 20)])
def test_cutout_is_a_square_of_half_the_side_cut_off_at_the_border(height: int, width: int) -> None:
    centres = torch.cartesian_prod(torch.arange(height), torch.arange(width))
    x = cutout_(torch.ones(len(centres), 2, height, width), centres[:, 0], centres[:, 1])
    half = min(height, width) // 4
    for (cy, cx), image in zip(centres.tolist(), x, strict=True):
        expected = torch.ones(2, height, width)
        expected[:, max(cy - half, 0) : cy + half, max(cx - half, 0) : cx + half] = 0
        assert torch.equal(image, expected)


def test_cutout_takes_a_quarter_of_the_image_at_its_centre() -> None:
    x = cutout_(torch.ones(1, 3, 32, 32), torch.tensor([16]), torch.tensor([16]))
    assert (x == 0).float().mean() == 0.25


@pytest.mark.parametrize("height, width", [(32, 32), (28, 28), (24, 60)])
def test_erased_rectangles_are_those_of_the_paper(height: int, width: int) -> None:
    n = 20_000
    top, bottom, left, right = erased(n, height, width, seed=0, epoch=1)
    assert (top >= 0).all()
    assert (top <= bottom).all()
    assert (bottom <= height).all()
    assert (left >= 0).all()
    assert (right <= width).all()
    tall, wide = (bottom - top).double(), (right - left).double()
    there = (tall > 0) & (wide > 0)
    assert abs(int(there.sum()) / n - 0.5) < 5 * 0.5 / math.sqrt(n)
    tall, wide = tall[there], wide[there]
    area = tall * wide / (height * width)
    slack = (tall + wide + 1) / (2 * height * width)  # sides are rounded
    assert (area >= 0.02 - slack).all()
    assert (area <= 0.33 + slack).all()
    assert ((tall + 0.5) / (wide - 0.5) >= 0.3).all()
    assert ((tall - 0.5) / (wide + 0.5) <= 3.3).all()
    if height == width:  # no shape is likelier to be refused than its mirror image
        assert abs(area.mean() - 0.175) < 0.01
        assert abs((tall / wide).log().mean()) < 0.05
    assert len(top.unique()) > height // 2


def test_an_erased_rectangle_is_zero_and_nothing_else_is() -> None:
    plan = erased(200, 12, 20, seed=3, epoch=2)
    x = fill_(torch.ones(200, 2, 12, 20), *plan)
    for (top, bottom, left, right), image in zip(plan.T.tolist(), x, strict=True):
        assert int((image == 0).sum()) == 2 * (bottom - top) * (right - left)
        assert not image[:, top:bottom, left:right].any()


def test_cutmix_boxes_are_those_of_torchvision() -> None:
    n = 20_000
    boxes = torch.tensor(cutmix_boxes(n, 32, 64, seed=0, epoch=1))
    top, bottom, left, right = boxes.T
    assert (boxes >= 0).all()
    assert (bottom <= 32).all()
    assert (right <= 64).all()
    whole = (top > 0) & (bottom < 32) & (left > 0) & (right < 64)  # not cut off: the proportion of the image
    assert ((right - left)[whole] - 2 * (bottom - top)[whole]).abs().max() <= 2
    share = 1 - (bottom - top) * (right - left) / (32 * 64)
    # E λ after clipping: a box of sides s = √(1-λ) loses s/4 of each side on average, and E[s²(1 - s/4)²] = 0.31
    # by s² uniform: 1/2 - (1/2)·(2/5) + (1/16)·(1/3) = 0.3208; whole pixels take a little of it
    assert abs(share.double().mean() - (1 - 0.3208)) < 0.02
    assert [tuple(box) for box in boxes.tolist()] == cutmix_boxes(n, 32, 64, seed=0, epoch=1)


def test_cutmix_takes_the_box_of_the_neighbour() -> None:
    before = torch.randn(5, 3, 6, 8).to(memory_format=torch.channels_last)
    x = before.clone(memory_format=torch.preserve_format)
    share = cutmix_(x, (1, 4, 2, 8))
    assert share == 1 - 18 / 48
    for i in range(5):
        expected = before[i].clone()
        expected[:, 1:4, 2:8] = before[i - 1][:, 1:4, 2:8]
        assert torch.equal(x[i], expected)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert cutmix_(x, (3, 3, 2, 2)) == 1.0
