# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS parameters, made from the options of the pipeline and of the node."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
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

from headpose_ros.attention.targets import CAMERA
from headpose_ros.config import Options, PipelineConfig, option
from headpose_ros.node.attentive_principal import NEAREST
from headpose_ros.node.target_frames import parsed_targets

TRANSPORTS = ('raw', 'compressed')
_FRAME_START = re.compile(r'([^/\s]\S*)?')
RELIABILITIES = ('auto', 'reliable', 'best_effort')


@dataclass(frozen=True, kw_only=True)
class NodeConfig(Options):
    """Options of the node around the pipeline."""

    autostart: bool = option(True, 'Configure and activate at start, without a lifecycle request.')
    always_on: bool = option(
        False, 'Process images even while no output has a subscriber.', live=True
    )
    image_transport: str = option(
        'raw', 'Image topic: raw (image) or compressed (image/compressed).', choices=TRANSPORTS
    )
    image_reliability: str = option(
        'auto',
        'QoS reliability of the image subscription; auto: as the publisher offers.',
        choices=RELIABILITIES,
    )
    rectified_input: bool = option(
        False, 'Images are rectified (image_rect): use P of CameraInfo in place of K and D.'
    )
    use_depth: bool = option(False, 'Take distances from the aligned depth image on topic depth.')
    depth_tolerance: float = option(
        0.05,
        'Maximum difference between the stamps of image and depth image, s.',
        low=0.0,
        high=1.0,
        live=True,
    )
    face_image_width: int = option(
        128,
        'Width and height of /humans/faces/<id>/cropped and aligned (REP-155), px.',
        low=16,
        high=1024,
        live=True,
    )
    publish_tf: bool = option(True, 'Publish the TF frames face_<id> and gaze_<id>.')
    fixed_frame: str = option(
        '',
        'Frame that stands still and whose z axis points up, such as odom: how the camera is '
        'turned in it is taken from TF. Empty: the camera stands still.',
    )
    attention_targets: tuple[str, ...] = option(
        (),
        'What people may look at beside the camera: a list of TF frames, as name (a point), '
        "name:RADIUS (a sphere) or name:WIDTHxHEIGHT (a plate), m. ['']: none.",
        live=True,
    )
    principal_by: str = option(
        NEAREST,
        'Whom ~/pose is about: nearest (who is near and faces the camera), or camera or the name '
        'of a target that stands for the robot: who looks at that comes first.',
        live=True,
    )
    publish_engagement: bool = option(
        False,
        'Publish /humans/persons/<id>/engagement_status, in place of hri_engagement, and the TF '
        'frames focus_<id>.',
    )
    marker_sight_length: float = option(
        1.0, 'Length of the view cone in RViz, m.', low=0.05, high=20.0, live=True
    )
    debug_image_width: int = option(
        640,
        'Maximum width of ~/debug_image, pixels; 0: that of the image.',
        low=0,
        high=16384,
        live=True,
    )
    max_rate: float = option(
        0.0,
        'Maximum rate at which images are processed, Hz; 0: no limit.',
        low=0.0,
        high=1000.0,
        live=True,
    )
    log_repeat_period: float = option(
        10.0,
        'Minimum interval between two log lines about the same problem, s.',
        low=0.1,
        high=3600.0,
        live=True,
    )
    silence_timeout: float = option(
        2.0,
        'Time without images after which the cause is logged and an empty heads message is '
        'published, s; of a slower camera, 2.5 of its intervals.',
        low=0.1,
        high=60.0,
        live=True,
    )
    warn_rate: float = option(
        5.0,
        'Diagnostics warn below this rate of heads messages, Hz.',
        low=0.0,
        high=1000.0,
        live=True,
    )
    warn_latency: float = option(
        0.2,
        'Diagnostics warn above this latency (95th percentile, stamp to publishing), s.',
        low=0.0,
        high=60.0,
        live=True,
    )
    warn_dropped: float = option(
        0.5,
        'Diagnostics warn above this share of dropped images, 0 to 1.',
        low=0.0,
        high=1.0,
        live=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _FRAME_START.fullmatch(self.fixed_frame):
            raise ValueError(
                'fixed_frame: expected no / at the start (tf2 refuses it) and no spaces, '
                f'got {self.fixed_frame!r}'
            )
        names = [target.name for target in parsed_targets(self.attention_targets)]
        if self.principal_by not in (NEAREST, CAMERA.name, *names):
            raise ValueError(
                f'principal_by: expected {NEAREST}, {CAMERA.name} or the name of one of '
                f'attention_targets {names}, got {self.principal_by!r}'
            )


CONFIGS = (PipelineConfig, NodeConfig)
OWNED_BY_ROS = ('use_sim_time', 'start_type_description_service', 'qos_overrides.')
"""How the names of parameters begin that rclpy declares and reads by itself."""
NO_TEXTS = ['']
"""A list without entries: an empty one in a parameters file has no type, which rclpy refuses."""
_DOUBLES = frozenset(
    item.name for config in CONFIGS for item in fields(config) if isinstance(item.default, float)
)
_LISTS = frozenset(
    item.name for config in CONFIGS for item in fields(config) if isinstance(item.default, tuple)
)


class Parameters:
    """The parameters of the node: declared with text and range, checked together, changed live.

    `pipeline` and `node` hold the values as checked dataclasses. `is_configured` says whether
    models are loaded, so that only live parameters may change; `on_change` gets the names changed.
    The node has to be made with `automatically_declare_parameters_from_overrides`, so that values
    can be converted, and unknown names reported. Raises ValueError where a value given at start
    is wrong.
    """

    def __init__(
        self,
        node: Node,
        is_configured: Callable[[], bool],
        on_change: Callable[[frozenset[str]], None],
    ) -> None:
        self._is_configured = is_configured
        self._on_change = on_change
        given = _take_overrides(node)
        items = [item for config in CONFIGS for item in fields(config)]
        for item in items:
            _declare(node, item, given.pop(item.name, parameter_value(item.default)))
        for name in given:
            node.get_logger().warning(unknown_text(name, [item.name for item in items]))
        self.pipeline = PipelineConfig(**_values(node, PipelineConfig))
        self.node = NodeConfig(**_values(node, NodeConfig))
        # Humble has only the callback in the middle, and takes changes over before others refuse.
        if pre_set := getattr(node, 'add_pre_set_parameters_callback', None):
            pre_set(_converted)
        node.add_on_set_parameters_callback(self._check)
        self._commits_later = hasattr(node, 'add_post_set_parameters_callback')
        if self._commits_later:
            node.add_post_set_parameters_callback(self._commit)

    def _check(self, changes: Iterable[Parameter]) -> SetParametersResult:
        """Check all changes together: all are taken over, or none."""
        try:
            pipeline, node = self._changed_by(changes)
            changed = _changed(self.pipeline, pipeline) | _changed(self.node, node)
            if self._is_configured():
                _refuse_fixed(changed)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if not self._commits_later:
            self._commit(changes)
        return SetParametersResult(successful=True)

    def _commit(self, changes: Iterable[Parameter]) -> None:
        """Take over changes that this node and all other callbacks have accepted."""
        pipeline, node = self._changed_by(changes)
        changed = _changed(self.pipeline, pipeline) | _changed(self.node, node)
        self.pipeline, self.node = pipeline, node
        if changed:
            self._on_change(frozenset(changed))

    def _changed_by(self, changes: Iterable[Parameter]) -> tuple[PipelineConfig, NodeConfig]:
        given = {parameter.name: parameter.value for parameter in changes}
        return _replaced(self.pipeline, given), _replaced(self.node, given)


def unknown_text(name: str, known: Sequence[str]) -> str:
    """Return the warning for a parameter that nobody declares, with the most similar name."""
    near = difflib.get_close_matches(name, known, 1)
    hint = f'did you mean {near[0]}?' if near else 'it has no effect'
    return f'parameter {name}: unknown; {hint}'


def parameter_value(value: Any) -> Any:
    """Return the value of an option as ROS has it: a tuple is a list there, not an empty one."""
    return list(value) or NO_TEXTS if isinstance(value, tuple) else value


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
        constraints.append('to change it: lifecycle cleanup, then configure')
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


def _take_overrides(node: Node) -> dict[str, Any]:
    """Return the values given at start, by name; undeclare them, but for those of ROS itself."""
    given = {}
    for name, parameter in node.get_parameters_by_prefix('').items():
        if not name.startswith(OWNED_BY_ROS):
            given[name] = parameter.value
            node.undeclare_parameter(name)
    return given


def _converted(changes: Iterable[Parameter]) -> list[Parameter]:
    """Return the changes with the types that the parameters have.

    A whole number becomes a double where a parameter is one, and an empty list, whose entries
    say no type, one of texts.
    """
    return [_typed(change) for change in changes]


def _typed(change: Parameter) -> Parameter:
    if change.name in _DOUBLES and change.type_ == Parameter.Type.INTEGER:
        return Parameter(change.name, Parameter.Type.DOUBLE, float(change.value))
    if change.name in _LISTS and change.type_.name.endswith('_ARRAY') and not len(change.value):
        return Parameter(change.name, Parameter.Type.STRING_ARRAY, [])
    return change


def _declare(node: Node, item: Field[Any], value: Any) -> None:
    if item.name in _DOUBLES and type(value) is int:
        value = float(value)
    about, kind = item.metadata, type(parameter_value(item.default))
    span = '' if about['low'] is None else f' from {about["low"]} to {about["high"]}'
    expected = f'parameter {item.name}: expected {kind.__name__}{span}'
    if type(value) is not kind:
        raise ValueError(f'{expected}, got {value!r}')
    try:
        node.declare_parameter(item.name, value, descriptor(item), ignore_override=True)
    except ParameterException as error:
        raise ValueError(f'{expected}, got {value!r}') from error


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
