"""The measures, one file for each and its forms; this order is that of `samcli list measures`.

Importing a file enters its measures into `MEASURES`. A measure imports no other: what two of them share is a file whose
name begins with an underscore.
"""

# isort: off
from samcli.sharpness.measures.one_step import OneStep as OneStep
from samcli.sharpness.measures.one_step import OneStepBox as OneStepBox
from samcli.sharpness.measures.one_step import AdaptiveOneStep as AdaptiveOneStep
from samcli.sharpness.measures.one_step import AdaptiveOneStepBox as AdaptiveOneStepBox
from samcli.sharpness.measures.worst_case import WorstCase as WorstCase
from samcli.sharpness.measures.worst_case import WorstCaseBox as WorstCaseBox
from samcli.sharpness.measures.worst_case import AdaptiveWorstCase as AdaptiveWorstCase
from samcli.sharpness.measures.worst_case import AdaptiveWorstCaseBox as AdaptiveWorstCaseBox
from samcli.sharpness.measures.layerwise import LayerwiseWorstCase as LayerwiseWorstCase
from samcli.sharpness.measures.keskar import Keskar as Keskar
from samcli.sharpness.measures.average_case import AverageCase as AverageCase
from samcli.sharpness.measures.average_case import AverageCaseBox as AverageCaseBox
from samcli.sharpness.measures.average_case import AdaptiveAverageCase as AdaptiveAverageCase
from samcli.sharpness.measures.average_case import AdaptiveAverageCaseBox as AdaptiveAverageCaseBox
from samcli.sharpness.measures.grad_norm import GradientNorm as GradientNorm
from samcli.sharpness.measures.grad_norm import AdaptiveGradientNorm as AdaptiveGradientNorm
from samcli.sharpness.measures.lambda_max import LambdaMax as LambdaMax
from samcli.sharpness.measures.lambda_max import EdgeRatio as EdgeRatio
from samcli.sharpness.measures.lambda_max import LambdaMin as LambdaMin
from samcli.sharpness.measures.lambda_max import AdaptiveLambdaMax as AdaptiveLambdaMax
from samcli.sharpness.measures.lambda_max import AdamLambdaMax as AdamLambdaMax
from samcli.sharpness.measures.lambda_max import GaussNewtonLambdaMax as GaussNewtonLambdaMax
from samcli.sharpness.measures.top_eigenvalues import TopEigenvalues as TopEigenvalues
from samcli.sharpness.measures.trace import Trace as Trace
from samcli.sharpness.measures.trace import AdaptiveTrace as AdaptiveTrace
from samcli.sharpness.measures.trace import GaussNewtonTrace as GaussNewtonTrace
from samcli.sharpness.measures.trace import Frobenius as Frobenius
from samcli.sharpness.measures.spectral_density import SpectralDensity as SpectralDensity
from samcli.sharpness.measures.pac_bayes import PacBayesSigma as PacBayesSigma
from samcli.sharpness.measures.pac_bayes import AdaptivePacBayesSigma as AdaptivePacBayesSigma
from samcli.sharpness.measures.fisher_rao import FisherRaoNorm as FisherRaoNorm
from samcli.sharpness.measures.relative_flatness import RelativeFlatness as RelativeFlatness
