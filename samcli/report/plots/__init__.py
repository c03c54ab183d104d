"""Which numbers a plot of runs shows, one kind a file: a function from runs to a `samcli.report.plot.Plot`."""

from samcli.report.plots.axis import along_axis as along_axis
from samcli.report.plots.axis import axes_of as axes_of
from samcli.report.plots.cost import costs as costs
from samcli.report.plots.curves import OVER as OVER
from samcli.report.plots.curves import curves as curves
from samcli.report.plots.landscape import landscapes as landscapes
from samcli.report.plots.pareto import against_cost as against_cost
from samcli.report.plots.sharpness import against_sharpness as against_sharpness
