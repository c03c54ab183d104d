"""The residual network for tables (Gorishniy et al., NeurIPS 2021, "Revisiting Deep Learning Models ...")."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from samcli.models._base import MODELS, ModelKind
from samcli.registry import option


class ResidualBlock(nn.Module):
    """x + Dropout(Linear(Dropout(ReLU(Linear(BatchNorm(x)))))), section 3.2 of the paper.

    Args:
        width: of what goes in and out.
        hidden: of the layer between.
        dropout: probability of a zero after that layer.
        residual_dropout: the same after the second one.
    """

    def __init__(self, width: int, hidden: int, dropout: float, residual_dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm1d(width),
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
            nn.Dropout(residual_dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, width) as the input."""
        added: Tensor = x + self.body(x)
        return added


@MODELS.register("resnet-tabular")
@dataclass(frozen=True, kw_only=True)
class ResNetTabular(ModelKind):
    """Residual blocks of two dense layers for tables, normalised by BatchNorm (Gorishniy et al., NeurIPS 2021).

    The defaults are ours: the authors choose widths and dropout for each table.
    """

    width: int = option(192, "width of the blocks", minimum=1, maximum=1_000_000)
    hidden: int = option(384, "width of the layer inside each block", minimum=1, maximum=1_000_000)
    depth: int = option(2, "number of blocks", minimum=1, maximum=1000)
    dropout: float = option(0.15, "probability of a zero inside each block", minimum=0.0, below=1.0)
    residual_dropout: float = option(0.0, "probability of a zero at the end of each block", minimum=0.0, below=1.0)

    def fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 1

    @property
    def needs(self) -> str:
        return "tables"

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        blocks = [
            ResidualBlock(self.width, self.hidden, self.dropout, self.residual_dropout) for _ in range(self.depth)
        ]
        head = (nn.BatchNorm1d(self.width), nn.ReLU(), nn.Linear(self.width, outputs))
        return nn.Sequential(nn.Linear(shape[0], self.width), *blocks, *head)
