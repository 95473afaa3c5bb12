"""One thread: these networks are tiny, and threads of several test processes only wait for each other."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
