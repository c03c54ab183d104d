"""Complex parameters and sparse gradients: as pairs of real numbers and as dense ones, or refused in a sentence."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import samcli.optim
from samcli.errors import ConfigError, NotApplicable
from samcli.optim import VARIANTS, SharpnessAware
from samcli.sharpness import measure

COMPLEX = [name for name in VARIANTS if vars(VARIANTS.kind(name)).get("takes_complex")]
SPARSE = [name for name in VARIANTS if vars(VARIANTS.kind(name)).get("takes_sparse")]
OPTIONS: dict[str, dict[str, Any]] = {"sam-every": {"k": 2}}


def after(name: str, parameters: list[nn.Parameter], loss: Any, base: type = torch.optim.SGD, **more: Any) -> None:
    """Three steps."""
    options = {"lr": 0.1, "momentum": 0.9} if base is torch.optim.SGD else {"lr": 0.1}
    optimizer = samcli.optim.build(name, base(parameters, **options), rho=0.3, **OPTIONS.get(name, {}), **more)

    def closure() -> Tensor:
        optimizer.zero_grad()
        value: Tensor = loss()
        value.backward()
        return value

    for _ in range(3):
        optimizer.step(closure)


def test_which_rules_take_them() -> None:
    assert set(COMPLEX) == {"sam", "wsam", "usam", "sam-every"}
    assert set(SPARSE) == {"sam", "asam", "gsam", "wsam", "sam-every", "lookbehind"}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_parameters_are_pairs_of_reals(name: str) -> None:
    torch.manual_seed(0)
    start, x = torch.randn(4, 3, 2, dtype=torch.float64), torch.randn(8, 4, dtype=torch.complex128)
    whole, pair = nn.Parameter(torch.view_as_complex(start.clone())), nn.Parameter(start.clone())

    def loss(weight: Tensor) -> Tensor:
        return ((x @ weight).abs() - 1.0).square().mean()

    after(name, [whole], lambda: loss(whole))
    after(name, [pair], lambda: loss(torch.view_as_complex(pair)))
    torch.testing.assert_close(torch.view_as_real(whole.detach()), pair.detach(), rtol=1e-12, atol=1e-12)
    assert not torch.allclose(pair, start)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in COMPLEX])
def test_other_rules_refuse_complex_parameters(name: str) -> None:
    model = nn.Linear(2, 2, dtype=torch.complex64)
    base = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ConfigError):
        SharpnessAware(base, VARIANTS.create(name), model=model)
    if not VARIANTS.create(name).objection(base, model, m=None, scaled=False):
        with pytest.raises(ConfigError, match="complex"):
            SharpnessAware(base, VARIANTS.create(name), model=model)


def test_other_norms_refuse_complex_parameters() -> None:
    base = torch.optim.SGD([nn.Parameter(torch.ones(2, dtype=torch.complex64))], lr=0.1)
    with pytest.raises(ConfigError, match="norm 2"):
        samcli.optim.build("sam", base, norm=float("inf"))


def embedding(sparse: bool) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(6, 4, sparse=sparse), nn.Flatten(), nn.Linear(8, 3)).double()


TOKENS, Y = torch.tensor([[0, 1], [3, 1], [2, 2], [0, 5]]), torch.tensor([0, 1, 2, 0])


def stepped(name: str, sparse: bool, **more: Any) -> list[Tensor]:
    model = embedding(sparse)
    after(name, list(model.parameters()), lambda: nn.functional.cross_entropy(model(TOKENS), Y), model=model, **more)
    return [p.detach() for p in model.parameters()]


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_gradients_are_dense_ones(name: str) -> None:
    for dense, sparse in zip(stepped(name, False), stepped(name, True), strict=True):
        torch.testing.assert_close(sparse, dense, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in SPARSE])
def test_other_rules_refuse_sparse_gradients(name: str) -> None:
    model = embedding(True)
    before = [p.detach().clone() for p in model.parameters()]
    kind = VARIANTS.kind(name)
    base = torch.optim.SGD(model.parameters(), lr=0.1)
    if words := kind().objection(base, model, m=None, scaled=False):
        pytest.skip(words)
    optimizer = samcli.optim.build(name, base, model=model)
    optimizer.progress = 0.5
    x = samcli.optim.Batch(model, nn.functional.cross_entropy, TOKENS, Y, indices=torch.arange(4), population=4)
    with pytest.raises(ConfigError, match="sparse"):
        for _ in range(3):
            optimizer.step(x)
    assert all(torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))


def test_weight_decay_in_the_ascent_refuses_sparse_gradients() -> None:
    with pytest.raises(ConfigError, match="sparse"):
        stepped("sam", True, ascent_weight_decay=True)


@pytest.mark.parametrize("name", ["one-step", "lambda-max", "gauss-newton-trace"])
def test_measures_refuse_sparse_gradients(name: str) -> None:
    data = [(TOKENS, Y)]
    if name != "gauss-newton-trace":
        with pytest.raises(NotApplicable, match="attribute sparse to False"):
            measure(embedding(True), nn.functional.cross_entropy, data, [name])
    assert measure(embedding(False), nn.functional.cross_entropy, data, [name])[name].value > 0.0
