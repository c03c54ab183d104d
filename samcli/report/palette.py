"""What tells settings apart in every picture: colour, marker and stroke, whatever draws them."""

from __future__ import annotations

# M. Okabe and K. Ito's palette, told apart by colour-blind readers; without yellow, which is faint on white
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "os^DvPX<"  # one more than there are colours, so that the pairs of both come back after 56 entries
STROKES = ("-", "--", "-.", ":")
