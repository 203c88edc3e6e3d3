# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What it costs: time, memory, CPU."""
