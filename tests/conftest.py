"""One thread for each process: `make test` keeps all cores busy with processes of its own.

With several threads, small tensors would wait for each other's threads longer than they compute.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported, also by the commands that tests start

import torch

torch.set_num_threads(1)
