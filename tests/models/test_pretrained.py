"""Published weights: which they are, what images they are for, and what happens where they are not at hand."""

from pathlib import Path
from urllib.error import URLError

import pytest
import torch

from samcli.errors import ConfigError, DataError
from samcli.models import MODELS, Pretrained, for_channels
from samcli.models._pretrained import downloaded


def weights_of(name: str, weights: str) -> Pretrained:
    found = MODELS.create(name, weights=weights).pretrained()
    assert found is not None
    return found


def test_names_and_files_have_the_constants_of_their_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    default, named = (weights_of("torchvision:vgg16", w) for w in ("DEFAULT", "IMAGENET1K_FEATURES"))
    assert default.mean == (0.485, 0.456, 0.406)
    assert named.std == pytest.approx((1 / 255,) * 3)
    assert (default.size, default.name) == (224, "vgg16 IMAGENET1K_V1")
    assert default.find() is None
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "vgg16-397923af.pth").touch()
    assert default.find() == default.fetch() == tmp_path / "checkpoints" / "vgg16-397923af.pth"
    # a file is known by its name, and is like the default under another one
    assert weights_of("torchvision:vgg16", "/elsewhere/vgg16_features-amdegroot-88682ab5.pth").std == named.std
    assert weights_of("torchvision:vgg16", "/elsewhere/mine.pth").std == default.std


@pytest.mark.parametrize(
    ("weights", "init", "words"),
    [
        (
            "IMAGENET1K_V9",
            None,
            "torchvision has no weights 'IMAGENET1K_V9' of resnet18; known are: DEFAULT, IMAGENET1K_V1.",
        ),
        ("DEFAULT", "/a.pth", "weights and init are two ways to begin; leave one of them out."),
    ],
)
def test_weights_that_cannot_be_are_a_sentence(weights: str, init: str | None, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MODELS.create("torchvision:resnet18", weights=weights, init=init)
    assert str(caught.value) == words


def test_without_a_network_it_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(DataError) as caught:
        weights_of("torchvision:resnet18", "DEFAULT").fetch()
    assert str(caught.value) == (
        "resnet18 IMAGENET1K_V1 is not on this machine and cannot be downloaded from "
        "https://download.pytorch.org/models/resnet18-f37072fd.pth (<urlopen error Temporary failure in name "
        "resolution>); download the file elsewhere, and give its path: weights: FILE."
    )


def test_a_download_is_held_against_its_digest(tmp_path: Path) -> None:
    source = tmp_path / "published.pth"
    source.write_bytes(b"weights")
    target = tmp_path / "checkpoints" / "a.pth"
    with pytest.raises(DataError, match="invalid hash value"):
        downloaded("a", source.as_uri(), target, "00000000")
    assert not target.exists()
    assert downloaded("a", source.as_uri(), target).read_bytes() == b"weights"


def test_older_names_of_densenets_are_known() -> None:
    rename = weights_of("torchvision:densenet121", "DEFAULT").rename
    assert rename("features.denseblock1.denselayer2.norm.1.weight") == "features.denseblock1.denselayer2.norm1.weight"
    assert rename("features.transition1.norm.weight") == "features.transition1.norm.weight"


def test_one_channel_is_as_good_as_three_equal_ones() -> None:
    torch.manual_seed(0)
    colour, grey = torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(1, 4, 3)
    grey.load_state_dict(for_channels(colour.state_dict(), "weight", 1))
    x = torch.randn(2, 1, 5, 5)
    torch.testing.assert_close(grey(x), colour(x.expand(2, 3, 5, 5)))
    four = torch.nn.Conv2d(4, 4, 3)
    four.load_state_dict(for_channels(colour.state_dict(), "weight", 4))
    torch.testing.assert_close(four.weight.sum(1)[:, 0, 0], (colour.weight[:, [0, 1, 2, 0]].sum(1) * 0.75)[:, 0, 0])
