# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Renderer, training data and training. Needs PyTorch; nothing here runs on a robot."""
