# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measurements: `accuracy/`, `speed/`, `reliability/`. `python -m benchmark` runs all tables."""
