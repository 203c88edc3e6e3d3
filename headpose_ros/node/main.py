# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executable `headpose_node`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

LARGEST_IMAGE = 2**26
"""Pixels of a compressed image; up to OpenCV's own limit a broken header may ask for 3 GB."""


def guarded(run: Callable[[], int]) -> int:
    """Run an executable so that SIGINT and SIGTERM end it with status 0 and no traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        return run()
    except KeyboardInterrupt:
        return 0
    except Exception as error:
        if _shut_down(error):
            return 0
        raise


def _end(number: int, frame: object) -> None:
    """End at once until rclpy watches the signals; then in order.

    An exception of a signal handler gets lost in an import now and then, and the process lives on.
    """
    signals = sys.modules.get('rclpy.signals')
    options = getattr(signals, 'get_current_signal_handlers_options', None)
    if options is None or options().name == 'NO':
        os._exit(0)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(0)


def _shut_down(error: Exception) -> bool:
    """Return whether a signal that came while the node was being made is behind an error."""
    name = type(error).__name__  # rclpy may not be loaded yet
    return name in ('ExternalShutdownException', 'NotInitializedException') or (
        name == 'RCLError' and 'context is not valid' in str(error)
    )


def main(args: list[str] | None = None, make_pipeline: Any = None) -> int:
    """Run the node until it is interrupted; return the exit status.

    `make_pipeline` replaces the pipeline, in tests.
    """
    return guarded(lambda: _run(args, make_pipeline))


def _run(args: list[str] | None, make_pipeline: Any) -> int:
    # Before OpenCV is loaded, which reads it then.
    os.environ.setdefault('OPENCV_IO_MAX_IMAGE_PIXELS', str(LARGEST_IMAGE))
    import rclpy

    from headpose_ros.node.head_pose_node import HeadPoseNode, default_pipeline
    from headpose_ros.node.spinning import spin

    rclpy.init(args=args)
    node = None
    try:
        node = HeadPoseNode(make_pipeline or default_pipeline)
        spin(node)
    except ValueError as error:
        print(f'headpose_node: {error}', file=sys.stderr)
        return 2
    finally:
        if node is not None:
            node.close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
