# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two cameras with one node each, distinguished by namespace and TF frame prefix.

The topics of camera `left` are left/image and left/camera_info, its heads left/headpose/heads,
its frames left/face_<id>; the same for `right`.
"""

import os

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

SHARE = get_package_share_directory('headpose_ros')
SHARED = {
    'image': ('image', 'Topic of the images, inside each namespace.'),
    'camera_info': ('camera_info', 'Topic of their CameraInfo, inside each namespace.'),
    'compressed': ('false', 'Subscribe to <image>/compressed in place of <image>.'),
    'device': ('', 'As in headpose.launch.py.'),
    'use_sim_time': ('', 'As in headpose.launch.py.'),
}


def head_pose_of(camera: str) -> IncludeLaunchDescription:
    """Include headpose.launch.py for one camera; `camera` is the argument with its name."""
    name = LaunchConfiguration(camera)
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(os.path.join(SHARE, 'launch', 'headpose.launch.py')),
        launch_arguments=[
            ('namespace', name),
            ('frame_prefix', [name, '/']),
            *((shared, LaunchConfiguration(shared)) for shared in SHARED),
        ],
    )


def generate_launch_description() -> LaunchDescription:
    """Describe the launch for ros2 launch."""
    cameras = [
        DeclareLaunchArgument(
            side, default_value=side, description=f'Namespace of the {order} camera.'
        )
        for side, order in (('left', 'first'), ('right', 'second'))
    ]
    shared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in SHARED.items()
    ]
    return LaunchDescription([*cameras, *shared, head_pose_of('left'), head_pose_of('right')])
