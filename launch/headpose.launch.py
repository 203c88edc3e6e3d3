# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The head pose node and, on request, a USB camera and RViz.

`ros2 launch headpose_ros headpose.launch.py image:=/camera/image_raw
camera_info:=/camera/camera_info`; `--show-args` lists every argument.
"""

import os
from collections.abc import Sequence

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

from headpose_ros.config import DETECTORS, ESTIMATORS, PipelineConfig

SHARE = get_package_share_directory('headpose_ros')
CAMERAS = ['none', 'usb', 'webcam']
BOOLEANS = ['true', 'false']
LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal']
# These override the parameters file only where they are given.
OVERRIDES = ('device', 'detector', 'estimator', 'weights', 'fixed_frame', 'frame_prefix')
NAMES = (
    *OVERRIDES, 'camera_roll', 'image', 'camera_info', 'depth', 'compressed', 'namespace',
    'params_file', 'rviz', 'use_sim_time', 'log_level', 'camera', 'video_device',
    'camera_info_url', 'hfov',
)  # fmt: skip
# The variable's name before and since FastDDS 3 (Kilted).
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def override(name: str, choices: Sequence[str] = ()) -> DeclareLaunchArgument:
    """Declare an argument for a parameter; empty leaves it to the parameters file."""
    option = PipelineConfig.__dataclass_fields__[name]
    text, default = option.metadata['text'], repr(option.default)
    description = f'{text} Empty: the value in params_file (by default {default}).'
    limits = {'choices': ['', *choices]} if choices else {}
    return DeclareLaunchArgument(name, default_value='', description=description, **limits)


def arguments() -> list[Action]:
    """Declare every argument."""
    return [*topic_arguments(), *parameter_arguments(), *process_arguments(), *camera_arguments()]


def topic_arguments() -> list[Action]:
    """Declare the topics."""
    return [
        DeclareLaunchArgument('image', default_value='image', description='Topic of the images.'),
        DeclareLaunchArgument(
            'camera_info', default_value='camera_info', description='Topic of their CameraInfo.'
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


def parameter_arguments() -> list[Action]:
    """Declare the parameters of the node."""
    return [
        override('device'),
        override('detector', DETECTORS),
        override('estimator', ESTIMATORS),
        override('weights'),
        override('camera_roll'),
        DeclareLaunchArgument(
            'fixed_frame',
            default_value='',
            description='Frame that stands still and whose z axis points up, such as odom, for '
            'a camera that moves. Empty: the value in params_file (by default none).',
        ),
        DeclareLaunchArgument(
            'frame_prefix',
            default_value='',
            description='Prefix of the TF frames, such as robot1/.',
        ),
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


def process_arguments() -> list[Action]:
    """Declare namespace, RViz and log level."""
    return [
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of all nodes started here.'
        ),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=BOOLEANS, description='Start RViz as well.'
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=LOG_LEVELS,
            description='Minimum severity that the node logs.',
        ),
    ]


def camera_arguments() -> list[Action]:
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


def dds_profile() -> list[Action]:
    """Set the FastDDS profile for large images, unless another profile is set."""
    if any(name in os.environ for name in PROFILE_VARIABLES):
        return []
    profile = os.path.join(SHARE, 'config', 'fastdds_images.xml')
    return [SetEnvironmentVariable(name, profile) for name in PROFILE_VARIABLES]


def nodes(context: LaunchContext) -> list[Action]:
    """Make the node, which configures and activates itself, and on request camera and RViz."""
    values = {name: LaunchConfiguration(name).perform(context) for name in NAMES}
    if not os.path.isfile(values['params_file']):  # launch_ros would continue without it
        raise FileNotFoundError(f'params_file: no file {values["params_file"]!r}')
    started = [head_pose_node(values)]
    if values['camera'] != 'none':
        started.append({'usb': usb_camera, 'webcam': webcam}[values['camera']](values))
    if values['rviz'] == 'true':
        started.append(rviz(values))
    return started


def head_pose_node(values: dict[str, str]) -> LifecycleNode:
    """Make the lifecycle node, with the parameters file and what overrides it."""
    overrides = {name: values[name] for name in OVERRIDES if values[name]}
    if values['compressed'] == 'true':
        overrides['image_transport'] = 'compressed'
    # As str, or a name such as "1" would arrive as a number.
    parameters = {k: ParameterValue(v, value_type=str) for k, v in overrides.items()}
    if values['camera_roll']:
        parameters['camera_roll'] = degrees('camera_roll', values['camera_roll'])
    if values['use_sim_time']:
        parameters['use_sim_time'] = values['use_sim_time'] == 'true'
    return LifecycleNode(
        package='headpose_ros',
        executable='headpose_node',
        name='headpose',
        namespace=values['namespace'],
        output='screen',
        parameters=[values['params_file'], *([parameters] if parameters else [])],
        remappings=topics(values),
        arguments=['--ros-args', '--log-level', values['log_level']],
    )


def degrees(name: str, text: str) -> float:
    """Return an argument as a number. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'{name}: expected degrees, such as 90, got {text!r}') from None


def usb_camera(values: dict[str, str]) -> Node:
    """Make the driver of camera:=usb; its image_transport publishes <image>/compressed too."""
    try:
        get_package_prefix('usb_cam')
    except PackageNotFoundError as error:
        raise RuntimeError(
            'camera:=usb needs the package usb_cam: install ros-$ROS_DISTRO-usb-cam '
            '(and image_transport_plugins for compressed:=true), or use camera:=webcam'
        ) from error
    image, info = values['image'], values['camera_info']
    beside_image = '/'.join([*image.split('/')[:-1], 'camera_info'])
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
    )


def rviz(values: dict[str, str]) -> Node:
    """Make RViz; its configuration names the topics of a node without a namespace."""
    return Node(
        package='rviz2',
        executable='rviz2',
        namespace=values['namespace'],
        arguments=['-d', os.path.join(SHARE, 'config', 'headpose.rviz')],
        remappings=[(f'/headpose/{t}', f'headpose/{t}') for t in ('markers', 'debug_image')],
    )


def topics(values: dict[str, str]) -> list[tuple[str, str]]:
    """Return the remappings of the camera's topics."""
    return [(name, values[name]) for name in ('image', 'camera_info', 'depth')]


def generate_launch_description() -> LaunchDescription:
    """Describe the launch for ros2 launch."""
    return LaunchDescription([*arguments(), *dds_profile(), OpaqueFunction(function=nodes)])
