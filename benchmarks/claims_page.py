"""docs/claims.md from the numbers of claims that were run: `results/claims/*.csv`.

    samcli claims --all
    python benchmarks/claims_page.py > docs/claims.md

What a claim says and how it was set up comes from its file in experiments/claims/; every number from the CSV files.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from samcli import config, shipped
from samcli.cli.asked_claims import claim_names, shipped_claim
from samcli.config.claim import Claim, claim_of

ROOT = Path(__file__).parents[1]
HEAD = """# What the literature says, and what was found

Published claims about sharpness-aware minimisation, each as an experiment that two cores can run, whose hypotheses
were written and committed before its runs. `samcli claims` lists them, `samcli claims NAME` runs one, `--full` at the
size of its source; [own_claims.md](own_claims.md) says how to write one. This page is made by `python
benchmarks/claims_page.py` from [results/claims](../results/claims), and not by hand.

Read *held* as: so it is in this small setting. *Contradicted* says that it is not so here, which may be the setting's
doing; how each differs from its source stands below it. *Undecided* says what it would take. Verdicts are by exact
tests over seeds, adjusted within each claim; a *contrast* is no part of the claim, and there for what it shows
beside.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the page, of the numbers in the folder that is named, or in results/claims."""
    given = sys.argv[1:] if arguments is None else arguments
    results = Path(given[0]) if given else ROOT / "results" / "claims"
    claims = [(name, claim) for name in claim_names() if (claim := claim_of(config.read(shipped_claim(name))))]
    found = {name: rows(file) for name, _ in claims if (file := results / f"{name}.csv").is_file()}
    print(HEAD)
    print("\n".join(glance(claims, found)))
    for name, claim in claims:
        print("\n".join(section(name, claim, found.get(name, []), results / f"{name}-arms.csv")))


def rows(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file; a mark that keeps a spreadsheet from computing is taken off."""
    with file.open(encoding="utf-8") as opened:
        return [{key: value.removeprefix("'") for key, value in row.items()} for row in csv.DictReader(opened)]


def glance(claims: list[tuple[str, Claim]], found: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    """The table of all claims."""
    yield "| claim | | what is said | by |\n| --- | --- | --- | --- |"
    for name, claim in claims:
        verdict = found[name][0]["claim"] if name in found else "not run"
        yield f"| [{name}](#{name}) | **{verdict}** | {cell(claim.says)} | {cell(claim.source)} |"
    yield ""


def section(name: str, claim: Claim, judged: list[dict[str, str]], arms: Path) -> Iterator[str]:
    """What there is to say of a claim."""
    yield f"## {name}\n"
    yield f"{claim.says[0].upper()}{claim.says[1:]} ({claim.source}; {claim.where}).\n"
    if judged:
        yield f"**{judged[0]['words'][0].upper()}{judged[0]['words'][1:]}**\n"
        yield "| verdict | hypothesis | found | n | p | published |\n| --- | --- | --- | --- | --- | --- |"
        for row in judged:
            contrast = " *(contrast)*" if row["contrast"] == "True" else ""
            told = "; ".join(filter(None, (row["found"], decide(row))))
            number = f"{float(row['p_adjusted']):.4f}".replace("0.0000", "<0.0001") if row["p_adjusted"] else ""
            yield (
                f"| {row['verdict']} | {cell(row['says'])}{contrast} | {cell(told)} | {row['n']} | {number} | "
                f"{cell(row['published'])} |"
            )
        yield ""
    for label, words in (
        ("Published", claim.published),
        ("Their setting", claim.setting),
        ("Here", claim.differs),
        ("Not tried at size", claim.not_at_size),
    ):
        if words:
            yield f"- {label}: {words.rstrip('.')}."
    for trap in claim.traps:
        yield f"- Mind: {trap.rstrip('.')}."
    yield ""
    if judged and arms.is_file():
        yield from table(rows(arms))
    file = shipped.path_of(f"claims/{name}")
    where = file.relative_to(shipped.folder()).as_posix() if file else ""
    made = f"{judged[0]['made_of']}\n" if judged else "Not run yet.\n"
    yield f"`samcli claims {name}` ([experiments/{where}](../experiments/{where})). {made}"


def decide(row: dict[str, str]) -> str:
    """What it would take where it is undecided, and why nothing is known."""
    if row["verdict"] != "undecided":
        return ""
    seeds = f"about {row['seeds_to_decide']} seeds would probably decide it" if row["seeds_to_decide"] else ""
    return row["why"].rstrip(".") or seeds


def table(arms: list[dict[str, str]]) -> Iterator[str]:
    """All arms of an experiment."""
    scale = 100.0 if arms[0]["metric"] in SHARES else 1.0
    metric = arms[0]["metric"].replace("_", " ") + (" in %" if scale == 100.0 else "")
    yield f"| arm | {metric} | Δ to the baseline | passes |\n| --- | --- | --- | --- |"
    for row in arms:
        settings = " ".join(filter(None, (row["optimizer"], row["settings"])))
        where = " ".join(filter(None, (row["dataset_settings"], row["model_settings"])))
        spread = f" ± {scale * float(row['last_sd']):.2f}" if row["last_sd"] else ""
        mean = f"{scale * float(row['last_mean']):.2f}{spread}" if row["last_mean"] else ""
        low, high = (row[f"difference_{end}"] for end in ("low", "high"))
        between = f" [{scale * float(low):+.2f}, {scale * float(high):+.2f}]" if low and high else ""
        delta = f"{scale * float(row['difference']):+.2f}{between}" if row["difference"] else ""
        passes = f"{float(row['passes']):.2f}" if row["passes"] else ""
        yield f"| {cell(', '.join(filter(None, (settings, where))))} | {mean} | {delta} | {passes} |"
    yield ""


SHARES: Any = ("test_accuracy", "test_recent_accuracy")


def cell(text: str) -> str:
    """A text in a cell of a table."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
