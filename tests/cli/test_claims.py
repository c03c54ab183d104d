"""`samcli claims`: the list, a claim from its experiment to its verdict, and mistakes."""

import csv
import json
from pathlib import Path

import pytest
from command import Samcli

from samcli import shipped

CLAIM = """
# Does it help?
name: tiny
dataset: {name: digits, train_examples: 60, label_noise: 0.4}
model: {name: mlp, hidden: 8}
epochs: 2
sharpness: {every: 0}
optimizer: [{name: sgd, lr: 0.05}, {name: sam, lr: 0.05, rho: [0.05, 0.1]}]
seeds: 0-1
hypotheses:
  - {says: it helps, better: {optimizer: sam, optimizer.rho: 0.1}, than: {optimizer: sgd}, published: two points}
  - says: it withstands coarse weights
    better: {optimizer: sam, optimizer.rho: 0.1}
    than: {optimizer: sgd}
    metric: weight-rounding bits=3
    contrast: true
claim:
  says: SAM helps
  source: Foret et al.
  where: Table 1
  traps: [noise]
  seconds: 5
  afterwards: robustness --test clean,weight-rounding --set bits=3 --examples 50
  picture: {kind: axis, axis: optimizer.rho}
  full: {epochs: 3, seeds: 0}
"""
OWN = CLAIM.replace("name: tiny", "name: own")
WHERE = ("--device", "cpu", "--jobs", "0")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(CLAIM)
    return Path("own.yaml")


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two claims as all that come with samcli: one that cannot be run, and one that can."""
    place = tmp_path / "experiments"
    (place / "claims").mkdir(parents=True)
    (place / "claims" / "tiny.yaml").write_text(CLAIM)
    broken = CLAIM.replace("name: digits", "name: 'csv:absent.csv', target: y").replace("name: tiny", "name: broken")
    (place / "claims" / "broken_one.yaml").write_text(broken.replace("seconds: 5", "seconds: 3"))
    monkeypatch.setattr(shipped, "folder", lambda: place)
    monkeypatch.chdir(tmp_path)


def test_a_claim_ends_with_its_verdict_and_its_files(samcli: Samcli, own: Path) -> None:
    called = samcli("claims", own, *WHERE)
    assert called.code == 0
    claim, source, verdict, *_ = called.out.splitlines()
    assert (claim, source) == ("tiny: SAM helps", "Foret et al., Table 1")
    assert verdict.startswith("Verdict: undecided: ")
    assert "Published" in called.out
    assert "two points" in called.out
    assert "samcli robustness results/claims/tiny --test clean,weight-rounding" in called.err
    assert "Mind: noise" in called.err
    with Path("results/claims/tiny/verdict.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["says"] for row in rows] == ["it helps", "it withstands coarse weights"]
    assert rows[1]["n"] == "2", "the networks were looked at"
    assert len(Path("results/claims/tiny/arms.csv").read_text().splitlines()) == 4
    assert Path("results/claims/tiny/picture.png").read_bytes().startswith(b"\x89PNG")

    again = samcli("claims", own, *WHERE, "--json")
    assert "6 of 6 runs are finished already" in again.err
    (document,) = json.loads(again.out)
    assert document["verdict"] == "undecided"
    assert document["hypotheses"][0]["published"] == "two points"
    more = samcli("claims", own, *WHERE, "--seeds", "0-2", "--quiet")
    assert more.code == 0
    assert more.err == ""
    assert len(list(Path("results/claims/tiny").glob("*/metrics.csv"))) == 9


def test_runs_of_an_earlier_version_of_the_file_are_no_evidence(samcli: Samcli, own: Path) -> None:
    """The mean over two networks would be said of one: an answer that nobody asked for."""
    samcli("claims", own, *WHERE, "--quiet")
    own.write_text(CLAIM.replace("hidden: 8", "hidden: 4"))
    called = samcli("claims", own, *WHERE)
    assert called.code == 0
    assert "6 runs of tiny have settings that its file did not ask for when it was last trained" in " ".join(
        called.err.split()
    )
    place = Path("results/claims/tiny")
    with (place / "verdict.csv").open() as file:
        found = next(csv.DictReader(file))["estimate"]
    scores = {}
    for run in place.glob("*rho0.1*"):
        if "hidden: 4" in (run / "config.yaml").read_text():
            (twin,) = (one for one in place.glob(f"*sgd-{run.name.split('-')[-2]}-*") if _hidden(one) == 4)
            scores[run] = _last(run) - _last(twin)
    assert len(scores) == 2
    assert float(found) == pytest.approx(sum(scores.values()) / 2)
    assert len((place / "arms.csv").read_text().splitlines()) == 4
    own.write_text(CLAIM)  # as it was: its own runs are there
    again = samcli("claims", own, *WHERE)
    assert "6 of 6 runs are finished already" in again.err


def _hidden(run: Path) -> int:
    return int((run / "config.yaml").read_text().partition("hidden: ")[2].split()[0])


def _last(run: Path) -> float:
    with (run / "metrics.csv").open() as file:
        return float(list(csv.DictReader(file))[-1]["test_accuracy"])


def test_runs_that_fail_are_told_and_end_with_code_1(samcli: Samcli, own: Path) -> None:
    called = samcli("claims", own, "--device", "cpu", "--jobs", "1", "--seeds", "0", "--timeout", "0.001")
    assert called.code == 1
    assert "3 runs of tiny did not finish; see samcli runs results/claims" in called.err
    assert "samcli robustness" not in called.err, "there are no networks to look at"
    assert "Verdict: undecided: nothing is known yet." in called.out
    assert "Traceback" not in called.err


def test_networks_that_cannot_be_looked_at_are_told_and_end_with_code_1(samcli: Samcli, own: Path) -> None:
    assert samcli("claims", own, *WHERE, "--quiet").code == 0
    broken, *_ = Path("results/claims/tiny").glob("*sgd*seed0*")
    (broken / "checkpoint.pt").write_bytes(b"PK")
    (broken / "robustness.json").unlink()
    called = samcli("claims", own, *WHERE, "--quiet")
    assert called.code == 1
    assert "checkpoint.pt is truncated or no checkpoint at all" in called.err
    assert "not all networks of results/claims/tiny could be looked at" in called.err
    assert "Verdict: undecided" in called.out, "of those that could be"


def test_the_size_of_the_source(samcli: Samcli, own: Path) -> None:
    called = samcli("claims", own, "--full", "--dry-run", "--json", *WHERE)
    assert called.code == 0
    document = json.loads(called.out)
    assert [run["config"]["epochs"] for run in document["runs"]] == [3] * 3
    assert {run["config"]["name"] for run in document["runs"]} == {"tiny-full"}
    assert not Path("results").exists()


def test_a_folder_of_its_name_hides_no_claim(samcli: Samcli, two: None) -> None:
    Path("tiny").mkdir()
    assert len(json.loads(samcli("claims", "--json").out)) == 2
    assert samcli("claims", "tiny", "--dry-run", *WHERE).code == 0
    assert samcli("claims", "claims/tiny", "--dry-run", *WHERE).code == 0, "as samcli list experiments names it"
    assert samcli("train", "claims/tiny", "--dry-run", *WHERE).code == 0


def test_the_list_tells_what_is_known(samcli: Samcli, two: None) -> None:
    called = samcli("claims", "--json")
    assert [(one["name"], one["verdict"], one["seconds"]) for one in json.loads(called.out)] == [
        ("broken", "not run", 3.0),
        ("tiny", "not run", 5.0),
    ]
    samcli("claims", "tiny", *WHERE, "--quiet")
    assert json.loads(samcli("claims", "--json").out)[1]["verdict"] == "undecided"
    assert "undecided" in samcli("claims").out


def test_all_of_them_within_a_time(samcli: Samcli, two: None) -> None:
    called = samcli("claims", "--all", "--within", "2s", *WHERE)
    assert called.code == 0
    assert "2 claims would take longer than the 2 s leave room for." in called.err
    called = samcli("claims", "--all", "--within", "1 min", *WHERE)
    assert called.code == 1, "one of them could not be run"
    assert "broken: There is no file" in called.err or "broken: " in called.err
    assert "Verdict: undecided" in called.out
    assert "Traceback" not in called.err
    # what has finished takes no time any more, whatever the file says of all its runs
    again = samcli("claims", "--all", "--within", "2s", *WHERE)
    assert "1 claim would take longer than the 2 s leave room for." in again.err
    assert "6 of 6 runs are finished already" in again.err


def test_what_would_run_of_several_is_one_document(samcli: Samcli, two: None) -> None:
    Path("experiments/claims/broken_one.yaml").write_text(CLAIM.replace("name: tiny", "name: other"))
    called = samcli("claims", "--all", "--dry-run", "--json", *WHERE)
    assert called.code == 0
    assert [(one["name"], len(one["runs"])) for one in json.loads(called.out)] == [("other", 6), ("tiny", 6)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tinny",), "There is neither a claim 'tinny' nor a file of that name; did you mean tiny?"),
        (("absent.yaml",), "There is no file absent.yaml"),
        (("tiny.yaml",), "There is no file tiny.yaml; the one that comes with samcli is named tiny, without .yaml."),
        (("tiny", "--all"), "--all is all claims at their small size"),
        (("--full",), "--full, --seeds and --dry-run are for a claim; name one, see samcli claims."),
        (("--dry-run",), "--full, --seeds and --dry-run are for a claim"),
        (("--all", "--full"), "--all is all claims at their small size"),
        (("tiny", "--within", "2h"), "--within is for --all"),
        (("--all", "--within", "soon"), "--within soon must be a time such as 90s, 45min, 2h or 1d."),
        (("--all", "--within", "-3h"), "--within -3h must be a time"),
        (("plain.yaml",), "plain.yaml says nothing under claim: that could be put to a test; see docs/own_claims.md."),
        (("unjudged.yaml",), "unjudged.yaml says nothing under hypotheses:"),
        (("beside.yaml",), "beside.yaml: all hypotheses are contrasts, so that nothing decides the claim"),
        (("odd.yaml",), "afterwards: robustness --tests clean,weight-rounding: No such option: --tests"),
        (("unmeasured.yaml",), "afterwards: sharpness --examples: Option '--examples' requires an argument."),
        (("no_test.yaml",), "afterwards: robustness --test clean,weight-runding: There is no robustness test named"),
        (
            ("no_value.yaml",),
            "afterwards: robustness --test weight-rounding --set bits=x: the command line: bits must be",
        ),
        (("no_measure.yaml",), "afterwards: sharpness --measure tracce: There is no measure named 'tracce'"),
        (("no_examples.yaml",), "afterwards: sharpness --examples 0: --examples must be"),
        (("no_option.yaml",), "afterwards: sharpness trace: trace stands for runs of others; leave it out"),
        (("no_metric.yaml",), "picture of the claim: No run has a metric 'test_acuracy'; did you mean test_accuracy?"),
        (("no_axis.yaml",), "picture of the claim: --axis optimizer.k: no run has a setting 'optimizer.k'"),
        (("no_over.yaml",), "picture of the claim: over must be one of epochs, gradients, seconds, not 'hours'."),
        (("no_pair.yaml",), "picture of the claim: --axis goes with --kind axis; add it, or leave --axis out."),
        (("help.yaml",), "afterwards: bound --help: help looks at no network; leave --help out."),
        (("taken.yaml",), "taken.yaml: name: tiny is that of a claim that comes with samcli"),
        (("not_kept.yaml",), "no run will have measured 'weight-rounding bits=3'"),
    ],
)
def test_mistakes_end_in_a_sentence(samcli: Samcli, two: None, arguments: tuple[str, ...], words: str) -> None:
    Path("plain.yaml").write_text("{dataset: wine, optimizer: sgd}")
    Path("unjudged.yaml").write_text("{dataset: wine, claim: {says: x, source: y, where: z}}")
    Path("beside.yaml").write_text(CLAIM.replace("published: two points", "contrast: true"))
    command = "robustness --test clean,weight-rounding --set bits=3 --examples 50"
    Path("odd.yaml").write_text(CLAIM.replace(command, "robustness --tests clean,weight-rounding"))
    Path("unmeasured.yaml").write_text(CLAIM.replace(command, "sharpness --examples"))
    for name, other in {
        "no_test": "robustness --test clean,weight-runding",
        "no_value": "robustness --test weight-rounding --set bits=x",
        "no_measure": "sharpness --measure tracce",
        "no_examples": "sharpness --examples 0",
        "no_option": "sharpness trace",
        "help": "bound --help",
    }.items():
        Path(f"{name}.yaml").write_text(CLAIM.replace(command, other))
    for name, other in {
        "no_metric": "kind: curves, metric: test_acuracy",
        "no_axis": "kind: axis, axis: optimizer.k",
        "no_over": "kind: pareto, over: hours",
        "no_pair": "kind: curves, axis: optimizer.rho",
    }.items():
        Path(f"{name}.yaml").write_text(OWN.replace("kind: axis, axis: optimizer.rho", other))
    Path("taken.yaml").write_text(CLAIM.replace("epochs: 2", "epochs: 3"))
    Path("not_kept.yaml").write_text(OWN.replace(f"  afterwards: {command}\n", ""))
    called = samcli("claims", *arguments, *WHERE)
    assert called.code == 2
    assert not Path("results").exists(), "it is found before anything is trained"
    assert words in " ".join(called.err.split())
    assert "Traceback" not in called.err


def test_every_claim_that_comes_with_samcli_is_sound(samcli: Samcli, tmp_path: Path) -> None:
    documents = json.loads(samcli("claims", "--json", "--results", tmp_path).out)
    assert len(documents) >= 20
    for one in documents:
        assert one["says"]
        assert one["seconds"]
    assert len({one["name"] for one in documents}) == len(documents)


def test_the_claim_of_the_documentation_is_sound(
    samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "own_claims.md").read_text()
    monkeypatch.chdir(tmp_path)
    Path("in_time.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    called = samcli("claims", "in_time.yaml", "--dry-run", *WHERE)
    assert called.code == 0, called.err
    assert "30 runs, 30 left to do." in called.err
