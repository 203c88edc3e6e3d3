# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: the loaders of their layouts, the crops, the metrics, the plot."""
