"""The robustness tests, one file for each and its forms; this order is that of `samcli list robustness`.

Importing a file enters its tests into `PERTURBATIONS`. A test imports no other: what two of them share is a file whose
name begins with an underscore.
"""

# isort: off
from samcli.robustness.perturbations.clean import Clean as Clean
from samcli.robustness.perturbations.fgsm import FastGradientSign as FastGradientSign
from samcli.robustness.perturbations.fgsm import FastGradient as FastGradient
from samcli.robustness.perturbations.pgd import ProjectedGradient as ProjectedGradient
from samcli.robustness.perturbations.pgd import ProjectedGradientBall as ProjectedGradientBall
from samcli.robustness.perturbations.apgd import AutoProjectedGradient as AutoProjectedGradient
from samcli.robustness.perturbations.apgd import AutoProjectedGradientBall as AutoProjectedGradientBall
from samcli.robustness.perturbations.corruptions import Corruptions as Corruptions
from samcli.robustness.perturbations.gaussian_noise import GaussianNoise as GaussianNoise
from samcli.robustness.perturbations.shot_noise import ShotNoise as ShotNoise
from samcli.robustness.perturbations.impulse_noise import ImpulseNoise as ImpulseNoise
from samcli.robustness.perturbations.blur import Blur as Blur
from samcli.robustness.perturbations.contrast import Contrast as Contrast
from samcli.robustness.perturbations.brightness import Brightness as Brightness
from samcli.robustness.perturbations.pixelate import Pixelate as Pixelate
from samcli.robustness.perturbations.jpeg import Jpeg as Jpeg
from samcli.robustness.perturbations.translation import Translation as Translation
from samcli.robustness.perturbations.rotation import Rotation as Rotation
from samcli.robustness.perturbations.cifar10_c import PublishedCorruptions as PublishedCorruptions
from samcli.robustness.perturbations.weight_noise import WeightNoise as WeightNoise
from samcli.robustness.perturbations.weight_rounding import WeightRounding as WeightRounding
from samcli.robustness.perturbations.weight_pruning import WeightPruning as WeightPruning
from samcli.robustness.perturbations.activation_rounding import ActivationRounding as ActivationRounding
from samcli.robustness.perturbations.calibration import Calibration as Calibration
from samcli.robustness.perturbations.shift import Shift as Shift
from samcli.robustness.perturbations.other_classes import OtherClasses as OtherClasses
