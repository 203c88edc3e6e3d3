# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic people with exact head poses: geometry, appearance, light, camera.

`person` builds an identity, `view` photographs it through a virtual camera, `scene` puts several
people before any `CameraModel`. The *model frame* of these modules is the head model's: origin at
the sellion, x to the subject's left, y up, z out of the face, metres.
"""
