"""What holds for every model of ours: shapes, gradients, second derivatives, determinism, and the error sentences."""

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from samcli.errors import ConfigError
from samcli.models import MODELS, build
from samcli.registry import options_of

OURS = [name for name in MODELS if not (name.endswith(":") or MODELS.kind(name).reads_tokens)]
TABLES = ["resnet-tabular", "ft-transformer"]
NO_DROPOUT = {
    "resnet-tabular": {"dropout": 0.0},
    "ft-transformer": {"dropout": 0.0, "attention_dropout": 0.0},
    "strided-cnn": {"dropout": 0.0},
}
SMALL = [name for name in OURS if name != "wrn-28-10"]  # the same class as wrn-16-4, only larger


def shape_for(name: str, *image: int) -> tuple[int, ...]:
    """That of the image, or of a row where a model is for tables."""
    return (10,) if name in TABLES else image


def test_the_names_are_those_of_the_documentation() -> None:
    names = {"linear", "mlp", "cnn", "strided-cnn", "resnet20", "resnet32", "resnet18", "wrn-16-4", "wrn-28-10", "vit"}
    others = {"gpt", "text-encoder", "torchvision:", "timm:", "transformers:"}
    assert set(MODELS) == names | set(TABLES) | others


@pytest.mark.parametrize("name", [*OURS, "gpt", "text-encoder", "torchvision:resnet18"])
def test_every_kind_and_option_is_documented(name: str) -> None:
    assert MODELS.summary(name).endswith(".")
    assert all(option.help for option in options_of(MODELS.kind(name)).values())


@pytest.mark.parametrize("name", sorted(set(OURS) - set(TABLES)))
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
@pytest.mark.parametrize("outputs", [1, 10])
def test_every_model_maps_images_to_outputs(name: str, shape: tuple[int, ...], outputs: int) -> None:
    with torch.device("meta"):
        assert build(name, shape=shape, outputs=outputs)(torch.empty(5, *shape)).shape == (5, outputs)


@pytest.mark.parametrize("name", ["linear", "mlp", *TABLES])
def test_tables_go_into_dense_models(name: str) -> None:
    assert build(name, shape=(13,), outputs=3)(torch.zeros(4, 13)).shape == (4, 3)


@pytest.mark.parametrize("name", OURS)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    torch.manual_seed(0)
    shape = shape_for(name, 3, 8, 8)
    model = build(name, shape=shape, outputs=4)
    functional.cross_entropy(model(torch.randn(2, *shape)), torch.tensor([0, 3])).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_determines_the_weights(name: str) -> None:
    def weights(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [p.detach() for p in build(name, shape=shape_for(name, 1, 8, 8), outputs=4).parameters()]

    first, second, other = weights(0), weights(0), weights(1)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("name", sorted(set(SMALL) - set(TABLES)))
def test_channels_last_gives_the_same_outputs(name: str) -> None:
    torch.manual_seed(0)
    model = build(name, shape=(3, 8, 8), outputs=4).double().eval()
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    expected = model(x)
    model = model.to(memory_format=torch.channels_last)
    # float64: another order of summation, no other difference
    torch.testing.assert_close(model(x.to(memory_format=torch.channels_last)), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("training", [False, True])
def test_hessian_vector_products_equal_differences_of_gradients(name: str, training: bool) -> None:
    torch.manual_seed(0)
    shape = shape_for(name, 1, 8, 8)
    model = build(name, shape=shape, outputs=3, **NO_DROPOUT.get(name, {})).double().train(training)
    weights = {key: value.detach().requires_grad_() for key, value in model.named_parameters()}
    x, y = torch.randn(3, *shape, dtype=torch.float64), torch.tensor([0, 1, 2])
    vector = [torch.randn_like(w) / w.numel() ** 0.5 for w in weights.values()]

    def gradient(step: float, graph: bool = False) -> tuple[torch.Tensor, ...]:
        at = {k: w + step * v if step else w for (k, w), v in zip(weights.items(), vector, strict=True)}
        loss = functional.cross_entropy(functional_call(model, at, (x,)), y)
        return torch.autograd.grad(loss, list(weights.values()), create_graph=graph)

    with sdpa_kernel(SDPBackend.MATH):
        slope = sum((g * v).sum() for g, v in zip(gradient(0.0, graph=True), vector, strict=True))
        product = torch.autograd.grad(slope, list(weights.values()))
        step = 1e-7
        above, below = gradient(step), gradient(-step)
    exact = torch.cat([p.flatten() for p in product])
    approximate = torch.cat([((a - b) / (2 * step)).flatten() for a, b in zip(above, below, strict=True)])
    # float64 rounding of the gradients, about 1e-15 relative, over the step 1e-7; a step this short crosses no kink
    assert (exact - approximate).norm() < 1e-5 * exact.norm()


def test_the_large_model_has_second_derivatives() -> None:
    with torch.device("meta"):
        model = build("wrn-28-10", shape=(3, 32, 32), outputs=10, dropout=0.3)
        weights = list(model.parameters())
        first = torch.autograd.grad(model(torch.empty(2, 3, 32, 32)).sum(), weights, create_graph=True)
        second = torch.autograd.grad(sum((g * g).sum() for g in first), weights, allow_unused=True)
    assert sum(g is not None for g in second) > len(weights) // 2


@pytest.mark.parametrize("name", ["mlp", "cnn", "wrn-16-4", "wrn-28-10", "vit"])
def test_dropout_exists_only_where_it_drops(name: str) -> None:
    def count(**options: float) -> int:
        with torch.device("meta"):
            model = build(name, shape=(1, 8, 8), outputs=2, **options)
        return sum(isinstance(layer, nn.Dropout) for layer in model.modules())

    assert count() == 0
    assert count(dropout=0.5) == {"mlp": 2, "cnn": 1, "wrn-16-4": 6, "wrn-28-10": 12, "vit": 1 + 6 * 3}[name]


@pytest.mark.parametrize(
    ("name", "shape", "sentence"),
    [
        (
            "resnet20",
            (10,),
            "resnet20 needs images, but the inputs are vectors of 10 numbers; models that fit: linear, mlp, "
            "resnet-tabular, ft-transformer.",
        ),
        (
            "cnn",
            (3, 2, 8),
            "cnn needs images of at least 4x4 pixels, but the inputs are images of 3x2x8 (channels, height, width); "
            "models that fit: linear, mlp, resnet18, resnet20, resnet32, strided-cnn, wrn-16-4, "
            "wrn-28-10.",
        ),
        (
            "vit",
            (1, 30, 28),
            "vit needs images whose height and width are multiples of its patch, 4, but the inputs are images of "
            "1x30x28 (channels, height, width); models that fit: cnn, linear, mlp, resnet18, resnet20, resnet32, "
            "strided-cnn, wrn-16-4, wrn-28-10.",
        ),
        (
            "wrn-16-4",
            (5, 6),
            "wrn-16-4 needs images, but the inputs are arrays of 5x6; models that fit: linear, mlp.",
        ),
        (
            "torchvision:resnet18",
            (4,),
            "torchvision:resnet18 needs images, but the inputs are vectors of 4 numbers; models that fit: linear, mlp, "
            "resnet-tabular, ft-transformer.",
        ),
    ],
)
def test_a_shape_that_does_not_fit_is_a_sentence(name: str, shape: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(name, shape=shape, outputs=2)
    start, _, listed = sentence.partition("models that fit: ")
    said, _, found = str(caught.value).partition("models that fit: ")
    assert said == start
    assert set(found.rstrip(".").split(", ")) == set(listed.rstrip(".").split(", "))


def test_an_unknown_model_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match=r"^There is no model named 'resnett20'; did you mean resnet20\?$"):
        build("resnett20", shape=(3, 32, 32), outputs=10)


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="width"):
        build("cnn", shape=(3, 32, 32), outputs=10, width=3)
