"""What belongs to a model's tensors alone: measured, moved and put back, named; no optimizer, no measure."""
