# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Demo: a camera, the node, and RViz where it is installed.

`ros2 launch headpose_ros demo.launch.py` plays the packaged clip in a loop;
`input:=/dev/video0`, a video, an image or a folder of images replaces it.
"""

import os

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

SHARE = get_package_share_directory('headpose_ros')


def rviz_default() -> str:
    """Return whether RViz is installed, as a launch value."""
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return 'false'
    return 'true'


def camera(context: LaunchContext) -> list[Node]:
    """Make the camera; empty arguments keep its defaults."""
    options = ['--loop']
    for name, option in (
        ('input', '--input'),
        ('rate', '--rate'),
        ('hfov', '--hfov'),
        ('camera_info_file', '--camera-info'),
    ):
        value = LaunchConfiguration(name).perform(context)
        if value:
            options += [option, value]
    return [
        Node(package='headpose_ros', executable='demo_camera', output='screen', arguments=options)
    ]


def generate_launch_description() -> LaunchDescription:
    """Describe the launch for ros2 launch."""
    names = ('device', 'detector', 'estimator', 'weights', 'rviz')
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(os.path.join(SHARE, 'launch', 'headpose.launch.py')),
        launch_arguments=[(name, LaunchConfiguration(name)) for name in names],
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'input',
                default_value='',
                description='Video, image, folder or /dev/videoN; empty: the packaged clip.',
            ),
            DeclareLaunchArgument(
                'rate', default_value='', description='Images per second; empty: as recorded.'
            ),
            DeclareLaunchArgument(
                'hfov',
                default_value='',
                description='Horizontal field of view of the input, degrees.',
            ),
            DeclareLaunchArgument(
                'camera_info_file',
                default_value='',
                description='Calibration file of the input (camera_calibration YAML).',
            ),
            DeclareLaunchArgument(
                'rviz',
                default_value=rviz_default(),
                choices=['true', 'false'],
                description='Start RViz; by default where it is installed.',
            ),
            *(
                DeclareLaunchArgument(
                    name, default_value='', description='As in headpose.launch.py.'
                )
                for name in names
                if name != 'rviz'
            ),
            node,
            OpaqueFunction(function=camera),
        ]
    )
