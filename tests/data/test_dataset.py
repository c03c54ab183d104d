import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from samcli.data import DATASETS, Dataset, DatasetKind, Part, Source, load
from samcli.data.regions import cutmix_boxes
from samcli.errors import ConfigError
from samcli.streams import stream_seed
from samcli.tasks import Binary, Classification, Regression, Task

NOWHERE = Path("there-is-no-such-folder")
Batch = tuple[Tensor, Tensor]


def numbered(n: int) -> Tensor:
    """Images that say which they are: pixel (0, 0) holds i // 256 and pixel (0, 1) holds i % 256."""
    images = torch.zeros(n, 4, 4, 3, dtype=torch.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = torch.arange(n) // 256, torch.arange(n) % 256
    return images


@dataclass(frozen=True, kw_only=True)
class Numbered(DatasetKind):
    title: ClassVar[str] = "numbered"
    reads: ClassVar[list[Path]] = []

    def source(self, data_dir: Path) -> Source:
        self.reads.append(data_dir)
        return Source(numbered(1000), torch.arange(1000) % 10, numbered(50), torch.arange(50) % 10, Classification(10))


class OfNumbers(Numbered):
    is_regression: ClassVar[bool | None] = None  # only the data tell

    def source(self, data_dir: Path) -> Source:
        own = super().source(data_dir)
        return dataclasses.replace(
            own, targets=own.targets.float(), test_targets=own.test_targets.float(), task=Regression(), class_names=()
        )


class KnownOfNumbers(OfNumbers):
    is_regression: ClassVar[bool | None] = True


def ready(seed: int = 0, data_dir: Path = NOWHERE, **options: Any) -> Dataset:
    return load(Numbered(**options), seed=seed, data_dir=data_dir, device="cpu")


def identities(part: Part) -> list[int]:
    return (part.inputs[:, 0, 0, 0].long() * 256 + part.inputs[:, 0, 1, 0]).tolist()


def batches(dataset: Dataset, epoch: int, seed: int = 0, size: int = 128, **options: Any) -> list[Batch]:
    return list(dataset.epoch(epoch, size, seed, **options))


def equal(first: list[Batch], second: list[Batch]) -> bool:
    return all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(first, second, strict=True))


def test_shape_and_parts() -> None:
    dataset = ready(validation=0.1)
    assert dataset.shape == (3, 4, 4)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (900, 100, 50)
    assert ready().validation is None
    assert dataset.mean.shape == dataset.std.shape == (3,)


def test_the_subset_is_the_same_for_every_seed_and_the_hold_out_is_not() -> None:
    first, second = (ready(seed, train_examples=200, validation=0.25) for seed in (0, 1))
    together = [sorted(identities(d.train) + identities(d.validation)) for d in (first, second)]
    assert together[0] == together[1]
    assert len(set(together[0])) == 200
    assert sorted(identities(first.validation)) != sorted(identities(second.validation))
    assert first.train.targets.bincount().tolist() == [15] * 10
    assert first.validation.targets.bincount().tolist() == [5] * 10


def test_label_noise_is_in_the_training_labels_only() -> None:
    clean, noisy = ready(validation=0.1), ready(validation=0.1, label_noise=0.5)
    for part in ("validation", "test"):
        assert torch.equal(getattr(noisy, part).targets, getattr(clean, part).targets)
    changed = (noisy.train.targets != clean.train.targets).float().mean()
    assert 0.38 < changed < 0.52  # 0.45 ± 5 standard deviations of 450 draws among 900
    assert torch.equal(noisy.train.inputs, clean.train.inputs)


def test_label_noise_depends_on_the_seed_alone() -> None:
    first = ready(label_noise=0.4)
    torch.rand(17)
    again = ready(label_noise=0.4, augment=("crop", "flip"))
    assert torch.equal(first.train.targets, again.train.targets)
    assert not torch.equal(first.train.targets, ready(seed=1, label_noise=0.4).train.targets)


def test_the_normalisation_is_of_what_is_trained_on() -> None:
    dataset = ready(train_examples=100)
    x = torch.cat([x for x, _ in dataset.train.batches(64)])
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    assert dataset.std[2] == 1.0  # a channel that is 0 everywhere


def test_every_example_comes_once_an_epoch() -> None:
    dataset = ready()
    x, y = (torch.cat(parts) for parts in zip(*batches(dataset, 1), strict=True))
    assert len(batches(dataset, 1)) == dataset.steps(128) == 8
    pixels = (x.permute(0, 2, 3, 1) * dataset.std + dataset.mean).mul(255).round().long()
    seen = pixels[:, 0, 0, 0] * 256 + pixels[:, 0, 1, 0]
    assert sorted(seen.tolist()) == list(range(1000))
    assert torch.equal(seen % 10, y)
    assert seen.tolist() != list(range(1000))


@pytest.mark.parametrize("size, expected", [(1, 1000), (999, 1), (998, 2), (333, 3), (1000, 1), (5000, 1), (37, 27)])
def test_a_single_example_left_over_is_dropped(size: int, expected: int) -> None:
    dataset = ready()
    lengths = [len(y) for _, y in batches(dataset, 1, size=size)]
    assert len(lengths) == dataset.steps(size) == expected
    assert sum(lengths) in (1000, 999 if 1000 % size == 1 else 1000)


def test_a_lone_example_is_an_epoch() -> None:
    assert ready(train_examples=1).steps(128) == 1


@pytest.mark.parametrize("options", [{}, {"augment": ("crop", "flip", "cutout")}])
@pytest.mark.parametrize("mixup", [0.0, 0.5])
def test_an_epoch_is_a_function_of_seed_and_epoch_alone(options: dict[str, Any], mixup: float) -> None:
    dataset = ready(**options)
    forwards = [batches(dataset, e, mixup=mixup) for e in (1, 2, 3)]
    torch.manual_seed(99)
    fresh = ready(**options)
    backwards = [batches(fresh, e, mixup=mixup) for e in (3, 2, 1)][::-1]
    assert all(equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not equal(forwards[0], forwards[1])
    assert not equal(forwards[0], batches(dataset, 1, seed=1, mixup=mixup))


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    batches(ready(validation=0.1, label_noise=0.1, augment=("crop", "flip", "cutout")), 1, mixup=0.2)
    assert torch.equal(before, torch.get_rng_state())


def test_order_does_not_depend_on_augmentation() -> None:
    plain, augmented = ready(), ready(augment=("crop", "flip"))
    labels = [torch.cat([y for _, y in batches(d, 4)]) for d in (plain, augmented)]
    assert torch.equal(*labels)


def test_mixup_mixes_inputs_and_targets_with_the_same_share() -> None:
    dataset = ready()
    shares = np.random.default_rng(stream_seed(0, "mixup", 1)).beta(0.5, 0.5, dataset.steps(128))
    for (x, y), (mixed, soft), share in zip(
        batches(dataset, 1), batches(dataset, 1, mixup=0.5), shares.tolist(), strict=True
    ):
        torch.testing.assert_close(mixed, share * x + (1 - share) * x.roll(1, 0))
        expected = share * torch.eye(10)[y] + (1 - share) * torch.eye(10)[y.roll(1)]
        torch.testing.assert_close(soft, expected)
        torch.testing.assert_close(soft.sum(1), torch.ones(len(y)))


def test_cutout_is_zero_after_normalisation() -> None:
    dataset = ready(augment=("cutout",))
    (x, _), (whole, _) = (next(iter(batches(d, 1))) for d in (dataset, ready()))
    hole = x != whole
    assert hole.any()
    assert (x[hole] == 0).all()


def test_images_are_channels_last_float32() -> None:
    x, y = next(ready(augment=("crop", "flip")).epoch(1, 16, 0))
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_the_source_is_read_once_for_all_options(tmp_path: Path) -> None:
    Numbered.reads.clear()
    before = ready(data_dir=tmp_path).train.targets.clone()
    ready(data_dir=tmp_path, label_noise=0.9, augment=("flip",), validation=0.2, train_examples=100)
    assert Numbered.reads == [tmp_path]
    assert torch.equal(ready(data_dir=tmp_path).train.targets, before)


def test_more_examples_than_there_are() -> None:
    with pytest.raises(ConfigError, match=r"train_examples: 1001 is more than the 1000 training examples of numbered"):
        ready(train_examples=1001)


def test_nothing_left_to_train_on() -> None:
    with pytest.raises(ConfigError, match=r"validation: 0.9 of 1 training examples leaves none to train on"):
        ready(train_examples=1, validation=0.9)


@pytest.mark.parametrize("name, task", [("blobs", Binary()), ("wine", Classification(3)), ("diabetes", Regression())])
def test_tables_train_and_mix_too(name: str, task: Task) -> None:
    dataset = load(DATASETS.create(name, validation=0.2), seed=0, data_dir=NOWHERE, device="cpu")
    x, y = next(dataset.epoch(1, 32, 0, mixup=0.2))
    assert (type(dataset.task), dataset.task.classes) == (type(task), task.classes)
    assert x.shape == (32, *dataset.shape)
    assert torch.isfinite(task.loss(torch.zeros(32, task.outputs), y))


def test_cutmix_mixes_targets_by_what_is_left_of_each_image() -> None:
    plain, mixed = ready(), ready(augment=("cutmix",))
    boxes = cutmix_boxes(plain.steps(128), 4, 4, seed=0, epoch=2)
    for (x, y), (mx, my), box in zip(batches(plain, 2), batches(mixed, 2), boxes, strict=True):
        top, bottom, left, right = box
        is_taken = torch.zeros(4, 4, dtype=torch.bool)
        is_taken[top:bottom, left:right] = True
        assert torch.equal(mx, torch.where(is_taken, x.roll(1, 0), x))
        soft, kept = torch.nn.functional.one_hot(y, 10).float(), 1 - float(is_taken.float().mean())
        torch.testing.assert_close(my, kept * soft + (1 - kept) * soft.roll(1, 0))
    assert len(set(boxes)) > 3


def test_cutmix_and_mixup_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="mixup and cutmix both mix the examples of a batch"):
        batches(ready(augment=("cutmix",)), 1, mixup=0.2)


def test_cutmix_is_refused_where_there_are_no_classes() -> None:
    for name in ("wine", "diabetes"):
        with pytest.raises(ConfigError, match=r"augment is for images and .* has none; leave augment out"):
            DATASETS.create(name, augment=("cutmix",))

    with pytest.raises(ConfigError, match="cutmix mixes classes and numbered has none; leave cutmix out of augment"):
        load(OfNumbers(augment=("cutmix",)), seed=0, data_dir=NOWHERE, device="cpu")
    with pytest.raises(ConfigError, match="cutmix mixes classes and numbered has none; leave cutmix out of augment"):
        KnownOfNumbers(augment=("cutmix",))
