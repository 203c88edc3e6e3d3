# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads drawn into an image: axes, box, and a label with id, distance and angles."""

from __future__ import annotations

import colorsys
import math
import re
import zlib
from collections.abc import Sequence

import cv2
import numpy as np

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Head, Roi
from headpose_ros.media.frames import as_bgr
from headpose_ros.media.labels import Colour, Label, draw_labels
from headpose_ros.result import FrameResult
from headpose_ros.typing import Array, Image

AXIS_LENGTH = 0.1
"""Length of the drawn axes, metres."""

_AXIS_COLOURS: tuple[Colour, ...] = ((60, 60, 255), (60, 220, 60), (255, 140, 60))
"""x, y, z are red, green, blue, as everywhere in ROS; OpenCV's order is BGR."""

_DARK: Colour = (20, 20, 20)
_SEGMENTS = 8
_GOLDEN = 0.618034
"""Steps of hue from id to id: neighbours differ most, and none repeats."""


def draw_heads(
    image_bgr: Image,
    heads: Sequence[Head],
    camera: CameraModel,
    principal_id: str | None = None,
) -> None:
    """Draw `heads` into `image_bgr` (H,W,3) uint8, which `camera` describes, in place.

    The axes are those of the face frame (x red out of the face, y green to the person's left, z
    blue up), projected through the lens point by point. Each id has a colour that stays. Labels
    give id, distance, azimuth, elevation and tilt in degrees, or less where people stand close
    together. The label of the head `principal_id` is filled with its colour, its box is closed.

    Raises ValueError for an image that is read-only or of another kind.
    """
    canvas = _canvas(image_bgr)
    height, width = canvas.shape[:2]
    camera = camera.scaled_to(width, height)
    far_first = sorted(heads, key=lambda head: -head.distance)
    for head in far_first:
        _draw_box(canvas, head.roi, id_colour(head.id), closed=head.id == principal_id)
    for head in far_first:
        _draw_axes(canvas, head, camera)
    near_first = sorted(heads, key=lambda head: (head.id != principal_id, head.distance))
    draw_labels(canvas, [_label(head, head.id == principal_id) for head in near_first])
    if canvas is not image_bgr:
        image_bgr[...] = canvas


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
    drawn: Image = np.array(as_bgr(image), order='C')
    draw_heads(drawn, result, camera, result.principal_id)
    return drawn


def label_lines(head: Head) -> tuple[str, str]:
    """Return the two lines of text beside a head: who and how far, and where it faces.

    Angles are `Head.heading` in degrees: azimuth, elevation and tilt.
    """
    azimuth, elevation, tilt = (round(math.degrees(angle)) for angle in head.heading)
    return (
        f'{head.id}  {head.distance:.2f} m',
        f'az {azimuth:+d}°  el {elevation:+d}°  tilt {tilt:+d}°',
    )


def id_colour(head_id: str) -> Colour:
    """Return the colour (B, G, R) of an id: the same in every image and run."""
    number = re.search(r'\d+$', head_id)
    step = int(number[0]) if number else zlib.crc32(head_id.encode())
    red, green, blue = colorsys.hsv_to_rgb((0.11 + _GOLDEN * step) % 1.0, 0.55, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def _canvas(image: Image) -> Image:
    """Return what OpenCV can draw into: the image itself, or a copy in rows."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        got = getattr(image, 'dtype', type(image).__name__)
        raise ValueError(f'image_bgr: expected a uint8 array (H,W,3), got {got}')
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f'image_bgr: expected shape (H,W,3), got {image.shape}')
    if not image.flags.writeable:
        raise ValueError('image_bgr: is read-only; draw into a copy of it')
    return image if image.flags.c_contiguous else np.ascontiguousarray(image)


def _label(head: Head, principal: bool) -> Label:
    roi = head.roi
    face = np.array([roi.x, roi.y, roi.x + roi.width, roi.y + roi.height], float)
    who, angles = label_lines(head)
    versions = ((head.id,), (who,), (who, angles))
    return Label(face, versions, id_colour(head.id), principal)


def _stroke(face_px: float, image_px: float) -> int:
    """Return the width of lines on a face: thin where it is small, whatever the image."""
    return max(1, round(min(0.022 * face_px, 0.006 * image_px)))


def _draw_box(image: Image, roi: Roi, colour: Colour, closed: bool) -> None:
    side = min(roi.width, roi.height)
    thick = max(1, round(0.6 * _stroke(side, min(image.shape[:2]))))
    x0, y0, x1, y1 = roi.x, roi.y, roi.x + roi.width - 1, roi.y + roi.height - 1
    if closed:
        lines = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]]
    else:
        arm = max(3, round(0.2 * side))
        lines = [
            [(x, y + dy * arm), (x, y), (x + dx * arm, y)]
            for x, dx in ((x0, 1), (x1, -1))
            for y, dy in ((y0, 1), (y1, -1))
        ]
    paths = [np.array(line, np.int32) for line in lines]
    cv2.polylines(image, paths, False, _DARK, thick + 2, cv2.LINE_AA)
    cv2.polylines(image, paths, False, colour, thick, cv2.LINE_AA)


def _draw_axes(image: Image, head: Head, camera: CameraModel) -> None:
    along = np.linspace(0.0, AXIS_LENGTH, _SEGMENTS + 1)[:, None]
    side = min(head.roi.width, head.roi.height)
    thick = max(1, round(1.2 * _stroke(side, min(image.shape[:2]))))
    # The axis that points away from the camera is drawn first, so that nearer ones cover it.
    for k in sorted(range(3), key=lambda k: -head.rotation_camera_from_face[2, k]):
        points = head.position + along * head.rotation_camera_from_face[:, k]
        pixels, valid = camera.pixels(points)
        if valid.all() and float(np.abs(pixels).max()) < 1e4:
            _draw_axis(image, pixels, _AXIS_COLOURS[k], thick, tip=k == 0)


def _draw_axis(image: Image, pixels: Array, colour: Colour, thick: int, tip: bool) -> None:
    line = np.round(pixels * 16).astype(np.int32)
    end = (int(line[-1, 0]), int(line[-1, 1]))
    for wider, ink in ((1, _DARK), (0, colour)):
        cv2.polylines(image, [line], False, ink, thick + 2 * wider, cv2.LINE_AA, 4)
        if tip:  # a face towards the camera shows its x axis as a point
            cv2.circle(image, end, 16 * (thick + wider) + 8, ink, -1, cv2.LINE_AA, 4)
