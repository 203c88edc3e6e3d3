# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node in its own process on a private graph, and a bench that plays camera and consumer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.messages import image_message
from headpose_ros.node.private_graph import end_with_parent, environment

ROOT = Path(__file__).parents[2]
FAKE_NODE = Path(__file__).with_name('fake_node.py')
FOLLOWING_NODE = Path(__file__).with_name('following_node.py')
WIDTH, HEIGHT = 160, 120
FX, FY, CX, CY = 100.0, 110.0, 80.0, 60.0
SPOT = (100, 45)
TIMEOUT = 20.0
ASK_AGAIN = 4.0
RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT


def spots(*centres, radius=5):
    """An image with a bright square around each centre (x, y)."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for x, y in centres:
        image[y - radius : y + radius + 1, x - radius : x + radius + 1] = 255
    return image


def camera_info(**changes):
    info = CameraInfo(width=WIDTH, height=HEIGHT, distortion_model='plumb_bob', d=[0.0] * 5)
    info.k = [FX, 0.0, CX, 0.0, FY, CY, 0.0, 0.0, 1.0]
    info.header.frame_id = 'camera'
    for name, value in changes.items():
        setattr(info, name, value)
    return info


class Process:
    """A child whose lines are kept; ends with the `with` block."""

    def __init__(self, command, domain, logs, **extra):
        env = environment(domain, logs) | {
            'OMP_NUM_THREADS': '1',
            'PYTHONPATH': f'{ROOT}{os.pathsep}' + os.environ.get('PYTHONPATH', ''),
            'RCUTILS_COLORIZED_OUTPUT': '0',
            **extra,
        }
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()

    @property
    def alive(self):
        return self.process.poll() is None

    def output(self, since=0):
        return '\n'.join(self.lines[since:])

    def matching(self, pattern, since=0):
        return [line for line in self.lines[since:] if re.search(pattern, line)]

    def end(self, how=signal.SIGINT):
        """Signal it; return the exit status."""
        self.process.send_signal(how)
        status = self.process.wait(TIMEOUT)
        self._reader.join()
        return status

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip('\n'))


def fake_node(domain, logs, *ros_args, **extra):
    """The node with the spot-finding pipeline; `ros_args` such as '-p', 'a:=b'."""
    arguments = ['--ros-args', *ros_args] if ros_args else []
    return Process([FAKE_NODE, *arguments], domain, logs, **extra)


def following_node(domain, logs, *ros_args):
    """The node with the tracker of the real pipeline, which finds spots."""
    return Process([FOLLOWING_NODE, '--ros-args', *ros_args], domain, logs)


class Bench:
    """A ROS context of its own that publishes images and listens to results."""

    def __init__(self, domain, name='bench', namespace=''):
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node(name, context=self.context, namespace=namespace)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.got: dict[str, list] = {}
        self.publishers: dict[str, object] = {}
        self._stamp_ns = time.time_ns()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    def listen(self, kind, topic, depth=50, **qos):
        """Collect messages in `got[topic]`; return the subscription."""
        kept = self.got[topic] = []
        return self.node.create_subscription(
            kind, topic, kept.append, QoSProfile(depth=depth, **qos)
        )

    def listen_to_all(self, node='/headpose'):
        self.listen(HeadPoseArray, f'{node}/heads')
        self.listen(PoseStamped, f'{node}/pose')
        self.listen(TFMessage, '/tf')

    def advertise(self, kind, topic, **qos):
        self.publishers[topic] = self.node.create_publisher(
            kind, topic, QoSProfile(depth=5, **qos)
        )
        return self.publishers[topic]

    def withdraw(self, *topics):
        for topic in topics:
            self.node.destroy_publisher(self.publishers.pop(topic))

    def until(self, condition, what='', timeout=TIMEOUT):
        """Spin until `condition()`; fail with `what` after `timeout` seconds."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f'waited {timeout:.0f} s for {what or condition}')
            self.executor.spin_once(0.05)

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.executor.spin_once(left)

    def stamp(self):
        """A fresh stamp, later than all before."""
        self._stamp_ns = max(self._stamp_ns + 1_000_000, time.time_ns())
        return rclpy.time.Time(nanoseconds=self._stamp_ns).to_msg()

    def header(self, frame='camera'):
        return Header(stamp=self.stamp(), frame_id=frame)

    def camera(self, **qos):
        """Advertise image and camera_info."""
        self.advertise(Image, 'image', **qos)
        self.advertise(CameraInfo, 'camera_info', **qos)

    def shoot(self, image=None, info=True, topic='image', info_topic='camera_info'):
        """Publish one image (an array or a message) and its CameraInfo (or None)."""
        sent = spots(SPOT) if image is None else image
        if isinstance(sent, np.ndarray):
            sent = image_message(sent, 'bgr8', self.header())
        info = camera_info() if info is True else info
        if info is not None:
            self.publishers[info_topic].publish(info)
        self.publishers[topic].publish(sent)
        return sent

    def shoot_until(self, condition, what='', image=None, info=True, timeout=TIMEOUT, **topics):
        """Publish images at some 20 Hz until `condition()`."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f'waited {timeout:.0f} s for {what or condition}')
            made = image() if callable(image) else image
            self.shoot(made, info() if callable(info) else info, **topics)
            self.spin(0.05)

    def heads_arrive(self, results='/headpose/heads', **how):
        """Publish good images until results come that were not there before."""
        kept = self.got[results]
        before = len(kept)
        self.shoot_until(lambda: len(kept) > before, f'a message on {results}', **how)
        return kept[-1]

    def call(self, kind, service, request, repeatable=False):
        """Call a service; return its response.

        What may be asked twice is asked again every few seconds: the first answer to a new client
        is lost where the server has not found the client's reader yet.
        """
        client = self.node.create_client(kind, service)
        try:
            self.until(client.service_is_ready, f'service {service}')
            began, asked = time.monotonic(), [client.call_async(request)]

            def answered():
                if repeatable and time.monotonic() > began + len(asked) * ASK_AGAIN:
                    asked.append(client.call_async(request))
                return any(future.done() for future in asked)

            self.until(answered, f'answer of {service}')
            return next(future for future in asked if future.done()).result()
        finally:
            self.node.destroy_client(client)


def good_image(bench, **changes):
    """An image with one head, of now, with some fields changed."""
    message = image_message(spots(SPOT), 'bgr8', bench.header())
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def value_of(value):
    """A ROS parameter value of Python's type of the same name."""
    kinds = {
        bool: (1, 'bool'), int: (2, 'integer'), float: (3, 'double'), str: (4, 'string'),
        list: (9, 'string_array'),
    }  # fmt: skip
    kind, name = kinds[type(value)]
    return ParameterValue(type=kind, **{f'{name}_value': value})


def set_parameters(bench, node='/headpose', **values):
    """Set all of them or none; return the result."""
    parameters = [Parameter(name=name, value=value_of(value)) for name, value in values.items()]
    request = SetParametersAtomically.Request(parameters=parameters)
    service = f'{node}/set_parameters_atomically'
    return bench.call(SetParametersAtomically, service, request, repeatable=True).result


def change(bench, transition, node='/headpose'):
    """Ask for a lifecycle transition; return whether it succeeded."""
    request = ChangeState.Request()
    request.transition.id = transition
    return bench.call(ChangeState, f'{node}/change_state', request).success


def state(bench, node='/headpose'):
    """Return the lifecycle state."""
    answer = bench.call(GetState, f'{node}/get_state', GetState.Request(), repeatable=True)
    return answer.current_state.label


def until_active(bench, node='/headpose'):
    bench.until(lambda: state(bench, node) == 'active', 'the active state')


def python_value(value):
    names = {1: 'bool', 2: 'integer', 3: 'double', 4: 'string', 9: 'string_array'}
    got = getattr(value, f'{names[value.type]}_value')
    return list(got) if value.type == 9 else got


def get(bench, *names, node='/headpose'):
    """Return the values of parameters."""
    request = GetParameters.Request(names=list(names))
    answer = bench.call(GetParameters, f'{node}/get_parameters', request, repeatable=True)
    return [python_value(value) for value in answer.values]
