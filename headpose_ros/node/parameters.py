# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS parameters, made from the options of the pipeline and those of the node."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, fields, replace
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from headpose_ros.config import Options, PipelineConfig, option

TRANSPORTS = ('raw', 'compressed')
_FRAME_START = re.compile(r'([^/\s]\S*)?')
RELIABILITIES = ('auto', 'reliable', 'best_effort')


@dataclass(frozen=True, kw_only=True)
class NodeConfig(Options):
    """Options of the node around the pipeline."""

    autostart: bool = option(
        True, 'Configure and activate without being told to; read at start only.'
    )
    always_on: bool = option(False, 'Work even while nobody listens to any output.', live=True)
    image_transport: str = option(
        'raw', 'Subscribe to image (raw) or image/compressed (compressed).', choices=TRANSPORTS
    )
    image_reliability: str = option(
        'auto',
        'Reliability of the image subscription; auto does as the publisher does.',
        choices=RELIABILITIES,
    )
    rectified_input: bool = option(
        False, 'The images are rectified already (image_rect): use P of CameraInfo, not K and D.'
    )
    use_depth: bool = option(False, 'Take distances from the aligned depth image on depth.')
    depth_tolerance: float = option(
        0.05, 'Most seconds between the stamps of image and depth.', low=0.0, high=1.0, live=True
    )
    publish_tf: bool = option(True, 'Broadcast face_<id> and gaze_<id>.')
    frame_prefix: str = option('', 'Put before the names of the frames, such as robot1/.')
    marker_sight_length: float = option(
        1.0, 'Length of the cone of sight in RViz, metres.', low=0.05, high=20.0, live=True
    )
    max_rate: float = option(
        0.0, 'Most images worked on per second; 0 takes all.', low=0.0, high=1000.0, live=True
    )
    complaint_period: float = option(
        10.0, 'Seconds before the same complaint is logged again.', low=0.1, high=3600.0, live=True
    )
    silence_timeout: float = option(
        2.0,
        'Seconds without an image before the reason is looked for.',
        low=0.1,
        high=60.0,
        live=True,
    )
    warn_rate: float = option(
        5.0,
        'Diagnostics warn below this many heads messages per second.',
        low=0.0,
        high=1000.0,
        live=True,
    )
    warn_latency: float = option(
        0.2,
        'Diagnostics warn where p95 from stamp to publishing is above, seconds.',
        low=0.0,
        high=60.0,
        live=True,
    )
    warn_dropped: float = option(
        0.5,
        'Diagnostics warn where a larger share of the images is dropped.',
        low=0.0,
        high=1.0,
        live=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _FRAME_START.fullmatch(self.frame_prefix):
            raise ValueError(
                f'frame_prefix: expected no / at the start (tf2 refuses it) and no spaces, '
                f'got {self.frame_prefix!r}'
            )


class Parameters:
    """The node's parameters: declared with text and range, checked together, changed live.

    `pipeline` and `node` hold the values as checked dataclasses. `is_configured` says whether
    models are loaded, so that only live parameters may change; `on_change` gets the names changed.
    Raises ValueError where a value given at start is wrong.
    """

    def __init__(
        self,
        node: Node,
        is_configured: Callable[[], bool],
        on_change: Callable[[frozenset[str]], None],
    ) -> None:
        self._is_configured = is_configured
        self._on_change = on_change
        for config in (PipelineConfig, NodeConfig):
            for item in fields(config):
                _declare(node, item)
        self.pipeline = PipelineConfig(**_values(node, PipelineConfig))
        self.node = NodeConfig(**_values(node, NodeConfig))
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, changes: Iterable[Parameter]) -> SetParametersResult:
        """Check all changes together; take over all or none."""
        given = {parameter.name: parameter.value for parameter in changes}
        try:
            pipeline = _replaced(self.pipeline, given)
            node = _replaced(self.node, given)
            changed = _changed(self.pipeline, pipeline) | _changed(self.node, node)
            if self._is_configured():
                _refuse_fixed(changed)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.pipeline, self.node = pipeline, node
        if changed:
            self._on_change(frozenset(changed))
        return SetParametersResult(successful=True)


def live_fields(config: type[Options]) -> frozenset[str]:
    """Return the names of the options that may change while the node works."""
    return frozenset(item.name for item in fields(config) if item.metadata['live'])


def descriptor(item: Field[Any]) -> ParameterDescriptor:
    """Return the ROS descriptor of an option: text, range, choices, when it may change."""
    about = item.metadata
    constraints = []
    if about['choices']:
        constraints.append('one of ' + ', '.join(about['choices']))
    if not about['live']:
        constraints.append('changes need cleanup and configure')
    described = ParameterDescriptor(
        description=about['text'], additional_constraints='; '.join(constraints)
    )
    low, high = about['low'], about['high']
    if low is None:
        return described
    if isinstance(item.default, float):
        described.floating_point_range = [
            FloatingPointRange(from_value=float(low), to_value=float(high))
        ]
    else:
        described.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return described


def _declare(node: Node, item: Field[Any]) -> None:
    try:
        node.declare_parameter(item.name, item.default, descriptor(item))
    except ParameterException as error:
        kind = type(item.default).__name__
        about = item.metadata
        span = '' if about['low'] is None else f' from {about["low"]} to {about["high"]}'
        raise ValueError(f'parameter {item.name}: expected {kind}{span} ({error})') from error


def _values(node: Node, config: type[Options]) -> dict[str, Any]:
    return {item.name: node.get_parameter(item.name).value for item in fields(config)}


def _replaced(config: Any, given: dict[str, Any]) -> Any:
    own = {item.name for item in fields(config)}
    return replace(config, **{name: value for name, value in given.items() if name in own})


def _changed(old: Options, new: Options) -> set[str]:
    return {i.name for i in fields(old) if getattr(old, i.name) != getattr(new, i.name)}


def _refuse_fixed(changed: set[str]) -> None:
    fixed = sorted(changed - live_fields(PipelineConfig) - live_fields(NodeConfig))
    if fixed:
        raise ValueError(f'{", ".join(fixed)}: needs cleanup and configure (lifecycle) to change')
