# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: connects parameters, pipeline, outputs and diagnostics."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from headpose_ros.config import PipelineConfig
from headpose_ros.node import diagnostics
from headpose_ros.node.camera_source import CameraSource
from headpose_ros.node.diagnostics import Counts, Limits, Statistics
from headpose_ros.node.enable import Enable
from headpose_ros.node.outputs import Outputs
from headpose_ros.node.parameters import Parameters, live_fields
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.processing import Pipeline
from headpose_ros.node.qos import DIAGNOSTICS
from headpose_ros.node.session import RUNTIME_PROBLEMS, Session

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
REFRESH_PERIOD = 0.2
"""Seconds between two checks of subscribers and publishers."""
RETRY_PERIOD = 5.0
"""Seconds before a start that failed is tried again."""
STOP_TIMEOUT = 1.0
RESTART_TIMEOUT = 10.0
"""Seconds to wait for an image in progress, at deactivation and at the next activation."""
EMPTY_LIST = "a list without entries is written [''] in a parameters file, not []"

PipelineFactory = Callable[[PipelineConfig], Pipeline]


def default_pipeline(config: PipelineConfig) -> Pipeline:
    """Load the real pipeline; it is imported only now."""
    from headpose_ros.pipeline import HeadPosePipeline

    return HeadPosePipeline(config)


class HeadPoseNode(LifecycleNode):
    """Images and CameraInfo in, head poses out.

    configure loads the models. activate subscribes while an output has subscribers. deactivate
    stops. cleanup frees the models. Raises ValueError where a parameter given at start is wrong.
    """

    def __init__(self, make_pipeline: PipelineFactory = default_pipeline) -> None:
        try:
            super().__init__('headpose', automatically_declare_parameters_from_overrides=True)
        except ValueError as error:
            raise ValueError(f'{error}; {EMPTY_LIST}') from error
        self._make_pipeline = make_pipeline
        self._pipeline: Pipeline | None = None
        self._outputs: Outputs | None = None
        self._session: Session | None = None
        self._ending: Session | None = None
        self._cameras: CameraSource | None = None
        self._statistics = Statistics()
        self._settings = Parameters(self, lambda: self._pipeline is not None, self._on_change)
        options = self._settings.node
        self._problems = ProblemLog(self.get_logger(), options.log_repeat_period)
        self._autostart = options.autostart
        self._retry_at = 0.0
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', DIAGNOSTICS)
        # Under use_sim_time a timer of the node's clock stops while nothing arrives on /clock.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(REFRESH_PERIOD, self._refresh, clock=steady)
        self.create_timer(1.0, self._publish_diagnostics, clock=steady)
        self._guard_change_state()
        self._enable = Enable(self, self._switch)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the models and advertise the outputs."""
        options = self._settings.node
        start = time.monotonic()
        try:
            self._pipeline = self._make_pipeline(self._settings.pipeline)
            self._outputs = Outputs(
                self,
                self._problems,
                options.publish_tf,
                self._settings.pipeline.id_prefix,
                options.publish_engagement,
            )
            self._cameras = CameraSource(options.rectified_input)
        except Exception as error:
            self._free()
            self._problems.report('configure', f'configure: {_one_line(error)}', error=True)
            return FAILURE
        self._problems.resolve('configure')
        self.get_logger().info(
            f'models loaded in {time.monotonic() - start:.1f} s: detector '
            f'{self._pipeline.detector_name}, estimator {self._pipeline.weights_name} '
            f'({self._pipeline.runtime_name} on {self._pipeline.device})'
        )
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to process, as soon as an output has a subscriber."""
        if self._enable.on and self._begin():
            return FAILURE
        self._autostart = False
        if self._session is not None:
            self.get_logger().info(f'active: waiting for images on {self._session.topics.image}')
        else:
            self.get_logger().info('active, but disabled by ~/enable')
        return SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop processing; models and CameraInfo stay."""
        self._stop()
        self.get_logger().info('inactive: no image is processed')
        return SUCCESS

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the models and remove the outputs."""
        self._free()
        self.get_logger().info('unconfigured: the models are freed')
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and free everything, from any state."""
        self.close()
        self.get_logger().info('shut down for good; the process runs until a signal ends it')
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Fall back to unconfigured."""
        self.close()
        return SUCCESS

    def close(self) -> None:
        """Stop the worker and free the models; may be called twice."""
        self._autostart = False
        self._stop()
        self._free()

    def destroy_node(self) -> None:
        """Leave the graph at once.

        rclpy leaves the state machine, which holds the node, to the garbage collector.
        """
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    def _switch(self, on: bool) -> str:
        """Begin or stop to process where the node is active; return why it cannot, or ''."""
        if not on:
            self._stop()
        elif self._state_machine.current_state[1] == 'active':
            return self._begin()
        return ''

    def _begin(self) -> str:
        """Begin to process; return why it fails, which is logged, or ''."""
        assert self._pipeline is not None
        assert self._outputs is not None
        assert self._cameras is not None
        if self._ending is not None and not self._ending.close(RESTART_TIMEOUT):
            problem = 'an image from before is still being processed; try again'
            self.get_logger().error(f'activate: {problem}')
            return problem
        self._ending = None
        try:
            self._pipeline.reset()
            self._pipeline.configure_live(**self._live(live_fields(PipelineConfig)))
            self._session = self._new_session(self._pipeline, self._cameras, self._outputs)
            self._session.refresh()
        except Exception as error:  # rclpy would go to error processing without a message
            self._stop()
            problem = _one_line(error)
            self._problems.report('activate', f'activate: {problem}', error=True)
            return problem
        self._problems.resolve('activate')
        return ''

    def _new_session(self, pipeline: Pipeline, cameras: CameraSource, outputs: Outputs) -> Session:
        self._statistics = Statistics()
        return Session(
            self,
            pipeline,
            cameras,
            outputs,
            self._problems,
            self._statistics,
            lambda: self._settings.node,
        )

    def _stop(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        if not session.close(STOP_TIMEOUT):
            self._ending = session  # it still uses the pipeline
            if self.context.ok():  # else the log has no topic any more
                self.get_logger().warning(
                    'deactivate: an image is still being processed; its result is discarded'
                )
        for key in RUNTIME_PROBLEMS:
            self._problems.forget(key)
        if self._outputs is not None and self.context.ok():
            self._outputs.publish_absence(wait=True)

    def _free(self) -> None:
        if self._outputs is not None:
            self._outputs.close()
        self._outputs = self._pipeline = self._cameras = self._ending = None
        gc.collect()
        _trim_heap()

    def _refresh(self) -> None:
        """Start where that is due; update subscriptions; report problems."""
        if self._autostart and time.monotonic() >= self._retry_at:
            self._start()
        if self._session is not None:
            self._session.refresh()

    def _start(self) -> None:
        self._retry_at = time.monotonic() + RETRY_PERIOD
        if self._pipeline is None and self.trigger_configure() != SUCCESS:
            return
        self.trigger_activate()

    def _on_change(self, names: frozenset[str]) -> None:
        self._retry_at = 0.0
        self._problems.set_period(self._settings.node.log_repeat_period)
        if self._session is not None:
            self._session.change(self._live(names & live_fields(PipelineConfig)))

    def _live(self, names: frozenset[str]) -> dict[str, Any]:
        return {name: getattr(self._settings.pipeline, name) for name in names}

    def _publish_diagnostics(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        message.status = [self._status()]
        self._diagnostics.publish(message)

    def _status(self) -> diagnostics.DiagnosticStatus:
        options = self._settings.node
        session, pipeline = self._session, self._pipeline
        values = {'state': self._state_machine.current_state[1]}
        hardware, summary, problems = '', values['state'], self._problems.current()
        if not self._enable.on:
            summary += ', disabled by ~/enable'
        if pipeline is not None:
            values['device'] = pipeline.device
            values['runtime'] = pipeline.runtime_name
            values['detector'] = pipeline.detector_name
            values['weights'] = pipeline.weights_name
        if session is not None:
            counts = session.counts()
            rates = self._statistics.rates(counts, options.max_rate)
            limits = Limits(
                options.warn_rate, options.warn_latency, options.warn_dropped, options.max_rate
            )
            latency = self._statistics.latency_p95()
            if not problems and session.rates_are_valid:
                problems = diagnostics.exceeded_limits(rates, latency, limits)
            summary = session.state
            hardware = session.cameras.frame_id or ''
            values.update(_figures(counts, rates))
            values.update(session.values())
            values.update(self._statistics.values())
        name = f'{self.get_fully_qualified_name().lstrip("/")}: head poses'
        return diagnostics.status(name, hardware, summary, problems, values)

    def _guard_change_state(self) -> None:
        """Refuse transitions that the state does not allow; in rclpy they would end the node."""
        service = self._service_change_state
        inner = service.callback

        def change_state(
            request: ChangeState.Request, response: ChangeState.Response
        ) -> ChangeState.Response:
            wanted = request.transition
            try:
                if wanted.label:
                    self._state_machine.get_transition_by_label(wanted.label)
                answer: ChangeState.Response = inner(request, response)
            except Exception as error:
                self.get_logger().warning(
                    f'change_state: {wanted.label or wanted.id!r} refused in state '
                    f'{self._state_machine.current_state[1]!r} ({_one_line(error)}); "ros2 '
                    f'lifecycle list {self.get_fully_qualified_name()}" lists the possible ones'
                )
                response.success = False
                return response
            if answer.success:  # whoever moves the node takes over
                self._autostart = False
            return answer

        service.callback = change_state


def _figures(counts: Counts, rates: diagnostics.Rates) -> dict[str, str]:
    return {
        'input (Hz)': f'{rates.received_hz:.1f}',
        'output (Hz)': f'{rates.published_hz:.1f}',
        'received': str(counts.received),
        'published': str(counts.published),
        'dropped': str(counts.dropped),
        'lost in transport': str(counts.lost),
    }


def _trim_heap() -> None:
    """Hand freed memory back to the system, where the C library has a way to (glibc)."""
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)


def _one_line(error: Exception) -> str:
    text = ' '.join(str(error).split())
    return text if isinstance(error, ValueError) else f'{type(error).__name__}: {text}'
