"""A model's tensors and state: measured, moved and put back, named. Nothing here knows an optimizer or a measure."""
