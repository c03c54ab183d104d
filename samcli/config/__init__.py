"""Configuration: experiment files, flags, grids; checked, with sentences for what does not fit."""

from samcli.config.check import check_flags as check_flags
from samcli.config.claim import at_full_size as at_full_size
from samcli.config.draft import SECTIONS as SECTIONS
from samcli.config.draft import Draft as Draft
from samcli.config.flags import apply_shorthand as apply_shorthand
from samcli.config.flags import keep_only as keep_only
from samcli.config.flags import names_in as names_in
from samcli.config.inherit import read as read
from samcli.config.schema import Catalogue as Catalogue
from samcli.config.schema import RunConfig as RunConfig
from samcli.config.schema import identity_of as identity_of
from samcli.config.source import Source as Source
from samcli.config.source import parse as parse
from samcli.config.stages import stage_runs as stage_runs
from samcli.config.stages import trainings_of as trainings_of
