# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The head pose node and, on request, a USB camera and RViz.

`ros2 launch headpose_ros headpose.launch.py image:=/camera/image_raw` takes the CameraInfo from
/camera/camera_info. Every parameter of the node is an argument; `--show-args` lists them all.
"""

import os
from typing import Any, List  # noqa: UP035

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    PopLaunchConfigurations,
    PushLaunchConfigurations,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

from headpose_ros.node import launch_arguments
from headpose_ros.node.launch_arguments import BOOLEANS, PARAMETERS

SHARE = get_package_share_directory('headpose_ros')
CAMERAS = ['none', 'usb', 'webcam']
LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal']
TEXTS = List[str]  # noqa: UP006  (launch knows no list[str] up to Jazzy)
# The variable's name before and since FastDDS 3 (Kilted).
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def arguments() -> list[DeclareLaunchArgument]:
    """Declare every argument."""
    return [*topic_arguments(), *parameter_arguments(), *process_arguments(), *camera_arguments()]


def topic_arguments() -> list[DeclareLaunchArgument]:
    """Declare the topics."""
    return [
        DeclareLaunchArgument('image', default_value='image', description='Topic of the images.'),
        DeclareLaunchArgument(
            'camera_info',
            default_value='',
            description='Topic of their CameraInfo. Empty: camera_info beside the images.',
        ),
        DeclareLaunchArgument(
            'depth',
            default_value='depth',
            description='Topic of the aligned depth images (parameter use_depth).',
        ),
        DeclareLaunchArgument(
            'compressed',
            default_value='false',
            choices=BOOLEANS,
            description='Subscribe to <image>/compressed in place of <image>.',
        ),
    ]


def parameter_arguments() -> list[DeclareLaunchArgument]:
    """Declare all parameters of the node; empty leaves one to the parameters file."""
    return [
        *(parameter_argument(name) for name in PARAMETERS),
        DeclareLaunchArgument(
            'params_file',
            default_value=os.path.join(SHARE, 'config', 'headpose.yaml'),
            description='YAML file with the parameters of the node.',
        ),
        DeclareLaunchArgument(
            'use_sim_time',
            default_value='',
            choices=['', *BOOLEANS],
            description='Use the time on /clock, for simulation and bags. Empty: the value in '
            'params_file or of the launch file that includes this one, else false.',
        ),
    ]


def parameter_argument(name: str) -> DeclareLaunchArgument:
    """Declare an argument for a parameter; empty leaves it to the parameters file."""
    choices = launch_arguments.choices(name)
    limits = {'choices': ['', *choices]} if choices else {}
    text = launch_arguments.description(name)
    return DeclareLaunchArgument(name, default_value='', description=text, **limits)


def process_arguments() -> list[DeclareLaunchArgument]:
    """Declare namespace, viewers, log level and enclave."""
    return [
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of all nodes started here.'
        ),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=BOOLEANS, description='Start RViz as well.'
        ),
        DeclareLaunchArgument(
            'viewer',
            default_value='false',
            choices=BOOLEANS,
            description='Start the viewer in the browser as well (pip install rerun-sdk).',
        ),
        DeclareLaunchArgument(
            'viewer_port', default_value='9090', description='Port of the viewer, on this machine.'
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=LOG_LEVELS,
            description='Minimum severity that the node logs.',
        ),
        DeclareLaunchArgument(
            'enclave',
            default_value='',
            description='Security enclave of the node (SROS2), such as /headpose.',
        ),
    ]


def camera_arguments() -> list[DeclareLaunchArgument]:
    """Declare the camera that is started with the node."""
    return [
        DeclareLaunchArgument(
            'camera',
            default_value='none',
            choices=CAMERAS,
            description='Publish `video_device` on <image> and <camera_info>. usb: with '
            'usb_cam, calibrated; webcam: with demo_camera, which needs only `hfov`.',
        ),
        DeclareLaunchArgument(
            'video_device', default_value='/dev/video0', description='The camera to publish.'
        ),
        DeclareLaunchArgument(
            'camera_info_url',
            default_value='',
            description='Calibration for camera:=usb, such as file:///home/me/camera.yaml.',
        ),
        DeclareLaunchArgument(
            'hfov',
            default_value='60.0',
            description='Horizontal field of view of camera:=webcam, degrees.',
        ),
    ]


def dds_profile() -> dict[str, str]:
    """Return the environment of our processes: the FastDDS profile for large images.

    Empty where another profile is set. The environment of other nodes stays as it is.
    """
    if any(name in os.environ for name in PROFILE_VARIABLES):
        return {}
    return dict.fromkeys(PROFILE_VARIABLES, os.path.join(SHARE, 'config', 'fastdds_images.xml'))


def nodes(context: LaunchContext) -> list[Action]:
    """Make the node, which configures and activates itself, and on request camera and RViz."""
    names = [argument.name for argument in arguments()]
    launch_arguments.refuse_unknown(__file__, names)
    values = {name: LaunchConfiguration(name).perform(context) for name in names}
    if not os.path.isfile(values['params_file']):  # launch_ros would continue without it
        raise FileNotFoundError(f'params_file: no file {values["params_file"]!r}')
    started = [head_pose_node(values)]
    if values['camera'] != 'none':
        started.append({'usb': usb_camera, 'webcam': webcam}[values['camera']](values))
    if values['rviz'] == 'true':
        started.append(rviz(values))
    if values['viewer'] == 'true':
        started.append(viewer(values))
    return started


def head_pose_node(values: dict[str, str]) -> LifecycleNode:
    """Make the lifecycle node, with the parameters file and what overrides it."""
    parameters = {
        name: typed(launch_arguments.value(name, values[name]))
        for name in PARAMETERS
        if values[name]
    }
    if values['compressed'] == 'true':
        parameters['image_transport'] = typed('compressed')
    if values['use_sim_time']:
        parameters['use_sim_time'] = values['use_sim_time'] == 'true'
    enclave = ['--enclave', values['enclave']] if values['enclave'] else []
    return LifecycleNode(
        package='headpose_ros',
        executable='headpose_node',
        name='headpose',
        namespace=values['namespace'],
        output='screen',
        parameters=[values['params_file'], *([parameters] if parameters else [])],
        remappings=topics(values),
        arguments=['--ros-args', '--log-level', values['log_level'], *enclave],
        additional_env=dds_profile(),
    )


def typed(value: bool | float | str | list[str]) -> bool | float | ParameterValue:
    """Return a value that stays of its type: a text such as "1" would arrive as a number."""
    if isinstance(value, str):
        return ParameterValue(value, value_type=str)
    return ParameterValue(value, value_type=TEXTS) if isinstance(value, list) else value


def usb_camera(values: dict[str, str]) -> Node:
    """Make the driver of camera:=usb; its image_transport publishes <image>/compressed too."""
    try:
        get_package_prefix('usb_cam')
    except PackageNotFoundError as error:
        raise RuntimeError(
            'camera:=usb needs the package usb_cam: install ros-$ROS_DISTRO-usb-cam '
            '(and image_transport_plugins for compressed:=true), or use camera:=webcam'
        ) from error
    image = values['image']
    beside_image = '/'.join([*image.split('/')[:-1], 'camera_info'])
    info = values['camera_info'] or beside_image
    return Node(
        package='usb_cam',
        executable='usb_cam_node_exe',
        namespace=values['namespace'],
        output='screen',
        parameters=[
            {
                'video_device': values['video_device'],
                'frame_id': 'camera_optical_frame',
                'camera_info_url': values['camera_info_url'],
            }
        ],
        # image_transport makes the names of the two others from image_raw: as it is up to Jazzy,
        # from what it is remapped to since Kilted.
        remappings=[
            ('image_raw', image),
            ('image_raw/compressed', f'{image}/compressed'),
            ('camera_info', info),
            (beside_image, info),
        ],
        additional_env=dds_profile(),
    )


def webcam(values: dict[str, str]) -> Node:
    """Make the camera of camera:=webcam."""
    options = ['--input', values['video_device'], '--hfov', values['hfov']]
    if values['compressed'] == 'true':
        options.append('--compressed')
    return Node(
        package='headpose_ros',
        executable='demo_camera',
        namespace=values['namespace'],
        output='screen',
        arguments=options,
        remappings=topics(values),
        additional_env=dds_profile(),
    )


def rviz(values: dict[str, str]) -> Node:
    """Make RViz; its configuration names the topics of a node without a namespace."""
    return Node(
        package='rviz2',
        executable='rviz2',
        namespace=values['namespace'],
        arguments=['-d', os.path.join(SHARE, 'config', 'headpose.rviz')],
        remappings=[(f'/headpose/{t}', f'headpose/{t}') for t in ('markers', 'debug_image')],
        additional_env=dds_profile(),
    )


def viewer(values: dict[str, str]) -> Node:
    """Make the viewer in the browser, of the node's topics and in its fixed frame."""
    parameters: dict[str, Any] = {'port': int(values['viewer_port'])}
    if values['compressed'] == 'true':
        parameters['image_transport'] = 'compressed'
    if values['fixed_frame']:
        parameters['fixed_frame'] = ParameterValue(values['fixed_frame'], value_type=str)
    if values['use_sim_time']:
        parameters['use_sim_time'] = values['use_sim_time'] == 'true'
    return Node(
        package='headpose_ros',
        executable='headpose_viewer',
        namespace=values['namespace'],
        output='screen',
        parameters=[parameters],
        remappings=topics(values),
        additional_env=dds_profile(),
    )


def topics(values: dict[str, str]) -> list[tuple[str, str]]:
    """Return the remappings of the camera's topics: those that are given."""
    return [(name, values[name]) for name in ('image', 'camera_info', 'depth') if values[name]]


def generate_launch_description() -> LaunchDescription:
    """Describe the launch for ros2 launch; its arguments do not stay with who includes it."""
    return LaunchDescription(
        [
            PushLaunchConfigurations(),
            *arguments(),
            OpaqueFunction(function=nodes),
            PopLaunchConfigurations(),
        ]
    )
