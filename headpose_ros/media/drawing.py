# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads drawn into an image: axes, box, id, distance and angles, at any resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.heads import Head, Roi
from headpose_ros.result import FrameResult
from headpose_ros.typing import Array, Image

Colour = tuple[int, int, int]

AXIS_LENGTH = 0.1
"""Length of the drawn axes, metres."""

_AXIS_COLOURS: tuple[Colour, ...] = ((60, 60, 255), (60, 220, 60), (255, 140, 60))
"""x, y, z are red, green, blue, as everywhere in ROS; OpenCV's order is BGR."""

_BOX: Colour = (255, 255, 255)
_PRINCIPAL: Colour = (0, 215, 255)
_DARK: Colour = (20, 20, 20)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_REFERENCE_PX = 600.0
_SEGMENTS = 8


def draw_heads(
    image_bgr: Image,
    heads: Sequence[Head],
    camera: CameraModel,
    principal_id: str | None = None,
) -> None:
    """Draw `heads` into `image_bgr` (H,W,3), which `camera` describes, in place.

    The axes are those of the face frame (x red out of the face, y green to the person's left, z
    blue up), projected through the lens point by point. Angles are yaw, pitch, roll in degrees.
    The head `principal_id` gets a box in another colour.
    """
    height, width = image_bgr.shape[:2]
    camera = camera.scaled_to(width, height)
    scale = min(width, height) / _REFERENCE_PX
    for head in sorted(heads, key=lambda head: -head.position[2]):
        colour = _PRINCIPAL if head.id == principal_id else _BOX
        _draw_box(image_bgr, head.roi, colour, scale)
        _draw_axes(image_bgr, head, camera, scale)
    for head in heads:
        _draw_label(image_bgr, head, scale)


def _line_width(scale: float, width: float) -> int:
    return max(1, round(width * scale))


def _draw_box(image: Image, roi: Roi, colour: Colour, scale: float) -> None:
    corner = (roi.x + roi.width - 1, roi.y + roi.height - 1)
    thin = _line_width(scale, 1.5)
    cv2.rectangle(image, (roi.x, roi.y), corner, _DARK, thin + 2)
    cv2.rectangle(image, (roi.x, roi.y), corner, colour, thin)


def _draw_axes(image: Image, head: Head, camera: CameraModel, scale: float) -> None:
    along = np.linspace(0.0, AXIS_LENGTH, _SEGMENTS + 1)[:, None]
    thick = max(2, _line_width(scale, 3.5))
    # The axis that points away from the camera is drawn first, so that nearer ones cover it.
    for k in sorted(range(3), key=lambda k: -head.rotation_camera_from_face[2, k]):
        points = head.position + along * head.rotation_camera_from_face[:, k]
        pixels, valid = camera.pixels(points)
        if valid.all() and float(np.abs(pixels).max()) < 1e4:
            line = [np.round(pixels * 16).astype(np.int32)]
            cv2.polylines(image, line, False, _DARK, thick + 2, cv2.LINE_AA, 4)
            cv2.polylines(image, line, False, _AXIS_COLOURS[k], thick, cv2.LINE_AA, 4)


def label_lines(head: Head) -> tuple[str, str]:
    """Return the two lines of text beside a head: who and how far, and how it is turned."""
    distance = float(np.linalg.norm(head.position))
    angles: list[Array] = list(euler_from_matrix(head.rotation_camera_from_face))
    yaw, pitch, roll = (round(float(np.degrees(angle))) for angle in angles)
    return f'{head.id}  {distance:.2f} m', f'Y{yaw:+d} P{pitch:+d} R{roll:+d}'


def _draw_label(image: Image, head: Head, scale: float) -> None:
    size = max(0.38, 0.55 * scale)
    thin = _line_width(scale, 1.2)
    gap = max(2, round(4 * scale))
    lines = label_lines(head)
    extents = [cv2.getTextSize(line, _FONT, size, thin)[0] for line in lines]
    line_height = max(height for _, height in extents) + 2 * gap
    total = line_height * len(lines)
    above = head.roi.y - gap >= total
    top = head.roi.y - gap - total if above else head.roi.y + head.roi.height + gap
    top = max(0, min(top, image.shape[0] - total - gap))
    widest = max(width for width, _ in extents)
    left = max(gap, min(head.roi.x, image.shape[1] - widest - gap))
    for n, line in enumerate(lines):
        foot = (left, top + (n + 1) * line_height - gap // 2)
        cv2.putText(image, line, foot, _FONT, size, _DARK, thin + max(2, 2 * thin), cv2.LINE_AA)
        cv2.putText(image, line, foot, _FONT, size, (255, 255, 255), thin, cv2.LINE_AA)


def annotate(image: Image, result: FrameResult) -> Image:
    """Return a copy of `image`, (H,W,3) BGR or (H,W) grey, with the heads of `result` drawn on it.

    The copy is (H,W,3) BGR. Raises TypeError or ValueError where `result` is not the result of an
    image of that size.
    """
    if not isinstance(result, FrameResult):
        raise TypeError(
            f'result: expected a FrameResult, got {type(result).__name__}; for heads of other '
            'sources see media.drawing.draw_heads'
        )
    camera = result.camera
    if camera is None:
        raise ValueError('result: does not say which camera it is of')
    if image.shape[:2] != (camera.height, camera.width):
        raise ValueError(
            f'image: {image.shape[1]}x{image.shape[0]} is not the size of the image that the '
            f'result is of, {camera.width}x{camera.height}'
        )
    grey = image.ndim == 2
    drawn: Image = np.array(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if grey else image, order='C')
    draw_heads(drawn, result, camera, result.principal_id)
    return drawn
