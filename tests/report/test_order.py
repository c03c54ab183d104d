"""Where settings of one optimizer compete, no order by test values chooses among them."""

from run_folders import Block, Results

from samcli.report import compare


def test_settings_that_compete_stand_in_their_order(results: Results, sgd: Block, sam: Block) -> None:
    for rho, accuracy in ((10.0, 0.5), (0.5, 0.9), (1.0, 0.7), (0.05, 0.6)):
        results.add({**sam, "rho": rho}, 0, (accuracy,))
    results.add(sgd, 0, (0.65,))
    found = compare(results.runs())
    assert [row.who for row in found.rows] == ["sgd", "sam rho=0.05", "sam rho=0.5", "sam rho=1", "sam rho=10"]
    assert "Settings of one optimizer compete: rows stand in their order, for the best of them is no fair result." in (
        found.notes
    )


def test_what_does_not_compete_stands_by_its_result(results: Results, sgd: Block, sam: Block) -> None:
    results.add({**sam, "rho": 5.0}, 0, (0.1,), status={"status": "diverged"})
    for optimizer, accuracy in ((sgd, 0.7), (sam, 0.8), ({**sgd, "name": "adam"}, 0.75)):
        results.add(optimizer, 0, (accuracy,))
    results.add(sam, 0, (0.3,), dataset={"name": "wine"})
    found = compare(results.runs())
    assert [row.optimizer for row in found.rows] == ["sam", "adam", "sgd", "sam", "sam"]
    assert not any("compete" in note for note in found.notes)
