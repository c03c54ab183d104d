"""Measures of the sharpness of a trained model. A library of its own, torch is all it needs."""

# Importing a measure's file enters it into MEASURES; this order is that of `samcli list measures`.
# isort: off
from samcli.sharpness import one_step as one_step
from samcli.sharpness import grad_norm as grad_norm
from samcli.sharpness import lambda_max as lambda_max

# isort: on
from samcli.sharpness.base import MEASURES as MEASURES
from samcli.sharpness.base import Measure as Measure
from samcli.sharpness.measure import measure as measure
from samcli.sharpness.problem import Problem as Problem
from samcli.sharpness.result import Result as Result
