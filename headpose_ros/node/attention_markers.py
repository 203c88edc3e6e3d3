# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Markers for RViz: the targets of attention, and an arrow from each face to what it looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from geometry_msgs.msg import Point, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from headpose_ros.attention import CAMERA, AttentionResult, Place, Target
from headpose_ros.geometry.rotations import quaternion_from_matrix
from headpose_ros.heads import Head
from headpose_ros.node.markers import LIFETIME
from headpose_ros.typing import Array

TARGET, LOOK = 'target', 'look'
"""Namespaces of the markers."""
POINT_DIAMETER = 0.05
"""Metres: how large a target without a size is drawn."""
PLATE_THICKNESS = 0.01
LABEL_ABOVE = 0.1

_IDLE = ColorRGBA(r=0.5, g=0.6, b=0.7, a=0.6)
_LOOKED_AT = ColorRGBA(r=0.2, g=0.9, b=0.4, a=0.8)
_WHITE = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)


class ShownAttention:
    """The markers that RViz shows at present, so that those that no longer hold are deleted."""

    def __init__(self) -> None:
        self._shown: set[tuple[str, int]] = set()

    def message(
        self,
        heads: Sequence[Head],
        header: Header,
        targets: Sequence[Target],
        places: Mapping[str, Place],
        found: AttentionResult,
    ) -> MarkerArray:
        """Return the targets in their places, arrows from who looks to what, and deletions."""
        looked_at = {look.target for look in found.looks if look.looking}
        markers: list[Marker] = []
        for number, target in enumerate(targets):
            if target.name in places:
                seen = target.name in looked_at
                markers += _target(target, places[target.name], header, 2 * number, seen)
        faces = {head.id: head.position for head in heads}
        ends = {name: np.asarray(place.position) for name, place in places.items()}
        ends[CAMERA.name] = np.zeros(3)
        looks = [look for look in found.looks if look.looking and look.id in faces]
        for number, look in enumerate(looks):
            markers.append(_arrow(faces[look.id], ends[look.target], header, number))
        shown = {(marker.ns, marker.id) for marker in markers}
        gone = sorted(self._shown - shown)
        self._shown = shown
        deletions = [
            Marker(header=header, ns=kind, id=number, action=Marker.DELETE)
            for kind, number in gone
        ]
        return MarkerArray(markers=[*deletions, *markers])

    def clear(self) -> None:
        """Take it that nothing is shown any more."""
        self._shown.clear()


def _marker(header: Header, kind: str, number: int, shape: int, colour: ColorRGBA) -> Marker:
    marker = Marker(header=header, ns=kind, id=number, type=shape, action=Marker.ADD)
    marker.lifetime, marker.color = LIFETIME, colour
    marker.pose.orientation.w = 1.0
    return marker


def _target(
    target: Target, place: Place, header: Header, number: int, looked_at: bool
) -> list[Marker]:
    shape = Marker.SPHERE if target.size is None else Marker.CUBE
    body = _marker(header, TARGET, number, shape, _LOOKED_AT if looked_at else _IDLE)
    at = np.asarray(place.position)
    body.pose.position = _point(at)
    if target.size is not None:
        width, height = target.size
        body.scale = Vector3(x=PLATE_THICKNESS, y=width, z=height)
        rotation = np.asarray(place.rotation_camera_from_target)
        q = body.pose.orientation
        q.x, q.y, q.z, q.w = map(float, quaternion_from_matrix(rotation))
    else:
        diameter = 2.0 * target.radius if target.radius else POINT_DIAMETER
        body.scale = Vector3(x=diameter, y=diameter, z=diameter)
    label = _marker(header, TARGET, number + 1, Marker.TEXT_VIEW_FACING, _WHITE)
    # Above it in the image: y of the optical frame points down.
    above = 0.5 * (target.size[1] if target.size else body.scale.z) + LABEL_ABOVE
    label.pose.position = _point(at - [0.0, above, 0.0])
    label.scale = Vector3(z=0.06)
    label.text = target.name
    return [body, label]


def _arrow(start: Array, end: Array, header: Header, number: int) -> Marker:
    marker = _marker(header, LOOK, number, Marker.ARROW, _LOOKED_AT)
    marker.points = [_point(start), _point(end)]
    marker.scale = Vector3(x=0.01, y=0.03, z=0.06)  # diameters of shaft and head, length of it
    return marker


def _point(position: Array) -> Point:
    x, y, z = map(float, position)
    return Point(x=x, y=y, z=z)
