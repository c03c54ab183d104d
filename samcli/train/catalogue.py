"""The catalogue of all names that an experiment may use."""

from __future__ import annotations

from samcli.config import Catalogue
from samcli.data import DATASETS
from samcli.models import MODELS
from samcli.optim import BASES, SCHEDULES, VARIANTS, Ascent, Averaging, OptimizerSettings, RadiusSchedule
from samcli.sharpness import MEASURES

CATALOGUE = Catalogue(
    datasets=DATASETS,
    models=MODELS,
    bases=BASES,
    variants=VARIANTS,
    schedules=SCHEDULES,
    shared_options=(Ascent, RadiusSchedule),
    common_options=(Averaging,),
    optimizer=OptimizerSettings.of,
    measures=MEASURES,
)
