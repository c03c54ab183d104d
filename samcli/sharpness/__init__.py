"""Measures of the sharpness of a trained model. A library of its own, torch is all it needs."""

# Importing a measure's file enters it into MEASURES; this order is that of `samcli list measures`.
# isort: off
from samcli.sharpness import one_step as one_step
from samcli.sharpness import worst_case as worst_case
from samcli.sharpness import layerwise as layerwise
from samcli.sharpness import keskar as keskar
from samcli.sharpness import average_case as average_case
from samcli.sharpness import grad_norm as grad_norm
from samcli.sharpness import lambda_max as lambda_max
from samcli.sharpness import top_eigenvalues as top_eigenvalues
from samcli.sharpness import trace as trace
from samcli.sharpness import spectral_density as spectral_density
from samcli.sharpness import pac_bayes as pac_bayes
from samcli.sharpness import fisher_rao as fisher_rao
from samcli.sharpness import relative_flatness as relative_flatness

# isort: on
from samcli.sharpness.base import MEASURES as MEASURES
from samcli.sharpness.base import Measure as Measure
from samcli.sharpness.landscape import Landscape as Landscape
from samcli.sharpness.landscape import loss_line as loss_line
from samcli.sharpness.landscape import loss_slice as loss_slice
from samcli.sharpness.measure import labels as labels
from samcli.sharpness.measure import measure as measure
from samcli.sharpness.measure import measuring as measuring
from samcli.sharpness.problem import Problem as Problem
from samcli.sharpness.result import Result as Result
