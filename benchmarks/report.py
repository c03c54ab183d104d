"""How large a page of `samcli report` is, how long it takes to make, and how long to open.

    python benchmarks/report.py FOLDER [--runs 20 200 400] [--epochs 80] [--rounds 5]

The runs are made, not trained, as by benchmarks/scale.py: SGD over learning rates and SAM over radii on digits, ten
seeds of each setting. They stay in FOLDER, and so do the pages. Making a page is a process of its own. Opening it needs
the group `browser` of pyproject.toml and a Chromium: without a window, a page of 1280 x 900, from the call until the
text is there ("text"), until what is near the window is drawn too ("load"), and until a reader who scrolls down at once
has met every plot drawn ("all plots").
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from scale import write_run

from samcli.config import Draft, read
from samcli.launch.folders import names_of
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE
from samcli.train.digests import data_of

SEEDS = 10
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"


def made(folder: Path, runs: int, epochs: int) -> Path:
    """The results of so many finished runs; half of their settings are SGD, half SAM."""
    file = folder / f"report-{runs}-{epochs}.yaml"
    results = file.with_suffix("")
    whole = file.with_suffix(".whole")  # says that the last of them was written
    if not whole.exists():
        settings = max(2, runs // SEEDS)
        lrs = [round(0.1 + 0.01 * number, 2) for number in range(settings // 2)]
        radii = [round(0.02 + 0.02 * number, 2) for number in range(settings - settings // 2)]
        optimizers = [{"name": "sgd", "lr": lrs}, {"name": "sam", "lr": 0.1, "rho": radii}]
        common: dict[str, Any] = {"name": file.stem, "dataset": "digits", "model": "cnn", "epochs": epochs}
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump({**common, "optimizer": optimizers, "seeds": SEEDS}), encoding="utf-8")
        configs = Draft.of(read(file), CATALOGUE).expand()
        facts = data_of(configs[0], folder / "data")
        for config, name in zip(configs, names_of(configs), strict=True):
            write_run(RunFolder(results / config.name / name), config, facts)
        whole.touch()
    return results


def seconds_to_make(results: Path, page: Path) -> float:
    """What the command takes."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "samcli", "report", str(results), "-o", str(page), "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def seconds_to_open(browser: Any, page: Path) -> tuple[float, float, float]:
    """Until the text is there, until the page is loaded, and until every plot is drawn."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    start = time.perf_counter()
    opened.goto(page.absolute().as_uri(), wait_until="load")
    loaded = time.perf_counter() - start
    canvases = opened.locator(".canvas")
    for number in range(canvases.count()):
        canvases.nth(number).scroll_into_view_if_needed()
        canvases.nth(number).locator(".main-svg").first.wait_for()
    drawn = time.perf_counter() - start
    text = opened.evaluate(PAINTED)
    opened.close()
    return text, loaded, drawn


def main() -> None:
    """Make the runs and their pages, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, nargs="+", default=[20, 200, 400], help="tens of them")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    print(f"{'runs':>5} {'settings':>8} {'MB':>6} {'make s':>7} {'text s':>7} {'load s':>7} {'all plots s':>11}")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=arguments.chromium)
        for runs in arguments.runs:
            results, page = made(arguments.folder, runs, arguments.epochs), arguments.folder / f"report-{runs}.html"
            making = statistics.median(seconds_to_make(results, page) for _ in range(arguments.rounds))
            opening = [seconds_to_open(browser, page) for _ in range(arguments.rounds)]
            text, loaded, drawn = map(statistics.median, zip(*opening, strict=True))
            size = page.stat().st_size / 1e6
            settings = max(2, runs // SEEDS)
            print(f"{runs:5} {settings:8} {size:6.2f} {making:7.2f} {text:7.2f} {loaded:7.2f} {drawn:11.2f}")
        browser.close()


if __name__ == "__main__":
    main()
