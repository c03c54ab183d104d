"""Matrices whose spectrum is known, and products with them that are counted."""

import torch
from torch import Tensor


def matrix(eigenvalues: list[float], dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    q, _ = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), generator=generator, dtype=torch.float64))
    return ((q * torch.tensor(eigenvalues, dtype=torch.float64)) @ q.T).to(dtype)


def start(a: Tensor, seed: int = 1) -> Tensor:
    return torch.randn(len(a), generator=torch.Generator().manual_seed(seed), dtype=a.dtype)


class Counted:
    def __init__(self, a: Tensor) -> None:
        self.a, self.calls = a, 0

    def __call__(self, v: Tensor) -> Tensor:
        self.calls += 1
        return self.a.mv(v)


BULK = [0.01 * i for i in range(100)]
