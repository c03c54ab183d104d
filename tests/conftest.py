"""One thread: with several, small tensors wait for each other's threads longer than they compute."""

import torch

torch.set_num_threads(1)
