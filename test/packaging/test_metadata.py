# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What package.xml, pyproject.toml, CMakeLists.txt, the requirements and the code say agrees."""

import ast
import re
import sys
from pathlib import Path

import pytest

import headpose_ros

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'headpose_ros'
MODULE_OF = {  # where the name to install is not the name to import
    'opencv-python': 'cv2',
    'opencv-python-headless': 'cv2',
    'pyyaml': 'yaml',
    'rerun-sdk': 'rerun',
}
# What the code uses where it is there, and does without where it is not; the extras beside it.
OPTIONAL = {'hri_msgs', 'matplotlib', 'onnxruntime'}
OF_ROS = re.compile(
    r'rclpy|cv_bridge|launch(_ros)?|tf2?_\w+|ament_index_python|\w+_(msgs|srvs|interfaces)'
)


def requirements(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in (line.split('#')[0].strip() for line in lines) if line]


def bare(lines):
    return [re.split(r'[\[<>=! ]', line)[0].lower() for line in lines]


def names(name):
    return bare(requirements(name))


def modules(packages):
    return {MODULE_OF.get(name, name.replace('-', '_')) for name in packages}


@pytest.fixture(scope='module')
def package():
    catkin_pkg = pytest.importorskip('catkin_pkg.package')
    warnings = []
    parsed = catkin_pkg.parse_package(str(ROOT / 'package.xml'), warnings=warnings)
    parsed.validate(warnings=warnings)  # raises InvalidPackage
    assert warnings == []
    return parsed


@pytest.fixture(scope='module')
def pyproject():
    tomllib = pytest.importorskip('tomllib')  # Python 3.11
    return tomllib.loads((ROOT / 'pyproject.toml').read_text())


def imported():
    """Return the names of all foreign top-level modules, with one file that imports each."""
    found = {}
    for path in PACKAGE.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            else:
                continue
            found.update((module.split('.')[0], path) for module in modules)
    return {
        name: path
        for name, path in found.items()
        if name not in sys.stdlib_module_names and name != 'headpose_ros'
    }


def test_one_version(package, pyproject):
    assert package.version == headpose_ros.__version__
    assert pyproject['tool']['setuptools']['dynamic']['version'] == {
        'attr': 'headpose_ros.__version__'
    }
    changelog = (ROOT / 'CHANGELOG.rst').read_text()
    assert re.search(rf'^{re.escape(package.version)} \(.+\)$|^Forthcoming$', changelog, re.M)


def test_package_xml_is_what_rosdep_and_bloom_want(package):
    assert package.package_format == 3
    assert package.licenses == ['Apache-2.0']
    assert package.licenses[0].file == 'LICENSE'
    assert (ROOT / 'LICENSE').read_text().count('Apache License') > 3
    assert [group.name for group in package.member_of_groups] == ['rosidl_interface_packages']
    assert package.get_build_type() == 'ament_cmake'


def test_every_ros_package_that_is_imported_is_declared(package):
    declared = {dependency.name for dependency in package.exec_depends}
    used = {name: path for name, path in imported().items() if OF_ROS.fullmatch(name)}
    used.update((name, ROOT / 'launch') for name in ('launch', 'launch_ros'))
    # tf2_ros brings the C++ library only, and not the Python module of its name.
    from_elsewhere = {
        'builtin_interfaces': 'std_msgs', 'rcl_interfaces': 'rclpy', 'tf2_ros': 'tf2_ros_py',
    }  # fmt: skip
    missing = {
        name: path
        for name, path in used.items()
        if from_elsewhere.get(name, name) not in declared and name not in OPTIONAL
    }
    assert missing == {}


def test_what_the_tests_import_is_declared(package):
    declared = {dependency.name for dependency in package.test_depends}
    assert {'python3-pytest', 'python3-pytest-timeout', 'python3-hypothesis'} <= declared


def test_every_python_package_that_is_imported_is_required(pyproject):
    extras = pyproject['project']['optional-dependencies'].values()
    required = modules(names('run')) | OPTIONAL
    required |= modules(bare(line for lines in extras for line in lines))
    foreign = {name: path for name, path in imported().items() if not OF_ROS.fullmatch(name)}
    assert {n: p for n, p in foreign.items() if n not in required} == {}


def test_nothing_is_required_in_vain():
    assert modules(names('run')) - set(imported()) == set()


def test_training_states_its_requirements_once():
    tomllib = pytest.importorskip('tomllib')
    project = tomllib.loads((ROOT / 'training' / 'pyproject.toml').read_text())['project']
    stated = set(bare(project['dependencies']))
    installed = set(names('training')) | set(names('torch'))
    assert stated - {'headpose_ros'} <= installed
    assert not installed & set(names('run')), 'what the run-time needs it has already'


def test_the_extras_are_those_that_the_texts_name(pyproject):
    extras = pyproject['project']['optional-dependencies']
    texts = [path.read_text() for path in (*ROOT.glob('docs/**/*.md'), *PACKAGE.rglob('*.py'))]
    pattern = r"'(?:\.|headpose_ros)\[(\w+)\]'"
    named = {name for text in texts for name in re.findall(pattern, text)}
    assert named <= set(extras)
    assert {'gui', 'torch'} <= named, 'else this test reads nothing'


def test_every_requirement_is_pinned_for_the_set_up():
    pinned = {line.split('==')[0] for line in requirements('constraints')}
    files = ('run', 'ros', 'build', 'dev', 'docs', 'archives', 'training', 'colcon', 'torch')
    wanted = {n for name in files for n in names(name)}
    assert {name.replace('_', '-') for name in wanted} - pinned == set()


def test_executables_are_the_same_for_pip_and_colcon(pyproject):
    cmake = (ROOT / 'CMakeLists.txt').read_text()
    in_cmake = dict(re.findall(r'"(\w+)\|([\w.]+)"', cmake))
    scripts = pyproject['project']['scripts']
    assert {name: f'{module}:main' for name, module in in_cmake.items()} == scripts
    assert {'headpose', 'headpose_node', 'demo_camera'} <= set(scripts)


@pytest.mark.parametrize('name', ['headpose', 'headpose_node', 'demo_camera', 'demo_recorder'])
def test_every_executable_has_its_main(pyproject, name):
    module, function = pyproject['project']['scripts'][name].split(':')
    path = ROOT / Path(*module.split('.')).with_suffix('.py')
    functions = [
        n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)
    ]
    assert function in functions


def test_every_message_is_generated():
    cmake = (ROOT / 'CMakeLists.txt').read_text()
    assert set(re.findall(r'"(msg/\w+\.msg)"', cmake)) == {
        str(path.relative_to(ROOT)) for path in (ROOT / 'msg').iterdir()
    }
    assert not (PACKAGE / 'msg').exists(), 'would hide the generated headpose_ros.msg'


def test_every_source_states_its_licence():
    missing = [
        str(path.relative_to(ROOT))
        for folder in ('headpose_ros', 'launch', 'tools', 'test', 'benchmark')
        for path in (ROOT / folder).rglob('*.py')
        if path.stat().st_size and 'SPDX-License-Identifier: Apache-2.0' not in path.read_text()
    ]
    assert missing == []
