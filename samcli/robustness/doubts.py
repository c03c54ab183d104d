"""What makes the accuracy under attack doubtful: a weak attack looks like a robust network."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

from samcli.robustness.outcome import Outcome
from samcli.robustness.strength import strength_text

ORDER = ("fgsm", "pgd", "apgd")  # from weak to strong
FLAT = 0.05  # share of the attacked images without a gradient, from which on gradients are masked
UNREACHED = 0.02  # share of them that one step finds and many steps do not


def doubts(found: Mapping[str, Outcome]) -> list[str]:
    """Sentences on attacks that are weaker than they should be, and on signs of masked gradients.

    N. Carlini et al., "On Evaluating Adversarial Robustness" (2019, section 4); A. Athalye, N. Carlini, D. Wagner,
    "Obfuscated Gradients Give a False Sense of Security" (ICML 2018, section 3): a stronger attack and a larger ball
    must not find less, and iterations must not find less than one step. Differences of less than two standard errors
    of either value are no sign.

    Args:
        found: outcomes by label, as `samcli.robustness.measure` returns them.

    >>> weak = Outcome(0.9, 0.01, None, 1000, "accuracy", {"eps": 0.1, "norm": 2.0, "attacked": 950, "flat": 400})
    >>> doubts({"pgd-l2 eps=0.1": weak})
    ['pgd-l2 eps=0.1: 400 of 950 attacked images have no gradient, so that robustness may be a masked gradient; \
try apgd with loss=dlr.']
    """
    attacks = {label: one for label, one in found.items() if "attacked" in one.details}
    return [*_weaker(attacks), *_masked(attacks)]


def _weaker(attacks: Mapping[str, Outcome]) -> Iterator[str]:
    by_radius: dict[tuple[float, float], dict[str, Outcome]] = defaultdict(dict)
    by_name: dict[str, list[tuple[str, Outcome]]] = defaultdict(list)
    for label, one in attacks.items():
        name = label.split(" ")[0]
        by_radius[one.details["norm"], one.details["eps"]][name.removesuffix("-l2")] = one
        by_name[name].append((label, one))
    for (norm, eps), here in by_radius.items():
        names = [name for name in ORDER if name in here]
        end = "-l2" if norm == 2.0 else ""
        for weak, strong in itertools.pairwise(names):
            if _is_above(here[strong], here[weak]):
                yield (
                    f"At eps={strength_text(eps)} {strong}{end} is weaker than {weak}{end}, which must not be: the "
                    "gradient leads astray; give it more restarts, and do not take its value for robustness."
                )
    for several in by_name.values():
        ordered = sorted(several, key=lambda pair: float(pair[1].details["eps"]))
        for (smaller, one), (larger, other) in itertools.pairwise(ordered):
            if _is_above(other, one):
                yield (
                    f"{larger} leaves more images right than {smaller}, which must not be: the larger ball has the "
                    "smaller one's points; give it more steps."
                )


def _is_above(one: Outcome, other: Outcome) -> bool:
    spread = max(one.stderr or 0.0, other.stderr or 0.0)
    return not math.isnan(one.value - other.value) and one.value - other.value > 2.0 * spread


def _masked(attacks: Mapping[str, Outcome]) -> Iterator[str]:
    for label, one in attacks.items():
        attacked = one.details["attacked"] or 1
        flat, missed = one.details.get("flat", 0), one.details.get("only_one_step", 0)
        if flat > FLAT * attacked:
            yield (
                f"{label}: {flat} of {attacked} attacked images have no gradient, so that robustness may be a masked "
                "gradient; try apgd with loss=dlr."
            )
        if missed > UNREACHED * attacked:
            yield (
                f"{label}: {missed} of {attacked} attacked images fell to one step and not to its steps, a sign of "
                "masked gradients; give it more restarts."
            )
