"""The table of docs/family.md from the runs of experiments/family.yaml, as Markdown.

    samcli train experiments/family.yaml
    samcli train experiments/family.yaml --seeds 0 --epochs 4 --name cost --set sharpness.every=0
    python benchmarks/family_table.py results/family results/cost

Accuracy, difference and sharpness come from the first folder; passes, the gradient evaluations for each example and
epoch, from its `metrics.csv`; the cost from the second, which is short and to be made on a quiet machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

from samcli.report import compare
from samcli.report.row import Row
from samcli.runs.reader import Run, scan


def passes(runs: list[Run]) -> dict[str, float]:
    """Gradient evaluations for each example and epoch, by what identifies a row: its optimizer block."""
    found: dict[str, list[float]] = {}
    examples = min(run.metrics["gradient_evaluations"].iloc[0] for run in runs if len(run.metrics))
    for run in runs:
        if run.state == "finished":
            last = run.metrics.iloc[-1]
            value = float(last["gradient_evaluations"]) / float(last["epoch"]) / examples
            found.setdefault(str(run.config["optimizer"]), []).append(value)
    return {key: sum(values) / len(values) for key, values in found.items()}


def line(row: Row, counted: dict[str, float], costs: dict[str, float | None]) -> str:
    """One row of the table."""
    key = str(row.config["optimizer"])
    last = "" if row.last is None else f"{100 * row.last.mean:.1f} ± {100 * (row.last.sd or 0):.1f}"
    change = "baseline"
    if row.difference is not None and not row.is_baseline:
        low, high = row.difference.low or 0.0, row.difference.high or 0.0
        change = f"{100 * row.difference.mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
    sharpness = "" if row.sharpness is None else f"{row.sharpness:.4f}"
    cost = costs.get(key)
    cells = [row.optimizer, row.settings, last, change, sharpness, f"{counted[key]:.2f}", f"{cost:.2f}" if cost else ""]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    runs, short = (scan([Path(name)])[0] for name in sys.argv[1:3])
    counted = passes(runs)
    costs = {str(row.config["optimizer"]): row.cost for row in compare(short).rows}
    print("| optimizer | settings | accuracy % | Δ to SGD, 95 % | sharpness | passes | time |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in compare(runs).rows:
        print(line(row, counted, costs))


if __name__ == "__main__":
    main()
