"""Loss and score over a part, however it is cut into batches."""

import pytest
from small_run import MakeConfig, Places

from samcli.train.components import build_model, load_dataset
from samcli.train.evaluation import evaluate


def test_evaluation_does_not_depend_on_the_batch_size(
    config_of: MakeConfig, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of("model=cnn")
    data = load_dataset(config, **places)
    model = build_model(config, data.shape, data.task.outputs)
    whole = evaluate(model, data.task, data.test)
    monkeypatch.setattr("samcli.train.evaluation.BATCH_SIZE", 7)
    ragged = evaluate(model, data.task, data.test)
    assert ragged[1] == whole[1]
    assert ragged[0] == pytest.approx(whole[0], rel=1e-5)
