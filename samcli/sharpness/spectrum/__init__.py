"""Spectra of linear operators that are known by their products alone; no model, no loss."""
