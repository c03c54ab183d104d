"""Lines at the foot of a terminal that are redrawn in place, whatever its width becomes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

WIDEST_BAR, NARROWEST_BAR = 20, 4
NARROWEST_LABEL = 6
GAP = "  "


@dataclass
class Bar:
    """How far something is.

    Attributes:
        label: what it is; where there is no room for all of it, its end is shown.
        total, done: epochs.
        score: the last one known, such as `accuracy 0.9123`.
        more: shown where there is room for it.
        begun: when, and at how many epochs done, counting began.
        ended: whether nothing more is done, although something is left.
        expected: seconds that the rest takes, where more is known than the speed so far; counts from `expected_at`.
    """

    label: str
    total: int
    done: int = 0
    score: str = ""
    more: str = ""
    begun: tuple[float, int] | None = None
    ended: bool = False
    expected: float | None = None
    expected_at: float = 0.0

    def begin(self) -> None:
        """Count the time from now."""
        self.begun = (time.monotonic(), self.done)

    def expect(self, seconds: float | None) -> None:
        """Count down from so many seconds; None goes by the speed so far."""
        self.expected, self.expected_at = seconds, time.monotonic()

    def left(self) -> str:
        """How long the rest takes: as expected, or else at the speed so far.

        >>> Bar("all runs", total=4).left()
        '-:-- left'
        """
        if self.ended:
            return ""
        if self.expected is not None:
            return _clock(max(0.0, self.expected - (time.monotonic() - self.expected_at)))
        if self.begun is None or self.done == self.begun[1]:
            return "-:-- left"
        since, before = self.begun
        return _clock((time.monotonic() - since) / (self.done - before) * (self.total - self.done))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left"


def lines_of(bars: list[Bar], width: int) -> list[str]:
    """A line for each bar. Count, score and time left have room first, then the label, then more, then the bar itself.

    >>> bars = [Bar("all runs", 60, 30), Bar("digits cnn sam rho=0.05 seed 0", 30, 15, "accuracy 0.9123")]
    >>> for line in lines_of(bars, 60):
    ...     print(line)
    all runs           30/60 epochs                   -:-- left
    … rho=0.05 seed 0  15/30 epochs  accuracy 0.9123  -:-- left
    """
    columns = [[f"{bar.done}/{bar.total} epochs" for bar in bars], [bar.left().rjust(9) for bar in bars]]
    if any(scores := [bar.score for bar in bars]):
        columns.insert(1, scores)
    room = width - 1 - sum(len(GAP) + _widest(column) for column in columns)  # a full line makes some terminals wrap
    label = max(min(_widest([bar.label for bar in bars]), room), NARROWEST_LABEL)
    room -= label
    if any(more := [bar.more for bar in bars]) and room >= len(GAP) + _widest(more):
        columns.append(more)
        room -= len(GAP) + _widest(more)
    if (length := min(room - len(GAP), WIDEST_BAR)) >= NARROWEST_BAR:
        columns.insert(0, [_drawn(bar, length) for bar in bars])
    columns.insert(0, [_end(bar.label, label) for bar in bars])
    widths = [_widest(column) for column in columns]
    rows = zip(*columns, strict=True)
    return [
        GAP.join(text.ljust(length) for text, length in zip(row, widths, strict=True)).rstrip()[: width - 1]
        for row in rows
    ]


def lines_within(bars: list[Bar], width: int, height: int) -> list[str]:
    """The lines of the bars that a terminal has room for, and how many more there are.

    >>> lines_within([Bar(f"run {n}", 2) for n in range(9)], 60, 5)[-2:]
    ['run 2  ····················  0/2 epochs  -:-- left', 'and 6 more']
    """
    most = max(height - 1, 2)  # the cursor has a line too
    if len(bars) <= most:
        return lines_of(bars, width)
    return [*lines_of(bars[: most - 1], width), f"and {len(bars) - most + 1} more"]


def _widest(texts: list[str]) -> int:
    return max(map(len, texts))


def _end(text: str, length: int) -> str:
    return text if len(text) <= length else f"…{text[len(text) - length + 1 :]}"


def _drawn(bar: Bar, length: int) -> str:
    filled = length * bar.done // bar.total if bar.total else length
    return "━" * filled + "·" * (length - filled)


class Display(Live):
    """Bars that stay below whatever is printed meanwhile, also when the terminal is made narrower or wider."""

    def __init__(self, bars: Callable[[], list[Bar]], console: Console) -> None:
        self._bars = bars
        self._lengths: list[int] = []  # of the lines on the screen
        super().__init__(self._Lines(self), console=console, refresh_per_second=4, vertical_overflow="crop")

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """What is drawn next, begun where the lines on the screen begin."""
        width = max(self.console.width, 1)
        # a terminal that became narrower has broken lines that it showed in one: these rows are to go too
        broken = sum(max(math.ceil(length / width) - 1, 0) for length in self._lengths)
        control = [(ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)] * broken
        before: list[ConsoleRenderable] = [Control(ControlType.CARRIAGE_RETURN, *control)] if broken else []
        return before + super().process_renderables(renderables)

    class _Lines:
        """The bars as rich draws them: for the width that there is now."""

        def __init__(self, display: Display) -> None:
            self._display = display

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            lines = lines_within(self._display._bars(), options.max_width, console.height)
            self._display._lengths = [len(line) for line in lines]
            yield Text("\n".join(lines), no_wrap=True, end="")
