# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera models, rotations, virtual cameras and crops. Conventions: docs/architecture.md."""

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.coverage import View, covering_views, merge_on_sphere
from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_ros.geometry.sampling import Crops, sample_crops, sample_plain_crops
from headpose_ros.geometry.sphere import boxes_of_spheres, spheres_of_squares, squares_of_spheres
from headpose_ros.geometry.virtual_camera import VirtualCameras, crop_angles

__all__ = [
    'CameraModel',
    'CameraModelError',
    'Crops',
    'View',
    'VirtualCameras',
    'boxes_of_spheres',
    'covering_views',
    'crop_angles',
    'merge_on_sphere',
    'rotation_to_axis',
    'sample_crops',
    'sample_plain_crops',
    'spheres_of_squares',
    'squares_of_spheres',
]
