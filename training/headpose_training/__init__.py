# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the weights that `headpose_ros` ships: a renderer, labels for real faces, training.

Robots do not install it. Its commands, `headpose synthesize` and `headpose train`, are entry
points of the group `headpose.commands`.
"""
