# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The heads of one image in Rerun's terms: all of them in one entity of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow
import rerun as rr

from headpose_ros.heads import Head
from headpose_ros.media.drawing import id_colour, label_lines
from headpose_ros.viewer import shapes
from headpose_ros.viewer.shot import Shot

HEADS = ('camera/heads', 'heads')
"""Entities that are cleared, with all below them, where nobody is there."""
IN_IMAGE = ('boxes', 'labels', 'axes')
"""Entities under that of the image."""
FULL_LABELS = 4
"""Heads up to which the labels in the image give the angles too."""
MOST_LABELS = 12
"""Heads up to which labels in the image give the distance too, and those in space are shown."""

_AXES = ((255, 60, 60), (60, 220, 60), (60, 140, 255))
"""x, y, z are red, green, blue, as in `media.drawing` and everywhere in ROS."""
_FACE_ALPHA, _FAINT_ALPHA = 150, 120
_VIEW_WIDTH, _LABEL_SIZE = 600.0, (150.0, 50.0)
"""Of the view of the image in an ordinary window, and of a full label, pixels of the screen."""
_HIDDEN = 0.01
"""Radius of a point that only carries a label, pixels."""

Colour = tuple[int, int, int]


def rgb(head_id: str) -> Colour:
    """Return the colour (R, G, B) of an id: that of annotated videos."""
    blue, green, red = id_colour(head_id)
    return red, green, blue


def in_space(heads: Sequence[Head], colours: Sequence[Colour]) -> dict[str, Any]:
    """Return what shows `heads`, at least one, in space: archetypes by entity."""
    origins, vectors = shapes.axes(heads)
    outlines = shapes.ovals(heads)
    inner = np.repeat([(*colour, _FACE_ALPHA) for colour in colours], outlines.shape[1], axis=0)
    faint = [(*colour, _FAINT_ALPHA) for colour in colours for _ in range(2)]
    thin, line, thick = (rr.Radius.ui_points(width) for width in (0.6, 1.0, 1.6))
    return {
        'camera/heads/axes': rr.Arrows3D(
            origins=origins, vectors=vectors, colors=_AXES * len(heads), radii=[0.004]
        ),
        'camera/heads/faces': rr.Mesh3D(
            vertex_positions=outlines.reshape(-1, 3),
            triangle_indices=shapes.oval_triangles(len(heads)),
            vertex_colors=inner,
        ),
        'camera/heads/sight': rr.LineStrips3D(
            [*np.concatenate([outlines, outlines[:, :1]], axis=1), *shapes.sights(heads)],
            colors=[*colours, *colours], radii=[line] * len(heads) + [thick] * len(heads),
        ),
        'camera/heads/uncertainty': rr.LineStrips3D(
            shapes.uncertainties(heads), colors=faint, radii=[thin]
        ),
        'camera/heads/ids': rr.Points3D(
            [head.position for head in heads], colors=colours, radii=[0.008],
            labels=[head.id for head in heads], show_labels=len(heads) <= MOST_LABELS,
        ),
    }  # fmt: skip


def in_image(shot: Shot, colours: Sequence[Colour]) -> dict[str, Any]:
    """Return what shows the heads of `shot`, at least one, in its image, in its pixels."""
    heads, picture = shot.result.heads, shot.picture
    size = (shot.camera.width, shot.camera.height)
    shown = (picture.width, picture.height) if picture else size
    scale = np.array(shown) / size
    corners = np.array([(h.roi.x, h.roi.y) for h in heads], float)
    sizes = np.array([(h.roi.width, h.roi.height) for h in heads], float)
    stroke = [
        rr.Radius.ui_points(2.2 if head.id == shot.result.principal_id else 1.1) for head in heads
    ]
    # Where pixels' centres are whole numbers, as everywhere here, an image begins at -1/2; in
    # Rerun it begins at 0.
    lines = [(line + 0.5) * scale for line in shapes.axes_in_image(heads, shot.camera)]
    return {
        'boxes': rr.Boxes2D(
            mins=corners * scale, sizes=sizes * scale, colors=colours, radii=stroke
        ),
        # Labels of boxes are broken into lines as narrow as the boxes; those of points are not.
        'labels': rr.Points2D(
            np.array([_label_place(head) for head in heads]) * scale,
            colors=colours, radii=[_HIDDEN],
            labels=[_label(head, shot) for head in heads], show_labels=True,
        ),
        'axes': rr.LineStrips2D(
            lines, colors=_AXES * len(heads), radii=[rr.Radius.ui_points(1.4)]
        ),
    }  # fmt: skip


def in_numbers(shot: Shot) -> Any:
    """Return the heads of `shot`, at least one, in numbers: rows of the tables of poses.

    Without the stamp, which is the time that they are logged at.
    """
    rows = shot.result.to_dicts()
    for row in rows:
        row.pop('stamp_ns', None)
    # One component that holds all columns: 24 of their own would cost most of the time.
    return rr.AnyValues(pose=pyarrow.array(rows))


def _label(head: Head, shot: Shot) -> str:
    """Return the text under a head: the less, the more heads there are, and the closer."""
    who, angles = label_lines(head)
    count = len(shot.result.heads)
    if count > MOST_LABELS:
        return head.id
    if count > FULL_LABELS or _is_crowded(head, shot):
        return who
    looks = shot.attention.looks if shot.attention else ()
    at = [look.target for look in looks if look.id == head.id and look.looking]
    return '\n'.join([who, angles, *([f'looks at {", ".join(at)}'] if at else [])])


def _is_crowded(head: Head, shot: Shot) -> bool:
    """Tell whether another head is so near that full labels would cover each other."""
    scale = _VIEW_WIDTH / shot.camera.width
    here = np.array(_label_place(head)) * scale
    apart = [
        np.abs(here - np.array(_label_place(other)) * scale)
        for other in shot.result.heads
        if other is not head
    ]
    return any((distance < _LABEL_SIZE).all() for distance in apart)


def _label_place(head: Head) -> tuple[float, float]:
    roi = head.roi
    return roi.x + roi.width / 2, roi.y + roi.height
