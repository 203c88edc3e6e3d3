# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera models, rotations, virtual cameras and crops. Conventions: docs/architecture.md.

For most users: `CameraModel` (pixels to rays and back), the conversions of rotations
(`euler_from_matrix`, `quaternion_from_matrix` and back), `rotation_to_axis`, `angle_between`.
"""

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.coverage import View, covering_views, merge_on_sphere
from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.geometry.euler import euler_from_matrix, matrix_from_euler
from headpose_ros.geometry.face_frame import (
    FACE_CENTRE_IN_FACE,
    FACE_SPHERE_RADIUS,
    angular_size_from_distance,
    distance_from_angular_size,
    face_centre_from_sellion,
    facing_angle,
    gaze_from_face,
    sellion_from_face_centre,
)
from headpose_ros.geometry.heading import Heading, heading_angles
from headpose_ros.geometry.rays import angle_between, off_axis_angle
from headpose_ros.geometry.rotations import (
    geodesic_distance,
    matrix_from_quaternion,
    matrix_from_vector,
    mean_rotation,
    quaternion_from_matrix,
    rotation_to_axis,
    vector_from_matrix,
)
from headpose_ros.geometry.sampling import Crops, sample_crops, sample_plain_crops
from headpose_ros.geometry.sphere_projection import (
    boxes_of_spheres,
    spheres_of_squares,
    squares_of_spheres,
)
from headpose_ros.geometry.virtual_camera import VirtualCameras, crop_angles

__all__ = [
    'FACE_CENTRE_IN_FACE',
    'FACE_SPHERE_RADIUS',
    'CameraModel',
    'CameraModelError',
    'Crops',
    'Heading',
    'View',
    'VirtualCameras',
    'angle_between',
    'angular_size_from_distance',
    'boxes_of_spheres',
    'covering_views',
    'crop_angles',
    'distance_from_angular_size',
    'euler_from_matrix',
    'face_centre_from_sellion',
    'facing_angle',
    'gaze_from_face',
    'geodesic_distance',
    'heading_angles',
    'matrix_from_euler',
    'matrix_from_quaternion',
    'matrix_from_vector',
    'mean_rotation',
    'merge_on_sphere',
    'off_axis_angle',
    'quaternion_from_matrix',
    'rotation_to_axis',
    'sample_crops',
    'sample_plain_crops',
    'sellion_from_face_centre',
    'spheres_of_squares',
    'squares_of_spheres',
    'vector_from_matrix',
]
