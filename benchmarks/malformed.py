"""Malformed inputs, thousands of them: each must end in a sentence, and none in a traceback, a hang, or code that runs.

    python benchmarks/malformed.py [--inputs 10000] [--seed 0] [--jobs 2] [--only "KIND:NUMBER"]

Inputs come from a seed (`malformed_inputs.py`): experiments, flags, results folders and checkpoints, spoilt at some
places. Each is tried with the command in a folder of its own, in processes that are started anew when one dies. Counted
are tracebacks; inputs that take over 20 seconds; processes that die; files that code from an input makes; exit codes
that no page names; and characters that act on a terminal in what is printed. Any of them makes the exit code 1, and is
named `KIND:NUMBER`, which `--only` tries again and shows. Ten thousand take six minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from malformed_inputs import CANARY, KINDS, base_results, make

SECONDS = 20
FAULTS = ("traceback", "hang", "died", "code run", "odd exit code", "unsafe text")
CODES = {0, 1, 2, 3, 75}
UNSAFE = [chr(c) for c in (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, *range(0x80, 0xA0))]
UNSAFE += [chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]


class TooLong(BaseException):
    """An input took more than its time; no handler of the command may take it for an error of its own."""


def attempt(kind: str, number: int, seed: int, base: Path) -> tuple[str, str]:
    """Try one input.

    Returns:
        One of `FAULTS`, or `accepted` (exit code 0) or `refused`; and what shows it.
    """
    from samcli import registry
    from samcli.cli.app import main

    home = Path.cwd()
    registry._PLUGINS.clear()  # as in a process of its own
    with tempfile.TemporaryDirectory(prefix="malformed-") as name:
        work = Path(name)
        arguments = make(kind, random.Random(f"{seed} {kind} {number}"), work, base)
        out, err = io.StringIO(), io.StringIO()
        os.chdir(work)
        signal.alarm(SECONDS)
        code: object = None
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main(arguments)
        except SystemExit as ended:
            code = ended.code or 0
        except TooLong:
            return "hang", f"{arguments}"
        except BaseException:
            err.write(traceback.format_exc())
        finally:
            signal.alarm(0)
            os.chdir(home)
        text = out.getvalue() + err.getvalue()
        shown = f"{arguments}\nexit code {code}\n{text[-3000:]}"
        if (work / CANARY).exists():
            return "code run", shown
        if "Traceback (most recent call last)" in text:
            return "traceback", shown
        if code not in CODES:
            return "odd exit code", shown
        if any(character in text for character in UNSAFE):
            return "unsafe text", repr(shown)
        return ("accepted" if code == 0 else "refused"), shown


def _worker(pipe: Connection, base: Path, seed: int) -> None:
    """Try inputs as they come through the pipe, one at a time."""

    def too_long(signal_number: int, frame: object) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, too_long)
    import torch

    torch.set_num_threads(1)
    while (job := pipe.recv()) is not None:
        pipe.send(attempt(*job, seed, base))


class Workers:
    """Processes that try inputs; one that dies or hangs is replaced, and its input counted."""

    def __init__(self, count: int, base: Path, seed: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._base, self._seed = base, seed
        self._workers = [self._start() for _ in range(count)]

    def _start(self) -> tuple[multiprocessing.process.BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_worker, args=(theirs, self._base, self._seed), daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def run(self, jobs: list[tuple[str, int]]) -> Iterator[tuple[str, int, str, str]]:
        """Kind, number, outcome and what shows it, for each job."""
        waiting, busy = list(reversed(jobs)), dict[int, tuple[tuple[str, int], float]]()
        while waiting or busy:
            for index, (process, pipe) in enumerate(self._workers):
                if index not in busy and waiting:
                    job = waiting.pop()
                    pipe.send(job)
                    busy[index] = job, time.monotonic()
                if index in busy:
                    job, began = busy[index]
                    found = None
                    with contextlib.suppress(EOFError, ConnectionResetError):
                        found = pipe.recv() if pipe.poll(0.01) else None
                    # the alarm cannot stop code that never comes back to Python
                    overdue = time.monotonic() - began > 3 * SECONDS
                    if found is None and (overdue or not process.is_alive()):
                        found = ("hang" if overdue else "died", f"exit code {process.exitcode}")
                        process.kill()
                        self._workers[index] = self._start()
                    if found:
                        del busy[index]
                        yield (*job, *found)
        for process, pipe in self._workers:
            pipe.send(None)
            process.join()


def main() -> int:
    """Try all inputs, and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=10_000, help="how many, in equal parts of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", metavar="KIND:NUMBER", help="try this input alone, and show what it gives")
    given = parser.parse_args()
    os.environ["COLUMNS"] = "100"
    with tempfile.TemporaryDirectory(prefix="malformed-base-") as name:
        base = Path(name, "results")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            base_results(base)
        shutil.rmtree(Path(name, "data"), ignore_errors=True)
        if given.only:
            kind, _, number = given.only.rpartition(":")
            print(*attempt(kind, int(number), given.seed, base), sep="\n")
            return 0
        each = given.inputs // len(KINDS)
        jobs = [(kind, number) for number in range(each) for kind in KINDS]
        counts: Counter[tuple[str, str]] = Counter()
        began = time.monotonic()
        for kind, number, outcome, shown in Workers(given.jobs, base, given.seed).run(jobs):
            counts[kind, outcome] += 1
            if outcome in FAULTS:
                print(f"--- {kind}:{number} {outcome}\n{shown}", file=sys.stderr, flush=True)
    columns = ("accepted", "refused", *FAULTS)
    print(f"{'':<16}", *(f"{column:>14}" for column in columns))
    for kind in KINDS:
        print(f"{kind:<16}", *(f"{counts[kind, column]:>14}" for column in columns))
    print(f"{sum(counts.values()):,} inputs of seed {given.seed} in {time.monotonic() - began:.0f} s")
    return int(any(counts[kind, fault] for kind in KINDS for fault in FAULTS))


if __name__ == "__main__":
    sys.exit(main())
