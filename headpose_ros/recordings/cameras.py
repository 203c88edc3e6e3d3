# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a bag are cameras, and which CameraInfo and depth belong to each.

CameraInfo is found as image_transport has it: `camera_info` beside the image's topic, of which the
name of the transport (`/compressed`) was taken off.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headpose_ros.media.image_messages import ImageError, jpeg_size
from headpose_ros.recordings.bag import Bag
from headpose_ros.recordings.storage import Message

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'

DEPTH_ENCODINGS = ('16UC1', '32FC1')

_TRANSPORTS = ('compressed', 'compressedDepth', 'theora', 'zstd', 'ffmpeg')
_VIDEO_TYPES = (
    'CompressedVideo',
    'FFMPEGPacket',
    'H264Packet',
    'theora_image_transport/msg/Packet',
)


@dataclass(frozen=True)
class CameraTopic:
    """A camera of a bag. `info`, `depth`: topics that belong to it, '' where there are none.

    `images`: how many there are, None where unknown.
    """

    topic: str
    msgtype: str
    info: str
    depth: str
    images: int | None


@dataclass(frozen=True)
class Cameras:
    """The cameras of a bag. `left_out`: by topic of images, why it is none to be looked at."""

    chosen: tuple[CameraTopic, ...]
    left_out: dict[str, str]


@dataclass(frozen=True)
class _First:
    """What the first message of an image topic says."""

    frame_id: str
    size: tuple[int, int] | None
    is_depth: bool


def find_cameras(bag: Bag, topics: Sequence[str] = ('*',), depth: str = '') -> Cameras:
    """Return the cameras whose topics fit one of the patterns `topics`.

    `depth`: pattern of the depth topics to use; one that is aligned with a camera, which means has
    the frame and the size of its images, belongs to it. '': none.
    """
    left_out: dict[str, str] = {}
    first: dict[str, _First] = {}
    for name, topic in sorted(bag.topics.items()):
        if topic.msgtype.endswith(_VIDEO_TYPES) and _fits(name, topics):
            left_out[name] = f'holds video packets ({topic.msgtype}), which are not read'
        if topic.msgtype not in (IMAGE, COMPRESSED):
            continue
        if not (_fits(name, topics) or (depth and fnmatch.fnmatchcase(name, depth))):
            continue
        about = _look_at(bag, name)
        if isinstance(about, _First):
            first[name] = about
        else:
            left_out[name] = about
    colours = {name: about for name, about in first.items() if not about.is_depth}
    depths = {name: about for name, about in first.items() if about.is_depth}
    chosen = []
    for name, about in colours.items():
        raw = base_topic(name)
        if not _fits(name, topics):
            continue
        if raw != name and raw in colours and _fits(raw, topics):
            left_out[name] = f'is {raw} once more'
            continue
        pair = next(
            (
                one
                for one, deep in depths.items()
                if depth and fnmatch.fnmatchcase(one, depth) and _aligned(deep, about)
            ),
            '',
        )
        chosen.append(_camera(bag, name, pair))
    left_out.update((name, 'holds depth, not pictures') for name in depths if _fits(name, topics))
    return Cameras(tuple(chosen), left_out)


def base_topic(topic: str) -> str:
    """Return the topic of the image itself: the name of the transport taken off."""
    parent, _, last = topic.rpartition('/')
    return parent if last in _TRANSPORTS and parent else topic


def info_topic(topic: str) -> str:
    """Return the topic of an image's CameraInfo."""
    return f'{base_topic(topic).rpartition("/")[0]}/camera_info'


def is_rectified(topic: str) -> bool:
    """Return whether a topic holds rectified images, as image_proc calls them: image_rect."""
    return base_topic(topic).rpartition('/')[2].startswith('image_rect')


def _camera(bag: Bag, name: str, depth: str) -> CameraTopic:
    topic = bag.topics[name]
    info = bag.topics.get(info_topic(name))
    has_info = info is not None and info.msgtype == CAMERA_INFO and info.count != 0
    return CameraTopic(
        name, topic.msgtype, info.name if info and has_info else '', depth, topic.count
    )


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _aligned(depth: _First, colour: _First) -> bool:
    return depth.size == colour.size and depth.frame_id == colour.frame_id


def _look_at(bag: Bag, name: str) -> _First | str:
    """Return what the first readable message of a topic says, or why it says nothing."""
    message = bag.first(name)
    if message is None:
        return 'holds no messages'
    try:
        return _first(bag, message)
    except (ValueError, ImageError):
        return _First('', None, False)  # later ones may be sound; each is told


def _first(bag: Bag, message: Message) -> _First:
    image: Any = bag.decode(message)
    frame_id = str(image.header.frame_id)
    if bag.topics[message.topic].msgtype == COMPRESSED:
        return _First(frame_id, jpeg_size(image.data), 'compressedDepth' in image.format)
    return _First(frame_id, (image.width, image.height), image.encoding in DEPTH_ENCODINGS)
