"""Many runs: what is left to do, and doing it."""

from samcli.launch.plan import Cell as Cell
from samcli.launch.plan import check_ahead as check_ahead
from samcli.launch.plan import plan as plan
from samcli.launch.serial import Observer as Observer
from samcli.launch.serial import run_all as run_all
