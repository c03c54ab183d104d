"""The closure that knows its examples."""

import copy
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import MakeNet, Pairs

import samcli.optim
from samcli.errors import ExamplesError, LossError
from samcli.losses import MeanLoss
from samcli.optim import Batch
from samcli.tasks import Classification


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    return Batch(
        model, nn.functional.cross_entropy, torch.randn(10, 4), torch.randint(3, (10,)), indices=torch.arange(10)
    )


def gradient(batch: Batch) -> Tensor:
    assert batch.model.weight.grad is not None
    return batch.model.weight.grad.clone()


def test_is_forward_and_backward(batch: Batch) -> None:
    loss = batch()
    expected = nn.functional.cross_entropy(batch.model(batch.inputs), batch.targets)
    torch.testing.assert_close(loss, expected.detach())
    assert not loss.requires_grad
    (wanted,) = torch.autograd.grad(expected, [batch.model.weight])
    torch.testing.assert_close(gradient(batch), wanted)
    assert batch.evaluated == 10
    assert batch.output is not None
    assert torch.equal(batch.output, batch.model(batch.inputs))


def test_keeps_the_first_output(batch: Batch) -> None:
    batch()
    first = batch.output
    with torch.no_grad():
        batch.model.weight.mul_(2)
    batch()
    assert batch.output is first
    assert batch.evaluated == 20


@pytest.mark.parametrize("pieces", [2, 3, 10])
def test_accumulated_gradient_is_that_of_the_whole(batch: Batch, pieces: int) -> None:
    loss = batch()
    whole = gradient(batch)
    parts = Batch(batch.model, batch.loss, batch.inputs, batch.targets, accumulate=pieces)
    torch.testing.assert_close(parts(), loss)
    torch.testing.assert_close(gradient(parts), whole)
    assert parts.evaluated == 10
    assert parts.output is not None
    assert parts.output.shape == (10, 3)


def test_parts_count_for_the_whole(batch: Batch) -> None:
    sizes = []
    for part in batch.parts(4):
        part()
        part.outputs()
        sizes.append((len(part), part.indices.tolist()))
    assert sizes == [(4, [0, 1, 2, 3]), (4, [4, 5, 6, 7]), (2, [8, 9])]
    assert batch.evaluated == batch.forwarded == 10
    chosen = batch.select(torch.tensor([7, 2]))
    chosen()
    assert torch.equal(chosen.inputs, batch.inputs[[7, 2]])
    assert batch.evaluated == 12


def test_micro_batches_need_a_batch() -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = samcli.optim.build("sam", torch.optim.SGD([weight], lr=0.1), m=2)
    with pytest.raises(ValueError, match="call step with one"):
        optimizer.step(weight.sum)


@pytest.mark.parametrize("variant", ["sam", "asam"])
def test_loss_scale_does_not_change_the_step(variant: str, make_net: MakeNet, batches: Pairs) -> None:
    """The scaler's powers of two round nothing: the same bits with and without, until something overflows."""
    results = []
    for scaled in (False, True):
        model = make_net()
        optimizer = samcli.optim.build(variant, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), model=model)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0) if scaled else None
        torch.manual_seed(0)
        for x, y in batches[:5]:
            scale = scaler.scale if scaler else None
            optimizer.step(Batch(model, nn.functional.cross_entropy, x, y, scale=scale), scaler)
        results.append({n: p.detach().clone() for n, p in model.named_parameters()})
        if scaler:
            assert scaler.get_scale() == 1024.0
    for name in results[0]:
        torch.testing.assert_close(results[0][name], results[1][name], rtol=0, atol=0, msg=name)


def test_overflow_skips_the_step_and_backs_off(make_net: MakeNet, batches: Pairs) -> None:
    model = make_net()
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = samcli.optim.build("sam", torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), model=model)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    x, y = batches[0]
    optimizer.step(Batch(model, nn.functional.cross_entropy, x * float("inf"), y, scale=scaler.scale), scaler)
    assert optimizer.skipped_steps == 1
    assert scaler.get_scale() == 512.0
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name]), name


def test_micro_batches_draw_different_numbers(
    make_net: MakeNet, batches: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[float] = []
    noise = samcli.optim.Step.noise

    def recording(self: samcli.optim.Step) -> list[Tensor]:
        found = noise(self)
        drawn.append(float(found[0].flatten()[0]))
        return found

    monkeypatch.setattr(samcli.optim.Step, "noise", recording)
    for _ in range(2):
        model = make_net()
        base = torch.optim.SGD(model.parameters(), lr=0.1)
        optimizer = samcli.optim.build("trace-sam", base, model=model, m=4)
        x, y = batches[0]
        optimizer.step(Batch(model, nn.functional.cross_entropy, x, y))
    assert len(set(drawn[:4])) == 4
    assert drawn[:4] == drawn[4:]


WEIGHTS = torch.tensor([1.0, 6.0, 12.0])
RARE = torch.tensor([0] * 24 + [1] * 4 + [2] * 2)
WEIGHTED = nn.CrossEntropyLoss(weight=WEIGHTS)


class Masked(nn.Linear):
    """A linear layer whose inputs are a dictionary."""

    def forward(self, inputs: Any) -> Any:
        return {"logits": super().forward(inputs["x"] * inputs["mask"])}


def stepped(
    loss: Any, targets: Any, *, structured: bool = False, name: str = "sam", ascent: Any = None, **how: Any
) -> tuple[float, Tensor]:
    """The loss of a step and the weights after it."""
    torch.manual_seed(0)
    x, mask = torch.randn(30, 4), (torch.rand(30, 4) > 0.3).float()
    torch.manual_seed(1)
    model = Masked(4, 3) if structured else nn.Linear(4, 3)
    base = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer = samcli.optim.build(name, base, model=model, rho=0.5, **(ascent or {}))
    batch = Batch(model, loss, {"x": x, "mask": mask} if structured else x * mask, targets, **how)
    return optimizer.step(batch).item(), model.weight.detach()


@pytest.mark.parametrize("name", ["sam", "fisher-sam"])
@pytest.mark.parametrize("how", [{}, {"accumulate": 4}, {"ascent": {"m": 7}}, {"ascent": {"ascent_fraction": 0.4}}])
def test_structures_are_stepped_on_as_plain_tensors(name: str, how: dict[str, Any]) -> None:
    targets = torch.arange(30) % 3

    def loss(output: Any, target: Any) -> Tensor:
        return nn.functional.cross_entropy(output["logits"], target["y"])

    plain = stepped(Classification(3).loss, targets, name=name, **how)
    found = stepped(loss, {"y": targets}, structured=True, name=name, **how)
    assert found[0] == plain[0]
    assert torch.equal(found[1], plain[1])


@pytest.mark.parametrize("accumulate", [4, 7, 30])
@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (WEIGHTED, RARE),
        (MeanLoss(nn.CrossEntropyLoss(weight=WEIGHTS, reduction="sum"), lambda y: WEIGHTS[y].sum()), RARE),
        (nn.CrossEntropyLoss(), torch.where(torch.arange(30) < 16, -100, RARE)),
    ],
)
def test_pieces_count_by_what_the_loss_divides_by(loss: Any, targets: Tensor, accumulate: int) -> None:
    whole, parted = stepped(loss, targets), stepped(loss, targets, accumulate=accumulate)
    assert parted[0] == pytest.approx(whole[0], rel=1e-6)
    torch.testing.assert_close(parted[1], whole[1])


@pytest.mark.parametrize("targets", [RARE, torch.where(torch.arange(30) < 16, -100, RARE)])
def test_micro_batches_count_by_what_the_loss_divides_by(targets: Tensor) -> None:
    """At ρ → 0 the mean of their gradients is that of the whole batch, also where in some of them no example counts."""
    torch.manual_seed(0)
    model, x = nn.Linear(4, 3), torch.randn(30, 4)
    after = []
    for m in (None, 7, 10):
        twin = copy.deepcopy(model)
        base = torch.optim.SGD(twin.parameters(), lr=0.1)
        optimizer = samcli.optim.build("sam", base, model=twin, rho=1e-9, m=m)
        after.append((optimizer.step(Batch(twin, WEIGHTED, x, targets)).item(), twin.weight.detach()))
    for loss, weight in after[1:]:
        assert loss == pytest.approx(after[0][0], rel=1e-6)
        torch.testing.assert_close(weight, after[0][1])


def test_the_rest_of_a_fraction_counts_by_what_the_loss_divides_by() -> None:
    """In a step that does not perturb after all, which is a plain one of the whole batch."""
    torch.manual_seed(0)
    model, x = nn.Linear(4, 3), torch.randn(30, 4)
    optimizer = samcli.optim.build(
        "ae-sam",
        torch.optim.SGD(model.parameters(), lr=0.1),
        model=model,
        lambda_1=9.0,
        lambda_2=9.0,
        ascent_fraction=0.4,
    )
    optimizer.progress = 0.0
    whole = WEIGHTED(model(x), RARE)
    gradient, before = torch.autograd.grad(whole, model.weight)[0], model.weight.detach().clone()
    assert optimizer.step(Batch(model, WEIGHTED, x, RARE)).item() == pytest.approx(whole.item(), rel=1e-6)
    torch.testing.assert_close(model.weight.detach(), before - 0.1 * gradient)


@pytest.mark.parametrize("how", [{"accumulate": 3}, {"ascent": {"m": 1}}, {"ascent": {"ascent_fraction": 0.5}}])
@pytest.mark.parametrize(
    "loss",
    [
        lambda o, y: nn.functional.cross_entropy(o, y, weight=WEIGHTS),
        lambda o, y: nn.functional.cross_entropy(o, y, reduction="sum"),
    ],
)
def test_a_loss_that_is_no_mean_over_examples_is_refused_in_parts(loss: Any, how: dict[str, Any]) -> None:
    targets = torch.arange(30) % 3
    with pytest.raises(LossError, match=r"MeanLoss\(total, denominator\)"):
        stepped(loss, targets, **how)
    assert stepped(loss, targets)[0] > 0.0  # of the whole batch it is what it is


def test_a_loss_is_looked_at_ever_more_seldom_for_each_model() -> None:
    calls: list[int] = []
    model, x, y = nn.Linear(4, 3), torch.randn(30, 4), torch.arange(30) % 3

    def loss(output: Tensor, target: Tensor) -> Tensor:
        calls.append(len(target))
        return nn.functional.cross_entropy(output, target)

    optimizer = samcli.optim.build("sam", torch.optim.SGD(model.parameters(), lr=0.1), model=model)
    look = [30, 10, 20, 15, 15]
    for _ in range(9):
        optimizer.step(Batch(model, loss, x, y, accumulate=2))
    plain, looked = [15] * 4, [15, 15, *look, 15, 15]
    assert calls == [*looked, *looked, *plain, *looked, *plain * 3, *looked, *plain]


@pytest.mark.parametrize("how", [{"accumulate": 3}, {"ascent": {"m": 10}}, {"ascent": {"ascent_fraction": 0.5}}])
def test_a_loss_is_looked_at_again_after_a_batch_that_tells_nothing(how: dict[str, Any]) -> None:
    """Of one class alone a mean with class weights is one over examples."""
    model = nn.Linear(4, 3)
    base = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer = samcli.optim.build("sam", base, model=model, **how.get("ascent", {}))

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets, weight=WEIGHTS)

    def step(targets: Tensor) -> None:
        optimizer.step(Batch(model, loss, torch.ones(30, 4), targets, accumulate=how.get("accumulate", 1)))

    step(torch.zeros(30, dtype=torch.long))
    before = model.weight.clone()
    for _ in range(2):
        with pytest.raises(LossError, match="not a mean"):
            step(torch.arange(30) % 3)
        assert torch.equal(model.weight, before)


def test_the_state_of_a_recurrent_network_may_come_with_its_outputs() -> None:
    """It is (layers, examples, features), so parts are checked by passing the model, which stays as it was."""
    torch.manual_seed(0)
    model, x, y = (
        nn.LSTM(4, 3, batch_first=True, dropout=0.5, num_layers=2),
        torch.randn(30, 5, 4),
        torch.arange(30) % 3,
    )

    def loss(weight: Tensor | None) -> Any:
        return lambda o, target: nn.functional.cross_entropy(o[0][:, -1], target, weight=weight)

    assert Batch(model, loss(None), x, y, accumulate=3)().item() > 0.0
    assert model.training
    with pytest.raises(LossError):
        Batch(copy.deepcopy(model), loss(WEIGHTS), x, y, accumulate=3)()


@pytest.mark.parametrize(
    ("inputs", "targets", "words"),
    [
        (torch.ones(5, 30, 4), torch.zeros(30), "examples go first"),
        (torch.ones(30, 4), None, "hold no tensor"),
        (torch.ones(0, 4), torch.zeros(0), "holds no examples"),
    ],
)
def test_what_is_not_by_examples_is_refused(inputs: Any, targets: Any, words: str) -> None:
    with pytest.raises(ExamplesError, match=words):
        Batch(nn.Linear(4, 3), nn.functional.cross_entropy, inputs, targets)


def test_a_loss_that_is_no_number() -> None:
    with pytest.raises(LossError, match="one real number"):
        stepped(nn.CrossEntropyLoss(reduction="none"), RARE)


def test_esam_chooses_among_structures() -> None:
    targets = torch.arange(30) % 3

    def loss(output: Any, target: Any) -> Tensor:
        return nn.functional.cross_entropy(output["logits"], target)

    plain, found = (
        stepped(Classification(3).loss, targets, name="esam"),
        stepped(loss, targets, structured=True, name="esam"),
    )
    assert found[0] == plain[0]
    assert torch.equal(found[1], plain[1])


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_outputs_and_targets_that_would_be_compared_each_with_each() -> None:
    model, x, y = nn.Linear(4, 1), torch.randn(30, 4), torch.randn(30)
    before = model.weight.detach().clone()
    optimizer = samcli.optim.build("sam", torch.optim.SGD(model.parameters(), lr=0.1), model=model)
    with pytest.raises(LossError, match="give both one shape"):
        optimizer.step(Batch(model, nn.functional.mse_loss, x, y))
    assert torch.equal(model.weight, before)
    optimizer.step(Batch(model, lambda o, t: nn.functional.mse_loss(o.squeeze(1), t), x, y))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"accumulate": 0}, "accumulate must be a whole number at least 1, not 0"),
        ({"accumulate": 1.5}, "not 1.5"),
        ({"indices": torch.arange(3)}, "30 examples has 3 indices"),
    ],
)
def test_other_mistakes(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        stepped(WEIGHTED, RARE, **more)


def test_a_loss_without_a_gradient() -> None:
    with pytest.raises(LossError, match="no gradient"):
        stepped(lambda o, y: nn.functional.cross_entropy(o, y).detach(), RARE)


def test_a_loss_of_the_same_class_with_other_settings_is_looked_at_again() -> None:
    model = nn.Linear(4, 3)
    inputs, targets = torch.randn(8, 4), torch.arange(8) % 3
    Batch(model, nn.CrossEntropyLoss(), inputs, targets, accumulate=2)()
    Batch(model, partial(nn.functional.cross_entropy), inputs, targets, accumulate=2)()
    for summed in (nn.CrossEntropyLoss(reduction="sum"), partial(nn.functional.cross_entropy, reduction="sum")):
        with pytest.raises(LossError, match="not a mean"):
            Batch(model, summed, inputs, targets, accumulate=2)()
