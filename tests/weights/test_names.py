"""Names from the model or from the parameter groups."""

import pytest
import torch
from torch import Tensor, nn

from samcli.weights.names import parameter_names


def test_names_from_the_model_or_the_groups() -> None:
    model = nn.Linear(2, 1)
    parameters: list[Tensor] = [model.bias, model.weight]
    assert parameter_names(parameters, model, []) == ["bias", "weight"]
    groups = torch.optim.SGD(model.named_parameters(), lr=0.1).param_groups
    assert parameter_names(parameters, None, groups) == ["bias", "weight"]
    with pytest.raises(ValueError, match="pass model= to the optimizer"):
        parameter_names(parameters, None, [{"params": list(model.parameters())}])
