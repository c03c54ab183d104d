"""samcli: does sharpness-aware minimisation help on your problem, which variant, at which radius, at what cost?"""

__version__ = "0.1.0"
