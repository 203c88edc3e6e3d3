# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Markers for RViz: axes, face plane, view cone and label of each head."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from headpose_ros.heads import Head
from headpose_ros.node.messages import pose_message

AXIS_LENGTH = 0.15
FACE_PLANE = (0.002, 0.16, 0.22)
SIGHT_HALF_ANGLE = math.radians(8.0)
LIFETIME = Duration(sec=1)
"""After which RViz removes the markers of a node that died."""
KINDS = ('axes', 'face', 'sight', 'label')

_RED, _GREEN, _BLUE = (
    ColorRGBA(r=1.0, g=0.1, b=0.1, a=1.0),
    ColorRGBA(r=0.1, g=0.8, b=0.1, a=1.0),
    ColorRGBA(r=0.2, g=0.3, b=1.0, a=1.0),
)
_PLANE = ColorRGBA(r=0.9, g=0.9, b=0.9, a=0.5)
_SIGHT = ColorRGBA(r=1.0, g=0.8, b=0.1, a=0.35)
_WHITE = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)


class ShownMarkers:
    """Markers that RViz shows at present, so that those of lost heads can be deleted."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def message(self, heads: Sequence[Head], header: Header, sight: float) -> MarkerArray:
        """Return the markers of `heads`, and deletions for heads that are gone.

        `sight`: length of the view cone, metres.
        """
        present = {head.id for head in heads}
        gone = [self._numbers.pop(name) for name in set(self._numbers) - present]
        markers = [
            Marker(header=header, ns=kind, id=number, action=Marker.DELETE)
            for number in gone
            for kind in KINDS
        ]
        for head in heads:
            markers.extend(_markers(head, header, self._number(head.id), sight))
        return MarkerArray(markers=markers)

    def clear(self) -> MarkerArray:
        """Return a message that deletes all markers."""
        self._numbers.clear()
        return MarkerArray(markers=[Marker(action=Marker.DELETEALL)])

    def _number(self, name: str) -> int:
        if name not in self._numbers:
            taken = set(self._numbers.values())
            self._numbers[name] = next(n for n in range(len(taken) + 1) if n not in taken)
        return self._numbers[name]


def _markers(head: Head, header: Header, number: int, sight: float) -> list[Marker]:
    return [
        _axes(head, header, number),
        _face(head, header, number),
        _sight(head, header, number, sight),
        _label(head, header, number),
    ]


def _marker(head: Head, header: Header, number: int, kind: str, shape: int) -> Marker:
    marker = Marker(header=header, ns=kind, id=number, type=shape, action=Marker.ADD)
    marker.pose = pose_message(head)
    marker.lifetime = LIFETIME
    return marker


def _axes(head: Head, header: Header, number: int) -> Marker:
    marker = _marker(head, header, number, 'axes', Marker.LINE_LIST)
    marker.scale = Vector3(x=0.012)
    for colour, end in (
        (_RED, Point(x=AXIS_LENGTH)),
        (_GREEN, Point(y=AXIS_LENGTH)),
        (_BLUE, Point(z=AXIS_LENGTH)),
    ):
        marker.points.extend([Point(), end])
        marker.colors.extend([colour, colour])
    return marker


def _face(head: Head, header: Header, number: int) -> Marker:
    marker = _marker(head, header, number, 'face', Marker.CUBE)
    marker.scale = Vector3(x=FACE_PLANE[0], y=FACE_PLANE[1], z=FACE_PLANE[2])
    marker.color = _PLANE
    return marker


def _sight(head: Head, header: Header, number: int, length: float) -> Marker:
    marker = _marker(head, header, number, 'sight', Marker.TRIANGLE_LIST)
    marker.scale = Vector3(x=1.0, y=1.0, z=1.0)
    marker.color = _SIGHT
    radius = length * math.tan(SIGHT_HALF_ANGLE)
    rim = [
        Point(x=length, y=radius * math.cos(angle), z=radius * math.sin(angle))
        for angle in np.linspace(0.0, 2.0 * math.pi, 17)
    ]
    for one, other in itertools.pairwise(rim):
        marker.points.extend([Point(), one, other])
    return marker


def _label(head: Head, header: Header, number: int) -> Marker:
    marker = _marker(head, header, number, 'label', Marker.TEXT_VIEW_FACING)
    # Above the head in the image: y of the optical frame points down.
    marker.pose.position.y -= 0.25
    marker.scale = Vector3(z=0.08)
    marker.color = _WHITE
    marker.text = f'{head.id}  {float(np.linalg.norm(head.position)):.2f} m'
    return marker
