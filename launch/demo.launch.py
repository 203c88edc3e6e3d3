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
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    PopLaunchConfigurations,
    PushLaunchConfigurations,
)
from launch.launch_description_sources import (
    PythonLaunchDescriptionSource,
    load_python_launch_file_as_module,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from headpose_ros.node.launch_arguments import refuse_unknown

SHARE = get_package_share_directory('headpose_ros')
HEADPOSE = os.path.join(SHARE, 'launch', 'headpose.launch.py')
headpose = load_python_launch_file_as_module(HEADPOSE)
CAMERA_OPTIONS = {
    'input': ('--input', 'Video, image, folder or /dev/videoN; empty: the packaged clip.'),
    'rate': ('--rate', 'Images per second; empty: as recorded.'),
    'hfov': ('--hfov', 'Horizontal field of view of the input, degrees.'),
    'camera_info_file': (
        '--camera-info', 'Calibration file of the input (camera_calibration YAML).'
    ),
}  # fmt: skip


def rviz_default() -> str:
    """Return whether RViz is installed, as a launch value."""
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return 'false'
    return 'true'


def own() -> list[DeclareLaunchArgument]:
    """Declare the arguments of the camera, and RViz."""
    return [
        *(
            DeclareLaunchArgument(name, default_value='', description=text)
            for name, (_, text) in CAMERA_OPTIONS.items()
        ),
        DeclareLaunchArgument(
            'rviz',
            default_value=rviz_default(),
            choices=['true', 'false'],
            description='Start RViz; by default where it is installed.',
        ),
    ]


def shared() -> list[DeclareLaunchArgument]:
    """Declare what headpose.launch.py takes, but for its own cameras."""
    described = [
        *headpose.topic_arguments(),
        *headpose.parameter_arguments(),
        *headpose.process_arguments(),
    ]
    return [argument for argument in described if argument.name != 'rviz']


def started(context: LaunchContext) -> list[Action]:
    """Make the node and the camera."""
    names = [argument.name for argument in (*own(), *shared())]
    refuse_unknown(__file__, names)
    values = {name: LaunchConfiguration(name).perform(context) for name in names}
    given = {name: value for name, value in values.items() if name not in CAMERA_OPTIONS}
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(HEADPOSE),
        launch_arguments=[*given.items(), ('camera', 'none')],
    )
    return [node, camera(values)]


def camera(values: dict[str, str]) -> Node:
    """Make the camera; empty arguments keep its defaults."""
    options = ['--loop', *(['--compressed'] if values['compressed'] == 'true' else [])]
    for name, (option, _) in CAMERA_OPTIONS.items():
        if values[name]:
            options += [option, values[name]]
    return Node(
        package='headpose_ros',
        executable='demo_camera',
        namespace=values['namespace'],
        output='screen',
        arguments=options,
        remappings=headpose.topics(values),
        additional_env=headpose.dds_profile(),
    )


def generate_launch_description() -> LaunchDescription:
    """Describe the launch for ros2 launch."""
    return LaunchDescription(
        [
            PushLaunchConfigurations(),
            *own(),
            *shared(),
            OpaqueFunction(function=started),
            PopLaunchConfigurations(),
        ]
    )
