# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 node; the only folder that imports ROS."""
