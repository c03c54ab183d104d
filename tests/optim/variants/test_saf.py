"""SAF: its twin, and its memory of every example."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, Pairs, Point, Trained

import samcli.optim
from samcli.optim import BASES, Batch
from samcli.optim.variants._trajectory import trajectory_loss


def test_the_divergence_is_that_of_torch() -> None:
    z, past = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    ours = trajectory_loss(z, past, torch.ones(5, dtype=torch.bool), temperature=5.0)
    theirs = 25 * nn.functional.kl_div(torch.log_softmax(z / 5, 1), torch.softmax(past / 5, 1), reduction="batchmean")
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("ago", [1, 2, 3])
def test_is_its_plain_twin(check_twin: CheckTwin, base: str, ago: int) -> None:
    """The examples of the twin's batches come back every four steps."""

    def rule(point: Point) -> Tensor:
        history = point.state.setdefault(point.t % 4, [])
        point.model.zero_grad()
        z = point.model(point.inputs)
        loss = nn.functional.cross_entropy(z, point.targets)
        if len(history) >= ago:
            p = torch.softmax(history[-ago] / 5, 1)
            loss = loss + 0.7 * 25 * (p * (p.log() - torch.log_softmax(z / 5, 1))).sum() / 16
        loss.backward()
        history.append(z.detach())
        return torch.cat([p.grad.flatten() for p in point.model.parameters() if p.requires_grad])

    check_twin("saf", rule, base, rho=0.7, epochs_ago=ago)


def one_layer(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Linear(2, 3)


def test_one_pass_and_the_loss_alone(batches: Pairs) -> None:
    model = one_layer()
    optimizer = samcli.optim.build("saf", torch.optim.SGD(model.parameters(), lr=0.5), model=model, epochs_ago=1)
    x, y = torch.randn(6, 2), torch.randint(3, (6,))
    for _ in range(4):
        batch = Batch(model, nn.functional.cross_entropy, x, y, indices=torch.arange(6))
        expected = nn.functional.cross_entropy(model(x), y)
        torch.testing.assert_close(optimizer.step(batch), expected.detach())
        assert (batch.evaluated, batch.forwarded) == (6, 0)


def test_until_an_example_has_a_past_it_is_the_base(trained: Trained) -> None:
    assert torch.equal(trained("saf", rho=0.5, epochs_ago=6), trained("sam", rho=0.0))
    assert not torch.equal(trained("saf", rho=0.5, epochs_ago=5), trained("sam", rho=0.0))


def test_each_example_has_a_past_of_its_own() -> None:
    """A table that grows, in any order of examples, in pieces, and with examples that others have overtaken."""
    model = one_layer()
    optimizer = samcli.optim.build(
        "saf", torch.optim.SGD(model.parameters(), lr=0.5), model=model, epochs_ago=1, rho=1.0
    )
    x, y = torch.randn(9, 2), torch.randint(3, (9,))
    twin, past = one_layer(), {}
    for chosen in ([4, 1], [1, 8, 0], [0, 1, 2, 3], [8, 4], [7, 2, 0]):
        index = torch.tensor(chosen)
        twin.zero_grad()
        loss = torch.zeros(())
        for i in chosen:
            z = twin(x[i])
            loss = loss + nn.functional.cross_entropy(z, y[i]) / len(chosen)
            if i in past:
                p = torch.softmax(past[i] / 5, 0)
                loss = loss + 25 * (p * (p.log() - torch.log_softmax(z / 5, 0))).sum() / len(chosen)
            past[i] = z.detach()
        loss.backward()
        batch = Batch(model, nn.functional.cross_entropy, x[index], y[index], indices=index, accumulate=2)
        optimizer.step(batch)
        with torch.no_grad():
            for p in twin.parameters():
                p -= 0.5 * p.grad
        torch.testing.assert_close(model.weight, twin.weight, rtol=1e-5, atol=1e-6)
    table = optimizer.state_dict()["sharpness_aware"]["state"]
    assert table["visits"].tolist() == [3, 3, 2, 1, 2, 0, 0, 1, 2]
    assert table["logits"].shape == (9, 1, 3)


def test_micro_batches_and_the_whole_agree() -> None:
    weights = []
    for m in (None, 2):
        model = one_layer()
        base = torch.optim.SGD(model.parameters(), lr=0.5)
        optimizer = samcli.optim.build("saf", base, model=model, epochs_ago=1, m=m)
        torch.manual_seed(1)
        x, y = torch.randn(6, 2), torch.randint(3, (6,))
        for _ in range(4):
            optimizer.step(Batch(model, nn.functional.cross_entropy, x, y, indices=torch.arange(6)))
        weights.append(model.weight.detach())
    torch.testing.assert_close(*weights)


def test_bad_logits_are_not_remembered() -> None:
    model = one_layer()
    optimizer = samcli.optim.build("saf", torch.optim.SGD(model.parameters(), lr=0.5), model=model, epochs_ago=1)
    x, y = torch.randn(4, 2), torch.randint(3, (4,))
    for scale in (1.0, float("inf"), 1.0):
        optimizer.step(Batch(model, nn.functional.cross_entropy, x * scale, y, indices=torch.arange(4)))
    assert optimizer.skipped_steps == 1
    table = optimizer.state_dict()["sharpness_aware"]["state"]
    assert table["visits"].tolist() == [2, 2, 2, 2]
    assert bool(torch.isfinite(table["logits"]).all())


def test_resumes_with_its_logits(check_resume: CheckResume) -> None:
    check_resume("saf", rho=0.5, epochs_ago=2)


def test_mistakes_are_refused_in_sentences() -> None:
    model = one_layer()
    optimizer = samcli.optim.build("saf", torch.optim.SGD(model.parameters(), lr=0.5), model=model)
    x, y = torch.randn(4, 2), torch.randint(3, (4,))
    with pytest.raises(ValueError, match="give the Batch the examples' indices"):
        optimizer.step(Batch(model, nn.functional.cross_entropy, x, y))
    with pytest.raises(ValueError, match=r"call step with a samcli\.optim\.Batch"):
        optimizer.step(lambda: model(x).sum())
    regression = nn.Linear(2, 1)
    optimizer = samcli.optim.build("saf", torch.optim.SGD(regression.parameters(), lr=0.5), model=regression)
    with pytest.raises(ValueError, match=r"it needs outputs of the shape \(examples, classes\), not \(4, 1\)"):
        optimizer.step(Batch(regression, nn.functional.mse_loss, x, torch.randn(4, 1), indices=torch.arange(4)))
