"""docs/claims.md from the numbers of claims that were run: `results/claims/*.csv`.

    samcli claims --all
    python benchmarks/claims_page.py --collect results/claims     # NAME/verdict.csv becomes results/claims/NAME.csv
    python benchmarks/claims_page.py > docs/claims.md

What a claim says and how it was set up comes from its file in experiments/claims/; every number from the CSV files.
"""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from samcli import config, shipped
from samcli.cli.asked_claims import claim_names, shipped_claim
from samcli.config.claim import Claim, claim_of
from samcli.config.hypotheses import hypotheses_of

ROOT = Path(__file__).parents[1]
HEAD = """# What the literature says, and what was found

Published claims about sharpness-aware minimisation, each as an experiment that two cores can run, whose hypotheses
were written and committed before its runs. `samcli claims` lists them, `samcli claims NAME` runs one, `--full` at the
size of its source; [own_claims.md](own_claims.md) says how to write one. This page is made by `python
benchmarks/claims_page.py` from [results/claims](../results/claims), and not by hand.

Read *held* as: so it is in this small setting. *Contradicted* says that it is not so here, which may be the setting's
doing; how each differs from its source stands below it. *Undecided* says what it would take. Verdicts are by exact
tests over seeds, adjusted within each claim; a *contrast* is no part of the claim, and there for what it shows
beside. In the tables of arms n is how many runs finished; those that diverged are in no mean, and in a comparison of
accuracies or losses they count as the worst.
"""
AT_FULL = "`samcli claims {name} --full` is the setting of the source; see [below](#at-the-size-of-their-sources)"
AT_SIZE = """## At the size of their sources

What `--full` says was trained for a shortened epoch, one arm of each kind, to see that it does train; none was tried at
its size. `python benchmarks/full_settings.py` does it, with a folder of CIFAR-10 as JPEGs (`--images`) where it says
*image-folder*. Losses are those of the last epoch of so few examples, and say nothing of the claims. Where a claim has
one row there was time for its first arm alone.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the page, of the numbers in the folder that is named, or in results/claims; or bring numbers there."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["--collect"]:
        collect(Path(given[1]))
        return
    results = Path(given[0]) if given else ROOT / "results" / "claims"
    claims = [(name, claim) for name in claim_names() if (claim := claim_of(config.read(shipped_claim(name))))]
    found = {name: rows(file) for name, _ in claims if (file := results / f"{name}.csv").is_file()}
    print(HEAD)
    print("\n".join(glance(claims, found)))
    for name, claim in claims:
        print("\n".join(section(name, claim, found.get(name, []), results / f"{name}-arms.csv")))
    if (tried := results / "full_settings.csv").is_file():
        print("\n".join(at_size(rows(tried))))


def collect(results: Path) -> None:
    """Copy what claims have left beside their runs to where this page reads it, a part of the repository."""
    for name in claim_names():
        for given, kept in (("verdict", name), ("arms", f"{name}-arms")):
            if (file := results / name / f"{given}.csv").is_file():
                shutil.copyfile(file, ROOT / "results" / "claims" / f"{kept}.csv")


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
    document = config.read(shipped_claim(name))
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
    else:
        yield "What is to be seen, and has not been looked for yet:\n"
        for one in hypotheses_of(document):
            yield f"- {one.says}{' *(contrast)*' if one.contrast else ''}."
    yield f"- Trained: {setting(document.data)}."
    for label, words in (
        ("Published", claim.published),
        ("Their setting", claim.setting),
        ("Here", claim.differs),
        ("Not tried at size", claim.not_at_size or (AT_FULL.format(name=name) if claim.full else "")),
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
    """What it would take where it is undecided, which way it leans, and why nothing is known."""
    if row["verdict"] != "undecided":
        return ""
    leaning = {"held": ", for it", "contradicted": ", against it"}.get(row["leaning"], "")
    seeds = f"about {row['seeds_to_decide']} seeds would probably decide it{leaning}" if row["seeds_to_decide"] else ""
    return row["why"].rstrip(".") or seeds


def table(arms: list[dict[str, str]]) -> Iterator[str]:
    """All arms of an experiment."""
    scale = 100.0 if arms[0]["metric"] in SHARES else 1.0
    metric = arms[0]["metric"].replace("_", " ") + (" in %" if scale == 100.0 else "")
    yield f"| arm | n | {metric} | Δ to {' or '.join(baselines(arms)) or 'the baseline'} | passes |"
    yield "| --- | --- | --- | --- | --- |"
    for row in arms:
        settings = " ".join(filter(None, (row["optimizer"], row["settings"])))
        where = " ".join(filter(None, (row["dataset_settings"], row["model_settings"])))
        spread = f" ± {scale * float(row['last_sd']):.2f}" if row["last_sd"] else ""
        mean = f"{scale * float(row['last_mean']):.2f}{spread}" if row["last_mean"] else ""
        low, high = (row[f"difference_{end}"] for end in ("low", "high"))
        between = f" [{scale * float(low):+.2f}, {scale * float(high):+.2f}]" if low and high else ""
        fallen = int(row["diverged"])
        ends = not fallen or arms[0]["metric"] in SHARES  # a diverged run has the worst accuracy, and no curvature
        delta = f"{scale * float(row['difference']):+.2f}{between}" if row["difference"] and ends else ""
        count = f"{row['finished']}{f', {fallen} diverged' if fallen else ''}"
        passes = f"{float(row['passes']):.2f}" if row["passes"] else ""
        yield f"| {cell(', '.join(filter(None, (settings, where))))} | {count} | {mean} | {delta} | {passes} |"
    yield ""


def baselines(arms: list[dict[str, str]]) -> list[str]:
    """The optimizers that others are compared to."""
    return list(dict.fromkeys(row["optimizer"] for row in arms if row["is_baseline"] == "True"))


def setting(document: Mapping[str, Any]) -> str:
    """What was trained, on what, in the words of the experiment's file."""
    told = {key: document[key] for key in SETTING if key in document}
    words = (
        f"{key} {yaml.safe_dump(value, default_flow_style=True, width=10_000).strip()}" for key, value in told.items()
    )
    return "; ".join(f"`{one.removesuffix('...').strip()}`" for one in words)


def at_size(tried: list[dict[str, str]]) -> Iterator[str]:
    """What was seen of the settings of the sources."""
    yield AT_SIZE
    yield "| claim | arm | network | data | examples | loss | device |\n| --- | --- | --- | --- | --- | --- | --- |"
    for row in tried:
        status = row["train_loss"] if row["status"] == "finished" else row["status"]
        device = f"{row['device']}, torch {row['torch'].partition('+')[0]}, {row['date']}"
        yield (
            f"| {row['claim']} | {cell(row['arm'])} | {row['model']} | {row['dataset']} | {row['examples']} | {status} "
            f"| {device} |"
        )
    yield ""


SETTING = ("dataset", "model", "loss", "stages", "epochs", "tokens", "batch_size", "schedule", "federated", "seeds")
SHARES: Any = ("test_accuracy", "test_recent_accuracy")


def cell(text: str) -> str:
    """A text in a cell of a table."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
