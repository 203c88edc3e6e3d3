# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What geometry raises besides ValueError, and warns with."""


class CameraModelError(ValueError):
    """The camera cannot be described with what came; the text says what and what to do."""


class CameraModelWarning(UserWarning):
    """A camera was described in an unusual way, or by numbers that may be wrong."""
