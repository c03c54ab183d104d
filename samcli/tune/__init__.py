"""The search for settings: as many trials for every optimizer, judged on the validation part alone."""
