# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Identity, filtering over time, uncertainty, and the choice of the principal head."""
