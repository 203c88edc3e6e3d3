# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two cameras with one node each, distinguished by namespace and prefix of the ids.

The topics of camera `left` are left/image and left/camera_info, its heads left/headpose/heads,
their ids left_f0001 and so on, their frames face_left_f0001; the same for `right`.
"""

import os

from ament_index_python.packages import get_package_share_directory
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

from headpose_ros.node.launch_arguments import refuse_unknown

SHARE = get_package_share_directory('headpose_ros')
ONE_CAMERA = os.path.join(SHARE, 'launch', 'headpose.launch.py')
SIDES = ('left', 'right')
OWN = ('namespace', 'id_prefix', 'rviz', 'viewer', 'viewer_port', 'enclave')
"""Arguments of headpose.launch.py that are set for each camera here, or mean nothing for two."""


def shared() -> list[DeclareLaunchArgument]:
    """Declare the arguments of headpose.launch.py that are for both cameras."""
    one = load_python_launch_file_as_module(ONE_CAMERA)
    described = [*one.topic_arguments(), *one.parameter_arguments(), *one.process_arguments()]
    return [argument for argument in described if argument.name not in OWN]


def cameras() -> list[DeclareLaunchArgument]:
    """Declare the names of both cameras."""
    return [
        DeclareLaunchArgument(
            side,
            default_value=side,
            description=f'Namespace of the {order} camera, in which its topics are.',
        )
        for side, order in (('left', 'first'), ('right', 'second'))
    ]


def include(context: LaunchContext) -> list[Action]:
    """Include headpose.launch.py for each camera."""
    names = [argument.name for argument in shared()]
    refuse_unknown(__file__, [*names, 'left', 'right'])
    values = [(name, LaunchConfiguration(name)) for name in names]
    return [head_pose_of(LaunchConfiguration(side).perform(context), values) for side in SIDES]


def head_pose_of(
    name: str, values: list[tuple[str, LaunchConfiguration]]
) -> IncludeLaunchDescription:
    """Include headpose.launch.py for the camera in the namespace `name`."""
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(ONE_CAMERA),
        launch_arguments=[
            ('namespace', name),
            ('id_prefix', f'{name}_'),
            ('camera', 'none'),
            ('rviz', 'false'),
            ('viewer', 'false'),
            ('viewer_port', '9090'),
            ('enclave', ''),
            *values,
        ],
    )


def generate_launch_description() -> LaunchDescription:
    """Describe the launch for ros2 launch."""
    return LaunchDescription(
        [
            PushLaunchConfigurations(),
            *cameras(),
            *shared(),
            OpaqueFunction(function=include),
            PopLaunchConfigurations(),
        ]
    )
