# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files: arguments, nodes, parameters and paths, by way of recording stand-ins."""

import re
from pathlib import Path

import launch_recorder as recorder
import pytest
import yaml

pytest.importorskip('rclpy', reason='the launch files know the parameters of the node')

from headpose_ros.config import PipelineConfig
from headpose_ros.node import launch_arguments
from headpose_ros.node.launch_arguments import PARAMETERS

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
        'namespace', 'params_file', 'rviz', 'use_sim_time', 'log_level', 'camera', 'enclave',
        'use_depth', 'publish_tf', 'always_on', 'autostart', 'rectified_input', 'max_rate',
        'image_reliability',
    }  # fmt: skip


def test_every_parameter_is_an_argument(headpose):
    file = yaml.safe_load((recorder.ROOT / 'config' / 'headpose.yaml').read_text())
    known = set(file['/**']['ros__parameters'])
    assert set(PARAMETERS) == known - {'image_transport'}
    assert set(PARAMETERS) <= set(headpose.arguments)


def test_every_argument_that_the_documents_name_exists(load):
    """`ros2 launch headpose_ros NAME.launch.py a:=b` in README and docs/."""
    names = {path.name: set(load(path.name.split('.')[0]).arguments) for path in FILES}
    texts = [recorder.ROOT / 'README.md', *(recorder.ROOT / 'docs').glob('*.md')]
    found = 0
    for text in texts:
        own = re.sub(r'ros2 launch (?!headpose_ros)\S+ \S+', '', text.read_text())
        for file, line in re.findall(r'(\w+\.launch\.py)((?: \S+:=\S*)*)', own):
            given = set(re.findall(r'(\w+):=', line))
            assert given <= names[file], f'{text.name}: {file}{line}'
            found += len(given)
    assert found


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


@pytest.mark.parametrize('name', PARAMETERS)
def test_what_is_not_given_is_said_to_have_the_default_of_the_code(headpose, name):
    item = PARAMETERS[name]
    argument = headpose.arguments[name]
    assert argument.default_value == ''
    assert item.metadata['text'] in argument.description
    told = argument.description.rpartition('by default ')[2].removesuffix(').')
    default = list(item.default) if isinstance(item.default, tuple) else item.default
    assert yaml.safe_load(told) == default


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


def test_targets_are_a_list(headpose):
    (node,) = headpose.started(attention_targets='[cup:0.05, screen:0.4x0.3, door]')
    given = node.parameters[1]['attention_targets']
    assert given.value == ['cup:0.05', 'screen:0.4x0.3', 'door']


def test_how_the_camera_is_held(headpose):
    (node,) = headpose.started(camera_roll='180', fixed_frame='odom')
    assert node.parameters[1] == {
        'camera_roll': 180.0,
        'fixed_frame': recorder.ParameterValue('odom', str),
    }
    with pytest.raises(ValueError, match="camera_roll: expected a number, got 'left'"):
        headpose.started(camera_roll='left')


@pytest.mark.parametrize(
    ('name', 'text', 'value'),
    [
        ('use_depth', 'true', True),
        ('publish_tf', 'false', False),
        ('max_rate', '5', 5.0),
        ('max_heads', '3', 3),
        ('weights', '1', recorder.ParameterValue('1', str)),
        ('image_reliability', 'reliable', recorder.ParameterValue('reliable', str)),
    ],
)
def test_each_kind_of_parameter_arrives_as_its_own(headpose, name, text, value):
    (node,) = headpose.started(**{name: text})
    assert node.parameters[1] == {name: value}
    assert type(node.parameters[1][name]) is type(value)


@pytest.mark.parametrize(
    ('name', 'text', 'expected'),
    [('max_rate', 'fast', 'a number'), ('max_rate', 'true', 'a number'),
     ('max_heads', '2.5', 'a whole number'), ('max_heads', 'true', 'a whole number'),
     ('use_depth', '1', 'true or false'), ('max_rate', '{', 'a number')],
)  # fmt: skip
def test_what_is_of_another_kind_is_refused(headpose, name, text, expected):
    with pytest.raises(ValueError, match=f'{name}: expected {expected}, got {text!r}'):
        headpose.started(**{name: text})


def test_every_parameter_set_here_exists(headpose):
    file = yaml.safe_load((recorder.ROOT / 'config' / 'headpose.yaml').read_text())
    known = {*file['/**']['ros__parameters'], 'use_sim_time'}
    given = {
        name: launch_arguments.yaml_text(PARAMETERS[name].default) or 'x' for name in PARAMETERS
    }
    (node,) = headpose.started(**given, compressed='true', use_sim_time='true')
    assert set(node.parameters[1]) == known


def test_topics_namespace_and_log_level(headpose):
    (node,) = headpose.started(image='/cam/image_raw', namespace='robot1', log_level='debug')
    assert ('image', '/cam/image_raw') in node.remappings
    assert node.namespace == 'robot1'
    assert node.arguments == ['--ros-args', '--log-level', 'debug']
    (node,) = headpose.started(enclave='/robot/headpose')
    assert node.arguments[-2:] == ['--enclave', '/robot/headpose']


def test_camera_info_is_left_to_the_node_unless_it_is_given(headpose):
    (node,) = headpose.started(image='/cam/image_raw')
    assert 'camera_info' not in dict(node.remappings)
    (node,) = headpose.started(image='/cam/image_raw', camera_info='/cam/info')
    assert ('camera_info', '/cam/info') in node.remappings


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
        ('camera_info', '/eye/camera_info'),
        ('/eye/camera_info', '/eye/camera_info'),
    }


def test_rviz_at_wish_shows_topics_the_node_has(headpose):
    _, rviz = headpose.started(rviz='true', namespace='robot1')
    config = Path(rviz.arguments[1])
    shown = yaml.safe_load(config.read_text())['Visualization Manager']['Displays']
    topics = {display['Topic']['Value'] for display in shown if 'Topic' in display}
    assert topics == {'/headpose/markers', '/headpose/debug_image'}
    assert {source for source, _ in rviz.remappings} == topics
    node = recorder.ROOT / 'headpose_ros' / 'node'
    outputs = ''.join((node / f'{name}.py').read_text() for name in ('outputs', 'debug_image'))
    for topic in topics:
        assert f"'~/{topic.split('/')[-1]}'" in outputs


def test_the_viewer_at_wish_shows_what_the_node_gets(headpose):
    _, viewer = headpose.started(
        viewer='true', viewer_port='9191', compressed='true', image='/eye/image',
        namespace='robot1', fixed_frame='odom', use_sim_time='true',
    )  # fmt: skip
    assert (viewer.executable, viewer.namespace) == ('headpose_viewer', 'robot1')
    assert ('image', '/eye/image') in viewer.remappings
    (parameters,) = viewer.parameters
    declared = (recorder.ROOT / 'headpose_ros' / 'node' / 'viewer_node.py').read_text()
    for name in set(parameters) - {'use_sim_time'}:
        assert f"'{name}': (" in declared
    assert parameters['port'] == 9191
    assert parameters['image_transport'] == 'compressed'
    assert parameters['use_sim_time'] is True
    _, plain = headpose.started(viewer='true')
    assert plain.parameters == [{'port': 9090}]


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


def test_our_processes_alone_have_the_dds_profile_of_both_generations_of_fastdds(headpose):
    for process in headpose.started(camera='webcam', rviz='true'):
        assert set(process.additional_env) == set(PROFILES)
        assert all(Path(path).is_file() for path in process.additional_env.values())


@pytest.mark.parametrize('name', PROFILES)
def test_a_dds_profile_that_is_set_stays(headpose, monkeypatch, name):
    monkeypatch.setenv(name, '/somewhere/else.xml')  # also by an action before
    for process in headpose.started(camera='webcam'):
        assert process.additional_env == {}


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_nothing_stays_with_who_includes_it(path, monkeypatch):
    kinds = [type(entity) for entity in recorder.load(path, monkeypatch).entities]
    assert kinds[0] is recorder.PushLaunchConfigurations
    assert kinds[-1] is recorder.PopLaunchConfigurations


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_an_unknown_argument_on_the_command_line_is_refused(path, monkeypatch):
    recording = recorder.load(path, monkeypatch)
    for named in (['headpose_ros', path.name], [str(path)]):
        monkeypatch.setattr('sys.argv', ['ros2', 'launch', *named, 'imge:=/cam', 'device:=cpu'])
        with pytest.raises(ValueError, match=rf'imge:=: {path.name} has no .* mean image\?'):
            recording.started()
    for others in (['my_robot', 'robot.launch.py'], ['my_robot', path.name]):
        monkeypatch.setattr('sys.argv', ['ros2', 'launch', *others, 'imge:=/cam'])
        assert recording.started()


@pytest.mark.parametrize('name', ['demo', 'two_cameras'])
def test_what_is_included_exists_and_takes_what_it_is_given(load, headpose, name):
    included = included_by(load(name).started())
    assert included
    for include in included:
        assert Path(include.source.location) == LAUNCH / 'headpose.launch.py'
        given = {argument for argument, _ in include.launch_arguments}
        # All but what belongs to a camera of its own: no default may come from who includes us.
        assert set(headpose.arguments) - given == {'video_device', 'camera_info_url', 'hfov'}
        assert given <= set(headpose.arguments)
        assert dict(include.launch_arguments)['camera'] == 'none'


def included_by(actions):
    return [one for one in actions if isinstance(one, recorder.IncludeLaunchDescription)]


def test_the_demo_plays_for_ever_what_it_is_told(load):
    demo = load('demo')
    _, camera = demo.started()
    assert (camera.executable, camera.arguments) == ('demo_camera', ['--loop'])
    _, camera = demo.started(input='/dev/video0', hfov='70')
    assert camera.arguments == ['--loop', '--input', '/dev/video0', '--hfov', '70']
    assert demo.arguments['rviz'].default_value == 'false', 'where RViz is not installed'


def test_the_demo_honours_what_it_lists(load):
    """Its camera is where its node listens, and no other camera is offered."""
    demo = load('demo')
    include, camera = demo.started(
        namespace='robot1', image='/cam/image_raw', camera_info='/cam/info', compressed='true'
    )
    assert camera.namespace == 'robot1'
    remaps = dict(camera.remappings)
    assert (remaps['image'], remaps['camera_info']) == ('/cam/image_raw', '/cam/info')
    assert '--compressed' in camera.arguments
    assert set(camera.additional_env) == set(PROFILES)
    given = dict(include.launch_arguments)
    assert (given['namespace'], given['image'], given['compressed']) == (
        'robot1', '/cam/image_raw', 'true',
    )  # fmt: skip
    assert not {'camera', 'video_device', 'camera_info_url'} & set(demo.arguments)


def test_the_camera_options_used_exist():
    demo_camera = (recorder.ROOT / 'headpose_ros' / 'node' / 'demo_camera.py').read_text()
    for option in ('--loop', '--input', '--rate', '--hfov', '--camera-info', '--compressed'):
        assert f"'{option}'" in demo_camera


def test_two_cameras_do_not_share_namespace_or_ids(load):
    includes = included_by(load('two_cameras').started(left='front', image='cam/image_raw'))
    given = [dict(include.launch_arguments) for include in includes]
    assert [one['namespace'] for one in given] == ['front', 'right']
    assert [one['id_prefix'] for one in given] == ['front_', 'right_']
    assert {one['image'].variable_name for one in given} == {'image'}
