# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images from files, webcams and streams; annotated video and tables; the drawing between."""
