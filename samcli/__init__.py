"""samcli: does sharpness-aware minimisation help on your problem, which variant, at which radius, at what cost?"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from samcli.home import Network as Network
    from samcli.home import load as load
else:

    def __getattr__(name: str) -> object:
        """What a trained network is read with; only who asks for it waits for torch."""
        if name not in ("Network", "load"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from samcli import home

        return getattr(home, name)
