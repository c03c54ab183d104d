"""Which cells of a grid are runs of the experiment: `only:` and `exclude:` of a file, and `--only`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from samcli.config.grid import Canonical, Grid, flatten
from samcli.config.pattern import Pattern, Patterns
from samcli.config.schema import RunConfig
from samcli.errors import ConfigError
from samcli.words import count


@dataclass
class Selection:
    """Which runs are kept: those that each of `only` holds for, and none of `exclude`."""

    only: list[Patterns] = field(default_factory=list)
    exclude: list[Patterns] = field(default_factory=list)

    def of(
        self, runs: Sequence[RunConfig], canonical: Canonical, as_written: Callable[[], Iterable[RunConfig]]
    ) -> list[RunConfig]:
        """The runs that are kept, in their order.

        Args:
            runs: of the whole grid.
            canonical: the name by which a data set or a model is known, from one that a user may write.
            as_written: makes the grid of the file without flags. What a file selects may be there alone: it is no
                mistake then, the flags have left it out.

        Raises:
            ConfigError: a key or a value that no run has, a pattern that holds for none, or nothing is kept.
        """
        if not (self.only or self.exclude):
            return list(runs)
        grid, kept = Grid(_flat(runs), canonical), list(range(len(runs)))
        for patterns, is_only in [*((p, True) for p in self.only), *((p, False) for p in self.exclude)]:
            _check(patterns, grid, canonical, as_written)
            held = set[int]().union(*map(grid.holding, patterns.patterns))
            before, kept = len(kept), [index for index in kept if (index in held) is is_only]
            if not kept:
                left = "keeps none" if is_only else "leaves none"
                raise ConfigError(
                    f"{patterns.subject} {left} of {count(before, 'run')}; see what there is without it: --dry-run."
                )
        return [runs[index] for index in kept]


def _flat(runs: Iterable[RunConfig]) -> Iterator[dict[str, Any]]:
    return (flatten(run.document()) for run in runs)


def _check(patterns: Patterns, grid: Grid, canonical: Canonical, as_written: Callable[[], Iterable[RunConfig]]) -> None:
    """Refuse patterns of which one holds for no run, be it of this grid or of the file's own."""
    for pattern in patterns.patterns:
        try:
            _check_one(patterns, pattern, grid)
        except ConfigError:
            if patterns.is_flag:
                raise
            try:
                _check_one(patterns, pattern, Grid(_flat(as_written()), canonical))
            except ConfigError:
                pass
            else:
                continue
            raise


def _check_one(patterns: Patterns, pattern: Pattern, grid: Grid) -> None:
    grid.check(pattern)
    if not grid.holding(pattern):
        where = patterns.subject if patterns.is_flag else pattern[0].where
        raise ConfigError(f"{where}: no run has all of this; alternatives are values of one key, in a list.")
