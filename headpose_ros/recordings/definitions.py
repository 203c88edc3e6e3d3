# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The package's own messages as text, for bags that are written where no ROS is.

The same as in `msg/`, which a wheel does not hold; a test compares them.
"""

from __future__ import annotations

DEFINITIONS = {
    'headpose_ros/msg/HeadPose': """\
std_msgs/Header header
string id
geometry_msgs/PoseWithCovariance pose
float32 confidence
sensor_msgs/RegionOfInterest roi
float32 off_axis_angle
float32 facing_angle
""",
    'headpose_ros/msg/HeadPoseArray': """\
std_msgs/Header header
HeadPose[] heads
string principal_id
""",
    'headpose_ros/msg/HeadEvent': """\
uint8 ENTERED = 1
uint8 LEFT = 2
uint8 STARTED_LOOKING = 3
uint8 STOPPED_LOOKING = 4
uint8 APPROACHED = 5
uint8 MOVED_AWAY = 6
uint8 NODDED = 7
uint8 SHOOK = 8
std_msgs/Header header
string id
uint8 type
string target
""",
}
"""Fields by type, without the comments."""
