# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How right the poses are, and who gets one."""
