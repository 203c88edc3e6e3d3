# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics of each face, /humans/faces/<id>/: roi, cropped, aligned, landmarks (REP-155).

Advertised while the face is followed; a message is made only while somebody subscribes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from hri_msgs.msg import (
    FacialLandmarks,
    NormalizedPointOfInterest2D,
    NormalizedRegionOfInterest2D,
)
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks

from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS, face_centre_from_sellion
from headpose_ros.geometry.sampling import sample_crops
from headpose_ros.geometry.virtual_camera import VirtualCameras, crop_angles
from headpose_ros.heads import Head
from headpose_ros.media.image_messages import Bgr
from headpose_ros.node.messages import image_message
from headpose_ros.node.qos import NEWEST_OUTPUT
from headpose_ros.typing import Array

KINDS = {
    'roi': NormalizedRegionOfInterest2D,
    'cropped': Image,
    'aligned': Image,
    'landmarks': FacialLandmarks,
}
PICTURES = ('cropped', 'aligned')
_MIN_SPREAD = 1.02
"""Least distance from camera to face centre, in radii of the face sphere, for a picture."""


class FaceImage(NamedTuple):
    """The image that faces are seen in; its pixels where all are there, else None."""

    header: Header
    camera: CameraModel
    pixels: Bgr | None


class FaceTopics:
    """Publishers for every face that is followed."""

    def __init__(self, node: Node, send: Callable[[Any, Any], None]) -> None:
        self._node = node
        self._send = send
        self._by_id: dict[str, dict[str, Any]] = {}

    def follow(self, ids: Iterable[str]) -> None:
        """Advertise the topics of faces that are new, and withdraw those of others."""
        wanted = set(ids)
        for gone in self._by_id.keys() - wanted:
            for publisher in self._by_id.pop(gone).values():
                self._node.destroy_publisher(publisher)
        for new in sorted(wanted - self._by_id.keys()):
            # Without event handlers, which the executor waits for: this is not its thread.
            quiet = PublisherEventCallbacks(use_default_callbacks=False)
            self._by_id[new] = {
                name: self._node.create_publisher(
                    kind, f'/humans/faces/{new}/{name}', NEWEST_OUTPUT, event_callbacks=quiet
                )
                for name, kind in KINDS.items()
            }

    def have_subscribers(self, names: Sequence[str] = tuple(KINDS)) -> bool:
        """Return whether anybody subscribes to one of the topics `names` of any face."""
        return any(
            topics[name].get_subscription_count()
            for topics in list(self._by_id.values())
            for name in names
        )

    def publish(self, heads: Sequence[Head], image: FaceImage, width_px: int) -> None:
        """Publish what is subscribed to about those of `heads` that are followed.

        Pictures are `width_px` squares.
        """
        for head in heads:
            for name, publisher in self._by_id.get(head.id, {}).items():
                if not publisher.get_subscription_count():
                    continue
                message = self._message(name, head, image, width_px)
                if message is not None:
                    self._send(publisher, message)

    def _message(self, name: str, head: Head, image: FaceImage, width_px: int) -> Any:
        if name == 'roi':
            return roi_message(head, image)
        if name == 'landmarks':
            return landmarks_message(head, image)
        if image.pixels is None:
            return None
        picture = face_picture(head, image.pixels, image.camera, width_px, name == 'aligned')
        return None if picture is None else image_message(picture, 'bgr8', image.header)


def roi_message(head: Head, image: FaceImage) -> NormalizedRegionOfInterest2D:
    """Return where the face is in the image: corners from 0 to 1, and the confidence."""
    roi, camera = head.roi, image.camera
    return NormalizedRegionOfInterest2D(
        header=image.header,
        xmin=roi.x / camera.width,
        ymin=roi.y / camera.height,
        xmax=min(1.0, (roi.x + roi.width) / camera.width),
        ymax=min(1.0, (roi.y + roi.height) / camera.height),
        c=_confidence(head),
    )


def landmarks_message(head: Head, image: FaceImage) -> FacialLandmarks | None:
    """Return the points of the face, 0 to 1 in the image; None where the estimator has none.

    `c` is the head's confidence, 0 for points outside the image and for pupils, which are unknown.
    """
    if head.landmarks is None:
        return None
    camera = image.camera
    places = (head.landmarks + 0.5) / (camera.width, camera.height)
    inside = ((places >= 0) & (places <= 1)).all(axis=1)  # NaN is not
    message = FacialLandmarks(header=image.header, height=camera.height, width=camera.width)
    confidence = _confidence(head)
    for i in np.flatnonzero(inside).tolist():
        x, y = places[i].tolist()
        message.landmarks[i] = NormalizedPointOfInterest2D(x=x, y=y, c=confidence)
    return message


def face_picture(
    head: Head, image: Bgr, camera: CameraModel, width_px: int, upright: bool
) -> Bgr | None:
    """Return the face as a camera that looks straight at it sees it: (width_px, width_px, 3).

    It shows the sphere that `roi` frames, without the distortion of the lens; black beyond the
    image. `upright`: the head's top is up; else what is up in the image. None where the camera is
    inside the head.
    """
    centre: Array = face_centre_from_sellion(head.rotation_camera_from_face, head.position)
    distance = float(np.linalg.norm(centre))
    if not distance > _MIN_SPREAD * FACE_SPHERE_RADIUS:
        return None
    angles = crop_angles([2 * np.arcsin(FACE_SPHERE_RADIUS / distance)], 1.0)
    ups = head.rotation_camera_from_face[:, 2][None] if upright else None
    crops = sample_crops(image, camera, (centre / distance)[None], angles, width_px, ups=ups)
    picture: Bgr = np.asarray(crops.images)[0]
    if crops.inside[0] < 1.0:
        picture[~_is_inside(crops.cameras, camera)] = 0
    return picture


def _is_inside(view: VirtualCameras, camera: CameraModel) -> NDArray[np.bool_]:
    """Return which pixels (S,S) of the one virtual camera `view` the image shows."""
    rows, columns = np.indices((view.size_px, view.size_px))
    pixels = np.stack([columns.ravel(), rows.ravel()], axis=1)
    rays = view.rays_to_camera(view.rays_virtual(pixels))[0]
    seen, valid = camera.pixels(rays)
    inside: NDArray[np.bool_] = valid & camera.contains(seen)
    return inside.reshape(rows.shape)


def _confidence(head: Head) -> float:
    return min(1.0, max(0.0, float(head.confidence)))
