"""What SSAM-F and SSAM-D share: a mask, against SAM."""

import itertools

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, ClosureOf, Looks, MakeNet, Pairs, Trained

import samcli.optim
from samcli.optim import Step, Variant

both = pytest.mark.parametrize("variant", ["sparse-sam-f", "sparse-sam-d"])


@both
def test_without_sparsity_is_sam_bit_for_bit(trained: Trained, variant: str) -> None:
    assert torch.equal(trained(variant, rho=0.1, sparsity=0.0), trained("sam", rho=0.1))
    assert not torch.equal(trained(variant, rho=0.1, sparsity=0.5), trained("sam", rho=0.1))


@both
def test_only_the_share_moves_and_as_sam_does(looks: Looks, variant: str) -> None:
    epsilon, sam = looks(variant, rho=0.3, sparsity=0.9)[0][-1], looks("sam", rho=0.3)[0][-1]
    moved = epsilon != 0
    assert 0 < moved.sum() <= int(0.1 * (len(sam) + 1))
    torch.testing.assert_close(epsilon[moved], sam[moved])
    assert epsilon.norm() < 0.3


@both
def test_passes(looks: Looks, variant: str) -> None:
    """SSAM-F pays for n examples every k steps."""
    extra = 4 if variant == "sparse-sam-f" else 0
    options = {"samples": 4} if extra else {}
    assert [len(passes) for passes in looks(variant, steps=5, k=2, **options)] == [
        2 + extra, 2, 2 + extra, 2, 2 + extra
    ]  # fmt: skip


@both
def test_mask_changes_only_when_chosen_anew(looks: Looks, variant: str) -> None:
    masks = [passes[-1] != 0 for passes in looks(variant, steps=5, k=2, sparsity=0.9, rho=0.3)]
    overlap = [(a & b).sum() / max(a.sum(), b.sum()) for a, b in itertools.pairwise(masks)]
    # not 1 within a choice: a zero gradient is no perturbation either
    assert min(overlap[0], overlap[2]) > max(overlap[1], overlap[3])


@both
def test_loss_scale(looks: Looks, variant: str) -> None:
    one, eight = (looks(variant, rho=0.3, scale=s)[0][-1] for s in (1.0, 8.0))
    assert torch.equal(one, eight)


@both
def test_copies_only_what_it_perturbs(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf, variant: str) -> None:
    model = make_net()
    base = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    optimizer = samcli.optim.build(variant, base, model=model, sparsity=0.9)
    optimizer.step(closure_of(model, batches[0]))
    index = optimizer.state_dict()["sharpness_aware"]["state"]["index"]
    with_gradient = sum(p.numel() for n, p in model.named_parameters() if p.requires_grad and "unused" not in n)
    assert sum(len(i) for i in index.values()) == int(with_gradient * (1.0 - 0.9))


@both
def test_any_memory_layout(batches: Pairs, closure_of: ClosureOf, variant: str) -> None:
    """Positions in memory, not in the order of dimensions."""
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 3)).double()
        model.to(memory_format=layout)
        optimizer = samcli.optim.build(
            variant, torch.optim.SGD(model.parameters(), lr=0.1), model=model, rho=0.5, sparsity=0.0
        )
        for x, y in batches[:4]:
            optimizer.step(closure_of(model, (x.double(), y)))
        results.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    torch.testing.assert_close(*results)


@both
def test_micro_batches_share_a_choice(trained: Trained, variant: str) -> None:
    choices: list[int] = []
    kind = samcli.optim.VARIANTS.kind(variant)
    choose = kind.choose

    def counting(self: Variant, step: Step, *args: object) -> Tensor:
        choices.append(step.index)
        return choose(self, step, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "choose", counting)
        trained(variant, ascent={"m": 4}, k=2)
    assert choices == [0, 2, 4]


@both
def test_resume_between_choices(check_resume: CheckResume, variant: str) -> None:
    check_resume(variant, k=3, sparsity=0.8)
