"""JSON: strict and complete."""

import json
import math

from run_folders import Block, Results

from samcli.report import compare, render


def test_json_is_strict_and_complete(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, (0.5,), sharpness=None)
    results.add({**sam, "norm": math.inf}, 0, (0.7,))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    comparison = compare(results.runs())
    document = json.loads(render(comparison, "json"), parse_constant=refuse)
    assert (document["baseline"], document["budget"]) == ("sgd", "epochs")
    assert document["notes"] == list(comparison.notes)
    first, second = document["rows"]
    assert first["config"]["optimizer"] == {**sam, "norm": "inf"}
    assert not {"seeds", "name"} & set(first["config"])
    assert first["by_seed"] == {"0": 0.7}
    assert first["difference"] == comparison.rows[0].by_seed[0] - comparison.rows[1].by_seed[0]
    assert (first["difference_low"], second["sharpness"], second["difference"]) == (None, None, None)
