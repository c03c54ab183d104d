"""Networks of timm: built for any images, with published weights from a file, and what happens without a network."""

from pathlib import Path

import pytest
import torch

timm = pytest.importorskip("timm", reason="timm is not installed; make test-extras installs it")

from samcli.config import Draft, parse  # noqa: E402
from samcli.errors import ConfigError, DataError  # noqa: E402
from samcli.models import MODELS, build  # noqa: E402
from samcli.runs.folder import RunFolder  # noqa: E402
from samcli.train import CATALOGUE, train_run  # noqa: E402
from samcli.train.trained import load_trained  # noqa: E402
from samcli.weights.layers import depths_of, embeddings_of, head_of  # noqa: E402


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("resnet18", (1, 28, 28)),
        ("resnet18.a1_in1k", (3, 32, 32)),
        ("vit_tiny_patch16_224", (3, 64, 64)),
        ("convnext_atto", (4, 32, 32)),
        ("mobilenetv3_small_050", (3, 32, 32)),
    ],
)
def test_any_number_of_channels_and_outputs(name: str, shape: tuple[int, ...]) -> None:
    model = build(f"timm:{name}", shape=shape, outputs=5).eval()
    with torch.no_grad():
        assert model(torch.zeros(2, *shape)).shape == (2, 5)


def test_a_vision_transformer_has_the_layers_that_it_is_said_to_have() -> None:
    model = build("timm:vit_tiny_patch16_224", shape=(3, 32, 32), outputs=5)
    assert head_of(model, 5) == ["head.weight", "head.bias"]
    assert set(embeddings_of(model)) == {"cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias"}
    depths = depths_of(model, 5)
    assert depths["blocks.11.attn.qkv.weight"] == 1
    assert depths["blocks.0.attn.qkv.weight"] == 12
    assert depths["pos_embed"] == depths["patch_embed.proj.weight"] == 13


def test_a_run_begins_with_weights_of_a_file(tmp_path: Path) -> None:
    torch.manual_seed(5)
    theirs = timm.create_model("resnet10t", num_classes=1000)
    file = tmp_path / "resnet10t.pth"
    torch.save(theirs.state_dict(), file)
    text = f"""{{name: p, dataset: {{name: digits, train_examples: 40}}, optimizer: sgd, epochs: 1,
        model: {{name: "timm:resnet10t", weights: "{file}", freeze: backbone}}, sharpness: {{every: 0}}}}"""
    (config,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    folder, told = RunFolder(tmp_path / "run"), list[str]()
    train_run(config, folder, data_dir=tmp_path, device=torch.device("cpu"), on_notice=told.append)
    assert told[0].endswith(f"tensors of {file}; drawn anew are fc.weight, fc.bias.")
    assert len(told) == 3  # one channel, eight pixels
    trained = load_trained(folder.path, data_dir=None, device=torch.device("cpu"))
    assert trained.data.mean == pytest.approx(sum(theirs.pretrained_cfg["mean"]) / 3)
    state = trained.model.state_dict()
    kept = [name for name, tensor in theirs.state_dict().items() if name in state and state[name].equal(tensor)]
    assert len(kept) == len(state) - 3  # the first convolution and the head


def test_its_own_adapter_of_one_channel_agrees(tmp_path: Path) -> None:
    from timm.models._manipulate import adapt_input_conv

    from samcli.models import for_channels

    weight = torch.randn(4, 3, 3, 3)
    for channels in (1, 4, 6):
        ours = for_channels({"w": weight}, "w", channels)["w"]
        torch.testing.assert_close(ours, adapt_input_conv(channels, weight))


def test_names_that_are_not_there_are_sentences() -> None:
    with pytest.raises(ConfigError, match="timm has no model named 'resnt18'; the nearest are resnet18"):
        MODELS.create("timm:resnt18")
    with pytest.raises(ConfigError, match=r"timm has no weights 'a1_in1l' of resnet18; did you mean a1_in1k\?"):
        MODELS.create("timm:resnet18", weights="a1_in1l")
    with pytest.raises(ConfigError, match="There is no model named 'convnext_atto'; did you mean timm:convnext_atto"):
        MODELS.kind("convnext_atto")


def test_without_a_network_it_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse(*arguments: object) -> str:
        raise ConnectionError("no route to the hub")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *arguments: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    pretrained = MODELS.create("timm:resnet18", weights="DEFAULT").pretrained()
    assert pretrained is not None
    assert (pretrained.name, pretrained.find(), pretrained.size) == ("resnet18.a1_in1k", None, 224)
    with pytest.raises(DataError) as caught:
        pretrained.fetch()
    assert str(caught.value) == (
        "resnet18.a1_in1k is not on this machine and cannot be downloaded from timm/resnet18.a1_in1k (no route to the "
        "hub); download the file elsewhere, and give its path: weights: FILE."
    )
