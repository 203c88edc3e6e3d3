# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in bulk: found, read without ROS, processed on one machine or many, into tables."""
