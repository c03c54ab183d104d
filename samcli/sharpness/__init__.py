"""Measures of the sharpness of a trained model. A library of its own, torch is all it needs."""

from samcli.sharpness import measures as measures
from samcli.sharpness.base import MEASURES as MEASURES
from samcli.sharpness.base import Measure as Measure
from samcli.sharpness.landscape import Directions as Directions
from samcli.sharpness.landscape import Landscape as Landscape
from samcli.sharpness.landscape import loss_line as loss_line
from samcli.sharpness.landscape import loss_slice as loss_slice
from samcli.sharpness.measure import labels as labels
from samcli.sharpness.measure import measure as measure
from samcli.sharpness.measure import measuring as measuring
from samcli.sharpness.measure import result_of as result_of
from samcli.sharpness.problem import Problem as Problem
from samcli.sharpness.result import Result as Result
