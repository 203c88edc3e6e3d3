# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The heads of a recording as a bag: MCAP with the definitions of its messages.

`ros2 bag play` and Foxglove read it: HeadPoseArray for each image, and /tf with `face_<id>` and
`gaze_<id>`, at the times at which the images were recorded.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headpose_ros.attention import HeadEventType
from headpose_ros.geometry.rotations import matrix_from_quaternion, quaternion_from_matrix
from headpose_ros.recordings.bag import Bag
from headpose_ros.recordings.cameras import base_topic
from headpose_ros.recordings.definitions import DEFINITIONS
from headpose_ros.recordings.extras import require
from headpose_ros.recordings.finding import Recording
from headpose_ros.recordings.finishing import JOINED, PART_FILE
from headpose_ros.recordings.parts import Part
from headpose_ros.recordings.pose_tables import COVARIANCE, read_rows
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.storage import Topic
from headpose_ros.recordings.store import Store, Unit, encoded

HEADS_TYPE = 'headpose_ros/msg/HeadPoseArray'
EVENT_TYPE = 'headpose_ros/msg/HeadEvent'
TF_TYPE = 'tf2_msgs/msg/TFMessage'
BAG_VERSION: Literal[8] = 8
"""Of the metadata: that of Jazzy, which later distributions read."""

UNKNOWN_HASH = f'RIHS01_{"0" * 64}'
"""Hash of a type of which the original says none."""

FRAME_ID = 'camera_optical_frame'
"""Frame of a camera that has none, since it is a video or pictures."""

_FACE_FROM_GAZE = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""The gaze frame in the face frame: z is the face's x, x its -y, y its -z (REP-155)."""


def write_bag(
    recording: Recording, parts: Sequence[Part], settings: Settings
) -> tuple[str, list[str]]:
    """Write the bag of all cameras of a recording, one part of each in `parts`.

    Merged with the original messages where `settings.bags` says so. Return its path as markers
    have it, and what is to be told. Raises SinkError where it cannot be written, ValueError where
    the original cannot be merged.
    """
    require('batch', 'rosbags', 'mcap', 'pyarrow')
    store = Store(settings.out)
    units = [part.unit for part in parts]
    topics = heads_topics([unit.topic for unit in units])
    streams = [
        _camera_messages(store, unit, topics[unit.topic], _prefix(unit.topic, len(units)))
        for unit in units
    ]
    ours = heapq.merge(*streams, key=lambda one: one.time_ns)
    folder = store.bag_folder(recording.name)
    notes: list[str] = []
    with store.replacing(folder) as aside:
        bag = aside / encoded(recording.name.rpartition('/')[2])
        if settings.bags == 'merged' and recording.kind == 'bag':
            with Bag(recording) as original:
                _write(bag, heapq.merge(_originals(original), ours, key=lambda one: one.time_ns))
                notes = original.damage
        else:
            _write(bag, ours)
    return store.relative(folder), notes


def heads_topics(topics: Sequence[str]) -> dict[str, str]:
    """Return the topic of the heads by that of the images: as of a node in their namespace.

    Where two cameras share a namespace, it is the topic of the image itself that takes its place.
    """
    spaces = {topic: '/' + _space(topic).strip('/') for topic in topics}
    shared = {space for space in spaces.values() if list(spaces.values()).count(space) > 1}
    return {
        topic: ('/' + base_topic(topic).strip('/') if space in shared else space.rstrip('/'))
        + '/headpose/heads'
        for topic, space in spaces.items()
    }


def _space(topic: str) -> str:
    return base_topic(topic).rpartition('/')[0]


def _prefix(topic: str, cameras: int) -> str:
    """Return what the frames of a camera begin with: ids are those of one camera only."""
    return '' if cameras == 1 else base_topic(topic).strip('/').replace('/', '_') + '/'


@dataclass(frozen=True)
class _Written:
    """A message to write: serialised, or as an object."""

    time_ns: int
    topic: Topic
    data: Any
    is_serialised: bool = False


def _write(path: Path, messages: Iterable[_Written]) -> None:
    """Write an MCAP bag into the folder `path`."""
    from rosbags.rosbag2 import StoragePlugin, Writer

    store = _typestore()
    connections: dict[tuple[str, str], Any] = {}
    with Writer(path, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP) as writer:
        for message in messages:
            topic = message.topic
            key = topic.name, topic.msgtype
            if key not in connections:
                connections[key] = writer.add_connection(
                    topic.name, topic.msgtype, **_definition(topic)
                )
            data = message.data
            if not message.is_serialised:
                data = store.serialize_cdr(data, topic.msgtype)
            writer.write(connections[key], message.time_ns, data)


def _definition(topic: Topic) -> dict[str, Any]:
    """Return the definition of a topic's type and its hash, as the writer takes them."""
    store = _typestore()
    if topic.msgtype in store.fielddefs and not (topic.definition and topic.digest):
        text, _ = store.generate_msgdef(topic.msgtype, ros_version=2)
        return {'msgdef': text, 'rihs01': store.hash_rihs01(topic.msgtype)}
    return {'msgdef': topic.definition, 'rihs01': topic.digest or UNKNOWN_HASH}


def _originals(bag: Bag) -> Iterator[_Written]:
    """Yield all messages of the original. Raises ValueError for a bag of ROS 1."""
    if any(topic.encoding == 'ros1' for topic in bag.topics.values()):
        raise ValueError(
            f'{bag.recording.path}: is of ROS 1 and cannot be merged; take --bags beside'
        )
    for message in bag.messages(bag.topics):
        yield _Written(message.time_ns, bag.topics[message.topic], message.data, True)


def _camera_messages(store: Store, unit: Unit, topic: str, prefix: str) -> Iterator[_Written]:
    """Yield heads and transforms of each image of a camera that was looked at."""
    make = _Messages(prefix)
    events = _Events(store, unit, topic.rpartition('/')[0], make)
    heads = read_rows(store.work(unit) / JOINED)
    row = next(heads, None)
    images = store.path('images', unit.recording, unit.topic, PART_FILE)
    for image in read_rows(images):
        if image['heads'] is None:
            continue
        rows = []
        for _ in range(image['heads']):
            assert row is not None
            rows.append(row)
            row = next(heads, None)
        time_ns = image['bag_time_ns']
        time_ns = image['stamp_ns'] if time_ns is None else time_ns
        header = make.header(image['stamp_ns'], image['frame_id'] or FRAME_ID)
        yield _Written(time_ns, Topic(topic, HEADS_TYPE, None, 'cdr'), make.heads(header, rows))
        if rows:
            yield _Written(
                time_ns, Topic('/tf', TF_TYPE, None, 'cdr'), make.transforms(header, rows)
            )
        yield from events.until(image['stamp_ns'], time_ns, header.frame_id)


class _Events:
    """The events of a camera, where they were asked for, as messages."""

    def __init__(self, store: Store, unit: Unit, space: str, make: _Messages) -> None:
        path = store.path('events', unit.recording, unit.topic, PART_FILE)
        self._rows = deque(read_rows(path) if path.exists() else ())
        self._topic = Topic(f'{space}/events', EVENT_TYPE, None, 'cdr')
        self._make = make

    def until(self, stamp_ns: int, time_ns: int, frame_id: str) -> Iterator[_Written]:
        """Yield the events of images with stamps up to `stamp_ns`, recorded at `time_ns`."""
        while self._rows and self._rows[0]['stamp_ns'] <= stamp_ns:
            row = self._rows.popleft()
            header = self._make.header(row['stamp_ns'], frame_id)
            yield _Written(time_ns, self._topic, self._make.event(header, row))


class _Messages:
    """Makes messages of the rows of heads."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._types = _typestore().types

    def header(self, stamp_ns: int, frame_id: str) -> Any:
        """Return a header."""
        stamp = self._types['builtin_interfaces/msg/Time'](*divmod(stamp_ns, 10**9))
        return self._types['std_msgs/msg/Header'](stamp, frame_id)

    def heads(self, header: Any, rows: Sequence[dict[str, Any]]) -> Any:
        """Return the HeadPoseArray of an image."""
        principal = next((row['id'] for row in rows if row['principal']), '')
        heads = [self._head(header, row) for row in rows]
        return self._types[HEADS_TYPE](header, heads, principal)

    def transforms(self, header: Any, rows: Sequence[dict[str, Any]]) -> Any:
        """Return `face_<id>` and `gaze_<id>` of each head."""
        made = []
        for row in rows:
            face = np.array([row[name] for name in ('qx', 'qy', 'qz', 'qw')])
            gaze = quaternion_from_matrix(matrix_from_quaternion(face) @ _FACE_FROM_GAZE)
            for name, turn in (('face', face), ('gaze', gaze)):
                transform = self._types['geometry_msgs/msg/Transform'](
                    self._types['geometry_msgs/msg/Vector3'](row['x'], row['y'], row['z']),
                    self._types['geometry_msgs/msg/Quaternion'](*map(float, turn)),
                )
                child = f'{self._prefix}{name}_{row["id"]}'
                made.append(
                    self._types['geometry_msgs/msg/TransformStamped'](header, child, transform)
                )
        return self._types[TF_TYPE](made)

    def event(self, header: Any, row: dict[str, Any]) -> Any:
        """Return a HeadEvent."""
        kind = HeadEventType[row['event']].value
        return self._types[EVENT_TYPE](header, row['id'], kind, row['target'])

    def _head(self, header: Any, row: dict[str, Any]) -> Any:
        pose = self._types['geometry_msgs/msg/Pose'](
            self._types['geometry_msgs/msg/Point'](row['x'], row['y'], row['z']),
            self._types['geometry_msgs/msg/Quaternion'](
                row['qx'], row['qy'], row['qz'], row['qw']
            ),
        )
        covariance = np.asarray(row[COVARIANCE], np.float64)
        roi = self._types['sensor_msgs/msg/RegionOfInterest'](
            row['roi_x'], row['roi_y'], row['roi_height'], row['roi_width'], False
        )
        return self._types['headpose_ros/msg/HeadPose'](
            header,
            row['id'],
            self._types['geometry_msgs/msg/PoseWithCovariance'](pose, covariance),
            row['confidence'],
            roi,
            math.radians(row['off_axis_deg']),
            math.radians(row['facing_deg']),
        )


@cache
def _typestore() -> Any:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for name, text in DEFINITIONS.items():
        types.update(get_types_from_msg(text, name))
    store.register(types)
    return store
