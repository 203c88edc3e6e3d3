# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels beside faces: as much text as there is room for, never on somebody else's face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from headpose_ros.typing import Array, Image

Colour = tuple[int, int, int]

TEXT: Colour = (255, 255, 255)
BACKGROUND: Colour = (24, 24, 24)
BACKGROUND_SHARE = 0.62
"""How much of a label's background hides the picture, 0..1."""

OWN_FACE = 0.3
"""How much it counts to cover the face that a label is about; another's counts 1."""

MAX_COVERED = 0.4
"""How much of its face's area a label may cover of faces and other labels."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAP_HEIGHT = 21.0
"""Height of a capital letter of `_FONT` at scale 1, pixels."""


@dataclass(frozen=True)
class Label:
    """What to write about one face.

    `face` (4,): x0, y0, x1, y1, pixels. `versions`: lines of text, the shortest version first.
    `colour`: of its mark. `filled`: on a background of that colour, for the principal head.
    """

    face: Array
    versions: Sequence[Sequence[str]]
    colour: Colour
    filled: bool


@dataclass(frozen=True)
class Style:
    """Sizes in pixels: of capital letters, of the space around text, of the letters' strokes."""

    cap: float
    pad: int
    stroke: int

    @staticmethod
    def suited_to(faces: Array, width: int, height: int) -> Style:
        """Return what is legible in an image of this size, smaller where `faces` (N,4) are."""
        side = float(np.median(np.minimum(*(faces[:, 2:] - faces[:, :2]).T)))
        image = min(width, height)
        largest = max(8.0, 0.0165 * image + 1.0)
        cap = min(largest, max(8.0, 0.009 * image, 0.16 * side))
        return Style(cap, max(3, round(0.45 * cap)), max(1, round(cap / 11)))

    @property
    def font_scale(self) -> float:
        """What OpenCV calls the size of a font."""
        return self.cap / _CAP_HEIGHT

    def size(self, lines: Sequence[str]) -> tuple[int, int]:
        """Return width and height of a label with these lines."""
        widest = max(self.text_width(line) for line in lines)
        height = round(len(lines) * self.cap + (len(lines) - 1) * 0.7 * self.cap)
        return widest + 3 * self.pad, height + 2 * self.pad

    def text_width(self, text: str) -> int:
        """Return the width of a line, in which a degree sign may stand."""
        parts = text.split('°')
        return sum(self._part_width(part) for part in parts) + (len(parts) - 1) * self.degree_width

    @property
    def degree_width(self) -> int:
        """Width of a degree sign, which the font does not have."""
        return max(4, round(0.5 * self.cap))

    def _part_width(self, part: str) -> int:
        return _width(part, self.font_scale, self.stroke)


@lru_cache(maxsize=4096)
def _width(text: str, font_scale: float, stroke: int) -> int:
    width: int = cv2.getTextSize(text, _FONT, font_scale, stroke)[0][0]
    return width


def draw_labels(image: Image, labels: Sequence[Label]) -> None:
    """Draw `labels` into `image` (H,W,3) in place; the first ones have the first choice.

    Faces so small and close that no text can stand among them have none, but for filled labels.
    """
    if not labels:
        return
    height, width = image.shape[:2]
    faces = np.stack([label.face for label in labels])
    style = Style.suited_to(faces, width, height)
    for label, (lines, corner) in zip(
        labels, _arranged(labels, faces, style, width, height), strict=True
    ):
        if lines:
            _draw(image, label, lines, corner, style)


def _arranged(
    labels: Sequence[Label], faces: Array, style: Style, width: int, height: int
) -> list[tuple[Sequence[str], tuple[int, int]]]:
    """Return the lines, none where there is no room, and the upper left corner of each label.

    Everybody gets room for the shortest version first; then, in order, the longest version that
    fits among all the others.
    """
    taken = np.full((len(labels), 4), -1e6)
    chosen: list[Sequence[str]] = [label.versions[0] for label in labels]
    for i, label in enumerate(labels):
        places = _places(label.face, style.size(chosen[i]), style.pad, width, height)
        on_faces, on_labels = _overlaps(places, faces, i), _overlaps(places, taken[:i])
        best = int(np.argmin(on_faces + 4.0 * on_labels))
        allowed = MAX_COVERED * float(np.prod(label.face[2:] - label.face[:2]))
        if label.filled or on_faces[best] + on_labels[best] <= allowed:
            taken[i] = places[best]
        else:
            chosen[i] = ()
    for i, label in enumerate(labels):
        others = np.delete(taken, i, axis=0)
        for version in reversed(label.versions[1:] if chosen[i] else ()):
            places = _places(label.face, style.size(version), style.pad, width, height)
            costs = _overlaps(places, faces, i) + _overlaps(places, others)
            best = int(np.argmin(costs))
            if costs[best] <= 0.0:
                taken[i], chosen[i] = places[best], version
                break
    corners = [(round(float(x)), round(float(y))) for x, y in taken[:, :2]]
    return list(zip(chosen, corners, strict=True))


def _places(face: Array, size: tuple[int, int], gap: int, width: int, height: int) -> Array:
    """Return rectangles (N,4) of this size around a face, the best first, inside the image."""
    (x0, y0, x1, y1), (w, h) = face, size
    middle_x, middle_y = (x0 + x1 - w) / 2, (y0 + y1 - h) / 2
    above, below, right, left = y0 - gap - h, y1 + gap, x1 + gap, x0 - gap - w
    corners = np.array([
        (x0, above), (x0, below), (x1 - w, above), (x1 - w, below), (middle_x, above),
        (middle_x, below), (right, y0), (left, y0), (right, middle_y), (left, middle_y),
        (right, y1 - h), (left, y1 - h), (middle_x, y0), (middle_x, y1 - h),
    ])  # fmt: skip
    corners = np.clip(np.round(corners), 0, np.maximum([width - w, height - h], 0))
    return np.hstack([corners, corners + [w, h]])


def _overlaps(places: Array, others: Array, own: int | None = None) -> Array:
    """Return for each of `places` (N,4) the area that it shares with `others` (M,4).

    `own`: index in `others` of the label's own face, which it may rather cover than another.
    """
    low = np.maximum(places[:, None, :2], others[None, :, :2])
    high = np.minimum(places[:, None, 2:], others[None, :, 2:])
    areas = np.prod(np.maximum(high - low, 0.0), axis=2)
    if own is not None:
        areas[:, own] *= OWN_FACE
    return areas.sum(axis=1)


def _draw(
    image: Image, label: Label, lines: Sequence[str], corner: tuple[int, int], style: Style
) -> None:
    (x, y), (w, h) = corner, style.size(lines)
    patch = image[y : y + h, x : x + w]
    if label.filled:
        patch[:] = label.colour
    else:
        share = BACKGROUND_SHARE
        patch[:] = cv2.convertScaleAbs(patch, None, 1.0 - share, share * BACKGROUND[0])
    bar = max(2, style.pad // 2)
    side = x if x + w > label.face[0] else x + w - bar  # the one at the face
    image[y : y + h, side : side + bar] = label.colour
    ink = BACKGROUND if label.filled else TEXT
    for n, line in enumerate(lines):
        foot = y + style.pad + round(style.cap * (1 + 1.7 * n))
        _write(image, line, (x + 2 * style.pad, foot), style, ink)


def _write(image: Image, text: str, foot: tuple[int, int], style: Style, ink: Colour) -> None:
    x, y = foot
    for n, part in enumerate(text.split('°')):
        if n:  # a degree sign comes before
            radius = max(1, round(0.16 * style.cap))
            centre = (x + radius + style.stroke, round(y - style.cap + radius))
            cv2.circle(image, centre, radius, ink, style.stroke, cv2.LINE_AA)
            x += style.degree_width
        cv2.putText(image, part, (x, y), _FONT, style.font_scale, ink, style.stroke, cv2.LINE_AA)
        x += _width(part, style.font_scale, style.stroke)
