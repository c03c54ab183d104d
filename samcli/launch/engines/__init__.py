"""Where runs are trained, one engine a file."""
