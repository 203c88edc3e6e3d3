# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What attention costs the node: CPU time up to `~/heads`, and up to the end of an image.

    python -m benchmark.speed.attention --json out/benchmark/attention.json

The packaged clip, three people, somebody listens to `~/heads`. *off*: no attention at all.
*unheard*: nobody listens to it. *heard*: somebody listens to `~/attention` and `~/events`, with
two targets beside the camera. Each image goes through all three in turn, so that they meet the
same load; medians over the images, all threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.qos import QoSProfile
from rclpy.time import Time
from std_msgs.msg import Header

from benchmark.measure import run_part
from headpose_ros.config import PipelineConfig
from headpose_ros.geometry import CameraModel
from headpose_ros.msg import AttentionArray, HeadEvent, HeadPoseArray
from headpose_ros.node.camera_source import CameraSource
from headpose_ros.node.demo_camera import CLIP, CLIP_CAMERA
from headpose_ros.node.depth import DepthBuffer
from headpose_ros.node.diagnostics import Statistics
from headpose_ros.node.messages import camera_info_message, image_message
from headpose_ros.node.outputs import Outputs
from headpose_ros.node.parameters import NodeConfig
from headpose_ros.node.private_graph import private_domain
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.processing import Job, Processor, Topics
from headpose_ros.node.target_frames import Targets
from headpose_ros.node.tf_reader import TfReader
from headpose_ros.node.transform_buffer import Transform
from headpose_ros.pipeline import HeadPosePipeline

ROUNDS = 2
PERIOD_NS = 33_333_333
TARGETS = {'screen:0.4x0.3': (0.3, 0.2, 0.1), 'cup:0.05': (-0.4, 0.1, 0.5)}
HEARD = {
    'off': {HeadPoseArray: 'heads'},
    'unheard': {HeadPoseArray: 'heads'},
    'heard': {HeadPoseArray: 'heads', AttentionArray: 'attention', HeadEvent: 'events'},
}


class _Silent:
    """A log for what is no news here, such as old stamps."""

    def info(self, message: str) -> None:
        """Drop a line."""

    warning = error = info


class StandingTf:
    """Transforms of things that stand still before the camera, in place of /tf."""

    def transform(self, target: str, source: str, stamp: int) -> Transform:
        """Return where a target is."""
        position = next(xyz for text, xyz in TARGETS.items() if text.startswith(f'{source}:'))
        return Transform(np.eye(3), np.array(position))

    def newest(self, target: str, source: str) -> int:
        """Return 0: all is static."""
        return 0

    def clear(self) -> None:
        """Forget nothing."""

    def close(self) -> None:
        """Do nothing."""


class Case:
    """A node's processing with its outputs and who listens to them; no executor, no images."""

    def __init__(self, name: str, context: Context, camera: CameraModel) -> None:
        self.node = rclpy.create_node(f'headpose_{name}', context=context)
        self.listener = rclpy.create_node(f'listener_{name}', context=context)
        for kind, topic in HEARD[name].items():
            qos = QoSProfile(depth=1)  # nobody takes the messages
            self.listener.create_subscription(
                kind, f'headpose_{name}/{topic}', lambda message: None, qos
            )
        problems = ProblemLog(_Silent(), 1e9)
        self.outputs = Outputs(self.node, problems, False, '')
        if name == 'off':
            self.outputs.publish_attention = lambda *given: None  # type: ignore[method-assign]
        self._note_when_heads_are_out()
        cameras = CameraSource(False)
        info = camera_info_message(camera)
        info.header.frame_id = 'lens'
        cameras.update(info)
        tf = TfReader(self.node, lambda node: StandingTf())
        tf.refresh(True)
        options = NodeConfig(attention_targets=tuple(TARGETS) if name == 'heard' else ())
        self.processor = Processor(
            HeadPosePipeline(PipelineConfig(threads=1)),
            cameras,
            DepthBuffer(),
            tf,
            None,
            Targets(tf, problems),
            self.outputs,
            problems,
            Statistics(),
            Topics('image', 'camera_info', 'depth'),
            lambda: options,
            time.time_ns,
        )
        self.to_heads: list[float] = []
        self.to_end: list[float] = []

    def handle(self, message: Any) -> None:
        """Process one image; keep the CPU time, ms, to the heads and to the end."""
        began = time.process_time()
        self.processor.handle(Job(message, time.monotonic()))
        self.to_end.append(1e3 * (time.process_time() - began))
        self.to_heads.append(1e3 * (self._heads_at - began))

    def close(self) -> None:
        """Remove the nodes."""
        self.node.destroy_node()
        self.listener.destroy_node()

    def _note_when_heads_are_out(self) -> None:
        publish: Callable[..., None] = self.outputs.publish

        def noted(*given: Any) -> None:
            publish(*given)
            self._heads_at = time.process_time()

        self.outputs.publish = noted  # type: ignore[method-assign]


def measure() -> dict[str, Any]:
    """Return the median CPU ms by case, and the share that attention adds."""
    video = cv2.VideoCapture(str(CLIP))
    images = [video.read()[1] for _ in range(int(video.get(cv2.CAP_PROP_FRAME_COUNT)))]
    camera = CameraModel.from_yaml(str(CLIP_CAMERA))
    with private_domain() as domain:
        context = Context()
        rclpy.init(context=context, domain_id=domain)
        cases = {name: Case(name, context, camera) for name in HEARD}
        time.sleep(1.0)  # until all have found each other
        began = time.time_ns() - ROUNDS * len(images) * PERIOD_NS
        for number in range(ROUNDS * len(images)):
            stamp = Time(nanoseconds=began + number * PERIOD_NS).to_msg()
            image = images[number % len(images)]
            message = image_message(image, 'bgr8', Header(stamp=stamp, frame_id='lens'))
            turn = number % len(cases)  # who comes first finds the caches cold
            order = list(cases.values())
            for case in order[turn:] + order[:turn]:
                case.handle(message)
        for case in cases.values():
            case.close()
        context.try_shutdown()
    found: dict[str, Any] = {
        name: {'to_heads_ms': _median(case.to_heads), 'to_end_ms': _median(case.to_end)}
        for name, case in cases.items()
    }
    for name in ('unheard', 'heard'):
        for key in ('to_heads_ms', 'to_end_ms'):
            pairs = zip(_times(cases[name], key), _times(cases['off'], key), strict=True)
            found[name][key.replace('_ms', '_ratio')] = _median([a / b for a, b in pairs])
    return found


def _times(case: Case, key: str) -> list[float]:
    return case.to_heads if key == 'to_heads_ms' else case.to_end


def _median(values: list[float]) -> float:
    return round(float(np.median(values)), 4)


if __name__ == '__main__':
    run_part(__doc__ or '', measure)
