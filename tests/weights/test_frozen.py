import copy

import pytest
import torch
from torch import nn

from samcli.errors import ConfigError
from samcli.models import build
from samcli.weights.frozen import freeze, is_held


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2, affine=False),
        nn.Flatten(), nn.Linear(32, 3),
    )  # fmt: skip


def trained(model: nn.Module) -> list[str]:
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def test_the_backbone_is_all_but_the_head() -> None:
    model = network()
    freeze(model, ["backbone"], 3)
    assert trained(model) == ["5.weight", "5.bias"]
    assert [is_held(module) for module in model] == [False, True, False, True, False, False]


def test_frozen_statistics_stay_what_they_are_also_in_a_copy() -> None:
    model = network()
    freeze(model, ["0.*", "1.*"], 3)
    twin = copy.deepcopy(model)
    for one in (model, twin):
        before = {name: buffer.clone() for name, buffer in one.named_buffers()}
        one.train()
        one(torch.randn(4, 1, 8, 8))
        changed = [name for name, buffer in one.named_buffers() if not torch.equal(buffer, before[name])]
        assert changed == ["3.running_mean", "3.running_var", "3.num_batches_tracked"]


def test_a_layer_of_which_a_part_is_trained_counts_its_batches() -> None:
    model = network()
    freeze(model, ["1.weight"], 3)
    assert not is_held(model[1])


def test_words_and_patterns_join() -> None:
    model = network()
    freeze(model, ["embeddings", "2.*"], 3)
    assert trained(model) == ["1.weight", "1.bias", "5.weight", "5.bias"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (["6.*"], "freeze: no parameter of the model is named '6.*'; did you mean 0.bias?"),
        (["*"], "freeze: * leaves nothing to train; leave some layer out, such as the head."),
        (["none", "0.*"], "freeze: none stands alone; name what is not to be trained, or write freeze: none."),
        ([], "freeze: none stands alone; name what is not to be trained, or write freeze: none."),
    ],
)
def test_what_cannot_be_frozen_is_a_sentence(what: list[str], words: str) -> None:
    model = network()
    with pytest.raises(ConfigError) as caught:
        freeze(model, what, 3)
    assert trained(model) == trained(network())
    assert str(caught.value).partition(";")[0] == words.partition(";")[0]


def test_a_model_is_built_frozen() -> None:
    assert trained(build("cnn", shape=(1, 8, 8), outputs=3, freeze=("backbone",))) == ["9.weight", "9.bias"]
    with pytest.raises(ConfigError, match="this model has nothing but a head"):
        build("linear", shape=(4,), outputs=3, freeze=("backbone",))
    with pytest.raises(ConfigError, match="leaves nothing to train"):
        build("linear", shape=(4,), outputs=3, freeze=("embeddings",))


def test_embeddings_that_are_not_there_are_a_sentence() -> None:
    with pytest.raises(ConfigError, match="freeze: this model has no embeddings; name what is not to be trained"):
        freeze(nn.Sequential(nn.BatchNorm1d(2)), ["embeddings"], 2)
