"""How long it takes to find a million members of a shard: by samcli, with their classes, and by tarfile alone.

    python benchmarks/shard_index.py

The shard is written into a temporary folder: 500,000 examples of 300 bytes, 1 GB with its headers. Times are those of
the processor, medians of three rounds.
"""

import argparse
import io
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from samcli.data.sources._shard import read_shard


def write(path: Path, examples: int) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for i in range(examples):
            for suffix, content in (("jpg", b"x" * 300), ("cls", b"%d" % (i % 10))):
                info = tarfile.TarInfo(f"{i:08d}.{suffix}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            tar.members = []  # it would keep them all


def by_samcli(path: Path) -> int:
    path.touch()  # as a file that no one has read
    return 2 * len(read_shard(path).examples)


def by_tarfile(path: Path) -> int:
    members = 0
    with tarfile.open(path, "r:") as tar:
        while tar.next() is not None:
            tar.members = []
            members += 1
    return members


def seconds(find: Callable[[Path], int], path: Path, members: int) -> float:
    begun = time.process_time()
    assert find(path) == members
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--examples", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0.tar"
        write(path, args.examples)
        for find in (by_samcli, by_tarfile):
            times = [seconds(find, path, 2 * args.examples) for _ in range(args.rounds)]
            print(f"{find.__name__}: {statistics.median(times):.1f} s for {2 * args.examples:,} members")


if __name__ == "__main__":
    main()
