"""A trained network away from its data: given new inputs, and written for other programs."""

from samcli.home.network import Network as Network
from samcli.home.network import load as load
