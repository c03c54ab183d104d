import pytest

from samcli.data import DATASETS
from samcli.errors import ConfigError
from samcli.registry import options_of


@pytest.mark.parametrize("name", [name for name in DATASETS if not name.endswith(":")])
def test_every_data_set_has_the_common_options(name: str) -> None:
    assert {"train_examples", "label_noise", "validation", "augment"} <= set(DATASETS.options(name))
    assert DATASETS.create(name) == DATASETS.create(name)  # equal options are one data set to the cache
    assert hash(DATASETS.create(name)) == hash(DATASETS.create(name))


def test_a_prefix_takes_the_rest_of_the_name() -> None:
    assert DATASETS.create("image-folder:some/where", size=32).argument == "some/where"
    assert list(options_of(DATASETS.kind("image-folder:x")))[-6:] == [
        *("size", "width", "resize", "shrink", "stream", "split_seed")
    ]


def test_noise_needs_labels() -> None:
    with pytest.raises(ConfigError, match="label_noise draws classes and diabetes has none; leave label_noise out"):
        DATASETS.create("diabetes", label_noise=0.1)


def test_augmentation_needs_images() -> None:
    with pytest.raises(ConfigError, match="augment is for images and wine has none; leave augment out"):
        DATASETS.create("wine", augment=("flip",))


def test_two_policies_of_one_kind_are_refused() -> None:
    with pytest.raises(ConfigError, match="augment has both rand-augment and trivial-augment; choose one of them"):
        DATASETS.create("digits", augment=("trivial-augment", "rand-augment"))
