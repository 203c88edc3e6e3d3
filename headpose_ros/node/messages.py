# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of heads to messages, with the stamp and frame of the image.

Quaternions are those of tf_transformations where it is installed, else of the core library, which
works without ROS; they are equal (`test/node/test_messages_of_heads.py`).
"""

from __future__ import annotations

import array
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from geometry_msgs.msg import Pose, PoseStamped, Transform, TransformStamped
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header

from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.rotations import matrix_from_quaternion, quaternion_from_matrix
from headpose_ros.heads import Head, Roi
from headpose_ros.msg import HeadPose, HeadPoseArray
from headpose_ros.typing import Array
from headpose_ros.typing import Image as Pixels

Quaternion = tuple[float, float, float, float]


def heads_message(heads: Sequence[Head], header: Header, principal_id: str = '') -> HeadPoseArray:
    """Return all heads in the image of `header`; `principal_id` is empty where there is none."""
    messages = [head_message(head, header) for head in heads]
    return HeadPoseArray(header=header, heads=messages, principal_id=principal_id)


def head_message(head: Head, header: Header) -> HeadPose:
    """Return one head with its covariance."""
    message = HeadPose(
        header=header,
        id=head.id,
        confidence=float(head.confidence),
        roi=_roi(head.roi),
        off_axis_angle=float(head.off_axis_angle),
        facing_angle=float(head.facing_angle),
    )
    message.pose.pose = pose_message(head)
    message.pose.covariance = np.ascontiguousarray(head.covariance, np.float64).ravel()
    return message


def head_from_message(message: HeadPose) -> Head:
    """Return the head that a message describes."""
    point, q = message.pose.pose.position, message.pose.pose.orientation
    roi = message.roi
    return Head(
        id=message.id,
        rotation_camera_from_face=matrix_from_quaternion([q.x, q.y, q.z, q.w]),
        position=np.array([point.x, point.y, point.z]),
        covariance=np.array(message.pose.covariance).reshape(6, 6),
        confidence=message.confidence,
        roi=Roi(roi.x_offset, roi.y_offset, roi.width, roi.height),
        off_axis_angle=message.off_axis_angle,
        facing_angle=message.facing_angle,
    )


def pose_stamped(head: Head, header: Header) -> PoseStamped:
    """Return the face frame of one head in the camera's optical frame."""
    return PoseStamped(header=header, pose=pose_message(head))


def pose_message(head: Head) -> Pose:
    """Return position and orientation of the face frame in the camera's optical frame."""
    message = Pose()
    point, q = message.position, message.orientation
    point.x, point.y, point.z = map(float, head.position)
    q.x, q.y, q.z, q.w = _quaternion(head.rotation_camera_from_face)
    return message


def transforms(heads: Sequence[Head], header: Header) -> list[TransformStamped]:
    """Return `face_<id>` and `gaze_<id>` of every head, children of the image's frame."""
    stamped = []
    for head in heads:
        face = _quaternion(head.rotation_camera_from_face)
        for name, turn in (('face', face), ('gaze', _gaze_quaternion(face))):
            stamped.append(
                TransformStamped(
                    header=header,
                    child_frame_id=f'{name}_{head.id}',
                    transform=_transform(turn, head.position),
                )
            )
    return stamped


def image_message(pixels: Pixels, encoding: str, header: Header) -> Image:
    """Return an 8-bit image (H,W) or (H,W,C) as a message."""
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding)
    message.step = width * (1 if pixels.ndim == 2 else pixels.shape[2])
    message.data = _bytes(pixels)
    return message


def compressed_message(data: Pixels, form: str, header: Header) -> CompressedImage:
    """Return encoded bytes as a message; `form` such as "bgr8; jpeg compressed bgr8"."""
    message = CompressedImage(header=header, format=form)
    message.data = _bytes(data)
    return message


def _bytes(data: Pixels) -> Any:
    # Anything but array.array is copied into the message element by element: 64 ms and more.
    values = array.array('B')
    values.frombytes(memoryview(np.ascontiguousarray(data)).cast('B'))
    return values


def _transform(quaternion: Quaternion, position: Array) -> Transform:
    message = Transform()
    shift, q = message.translation, message.rotation
    shift.x, shift.y, shift.z = map(float, position)
    q.x, q.y, q.z, q.w = quaternion
    return message


def _quaternion(rotation: Array) -> Quaternion:
    return _quaternion_of(np.ascontiguousarray(rotation, np.float64).tobytes())


@lru_cache(maxsize=256)
def _quaternion_of(rotation: bytes) -> Quaternion:
    # A head is part of several messages, and each conversion takes 0.05 ms.
    matrix = np.frombuffer(rotation).reshape(3, 3)
    convert = tf_converter()
    if convert is None:
        x, y, z, w = quaternion_from_matrix(matrix).tolist()
        return x, y, z, w
    homogeneous = np.eye(4)
    homogeneous[:3, :3] = matrix
    x, y, z, w = map(float, convert(homogeneous))
    return (x, y, z, w) if w >= 0.0 else (-x, -y, -z, -w)


@cache
def tf_converter() -> Callable[[Array], Any] | None:
    """Return `quaternion_from_matrix` of tf_transformations; None where it is absent or broken."""
    try:
        from tf_transformations import quaternion_from_matrix as convert
    except Exception:  # Ubuntu 24.04's transforms3d fails with more than ImportError
        return None
    found: Callable[[Array], Any] = convert
    return found


def _gaze_quaternion(face: Quaternion) -> Quaternion:
    """Return the gaze frame's: z is the face's x, x its -y, y its -z (REP-155).

    The product with that rotation, whose quaternion is (-1, 1, -1, 1) / 2.
    """
    x, y, z, w = face
    gx, gy = 0.5 * (x - y - z - w), 0.5 * (x + y - z + w)
    gz, gw = 0.5 * (x + y + z - w), 0.5 * (x - y + z + w)
    return (gx, gy, gz, gw) if gw >= 0.0 else (-gx, -gy, -gz, -gw)


def _roi(roi: Roi) -> RegionOfInterest:
    return RegionOfInterest(
        x_offset=int(roi.x), y_offset=int(roi.y), width=int(roi.width), height=int(roi.height)
    )


def camera_info_message(camera: CameraModel) -> CameraInfo:
    """Return the CameraInfo of a camera; the caller sets the header."""
    K = camera.matrix
    message = CameraInfo(width=camera.width, height=camera.height)
    message.distortion_model = camera.distortion_model or 'plumb_bob'
    message.d = [float(value) for value in camera.distortion] or [0.0] * 5
    message.k = K.ravel().astype(float)
    message.r = np.eye(3).ravel()
    message.p = np.column_stack([K, np.zeros(3)]).ravel()
    return message
