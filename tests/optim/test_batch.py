"""The closure that knows its examples."""

import pytest
import torch
from torch import Tensor, nn
from twins import MakeNet, Pairs

import samcli.optim
from samcli.optim import Batch


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
