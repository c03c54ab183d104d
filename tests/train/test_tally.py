"""Sums at fixed addresses."""

import torch

from samcli.train.tally import Tally


def test_sums_stay_where_they_are_and_begin_anew() -> None:
    tally = Tally(torch.device("cpu"))
    tally.clear()
    tally.add(torch.tensor(2.0), torch.tensor([1.0, 2.0]), examples=3)
    assert tally.statistics is not None
    where = tally.loss.data_ptr(), tally.statistics.data_ptr()
    tally.add(torch.tensor(1.0), torch.tensor([1.0, 1.0]), examples=1)
    assert (tally.loss.item(), tally.statistics.tolist()) == (7.0, [2.0, 3.0])
    tally.clear()
    tally.add(torch.tensor(0.5), torch.tensor([5.0, 6.0]), examples=2)
    assert (tally.loss.item(), tally.statistics.tolist()) == (1.0, [5.0, 6.0])
    assert where == (tally.loss.data_ptr(), tally.statistics.data_ptr())
