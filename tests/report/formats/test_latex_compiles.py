"""What is written for LaTeX goes through LaTeX, and within the line."""

import shutil
import subprocess
from pathlib import Path

import pytest
from run_folders import Block, Results

from samcli.config import parse
from samcli.config.hypotheses import hypotheses_of
from samcli.report import compare, render
from samcli.report.judged_table import hypotheses_table
from samcli.report.over_tasks import over_tasks_table
from samcli.report.sensitivity import sensitivity_table
from samcli.report.small_table import written
from samcli.runs.hypotheses_file import record

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")

SAYS = r"SAM wins at 40 % noise & more_than_that #1 {x} $5 ~ ^ \\"
HYPOTHESES = f"""
hypotheses:
  - says: '{SAYS}'
    better: {{optimizer: sam, optimizer.rho: 0.1}}
    than: {{optimizer: sgd}}
"""


@needs_latex
def test_every_table_is_one_page_without_errors(results: Results, sgd: Block, sam: Block, tmp_path: Path) -> None:
    for noise in (0.0, 0.4):
        for seed in range(6):
            data = {"label_noise": noise}
            results.add(sgd, seed, [0.5, 0.6 + 0.01 * seed], validation=[0.5, 0.6], dataset=data)
            results.add(sgd, seed, [0.5, 0.6], dataset=data, model={"name": "a_b%c&d#e"})
            for rho in (0.05, 0.1):
                found = {**sam, "rho": rho}
                results.add(found, seed, [0.5, 0.7 + 0.02 * seed], validation=[0.5, 0.7], dataset=data)
    record(results.path / "trial", hypotheses_of(parse(HYPOTHESES, "x.yaml")), 0)
    runs = results.runs()
    same = [run for run in runs if run.config["model"]["name"] == "cnn"]  # on which all optimizers ran
    comparison = compare(runs, target=0.65)
    assert len(comparison.judgements) == 1
    tables = {
        "comparison": render(comparison, "latex"),
        "hypotheses": written(hypotheses_table(comparison.judgements), "latex"),
        "tasks": written(over_tasks_table(compare(same, target=0.65)), "latex"),
        "sensitivity": written(sensitivity_table(compare(runs), runs, "rho"), "latex"),
    }
    for name, table in tables.items():
        compiled(table, tmp_path / f"{name}.tex")


@needs_latex
def test_a_table_of_many_rows_is_parted_into_pages(results: Results, sgd: Block, sam: Block, tmp_path: Path) -> None:
    for noise in (0.0, 0.4):
        for seed in range(2):
            results.add(sgd, seed, [0.5], dataset={"label_noise": noise})
            for rho in range(1, 36):
                results.add({**sam, "rho": rho / 100}, seed, [0.6], dataset={"label_noise": noise})
    table = render(compare(results.runs()), "latex")
    assert table.count(r"\begin{table}") == 4
    assert table.count(" (continued).}") == 3
    assert table.count(r"$\rho$=") == 70
    compiled(table, tmp_path / "long.tex")


def compiled(table: str, file: Path) -> None:
    file.write_text(rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{table}\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", file.name]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    for complaint in ("Overfull", "too large"):
        assert complaint not in done.stdout, (file.name, done.stdout[-2000:])
