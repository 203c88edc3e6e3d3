# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executable `demo_recorder`: records what the node publishes, as tables and as a video.

It records until its standard input is closed (the demo does that), for `--seconds`, or until a
signal. After a signal it writes the tables only.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensor_msgs.msg import CameraInfo

    from headpose_ros.msg import HeadPoseArray
    from headpose_ros.node.spool import Spool

PROGRESS_PERIOD = 1.0


def arguments() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(prog='demo_recorder', description=__doc__)
    parser.add_argument('--out', default='out/demo', help='folder to write to')
    parser.add_argument('--rerun', metavar='NAME', help='write a recording for the viewer too')
    parser.add_argument('--compressed', action='store_true', help='record image/compressed')
    parser.add_argument('--seconds', type=float, help='stop after this long')
    parser.add_argument('--until-eof', action='store_true', help='stop when stdin is closed')
    return parser


def main(args: list[str] | None = None) -> int:
    """Record, then write; return the exit status."""
    from headpose_ros.node.main import guarded

    return guarded(lambda: _run(args))


def _run(args: list[str] | None) -> int:
    import rclpy
    from rclpy.utilities import remove_ros_args

    from headpose_ros.node.spinning import spin
    from headpose_ros.node.spool import Spool

    options = arguments().parse_args(remove_ros_args(args or sys.argv)[1:])
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    rclpy.init(args=args)
    with Spool(out) as spool:
        recorder = Recorder(spool, options.compressed)
        ended = _ending(options)
        spin(recorder.node, ended.is_set)
        complete = recorder.node.context.ok()
        recorder.node.destroy_node()
        rclpy.try_shutdown()
        spool.finish()
        recorder.write_tables(out)
        if complete:
            recorder.write_video(out)
        if complete and options.rerun:
            recorder.write_recording(out / options.rerun)
    return 0


def _ending(options: argparse.Namespace) -> threading.Event:
    """Return an event that is set when recording shall end."""
    ended = threading.Event()
    if options.until_eof:

        def watch() -> None:
            sys.stdin.read()
            ended.set()

        threading.Thread(target=watch, daemon=True).start()
    if options.seconds:
        timer = threading.Timer(options.seconds, ended.set)
        timer.daemon = True
        timer.start()
    return ended


class Recorder:
    """Subscribes to what camera and node publish and keeps it by stamp."""

    def __init__(self, spool: Spool, compressed: bool) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.qos import QoSProfile
        from sensor_msgs.msg import CameraInfo, CompressedImage, Image

        from headpose_ros.msg import HeadPoseArray
        from headpose_ros.node.subscriptions import camera_info_topic, compressed_topic

        self.node = node = rclpy.create_node('demo_recorder')
        self._spool = spool
        self._results: dict[int, tuple[int, HeadPoseArray]] = {}
        self._info: CameraInfo | None = None
        self._values: dict[str, str] = {}
        self._printed_at = time.monotonic()
        qos = QoSProfile(depth=30)
        topic = compressed_topic(node) if compressed else node.resolve_topic_name('image')
        kind = CompressedImage if compressed else Image
        self._subscriptions = [
            node.create_subscription(HeadPoseArray, 'headpose/heads', self._on_heads, qos),
            node.create_subscription(kind, topic, spool.put, qos),
            node.create_subscription(
                CameraInfo, camera_info_topic(node, topic), self._on_info, qos
            ),
            node.create_subscription(DiagnosticArray, '/diagnostics', self._on_values, qos),
        ]

    def write_tables(self, out: Path) -> None:
        """Write `heads.csv` and `recording.json`."""
        from headpose_ros.node.demo_tables import write_heads

        write_heads(out / 'heads.csv', [message for _, message in self._results.values()])
        recording = {
            'stamps_ns': list(self._results),
            'received_ns': [received for received, _ in self._results.values()],
            'heads': [len(message.heads) for _, message in self._results.values()],
            'values': self._values,
        }
        (out / 'recording.json').write_text(json.dumps(recording))

    def write_video(self, out: Path) -> None:
        """Draw the heads of each image and write the video."""
        if self._info is None or not len(self._spool):
            return
        from headpose_ros.geometry import CameraModel
        from headpose_ros.node.demo_video import write_video
        from headpose_ros.node.messages import head_from_message

        heads = {
            stamp: [head_from_message(head) for head in message.heads]
            for stamp, (_, message) in self._results.items()
        }
        write_video(out, self._spool, heads, CameraModel.from_camera_info(self._info))

    def write_recording(self, path: Path) -> None:
        """Write what the viewer shows: every result, with its image."""
        if self._info is None:
            return
        from headpose_ros.geometry import CameraModel
        from headpose_ros.node.demo_recording import write_recording

        camera = CameraModel.from_camera_info(self._info)
        write_recording(path, self._spool, self._results, camera)

    def _on_heads(self, message: HeadPoseArray) -> None:
        from headpose_ros.node.depth import nanoseconds

        received = self.node.get_clock().now().nanoseconds
        self._results[nanoseconds(message.header)] = (received, message)
        if time.monotonic() - self._printed_at >= PROGRESS_PERIOD:
            self._printed_at = time.monotonic()
            seen = f'{len(self._results):6d} images done, {len(message.heads)} heads in the last'
            print(seen, flush=True)

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _on_values(self, message: Any) -> None:
        for status in message.status:
            if status.name.endswith(': head poses'):
                self._values = {item.key: item.value for item in status.values}


if __name__ == '__main__':
    sys.exit(main())
