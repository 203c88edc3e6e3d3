# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who looks at the robot? Needs rclpy, geometry_msgs and tf2_msgs, nothing of headpose_ros.

Run it beside the node: python3 listener.py
"""

import math

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from tf2_msgs.msg import TFMessage


class Listener(Node):
    """Prints where the principal head is, and who is seen."""

    def __init__(self) -> None:
        super().__init__('listener')
        self.create_subscription(PoseStamped, 'headpose/pose', self.on_pose, 10)
        self.create_subscription(TFMessage, '/tf', self.on_tf, 100)

    def on_pose(self, message: PoseStamped) -> None:
        """Print distance, and the angle between the nose and the direction to the camera."""
        p, q = message.pose.position, message.pose.orientation
        distance = math.hypot(p.x, p.y, p.z)
        # The face's x axis (out of the face) in the camera's frame.
        nose = (
            1 - 2 * (q.y**2 + q.z**2),
            2 * (q.x * q.y + q.z * q.w),
            2 * (q.x * q.z - q.y * q.w),
        )
        cosine = -(nose[0] * p.x + nose[1] * p.y + nose[2] * p.z) / distance
        angle = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
        print(f'{distance:.2f} m away, looks {angle:.0f} degrees past the camera', flush=True)

    def on_tf(self, message: TFMessage) -> None:
        """Print the faces of this image."""
        faces = [t.child_frame_id for t in message.transforms if 'face_' in t.child_frame_id]
        if faces:
            print('seen: ' + ', '.join(faces), flush=True)


def main() -> None:
    """Listen until interrupted."""
    rclpy.init()
    try:
        with SingleThreadedExecutor() as executor:
            executor.add_node(Listener())
            executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RuntimeError:  # RCLError, where the signal came just before rclpy waits
        if rclpy.ok():
            raise
    finally:
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
