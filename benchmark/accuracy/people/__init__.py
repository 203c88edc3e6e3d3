# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is followed, and who is not there: image sequences with known truth, and real clips.

`python -m benchmark.accuracy.people`; what is measured and how: docs/following.md.
"""
