from math import erf
from pathlib import Path

import torch

from samcli.data import DATASETS

HERE = Path()


def test_linear_is_the_model_it_says() -> None:
    source = DATASETS.create("linear").source(HERE)
    for x, y in [(source.inputs, source.targets), (source.test_inputs, source.test_targets)]:
        assert (x.shape, y.shape) == ((512, 10), (512,))
        solution = torch.linalg.lstsq(torch.cat([x, torch.ones(512, 1)], 1).double(), y.double()[:, None])
        expected = torch.tensor([1.0, -0.5] * 5 + [0.7], dtype=torch.float64)
        # each weight is known to 0.1/√512 = 0.0044: five of these
        torch.testing.assert_close(solution.solution.squeeze(1), expected, atol=0.022, rtol=0)
        noise = y - x @ expected[:-1].float() - 0.7
        assert abs(noise.std().item() - 0.1) < 5 * 0.1 / (2 * 512) ** 0.5
    assert not torch.equal(source.inputs, source.test_inputs)


def test_blobs_are_as_separable_as_it_says() -> None:
    source = DATASETS.create("blobs").source(HERE)
    x, y = torch.cat([source.inputs, source.test_inputs]), torch.cat([source.targets, source.test_targets])
    assert source.targets.bincount().tolist() == source.test_targets.bincount().tolist() == [200, 200]
    right = ((x.sum(1) > 0) == y).float().mean().item()
    best = 0.5 * (1 + erf(1.0))  # Φ(√2)
    assert abs(right - best) < 4 * (best * (1 - best) / 800) ** 0.5


def test_the_data_are_the_same_in_every_run() -> None:
    torch.manual_seed(1)
    first = DATASETS.create("blobs").source(HERE)
    torch.manual_seed(2)
    assert torch.equal(first.inputs, DATASETS.create("blobs").source(HERE).inputs)
