# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands that `headpose` gains with this distribution, by entry points."""
