"""The engines, one file each: they have the runs of a plan trained, here or elsewhere."""
