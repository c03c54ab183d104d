"""The bowl of the docstrings against closed forms of gradient descent."""

import pytest
import torch
from torch import nn

from samcli.optim import VARIANTS
from samcli.optim.example import Bowl


def test_descends_by_the_mean_curvature_of_the_examples() -> None:
    bowl = Bowl((3.0, 4.0), curvatures=((2.0, 0.0), (0.0, 1.0)))
    found = bowl.after("sam", rho=0.0, lr=0.1, steps=2)  # w shrinks by 1 - lr c, with c = (1, 0.5)
    torch.testing.assert_close(found, torch.tensor([3.0 * 0.9**2, 4.0 * 0.95**2]))


def test_descends_with_momentum() -> None:
    found = Bowl((4.0,)).after("sam", rho=0.0, momentum=0.5, steps=2)  # at 0 with v = 4, then v = 0.5 · 4 + 0
    torch.testing.assert_close(found, torch.tensor([-2.0]))


def test_weights_are_all_parameters_of_the_module() -> None:
    bowl = Bowl((3.0,), bias=(4.0,))
    bowl.norm = nn.LayerNorm(1, bias=False)
    assert [name for name, _ in bowl.named_parameters()] == ["weight", "bias", "norm.weight"]
    assert bowl(torch.zeros(5)).tolist() == [[3.0, 4.0, 1.0]] * 5
    assert bowl.after("sam", rho=0.0, lr=0.5).tolist() == [1.5, 2.0, 0.5]


def test_stays_as_it_was() -> None:
    bowl = Bowl((3.0, 4.0))
    assert torch.equal(bowl.after("sam", rho=0.5), bowl.after("sam", rho=0.5))
    assert bowl.weight.tolist() == [3.0, 4.0]
    assert bowl.weight.grad is None


def test_progress_reaches_the_rule() -> None:
    with pytest.raises(ValueError, match="progress"):
        Bowl((3.0, 4.0)).after("ae-sam")
    Bowl((3.0, 4.0)).after("ae-sam", progress=0.5)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_every_rule_shows_an_example(name: str) -> None:
    assert ".after(" in (VARIANTS.kind(name).__doc__ or "")
