"""Values do not depend on how examples are cut, whatever structure they have and whatever the loss divides by."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.errors import LossError, NotApplicable
from samcli.losses import MeanLoss
from samcli.tasks import Classification

F = nn.functional
NAMES = ["one-step", "one-step-adaptive", "grad-norm", "lambda-max", "gauss-newton-lambda-max", "trace", "average-case"]
CUTS = [(0, 25), (25, 30)]

torch.manual_seed(0)
X, Y, MASK = torch.randn(30, 4), torch.randint(3, (30,)), (torch.rand(30, 4) > 0.3).float()


class Plain(nn.Module):
    def __init__(self, of: Callable[[Any], Tensor] = lambda inputs: inputs) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layer, self.of = nn.Linear(4, 3), of

    def forward(self, inputs: Any) -> Tensor:
        found: Tensor = self.layer(self.of(inputs))
        return found


def values(model: nn.Module, data: Any, names: list[str] = NAMES, loss: Any = F.cross_entropy, **more: Any) -> Any:
    found = sharpness.measure(model, loss, data, names, **more)
    return {name: one.value for name, one in found.items()}, next(iter(found.values())).details["examples"]


STRUCTURES: list[tuple[Callable[[Tensor, Tensor], Any], Callable[[Any], Tensor]]] = [
    (lambda x, m: {"x": x, "mask": m}, lambda b: b["x"] * b["mask"]),
    (lambda x, m: (x, m), lambda b: b[0] * b[1]),
    (lambda x, m: [x, {"deep": (m, None)}], lambda b: b[0] * b[1]["deep"][0]),
    (lambda x, m: {"x": x * m, "scale": torch.tensor(1.0)}, lambda b: b["x"] * b["scale"]),
]


@pytest.mark.parametrize(("pack", "of"), STRUCTURES, ids=["dict", "tuple", "nested", "constant"])
def test_structures_have_the_values_of_plain_tensors(pack: Any, of: Any) -> None:
    plain = values(Plain(), [((X * MASK)[a:b], Y[a:b]) for a, b in CUTS])
    assert plain[1] == 30
    assert values(Plain(of), [(pack(X[a:b], MASK[a:b]), Y[a:b]) for a, b in CUTS]) == plain


def test_sets_of_m_examples_are_cut_from_structures() -> None:
    names, data = ["worst-case"], [((X * MASK)[a:b], Y[a:b]) for a, b in CUTS]
    pack, of = STRUCTURES[0]
    packed = [(pack(X[a:b], MASK[a:b]), Y[a:b]) for a, b in CUTS]
    whole, parted = (values(Plain(), data, names, m=m)[0]["worst-case"] for m in (30, 10))
    assert parted > whole
    assert values(Plain(of), packed, names, m=10)[0]["worst-case"] == parted


def test_sets_lie_in_batches_that_do_not_fit_together() -> None:
    """Sequences padded to other lengths in each batch, against the same sequences padded alike."""
    long = torch.cat([X.view(30, 2, 2), torch.zeros(30, 1, 2)], 1)
    of: Callable[[Tensor], Tensor] = lambda x: x[:, :2].flatten(1)  # noqa: E731
    alike = [(long[a:b], Y[a:b]) for a, b in CUTS]
    ragged = [(long[:25], Y[:25]), (long[25:, :2], Y[25:])]
    first, second = (values(Plain(of), data, ["worst-case", "one-step"], m=10)[0] for data in (alike, ragged))
    assert first["worst-case"] == pytest.approx(second["worst-case"], rel=1e-4)


def test_targets_and_outputs_in_structures() -> None:
    class Two(Plain):
        def forward(self, inputs: Any) -> Any:
            return {"logits": super().forward(inputs), "state": torch.zeros(2, len(inputs))}  # as LSTMs return theirs

    class TwoHeads(Plain):
        def forward(self, inputs: Any) -> Any:
            found = super().forward(inputs)
            return {"logits": found, "size": found.square().sum(1)}

    def loss(output: Any, target: Any) -> Tensor:
        return F.cross_entropy(output["logits"], target["y"])

    plain = values(Plain(), [(X[a:b], Y[a:b]) for a, b in CUTS], loss=Classification(3).loss)
    data = [(X[a:b], {"y": Y[a:b]}) for a, b in CUTS]
    assert values(TwoHeads(), data, loss=loss) == plain
    names = [name for name in NAMES if name != "average-case"]
    assert values(Two(), data, names, loss=loss)[0] == {name: plain[0][name] for name in names}
    with pytest.raises(NotApplicable, match="one tensor of them"):
        values(TwoHeads(), data, ["fisher-rao"], loss=loss)


WEIGHTS = torch.tensor([1.0, 6.0, 12.0], dtype=torch.float64)
RARE = torch.tensor([0] * 24 + [1] * 4 + [2] * 2)
IGNORED = torch.where(torch.arange(30) % 7 < 3, -100, RARE)
WEIGHTED = MeanLoss(nn.CrossEntropyLoss(weight=WEIGHTS, reduction="sum"), lambda y: WEIGHTS[y].sum())


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (nn.CrossEntropyLoss(weight=WEIGHTS), RARE),
        (nn.CrossEntropyLoss(weight=WEIGHTS, label_smoothing=0.1), RARE),
        (WEIGHTED, RARE),
        (partial(F.cross_entropy, weight=WEIGHTS), RARE),
        (nn.CrossEntropyLoss(), IGNORED),
        (nn.CrossEntropyLoss(weight=WEIGHTS, ignore_index=1), RARE),
        (F.cross_entropy, IGNORED),
        (nn.CrossEntropyLoss(weight=WEIGHTS), F.one_hot(RARE, 3).float()),
    ],
)
def test_one_value_whatever_the_cut(loss: Any, targets: Tensor) -> None:
    """In fp64, where what is left is rounding; the whole batch at once is torch's own mean."""
    names = [*NAMES, "keskar", "fisher-rao"]
    model, x = Plain().double(), X.double()
    targets = targets.double() if targets.is_floating_point() else targets
    whole = values(model, [(x, targets)], names, loss)[0]
    for size in (15, 10, 7):
        data = [(x[i : i + size], targets[i : i + size]) for i in range(0, 30, size)]
        assert values(model, data, names, loss)[0] == pytest.approx(whole, rel=1e-6)


def test_class_weights_have_the_value_of_the_whole_batch() -> None:
    torch.manual_seed(0)
    model, x = nn.Linear(4, 3), torch.randn(30, 4)
    model, x = model.double(), x.double()  # drawn in fp32
    for loss in (nn.CrossEntropyLoss(weight=WEIGHTS), WEIGHTED):
        for size in (30, 15, 10, 7):
            data = [(x[i : i + size], RARE[i : i + size]) for i in range(0, 30, size)]
            assert values(model, data, ["lambda-max"], loss)[0]["lambda-max"] == pytest.approx(0.98370, abs=1e-5)


def test_the_mean_of_the_examples_is_the_loss() -> None:
    loss, model = nn.CrossEntropyLoss(weight=WEIGHTS), Plain().double()
    data = [(X[a:b].double(), IGNORED[a:b]) for a, b in ((0, 11), (11, 30))]
    problem = sharpness.Problem(model, loss, data, seed=0)
    whole = loss(model(X.double()), IGNORED).item()
    assert problem.loss_at() == pytest.approx(whole, rel=1e-12)
    assert problem.example_losses().mean().item() == pytest.approx(whole, rel=1e-12)
    assert sum(one.denominator for one in problem.subsets(4)) == pytest.approx(problem.denominator)


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (lambda o, y: F.cross_entropy(o, y, weight=WEIGHTS), RARE),
        (
            lambda o, y: F.cross_entropy(o, y, weight=torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)),
            torch.arange(30) % 3,
        ),
        (Classification(3).loss, IGNORED),
        (lambda o, y: F.cross_entropy(o, y, reduction="sum"), RARE),
        (lambda o, y: F.cross_entropy(o, y).sqrt(), RARE),
        (lambda o, y: (o - o.mean(0)).square().mean() / len(y), RARE),
        (MeanLoss(lambda o, y: F.cross_entropy(o, y, reduction="sum"), lambda y: 1.0), RARE),
    ],
)
def test_what_is_no_mean_over_examples_is_refused(loss: Any, targets: Tensor) -> None:
    model, x = Plain().double(), X.double()
    data = [(x[a:b], targets[a:b]) for a, b in ((0, 7), (7, 14), (14, 30))]
    for names in (["one-step"], ["lambda-max"], ["gauss-newton-trace"], ["average-case"]):
        with pytest.raises(LossError, match=r"not a mean over examples.*MeanLoss\(total, denominator\)"):
            values(model, data, names, loss)
    with pytest.raises(LossError, match="not a mean over examples"):
        values(model, [(x, targets)], ["worst-case"], loss, m=10)
    with pytest.raises(LossError, match="not a mean over examples"):
        values(model, [(x, targets)], ["average-case"], loss)


def weighted(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(outputs, targets, weight=WEIGHTS.float())


def test_batches_of_one_example_tell_of_what_their_mean_is() -> None:
    with pytest.raises(LossError, match="not a mean over examples"):
        values(Plain(), [(X[i : i + 1], RARE[i : i + 1]) for i in range(30)], ["one-step"], weighted)


def test_sequences_of_other_lengths_tell_of_what_their_mean_is() -> None:
    model = Plain(lambda inputs: inputs.mean(1))
    data = [(X[i : i + 1, None].expand(1, 1 + i, 4), RARE[i : i + 1]) for i in range(30)]
    assert values(model, data, ["one-step"])[1] == 30
    with pytest.raises(LossError, match="not a mean over examples"):
        values(model, data, ["one-step"], weighted)


def test_one_odd_target_among_many_is_found() -> None:
    targets = torch.zeros(3000, dtype=torch.long)
    targets[1234] = -100
    inputs = torch.randn(3000, 4)
    data = [(inputs[i : i + 10], targets[i : i + 10]) for i in range(0, 3000, 10)]
    with pytest.raises(LossError, match="not a mean over examples"):
        values(Plain(), data, ["one-step"], Classification(3).loss)


def test_a_loss_of_the_whole_batch_is_measured_in_one_batch() -> None:
    assert values(Plain(), [(X, Y)], ["one-step"], lambda o, y: o.std() + 0 * y.sum())[0]["one-step"] > 0.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_a_mean_is_not_refused_for_rounding(dtype: torch.dtype, size: float) -> None:
    torch.manual_seed(0)
    x, y, model = torch.randn(1000, 4, dtype=dtype), torch.randint(3, (1000,)), Plain().to(dtype)

    def loss(o: Tensor, t: Tensor) -> Tensor:
        return size * F.cross_entropy(o, t)

    data = [(x[i : i + 300], y[i : i + 300]) for i in range(0, 1000, 300)]
    assert values(model, data, ["grad-norm"], loss)[0]["grad-norm"] > 0.0


@pytest.mark.parametrize("names", [["one-step"], ["worst-case"], ["average-case"]])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_loss_without_the_digits_for_a_difference(names: list[str], dtype: torch.dtype) -> None:
    """Three cuts of the same data gave 0.0078, 0.0029 and 0.0011, all converged."""
    with pytest.raises(LossError, match=f"The loss is {dtype}, whose few digits hide"):
        values(Plain(), [(X, Y)], names, lambda o, y: F.cross_entropy(o, y).to(dtype))


def test_examples_that_do_not_go_first() -> None:
    """Inputs and targets alike, (steps, examples): their sizes give it away; known losses count each number anyway."""
    torch.manual_seed(0)
    x, y, model = torch.randn(7, 30, 4), torch.randn(7, 30), nn.Sequential(nn.Linear(4, 1), nn.Flatten(1))
    data = [(x[:, :25], y[:, :25]), (x[:, 25:], y[:, 25:])]
    with pytest.raises(
        LossError, match=r"the shape \(25,\) in one batch and \(5,\) in another: have examples go first"
    ):
        values(model, data, ["one-step"], F.mse_loss)
    classes = torch.randint(3, (7, 30))
    tagger = nn.Linear(4, 3)

    def cut(*cuts: slice) -> list[tuple[Tensor, Tensor]]:
        return [(x[:, part], classes[:, part]) for part in cuts]

    loss = MeanLoss(
        lambda o, t: F.cross_entropy(o.flatten(0, 1), t.flatten(), reduction="sum"), lambda t: float(t.numel())
    )
    whole, parts = (
        values(tagger, data, ["one-step"], loss)[0] for data in (cut(slice(30)), cut(slice(25), slice(25, 30)))
    )
    assert parts == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize("reduction", ["none", "list"])
def test_a_loss_that_is_no_number(reduction: str) -> None:
    loss = partial(F.cross_entropy, reduction="none") if reduction == "none" else lambda o, y: [F.cross_entropy(o, y)]
    with pytest.raises(LossError, match="has to be one real number"):
        values(Plain(), [(X, Y)], ["one-step"], loss)


def test_a_loss_of_which_no_example_counts() -> None:
    with pytest.raises(LossError, match="none of the examples counts"):
        values(Plain(), [(X, torch.full((30,), -100))], ["one-step"])


def test_a_batch_of_which_no_example_counts_is_passed_over() -> None:
    some = torch.cat([torch.full((10,), -100), Y[10:]])
    data = [(X[a:b], some[a:b]) for a, b in ((0, 10), (10, 30))]
    names = ["one-step", "lambda-max", "average-case"]
    assert values(Plain(), data, names)[0] == pytest.approx(values(Plain(), [(X[10:], Y[10:])], names)[0], rel=1e-3)


def test_one_example_and_tokens() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(12, 3))
    tokens = torch.randint(5, (8, 3))
    assert values(model, [(tokens[:1], Y[:1])])[1] == 1
    assert values(model, [(tokens[:5], Y[:5]), (tokens[5:], Y[5:8])])[1] == 8


def test_complex_parameters_are_refused() -> None:
    model = nn.Linear(4, 3, dtype=torch.complex64)
    with pytest.raises(NotApplicable, match="weight is complex"):
        values(model, [(X, Y)], ["one-step"], lambda o, y: F.cross_entropy(o.abs(), y))


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", ["one-step", "lambda-max", "gauss-newton-trace", "average-case"])
@pytest.mark.parametrize("batches", [1, 2])
def test_outputs_and_targets_that_would_be_compared_each_with_each(batches: int, name: str) -> None:
    model, y = nn.Linear(4, 1), torch.randn(30)
    data = [(part, target) for part, target in zip(X.chunk(batches), y.chunk(batches), strict=True)]
    with pytest.raises(LossError, match=r", 1\) and targets of shape \(\d+,\).*give both one shape"):
        values(model, data, [name], F.mse_loss)
    own: Callable[[Tensor, Tensor], Tensor] = lambda o, t: F.mse_loss(o.squeeze(1), t)  # noqa: E731
    same = [(part, target[:, None]) for part, target in data]
    assert values(model, data, ["one-step"], own) == values(model, same, ["one-step"], F.mse_loss)


@pytest.mark.parametrize(
    "loss",
    [
        lambda o, y: F.cross_entropy(o, y).detach(),
        lambda o, y: (o.argmax(1) != y).float().mean(),
    ],
)
@pytest.mark.parametrize("name", ["one-step", "lambda-max", "grad-norm"])
def test_a_loss_that_cannot_be_differentiated(loss: Any, name: str) -> None:
    with pytest.raises(LossError, match="has no gradient"):
        values(Plain(), [(X, Y)], [name], loss)


@pytest.mark.parametrize("value", [lambda o, y: (o.argmax(1) != y).sum(), lambda o, y: F.cross_entropy(o, y) * 1j])
def test_a_loss_that_is_no_real_number(value: Any) -> None:
    with pytest.raises(LossError, match="one real number"):
        values(Plain(), [(X, Y)], ["one-step"], value)


def test_one_measure_by_its_name() -> None:
    data = [(X, Y)]
    assert list(sharpness.measure(Plain(), F.cross_entropy, data, "grad-norm")) == ["grad-norm"]


def test_batches_from_a_loader_and_a_generator_and_the_state_they_leave() -> None:
    class Counting(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, inputs: Any) -> Tensor:
            self.calls += 1
            return super().forward(inputs)

    model = Counting().train()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), batch_size=7)
    plain = values(Plain(), [(X[i : i + 7], Y[i : i + 7]) for i in range(0, 30, 7)])
    assert values(model, loader) == plain
    assert values(model, (batch for batch in loader)) == plain
    assert model.training
    assert model.calls == 0
