# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files: arguments, nodes, parameters and paths, by way of recording stand-ins."""

import re
from pathlib import Path

import launch_recorder as recorder
import pytest
import yaml

from headpose_ros.config import PipelineConfig

LAUNCH = recorder.ROOT / 'launch'
FILES = sorted(LAUNCH.glob('*.launch.py'))
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


@pytest.fixture
def load(monkeypatch):
    for name in PROFILES:
        monkeypatch.delenv(name, raising=False)
    return lambda name: recorder.load(LAUNCH / f'{name}.launch.py', monkeypatch)


@pytest.fixture
def headpose(load):
    return load('headpose')


def executables():
    return set(re.findall(r'"(\w+)\|[\w.]+"', (recorder.ROOT / 'CMakeLists.txt').read_text()))


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_every_argument_has_a_description_and_a_default(path, monkeypatch):
    recording = recorder.load(path, monkeypatch)
    assert recording.arguments
    for argument in recording.arguments.values():
        assert len(argument.description) > 10, argument.name
        assert argument.default_value is not None, argument.name


def test_the_arguments_promised(headpose):
    assert set(headpose.arguments) >= {
        'image', 'camera_info', 'compressed', 'device', 'detector', 'estimator', 'weights',
        'namespace', 'params_file', 'rviz', 'use_sim_time', 'log_level', 'camera',
    }  # fmt: skip


def test_by_default_one_lifecycle_node_with_the_packaged_parameters(headpose):
    (node,) = headpose.started()
    assert isinstance(node, recorder.LifecycleNode)
    assert (node.package, node.executable, node.name) == (
        'headpose_ros',
        'headpose_node',
        'headpose',
    )
    (file,) = node.parameters  # nothing beside it: a default must not override the file
    assert Path(file) == recorder.ROOT / 'config' / 'headpose.yaml'


@pytest.mark.parametrize('name', ['device', 'detector', 'estimator', 'weights', 'camera_roll'])
def test_what_is_not_given_is_said_to_have_the_default_of_the_code(headpose, name):
    default = PipelineConfig.__dataclass_fields__[name].default
    assert headpose.arguments[name].default_value == ''
    assert repr(default) in headpose.arguments[name].description


@pytest.mark.parametrize('name', ['detector', 'estimator'])
def test_choices_are_those_of_the_code(headpose, name):
    choices = PipelineConfig.__dataclass_fields__[name].metadata['choices']
    assert headpose.arguments[name].choices == ['', *choices]


def test_what_is_given_comes_after_the_file_and_as_text(headpose):
    (node,) = headpose.started(device='cpu', weights='1', compressed='true', use_sim_time='true')
    assert node.parameters[1] == {
        'device': recorder.ParameterValue('cpu', str),
        'weights': recorder.ParameterValue('1', str),
        'image_transport': recorder.ParameterValue('compressed', str),
        'use_sim_time': True,
    }


def test_how_the_camera_is_held(headpose):
    (node,) = headpose.started(camera_roll='180', fixed_frame='odom')
    assert node.parameters[1] == {
        'camera_roll': 180.0,
        'fixed_frame': recorder.ParameterValue('odom', str),
    }
    with pytest.raises(ValueError, match="camera_roll: expected degrees, such as 90, got 'left'"):
        headpose.started(camera_roll='left')


def test_every_parameter_set_here_exists(headpose):
    file = yaml.safe_load((recorder.ROOT / 'config' / 'headpose.yaml').read_text())
    known = {*file['/**']['ros__parameters'], 'use_sim_time'}
    given = dict.fromkeys(('device', 'weights', 'fixed_frame', 'frame_prefix'), 'x')
    (node,) = headpose.started(**given, detector='mtcnn', camera_roll='90', compressed='true')
    assert set(node.parameters[1]) <= known


def test_topics_namespace_and_log_level(headpose):
    (node,) = headpose.started(image='/cam/image_raw', namespace='robot1', log_level='debug')
    assert ('image', '/cam/image_raw') in node.remappings
    assert node.namespace == 'robot1'
    assert node.arguments == ['--ros-args', '--log-level', 'debug']


def test_a_parameters_file_that_is_not_there_ends_the_launch(headpose):
    with pytest.raises(FileNotFoundError, match=r"params_file: no file '/nowhere\.yaml'"):
        headpose.started(params_file='/nowhere.yaml')


@pytest.mark.parametrize(('given', 'expected'), [('true', True), ('false', False)])
def test_sim_time_is_set_only_where_it_is_given(headpose, given, expected):
    (node,) = headpose.started(use_sim_time=given)
    assert node.parameters[1] == {'use_sim_time': expected}


def test_a_webcam_at_wish(headpose):
    started = headpose.started(camera='webcam', video_device='/dev/video2', compressed='true')
    node, camera = started
    assert camera.executable in executables()
    assert camera.arguments[:2] == ['--input', '/dev/video2']
    assert '--compressed' in camera.arguments
    assert camera.remappings == node.remappings


def test_the_driver_of_usb_cameras_at_wish(headpose, monkeypatch):
    """Names and types of parameters and topics as in usb_cam 0.8 and image_transport."""
    with pytest.raises(RuntimeError, match='usb-cam'):
        headpose.started(camera='usb')
    monkeypatch.setitem(headpose.functions, 'get_package_prefix', lambda name: f'/opt/{name}')
    url = 'file:///tmp/camera.yaml'
    _, camera = headpose.started(camera='usb', camera_info_url=url, image='/eye/image')
    assert (camera.package, camera.executable) == ('usb_cam', 'usb_cam_node_exe')
    (parameters,) = camera.parameters
    assert parameters['video_device'] == '/dev/video0'
    assert parameters['camera_info_url'] == url
    assert set(camera.remappings) == {
        ('image_raw', '/eye/image'),
        ('image_raw/compressed', '/eye/image/compressed'),
        ('camera_info', 'camera_info'),
        ('/eye/camera_info', 'camera_info'),
    }


def test_rviz_at_wish_shows_topics_the_node_has(headpose):
    _, rviz = headpose.started(rviz='true', namespace='robot1')
    config = Path(rviz.arguments[1])
    shown = yaml.safe_load(config.read_text())['Visualization Manager']['Displays']
    topics = {display['Topic']['Value'] for display in shown if 'Topic' in display}
    assert topics == {'/headpose/markers', '/headpose/debug_image'}
    assert {source for source, _ in rviz.remappings} == topics
    outputs = (recorder.ROOT / 'headpose_ros' / 'node' / 'outputs.py').read_text()
    for topic in topics:
        assert f"'~/{topic.split('/')[-1]}'" in outputs


def test_rviz_knows_every_class_of_its_configuration():
    """Names of plugins_description.xml of rviz_default_plugins, and panels built into RViz."""
    known = {
        *(f'rviz_common/{name}' for name in ('Displays', 'Views')),
        *(f'rviz_default_plugins/{name}' for name in (
            'Grid', 'TF', 'MarkerArray', 'Image', 'Interact', 'MoveCamera', 'Select',
            'FocusCamera', 'Measure', 'Orbit',
        )),
        '',  # the group of all displays
    }  # fmt: skip
    text = (recorder.ROOT / 'config' / 'headpose.rviz').read_text()
    classes = set(re.findall(r'Class: "?([\w/]*)', text))
    assert {'rviz_default_plugins/MarkerArray', 'rviz_default_plugins/TF'} < classes <= known


def test_the_dds_profile_is_set_for_both_generations_of_fastdds(headpose):
    variables = {
        action.name: action.value for action in headpose.of(recorder.SetEnvironmentVariable)
    }
    assert set(variables) == set(PROFILES)
    assert all(Path(path).is_file() for path in variables.values())


@pytest.mark.parametrize('name', PROFILES)
def test_a_dds_profile_that_is_set_stays(load, monkeypatch, name):
    monkeypatch.setenv(name, '/somewhere/else.xml')
    recording = recorder.load(LAUNCH / 'headpose.launch.py', monkeypatch)
    assert recording.of(recorder.SetEnvironmentVariable) == []


@pytest.mark.parametrize('name', ['demo', 'two_cameras'])
def test_what_is_included_exists_and_takes_what_it_is_given(load, headpose, name):
    recording = load(name)
    included = recording.of(recorder.IncludeLaunchDescription)
    assert included
    for include in included:
        assert Path(include.source.location) == LAUNCH / 'headpose.launch.py'
        assert {argument for argument, _ in include.launch_arguments} <= set(headpose.arguments)


def test_the_demo_plays_for_ever_what_it_is_told(load):
    demo = load('demo')
    (camera,) = demo.started()
    assert (camera.executable, camera.arguments) == ('demo_camera', ['--loop'])
    (camera,) = demo.started(input='/dev/video0', hfov='70')
    assert camera.arguments == ['--loop', '--input', '/dev/video0', '--hfov', '70']
    assert demo.arguments['rviz'].default_value == 'false', 'where RViz is not installed'


def test_the_camera_options_used_exist():
    demo_camera = (recorder.ROOT / 'headpose_ros' / 'node' / 'demo_camera.py').read_text()
    for option in ('--loop', '--input', '--rate', '--hfov', '--camera-info', '--compressed'):
        assert f"'{option}'" in demo_camera


def test_two_cameras_do_not_share_namespace_or_frames(load):
    includes = load('two_cameras').of(recorder.IncludeLaunchDescription)
    namespaces = [
        dict(include.launch_arguments)['namespace'].variable_name for include in includes
    ]
    prefixes = [dict(include.launch_arguments)['frame_prefix'] for include in includes]
    assert namespaces == ['left', 'right']
    assert prefixes[0] != prefixes[1]
