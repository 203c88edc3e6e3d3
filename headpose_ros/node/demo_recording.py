# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's recording for the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headpose_ros.geometry import CameraModel
from headpose_ros.node.messages import head_from_message
from headpose_ros.node.spool import Spool
from headpose_ros.result import FrameResult
from headpose_ros.viewer.feeds import RecordingFile
from headpose_ros.viewer.shot import Shot

if TYPE_CHECKING:
    from headpose_ros.msg import HeadPoseArray


def write_recording(
    path: Path,
    spool: Spool,
    results: Mapping[int, tuple[int, HeadPoseArray]],
    camera: CameraModel,
) -> None:
    """Write every result, with its image as it was recorded.

    `results`: by stamp, ns: when it was received, ns, and the message.
    """
    with RecordingFile(path) as recording:
        for stamp, (received, message) in sorted(results.items()):
            heads = tuple(head_from_message(head) for head in message.heads)
            result = FrameResult(heads, message.principal_id or None, 1e-9 * stamp, camera=camera)
            values = {'camera to result': 1e-6 * (received - stamp)}
            image = spool.encoded(stamp)
            recording.put(Shot(image, camera, result, stamp, values=values))
