# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A consumer of REP-155: what libhri and hri_engagement ask for, in their way.

For each id in the newest /humans/faces/tracked it subscribes to the topics of the face, and drops
the face when a list comes without it. Poses are looked up by the frames face_<id> and gaze_<id>.
"""

from __future__ import annotations

import numpy as np
from hri_msgs.msg import FacialLandmarks, IdsList, NormalizedRegionOfInterest2D
from rclpy.qos import qos_profile_system_default
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import Image
from tf2_msgs.msg import TFMessage

KINDS = {
    'roi': NormalizedRegionOfInterest2D,
    'cropped': Image,
    'aligned': Image,
    'landmarks': FacialLandmarks,
}
FIELD_OF_VIEW = np.radians(60.0)


class Face:
    """The newest message of each topic of a face; `got` also counts them."""

    def __init__(self, node, name, topics):
        self._node = node
        self.newest = {}
        self.got = dict.fromkeys(topics, 0)
        self._subscriptions = [
            node.create_subscription(
                KINDS[topic],
                f'/humans/faces/{name}/{topic}',
                lambda message, topic=topic: self._take(topic, message),
                qos_profile_system_default,
            )
            for topic in topics
        ]

    def _take(self, topic, message):
        self.newest[topic] = message
        self.got[topic] += 1

    def invalidate(self):
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)


class FaceListener:
    """Faces by id, as libhri's HRIListener has them, and how often each was found and lost."""

    def __init__(self, node, topics=tuple(KINDS)):
        self._node = node
        self._topics = topics
        self.faces: dict[str, Face] = {}
        self.found: list[str] = []
        self.lost: list[str] = []
        self.lists: list[list[str]] = []
        self.transforms: dict[str, object] = {}
        node.create_subscription(
            IdsList, '/humans/faces/tracked', self._on_tracked, qos_profile_system_default
        )
        node.create_subscription(TFMessage, '/tf', self._on_tf, 100)

    def _on_tracked(self, message):
        self.lists.append(list(message.ids))
        now = set(message.ids)
        for name in self.faces.keys() - now:
            self.faces.pop(name).invalidate()
            self.lost.append(name)
        for name in now - self.faces.keys():
            self.faces[name] = Face(self._node, name, self._topics)
            self.found.append(name)

    def _on_tf(self, message):
        self.transforms.update((t.child_frame_id, t) for t in message.transforms)

    def looks_at_the_camera(self, name):
        """Return whether the camera is in the field of view of a face, as hri_engagement asks."""
        transform = self.transforms[f'gaze_{name}'].transform
        q, p = transform.rotation, transform.translation
        x, y, z = Rotation.from_quat([q.x, q.y, q.z, q.w]).inv().apply([-p.x, -p.y, -p.z])
        return bool(np.arctan2(np.hypot(x, y), z) < FIELD_OF_VIEW / 2)
