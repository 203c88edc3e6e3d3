# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images from files and webcams, annotated video and tables out, and the drawing between."""
