# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well looking, walking and gestures are told: simulated, rendered and recorded people."""
