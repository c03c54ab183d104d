"""The SAM family: optimizers around a base optimizer of torch. A library of its own, torch is all it needs."""

from samcli.optim import variants as variants
from samcli.optim.ascent import Ascent as Ascent
from samcli.optim.average import Averaging as Averaging
from samcli.optim.average import WeightAverage as WeightAverage
from samcli.optim.base import BASES as BASES
from samcli.optim.batch import Batch as Batch
from samcli.optim.build import build as build
from samcli.optim.build import clip_gradient as clip_gradient
from samcli.optim.engine import SharpnessAware as SharpnessAware
from samcli.optim.groups import Grouping as Grouping
from samcli.optim.radius_schedule import RadiusSchedule as RadiusSchedule
from samcli.optim.ranks import Ranks as Ranks
from samcli.optim.replay import Replayed as Replayed
from samcli.optim.schedules import SCHEDULES as SCHEDULES
from samcli.optim.schedules import Schedule as Schedule
from samcli.optim.settings import OptimizerSettings as OptimizerSettings
from samcli.optim.step import Step as Step
from samcli.optim.take_step import take_step as take_step
from samcli.optim.variant import VARIANTS as VARIANTS
from samcli.optim.variant import TwoPass as TwoPass
from samcli.optim.variant import Variant as Variant
