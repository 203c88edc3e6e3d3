# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executable `headpose_node`."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from headpose_ros.media.file_names import printable, write_any_name

MAX_IMAGE_PIXELS = 2**26
"""Of a compressed image. With OpenCV's own limit a broken header may allocate 3 GB."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)

_LOG_PLACES = ('HOME', 'ROS_HOME', 'ROS_LOG_DIR')
"""Variables of which ROS needs one."""


def guarded(run: Callable[[], int]) -> int:
    """Run an executable: return its status, 2 where ROS is missing or cannot run.

    SIGINT and SIGTERM end it with status 0 and no traceback; further ones change nothing.
    """
    _handle_signals(_end)
    write_any_name()
    if not any(os.environ.get(name) for name in _LOG_PLACES):
        return _told_of_log(f'none of {", ".join(_LOG_PLACES)} is set')
    try:
        return run()
    except KeyboardInterrupt:
        return 0
    except ModuleNotFoundError as error:
        cure = _cure(error)
        if not cure:
            raise
        print(f'{Path(sys.argv[0]).name}: {cure}', file=sys.stderr)
        return 2
    except UnicodeEncodeError as error:
        print(
            f'{Path(sys.argv[0]).name}: ROS takes names in UTF-8 only, which '
            f'"{printable(str(error.object))}" is not; rename it, or name a link to it',
            file=sys.stderr,
        )
        return 2
    except Exception as error:
        if _shut_down(error):
            return 0
        if not _cannot_log(error):
            raise
        return _told_of_log(' '.join(str(error).partition(', at /')[0].split()))


def _end(number: int, frame: object) -> None:
    """End at once until rclpy handles the signals; from then on in order.

    An exception raised by a signal handler can get lost in an import: the process would live on.
    """
    signals = sys.modules.get('rclpy.signals')
    options = getattr(signals, 'get_current_signal_handlers_options', None)
    if options is None or options().name == 'NO':
        os._exit(0)
    _handle_signals(signal.SIG_IGN)  # what ends now is not interrupted
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(0)


def _handle_signals(handler: Any) -> None:
    for number in SIGNALS:
        signal.signal(number, handler)


def _cure(error: ModuleNotFoundError) -> str:
    """Return what to do about a missing module of ROS or of the messages; '' for another one."""
    name = (error.name or '').split('.')[0]
    if (error.name or '').startswith('headpose_ros.msg'):
        return (
            'its ROS messages are not built (pip install brings none): build the package with '
            '"colcon build" and source install/setup.bash, or run "make setup" in the checkout'
        )
    if name == 'rclpy' or name.endswith(('_msgs', '_interfaces')):
        return (
            f'needs ROS 2, and {sys.executable} has none ({error}): source one, or run '
            '"make setup" in the checkout; without ROS there is the command headpose'
        )
    return ''


def _shut_down(error: Exception) -> bool:
    """Return whether an error comes from a signal during the construction of the node."""
    name = type(error).__name__  # rclpy may not be loaded yet
    return name in ('ExternalShutdownException', 'NotInitializedException') or (
        name == 'RCLError' and 'context is not valid' in str(error)
    )


def _told_of_log(reason: str) -> int:
    print(
        f'{Path(sys.argv[0]).name}: ROS has no place for its log: {reason}; set HOME or '
        'ROS_LOG_DIR to a folder that can be written to',
        file=sys.stderr,
    )
    return 2


def _cannot_log(error: Exception) -> bool:
    return type(error).__name__ == 'RCLError' and 'logging' in str(error)


class StopRequest:
    """Set by SIGINT and SIGTERM in place of rclpy's handlers, which close the context at once.

    The node has a last message to send before that. Further signals change nothing.
    """

    def __init__(self) -> None:
        self._requested = False  # a plain attribute: a lock could be held by what was interrupted

    def __call__(self) -> bool:
        """Return whether a signal came."""
        return self._requested

    def install(self) -> None:
        """Take over the handling of both signals."""
        _handle_signals(self._request)

    def _request(self, number: int, frame: object) -> None:
        self._requested = True


def main(args: list[str] | None = None, make_pipeline: Any = None) -> NoReturn:
    """Run the node until it is interrupted; leave the process with the exit status.

    `make_pipeline` replaces the pipeline, in tests.
    """
    try:
        status = guarded(lambda: _run(args, make_pipeline))
    except Exception:
        traceback.print_exc()
        status = 1
    _leave(status)


def _leave(status: int) -> NoReturn:
    """End the process without finalising Python.

    Threads of OpenVINO, DDS and an image in progress live until then. What they use would be taken
    down under them; one that comes back from native code into an interpreter that is being
    finalised ends the process with SIGABRT.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # none, or closed
            stream.flush()
    ctypes.CDLL(None).fflush(None)
    os._exit(status)


def _run(args: list[str] | None, make_pipeline: Any) -> int:
    # OpenCV reads it when it is loaded.
    os.environ.setdefault('OPENCV_IO_MAX_IMAGE_PIXELS', str(MAX_IMAGE_PIXELS))
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    from headpose_ros.node.head_pose_node import HeadPoseNode, default_pipeline
    from headpose_ros.node.spinning import spin

    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    stop = StopRequest()
    stop.install()
    node = None
    try:
        node = HeadPoseNode(make_pipeline or default_pipeline)
        spin(node, stop)
    except ValueError as error:
        print(f'headpose_node: {error}', file=sys.stderr)
        return 2
    finally:
        _handle_signals(signal.SIG_IGN)
        with contextlib.ExitStack() as last_first:
            last_first.callback(rclpy.try_shutdown)
            if node is not None:
                last_first.callback(node.destroy_node)
                last_first.callback(node.close)
    return 0


if __name__ == '__main__':
    sys.exit(main())
