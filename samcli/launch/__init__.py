"""Many runs: what is left to do, and doing it."""

from samcli.launch.cell import Cell as Cell
from samcli.launch.cell import train_cell as train_cell
from samcli.launch.engines.local import run_at_once as run_at_once
from samcli.launch.engines.serial import run_all as run_all
from samcli.launch.observer import Observer as Observer
from samcli.launch.plan import plan as plan
from samcli.launch.slots import Slot as Slot
from samcli.launch.slots import available_cores as available_cores
from samcli.launch.slots import devices_like as devices_like
from samcli.launch.slots import slots_of as slots_of
from samcli.launch.terms import Terms as Terms
