# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: `main` and one module a command."""
