import pytest
import torch
from torch import nn
from torchvision import models

from samcli.errors import ConfigError
from samcli.weights.adopt import adopt


def pair(theirs: int, ours: int) -> tuple[nn.Module, nn.Module]:
    return models.resnet18(num_classes=theirs), models.resnet18(num_classes=ours)


def test_all_but_the_head_of_other_classes_is_taken() -> None:
    theirs, ours = pair(7, 3)
    head = ours.get_parameter("fc.weight").clone()
    found = adopt(ours, theirs.state_dict(), 3, source="r18")
    assert found.fresh == ("fc.weight", "fc.bias")
    assert torch.equal(ours.get_parameter("fc.weight"), head)
    for name, tensor in ours.state_dict().items():
        assert name in found.fresh or torch.equal(tensor, theirs.state_dict()[name])


def test_a_head_that_fits_is_taken_unless_it_is_to_be_new() -> None:
    theirs, ours = pair(3, 3)
    assert adopt(ours, theirs.state_dict(), 3, source="r18", new_head=True).fresh == ("fc.weight", "fc.bias")
    assert not torch.equal(ours.get_parameter("fc.weight"), theirs.get_parameter("fc.weight"))
    assert adopt(ours, theirs.state_dict(), 3, source="r18").fresh == ()
    assert torch.equal(ours.get_parameter("fc.weight"), theirs.get_parameter("fc.weight"))


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_seen_through(prefix: str) -> None:
    theirs, ours = pair(3, 3)
    wrapped = {prefix + name: tensor for name, tensor in theirs.state_dict().items()}
    assert len(adopt(ours, wrapped, 3, source="r18").taken) == len(wrapped)


def test_a_name_that_begins_like_a_wrapper_stays() -> None:
    model = nn.ModuleDict({"model": nn.Linear(2, 2), "head": nn.Linear(2, 3)})
    assert len(adopt(model, model.state_dict(), 3, source="own").taken) == 4


def test_files_without_counts_of_batches_and_without_a_head() -> None:
    theirs, ours = pair(3, 3)
    kept = {n: t for n, t in theirs.state_dict().items() if not n.endswith("num_batches_tracked") and "fc" not in n}
    assert adopt(ours, kept, 3, source="r18").fresh == ("fc.weight", "fc.bias")


def test_numbers_of_another_precision_are_taken() -> None:
    theirs, ours = pair(3, 3)
    adopt(ours, theirs.half().state_dict(), 3, source="r18")
    assert torch.equal(ours.get_parameter("conv1.weight"), theirs.get_parameter("conv1.weight").float())


def test_what_does_not_fit_is_a_sentence_and_changes_nothing() -> None:
    theirs, ours = pair(3, 3)
    state = theirs.state_dict()
    del state["layer1.0.conv1.weight"]
    state |= {"aux.weight": torch.ones(2), "conv1.weight": torch.ones(64, 1, 7, 7)}
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    with pytest.raises(ConfigError) as caught:
        adopt(ours, state, 3, source="r18.pth")
    assert str(caught.value) == (
        "r18.pth does not fit the model: it lacks layer1.0.conv1.weight; it has the unexpected aux.weight; of another "
        "shape is conv1.weight (64x1x7x7 there, 64x3x7x7 here). Only the head may be another one."
    )
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.state_dict().items())
    with pytest.raises(ConfigError, match=r"it lacks conv1\.weight, bn1\.weight and \d+ more; it has the unexpected w"):
        adopt(ours, {"w": torch.ones(1)}, 3, source="r18.pth")


def test_extra_outputs_of_a_file_may_be_spare() -> None:
    theirs, ours = pair(3, 3)
    adopt(ours, theirs.state_dict() | {"aux1.w": torch.ones(2)}, 3, source="r18", spare=("aux1.",))


def test_on_the_meta_device_only_shapes_are_looked_at() -> None:
    theirs = models.resnet18(num_classes=7)
    with torch.device("meta"):
        ours = models.resnet18(num_classes=3)
    assert adopt(ours, theirs.state_dict(), 3, source="r18").fresh == ("fc.weight", "fc.bias")
