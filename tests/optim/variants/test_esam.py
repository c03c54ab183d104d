"""ESAM: its twin, and the mistakes of public code that it must not make."""

import copy
import math
import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, ClosureOf, Looks, MakeNet, Pairs, Point, Trained

import samcli.optim
from samcli.optim import BASES, Batch


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


def drawn(t: int, count: int, beta: float) -> list[bool]:
    toss = random.Random(hash((0, t, 0)))
    draws = [toss.random() for _ in range(count)]
    return [draw < beta or (min(draws) >= beta and draw == min(draws)) for draw in draws]


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize(("beta", "gamma"), [(0.5, 0.5), (0.2, 0.4), (0.7, 1.0)])
def test_is_its_plain_twin(check_twin: CheckTwin, base: str, beta: float, gamma: float) -> None:
    def rule(point: Point) -> Tensor:
        g, model = point.grad(point.w), point.model
        mask = torch.zeros_like(g)
        for place, chosen in zip(point.names.values(), drawn(point.t, len(point.names), beta), strict=True):
            mask[place] = float(chosen)
        epsilon = 0.05 * mask / beta * g / norm(g)
        if gamma == 1.0:
            return point.grad(point.w + epsilon)
        after, buffers = torch.get_rng_state(), copy.deepcopy(dict(model.named_buffers()))

        def each(w: Tensor) -> Tensor:
            torch.set_rng_state(point._start)
            start = 0
            for p in model.parameters():
                if p.requires_grad:
                    p.data.copy_(w[start : start + p.numel()].view(p.shape))
                    start += p.numel()
            return nn.functional.cross_entropy(model(point.inputs), point.targets, reduction="none")

        before = each(point.w)
        rise = each(point.w + epsilon) - before
        kept = rise.argsort(descending=True, stable=True)[: math.ceil(gamma * 16)]
        model.zero_grad()
        nn.functional.cross_entropy(model(point.inputs[kept]), point.targets[kept]).backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad])
        each(point.w)
        torch.set_rng_state(after)
        for name, buffer in model.named_buffers():
            buffer.data.copy_(buffers[name])
        return gradient

    check_twin("esam", rule, base, rho=0.05, beta=beta, gamma=gamma)


def test_all_parameters_and_all_examples_is_sam_bit_for_bit(trained: Trained) -> None:
    assert torch.equal(trained("esam", rho=0.1, beta=1.0, gamma=1.0), trained("sam", rho=0.1))


def test_counts_what_it_runs(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    optimizer = samcli.optim.build("esam", torch.optim.SGD(model.parameters(), lr=0.1), model=model, gamma=0.5)
    batch = closure_of(model, batches[0])
    optimizer.step(batch)
    assert (batch.evaluated, batch.forwarded) == (16 + 8, 16)
    optimizer = samcli.optim.build("esam", torch.optim.SGD(model.parameters(), lr=0.1), model=model, gamma=1.0)
    batch = closure_of(model, batches[0])
    optimizer.step(batch)
    assert (batch.evaluated, batch.forwarded) == (32, 0)


def test_touches_only_what_was_drawn(make_net: MakeNet, looks: Looks) -> None:
    names = {n: p.numel() for n, p in make_net().named_parameters() if p.requires_grad and "unused" not in n}
    for t, points in enumerate(looks("esam", steps=6, rho=0.1, beta=0.3, gamma=1.0)):
        start, moved = 0, []
        for size in names.values():
            moved.append(bool((points[1][start : start + size] != 0).any()))
            start += size
        expected = drawn(t, len(names), 0.3)
        moved[1] = expected[1]  # conv.bias, before BatchNorm: its gradient is nothing but rounding
        assert moved == expected
        assert any(moved)  # beta = 0.3 of five tensors often draws none


def test_untouched_parameters_are_neither_copied_nor_written(
    make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    model = make_net()
    optimizer = samcli.optim.build("esam", torch.optim.SGD(model.parameters(), lr=0.0), model=model, beta=0.3, rho=0.1)
    versions = [p._version for p in model.parameters()]
    chosen = drawn(0, 6, 0.3)
    assert not all(chosen)
    optimizer.base.step = lambda: None  # type: ignore[method-assign]
    optimizer.step(closure_of(model, batches[0]))
    used = [i for i, (n, p) in enumerate(model.named_parameters()) if p.requires_grad and "unused" not in n]
    for index, was in zip(used, chosen, strict=True):
        assert (list(model.parameters())[index]._version > versions[index]) == was
    assert all(p.requires_grad for n, p in model.named_parameters() if n != "frozen")


def test_does_not_depend_on_the_scale_of_the_loss(looks: Looks) -> None:
    assert torch.equal(looks("esam", rho=0.1)[0][1], looks("esam", rho=0.1, scale=4.0)[0][1])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_small_and_equal_batches_are_never_empty(size: int) -> None:
    """A batch of one, and one whose examples are all equally sensitive."""
    model = nn.Linear(2, 3)
    optimizer = samcli.optim.build("esam", torch.optim.SGD(model.parameters(), lr=0.1), model=model, gamma=0.5)
    batch = Batch(model, nn.functional.cross_entropy, torch.ones(size, 2), torch.zeros(size, dtype=torch.int64))
    assert torch.isfinite(optimizer.step(batch))
    assert batch.evaluated == size + math.ceil(size / 2)
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())


def test_the_share_of_examples_is_rounded_up_but_not_by_an_error() -> None:
    model = nn.Linear(2, 3)
    optimizer = samcli.optim.build("esam", torch.optim.SGD(model.parameters(), lr=0.1), model=model, gamma=0.1)
    batch = Batch(model, nn.functional.cross_entropy, torch.randn(30, 2), torch.zeros(30, dtype=torch.int64))
    optimizer.step(batch)
    assert batch.evaluated == 30 + 3


def test_a_batch_may_serve_several_steps(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    results = []
    for anew in (True, False):
        model = make_net()
        model.dropout.p = 0.0
        optimizer = samcli.optim.build("esam", torch.optim.SGD(model.parameters(), lr=0.1), model=model, rho=0.3)
        batch = closure_of(model, batches[0])
        for _ in range(5):
            optimizer.step(closure_of(model, batches[0]) if anew else batch)
        results.append(model.head.weight.detach())
    assert torch.equal(*results)


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (nn.functional.mse_loss, torch.randn(8, 3)),
        (nn.CrossEntropyLoss(label_smoothing=0.1), torch.randint(3, (8,))),
    ],
)
def test_other_losses(loss: Callable[[Tensor, Tensor], Tensor], targets: Tensor) -> None:
    model = nn.Linear(2, 3)
    optimizer = samcli.optim.build("esam", torch.optim.SGD(model.parameters(), lr=0.1), model=model)
    assert torch.isfinite(optimizer.step(Batch(model, loss, torch.randn(8, 2), targets)))


def test_resumes_with_the_same_masks(check_resume: CheckResume) -> None:
    check_resume("esam", rho=0.1)


def test_a_plain_closure_is_refused_in_a_sentence() -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = samcli.optim.build("esam", torch.optim.SGD([weight], lr=0.1))
    with pytest.raises(ValueError, match=r"call step with a samcli\.optim\.Batch"):
        optimizer.step(weight.sum)
