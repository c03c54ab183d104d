"""Used as torch's optimizers are: states, copies, schedulers, closures, gradients, and weights of any layout."""

import copy
import io
import pickle
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from twins import Pairs

import samcli.optim
from samcli.optim import SharpnessAware

Trained = tuple[nn.Module, SharpnessAware]


def momentum_net() -> tuple[nn.Module, torch.optim.SGD]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def closure_for(model: nn.Module, pair: tuple[Tensor, Tensor]) -> Callable[[], Tensor]:
    def closure() -> Tensor:
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(pair[0]), pair[1])
        loss.backward()
        return loss

    return closure


def test_a_run_of_sgd_is_finished_with_sam(batches: Pairs) -> None:
    """The state of a plain optimizer is taken for the base's; the variant starts anew."""
    model, base = momentum_net()
    for pair in batches[:3]:
        base.step(closure_for(model, pair))
    begun, twin_model = copy.deepcopy(base.state_dict()), copy.deepcopy(model)
    optimizer = samcli.optim.build("sam", base, model=model)
    twin = samcli.optim.build("sam", torch.optim.SGD(twin_model.parameters(), lr=7.0), model=twin_model)
    twin.load_state_dict(begun)
    for m, o in ((model, optimizer), (twin_model, twin)):
        o.step(closure_for(m, batches[3]))
    for a, b in zip(model.parameters(), twin_model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert twin.state_dict()["sharpness_aware"] == {"steps": 1, "skipped": 0, "state": {}}


def test_groups_are_the_base_optimizers_own_whatever_it_loads() -> None:
    """Torch's optimizers make new lists and dictionaries when they load a state."""
    model, base = momentum_net()
    optimizer = samcli.optim.build("sam", base, model=model)
    base.load_state_dict(base.state_dict())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)
    assert optimizer.param_groups is base.param_groups
    assert optimizer.state is base.state
    assert optimizer.defaults is base.defaults
    optimizer.step(closure_for(model, (torch.ones(2, 64), torch.tensor([0, 1]))))
    scheduler.step()
    assert base.param_groups[0]["lr"] == pytest.approx(0.01)


def through_pickle(
    pair: Trained,
) -> Trained:
    found: Trained = pickle.loads(pickle.dumps(pair))
    return found


def through_torch(pair: Trained) -> Trained:
    file = io.BytesIO()
    torch.save(pair, file)
    file.seek(0)
    found: Trained = torch.load(file, weights_only=False)
    return found


@pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle, through_torch])
@pytest.mark.parametrize("name", ["sam", "friendly-sam", "looksam"])
def test_a_copy_goes_on_as_the_original_does(
    name: str,
    copied: Callable[[Trained], Trained],
    batches: Pairs,
) -> None:
    model, base = momentum_net()
    optimizer = samcli.optim.build(name, base, model=model, seed=3)
    for pair in batches[:3]:
        optimizer.step(closure_for(model, pair))
    twin_model, twin = copied((model, optimizer))
    assert twin.base is not base
    assert twin.param_groups is twin.base.param_groups
    assert repr(twin).startswith("SharpnessAware")
    for m, o in ((model, optimizer), (twin_model, twin)):
        for pair in batches[3:8]:
            o.step(closure_for(m, pair))
    for a, b in zip(model.parameters(), twin_model.parameters(), strict=True):
        assert a is not b
        assert torch.equal(a, b)


@pytest.mark.parametrize(("returned", "words"), [(None, "NoneType"), (0.5, "float"), ((torch.ones(()), 1), "tuple")])
def test_a_closure_that_returns_no_loss_is_told_so(returned: object, words: str) -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = samcli.optim.build("sam", torch.optim.SGD([weight], lr=0.1))
    with pytest.raises(TypeError, match=f"must return the loss, a tensor, and not {words}"):
        optimizer.step(lambda: returned)  # type: ignore[arg-type, return-value]
    assert weight.item() == 1.0


def half(model: nn.Module, pair: tuple[Tensor, Tensor], part: slice) -> Tensor:
    loss = 0.5 * nn.functional.cross_entropy(model(pair[0][part]), pair[1][part])
    loss.backward()
    return loss


def test_gradients_from_outside_are_refused(batches: Pairs) -> None:
    """Half of a batch before the step, half in a closure that clears nothing: it would climb more than it descends."""
    model, base = momentum_net()
    optimizer = samcli.optim.build("sam", base, model=model)
    pair, first, second = batches[0], slice(0, 8), slice(8, 16)
    before = [p.detach().clone() for p in model.parameters()]
    half(model, pair, first)
    with pytest.raises(ValueError, match=r"begin with optimizer.zero_grad\(\)"):
        optimizer.step(lambda: half(model, pair, second))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))

    def whole() -> Tensor:
        optimizer.zero_grad()
        return half(model, pair, first) + half(model, pair, second)

    half(model, pair, first)  # of no effect on a closure that clears
    expected = nn.functional.cross_entropy(model(pair[0]), pair[1]).detach()
    torch.testing.assert_close(optimizer.step(whole), expected)
    half(model, pair, first)  # added to the gradients that the step above left
    with pytest.raises(ValueError, match="does not clear the gradients"):
        optimizer.step(lambda: half(model, pair, second))


@pytest.mark.parametrize("to_none", [True, False])
def test_gradients_of_the_step_before_are_no_concern(batches: Pairs, to_none: bool) -> None:
    """Nor are those that the closure zeroes in place."""
    ends = []
    for foreign in (False, True):
        model, base = momentum_net()
        optimizer = samcli.optim.build("sam", base, model=model)

        def closure(model: nn.Module = model) -> Tensor:
            model.zero_grad(set_to_none=to_none)
            return half(model, batches[0], slice(0, 16))

        for _ in range(3):
            if foreign:
                half(model, batches[1], slice(0, 16))
            optimizer.step(closure)
        ends.append([p.detach().clone() for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


@pytest.mark.parametrize("name", ["sparse-sam-f", "sparse-sam-d"])
@pytest.mark.parametrize("view", ["columns", "rows", "transposed"])
def test_weights_that_are_strided_views(name: str, view: str) -> None:
    """As after cutting channels away; with a sparsity of 0 the rule is SAM. Rounding differs with the layout: 1e-6."""
    ends = []
    for rule, strided in (("sam", False), (name, True)):
        torch.manual_seed(0)
        big = torch.randn(12, 16) * 0.3
        cut = {"columns": big[:6, ::2], "rows": big[::2, :8], "transposed": big.T[:12:2, :8]}[view]
        model = nn.Linear(8, 6)
        model.weight = nn.Parameter(cut if strided else cut.clone(memory_format=torch.contiguous_format))
        options = {"sparsity": 0.0} if strided else {}
        base = torch.optim.SGD(model.parameters(), lr=0.1)
        optimizer = samcli.optim.build(rule, base, model=model, rho=0.5, **options)
        x, y = torch.randn(16, 8), torch.randint(6, (16,))
        for _ in range(3):
            optimizer.step(samcli.optim.Batch(model, nn.functional.cross_entropy, x, y))
        ends.append(model.weight.detach().clone())
    torch.testing.assert_close(*ends, rtol=1e-6, atol=1e-6)
    before = torch.manual_seed(0) and torch.randn(12, 16) * 0.3
    cut.copy_({"columns": before[:6, ::2], "rows": before[::2, :8], "transposed": before.T[:12:2, :8]}[view])
    assert torch.equal(big, before)  # nothing but the view was written


def test_asam_scales_parametrised_weights(batches: Pairs) -> None:
    """Torch's two weight_norms are one function of one set of numbers, under other names."""
    ends = []
    for normalise in (nn.utils.weight_norm, nn.utils.parametrizations.weight_norm):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the older one is deprecated
            normalise(model[1])
        optimizer = samcli.optim.build("asam", torch.optim.SGD(model.parameters(), lr=0.1), model=model, rho=0.5)
        for pair in batches[:3]:
            optimizer.step(closure_for(model, pair))
        ends.append(model(batches[3][0]).detach())
    torch.testing.assert_close(*ends, rtol=1e-5, atol=1e-6)
