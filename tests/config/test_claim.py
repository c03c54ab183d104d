"""The block `claim:`: what it may say, and the experiment at the size of its source."""

from typing import Any

import pytest

from samcli.config import Draft, at_full_size, parse
from samcli.config.claim import claim_of
from samcli.config.hypotheses import hypotheses_of
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

TEXT = """
name: noise
dataset: wine
model: linear
epochs: 2
hypotheses:
  - says: it helps
    better: {optimizer: sam}
    than: {optimizer: sgd}
    published: +2 points
  - {says: it costs, better: {optimizer: sgd}, than: {optimizer: sam}, metric: cpu_seconds, contrast: true}
claim:
  says: SAM
    helps
  source: Foret et al.
  where: Table 1
  traps: a single one
  seconds: 60
  picture: {kind: axis, axis: optimizer.rho}
  afterwards: [sharpness --measure lambda-max, bound]
  full:
    dataset: digits
    epochs: 200
    optimizer: {name: sgd, lr: fast}
"""


def test_a_claim_is_read_and_is_no_part_of_any_run() -> None:
    source = parse(TEXT, "noise.yaml")
    claim = claim_of(source)
    assert claim is not None
    assert (claim.says, claim.traps, claim.seconds) == ("SAM helps", ("a single one",), 60.0)
    assert claim.afterwards == ("sharpness --measure lambda-max", "bound")
    runs = Draft.of(source, CATALOGUE).expand()
    without = Draft.of(parse(TEXT.partition("claim:")[0], "noise.yaml"), CATALOGUE).expand()
    assert [run.identity for run in runs] == [run.identity for run in without]
    first, second = hypotheses_of(source)
    assert (first.published, first.contrast, second.published, second.contrast) == ("+2 points", False, "", True)


def test_at_full_size_keys_are_replaced_and_keep_their_lines() -> None:
    full = at_full_size(parse(TEXT, "noise.yaml"))
    assert (full.data["name"], full.data["dataset"], full.data["model"]) == ("noise-full", "digits", "linear")
    with pytest.raises(ConfigError, match=r"^noise.yaml, line 24: lr must be a number"):
        Draft.of(full, CATALOGUE).expand()
    unnamed = at_full_size(parse(TEXT.replace("name: noise\n", "", 1), "folder/noise.yaml"))
    assert unnamed.data["name"] == "noise-full", "its runs are not those of the small size"
    without = parse(TEXT.partition("  full:")[0], "noise.yaml")
    with pytest.raises(ConfigError, match=r"^noise.yaml says nothing of a full size; leave --full out"):
        at_full_size(without)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("SAM helps", "claim must be a block such as {says: SAM beats SGD"),
        ({"says": "x", "source": "y"}, "claim needs where"),
        ({"say": "x"}, "claim has no key 'say'; did you mean says?"),
        ({"says": ""}, "says must be a text of up to 2000 characters"),
        ({"says": 3}, "says must be a text"),
        ({"traps": [""]}, "traps must be a text"),
        ({"seconds": "long"}, "seconds must be a number of seconds"),
        ({"seconds": -1}, "seconds must be a number of seconds"),
        ({"seconds": float("nan")}, "seconds must be a number of seconds"),
        ({"picture": "axis"}, "picture must be a block with kind"),
        ({"picture": {"kind": "pie"}}, "picture must be a block with kind, one of curves, axis"),
        ({"picture": {"kind": "axis", "title": "x"}}, "picture must be a block with kind"),
        ({"afterwards": "rm -rf results"}, "afterwards must be commands that look at networks"),
        ({"afterwards": {"sharpness": {}}}, "afterwards must be a text"),
        ({"full": {}}, "full must be a block"),
        ({"full": {"name": "x"}}, "full must be a block with what the experiment has otherwise"),
    ],
)
def test_what_it_cannot_say_is_a_sentence_with_its_line(block: Any, words: str) -> None:
    source = parse("epochs: 3\nclaim: {says: x}", "own.yaml")
    source.data["claim"] = block
    with pytest.raises(ConfigError, match=rf"^own.yaml, line 2: {words.replace('{', '[{]')}"):
        claim_of(source)


def test_no_flag_sets_it() -> None:
    draft = Draft.of(parse(TEXT, "noise.yaml"), CATALOGUE)
    with pytest.raises(ConfigError, match="claim is no setting of a run; write it in a file"):
        draft.set("claim.says=y")
