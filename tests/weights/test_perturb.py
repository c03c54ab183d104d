"""Moving parameters and bringing them back, whole or in part."""

import pytest
import torch
from torch import Tensor

from samcli.weights.perturb import Epsilon, Sparse, in_memory_order, moved


def make() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    plain = torch.randn(3, 4, generator=generator)
    strided = torch.randn(2, 3, 4, 4, generator=generator).to(memory_format=torch.channels_last)
    return [plain, strided, torch.randn(5, generator=generator)]


@pytest.mark.parametrize("fails", [False, True])
def test_moves_and_comes_back_bit_for_bit(fails: bool) -> None:
    parameters = make()
    before = [p.clone() for p in parameters]
    index = torch.tensor([0, 7, 95])
    epsilon: list[Epsilon] = [torch.full((3, 4), 0.1), Sparse(index, torch.tensor([1e6, 2.0, 3.0])), None]
    addresses = [p.data_ptr() for p in parameters]
    try:
        with moved(parameters, epsilon):
            assert epsilon == []
            torch.testing.assert_close(parameters[0], before[0] + 0.1)
            change = in_memory_order(parameters[1]) - in_memory_order(before[1])
            assert change.nonzero().flatten().tolist() == index.tolist()
            assert torch.equal(parameters[2], before[2])
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert fails
    for p, b, address in zip(parameters, before, addresses, strict=True):
        assert torch.equal(p, b)
        assert p.data_ptr() == address
        assert p.stride() == b.stride()


def test_memory_order_is_a_view() -> None:
    (_, strided, _) = make()
    flat = in_memory_order(strided)
    flat[1] = 42.0
    assert strided[0, 1, 0, 0] == 42.0  # the channels lie side by side


def test_what_is_not_moved_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = make()
    copied = []
    clone = Tensor.clone
    monkeypatch.setattr(Tensor, "clone", lambda self, **k: (copied.append(self.numel()), clone(self, **k))[1])
    with moved(parameters, [None, None, torch.ones(5)]):
        pass
    assert copied == [5]
