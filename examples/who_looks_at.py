# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who looks at the tablet? Tells when somebody begins to, and for how long somebody did.

Start the node with the TF frame of the tablet as a target, 25 by 18 cm, and this beside it:

    ros2 launch headpose_ros headpose.launch.py attention_targets:="[tablet:0.25x0.18]"
    python3 who_looks_at.py tablet

Times are the camera's: it says the same of a bag that is played faster.
"""

import sys

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.time import Time

from headpose_ros.msg import AttentionArray, HeadEvent


class WhoLooksAt(Node):
    """Events tell each change; the first ~/attention tells how things stand before the first."""

    def __init__(self, target: str) -> None:
        super().__init__('who_looks_at')
        self.target = target
        self.since: dict[str, Time] = {}
        reliable = QoSProfile(depth=50)  # no event may be missed
        self.create_subscription(HeadEvent, 'headpose/events', self.on_event, reliable)
        self.first = self.create_subscription(
            AttentionArray, 'headpose/attention', self.on_first, 10
        )

    def on_first(self, message: AttentionArray) -> None:
        """Take who looks already."""
        self.destroy_subscription(self.first)
        for look in message.attention:
            if look.target == self.target and look.looking:
                self.begins(look.id, Time.from_msg(look.since))

    def on_event(self, event: HeadEvent) -> None:
        """Take a change."""
        if event.target != self.target:
            return
        stamp = Time.from_msg(event.header.stamp)
        if event.type == HeadEvent.STARTED_LOOKING:
            self.begins(event.id, stamp)
        elif event.type == HeadEvent.STOPPED_LOOKING and event.id in self.since:
            seconds = (stamp - self.since.pop(event.id)).nanoseconds / 1e9
            print(f'{event.id} looked at {self.target} for {seconds:.1f} s', flush=True)

    def begins(self, name: str, since: Time) -> None:
        """Keep and tell that somebody looks."""
        if name not in self.since:
            self.since[name] = since
            print(f'{name} looks at {self.target}', flush=True)


def main() -> None:
    """Listen until interrupted."""
    rclpy.init()
    try:
        rclpy.spin(WhoLooksAt(sys.argv[1] if len(sys.argv) > 1 else 'tablet'))
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RuntimeError:  # RCLError, where the signal came just before rclpy waits
        if rclpy.ok():
            raise
    finally:
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
