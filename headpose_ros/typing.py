# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Aliases of array types, for annotations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Numbers: float64."""

Image = NDArray[np.uint8]
"""Pixels: uint8; (H,W,3) BGR unless said otherwise."""
