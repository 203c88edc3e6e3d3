# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The core knows no ROS; modules import only what architecture.md allows, in no circle."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / 'headpose_ros'
ROS = (
    'rclpy', 'cv_bridge', 'tf2', 'tf_transformations', 'launch', 'ament', 'rosidl', 'rcl_',
    'std_msgs', 'sensor_msgs', 'geometry_msgs', 'visualization_msgs', 'diagnostic_msgs',
    'lifecycle_msgs', 'builtin_interfaces', 'hri_msgs', 'headpose_ros.msg',
)  # fmt: skip
# Costs seconds and hundreds of megabytes, or is not there where only the run-time is installed.
NOT_AT_IMPORT = ('torch', 'numba', 'matplotlib', 'rerun', 'pyarrow', 'headpose_training')

PIPELINE = {
    'pipeline', 'stages', 'stage_timer', 'stream', 'crops', 'inputs', 'result', 'hindsight',
    'single_images', 'upright',
}  # fmt: skip
"""The top-level modules that make the pipeline: above the rooms, below the commands."""

DOMAIN = {'geometry', 'heads', 'typing'}
LIBRARY = DOMAIN | PIPELINE | {'config', 'detection', 'inference', 'estimation', 'tracking'}
# room, or top-level module -> the rooms and top-level modules it may import, wherever in a file
# and for annotations too. '' is headpose_ros/__init__.py. What is not listed may import nothing.
MAY_IMPORT = {
    'typing': set(),
    'config': {'typing'},
    'geometry': {'typing'},
    'heads': {'geometry', 'typing'},
    'inference': {'config', 'typing'},
    'detection': DOMAIN | {'config', 'inference'},
    'estimation': DOMAIN | {'config', 'inference'},
    'tracking': DOMAIN | {'config'},
    'attention': DOMAIN | {'result'},
    'media': DOMAIN | {'attention', 'result'},
    'evaluation': DOMAIN | {'config', 'detection', 'estimation', 'media'},
    'viewer': DOMAIN | {'attention', 'media', 'result'},
    'recordings': LIBRARY | {'', 'attention', 'media'},
    '': LIBRARY | {'attention', 'media'},
    'cli': LIBRARY | {'', 'attention', 'evaluation', 'media', 'recordings', 'viewer'},
    # node: demo_camera plays bags
    'node': DOMAIN
    | PIPELINE
    | {
        '',
        'attention',
        'config',
        'media',
        'recordings',
        'tracking',
        'viewer',
    },
    **dict.fromkeys(PIPELINE, LIBRARY),
    'result': DOMAIN | {'media'},
}
# Where modules are imported by a name in a string, which no tool sees.
BY_STRING = {
    'headpose_ros',  # public names, at their first use
}


def module_name(path):
    parts = ('headpose_ros', *path.relative_to(PACKAGE).with_suffix('').parts)
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob('*.py'))}
CORE = [name for name in MODULES if not name.startswith('headpose_ros.node')]


class Import(NamedTuple):
    """What is imported: its full name. `when`: 'import', 'call' of a function, 'types' only."""

    name: str
    when: str


def imports(name, source=None):
    """Return everything that a module imports, wherever in it."""
    path = MODULES[name]
    package = name if path.name == '__init__.py' else name.rpartition('.')[0]
    return list(_imports(ast.parse(source or path.read_text()), package.split('.'), 'import'))


def _imports(node, package, when):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, when) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = package[: len(package) - child.level + 1] if child.level else []
            module = '.'.join([*base, *([child.module] if child.module else [])])
            yield from (Import(f'{module}.{alias.name}', when) for alias in child.names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(child, package, 'call' if when == 'import' else when)
        elif isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.unparse(child.test):
            yield from _imports(child, package, 'types')
        else:
            yield from _imports(child, package, when)


def module_of(name):
    """Return the module of this package that a full name is in; '' where it is another's."""
    while name and name not in MODULES:
        name = name.rpartition('.')[0]
    return name


def room_of(module):
    return (*module.split('.'), '')[1]


@pytest.mark.parametrize('name', CORE)
def test_the_core_imports_neither_ros_nor_the_node(name):
    outside = (*ROS, 'headpose_ros.node', 'headpose_training')
    wrong = [one for one in imports(name) if one.name.startswith(outside)]
    assert wrong == []


@pytest.mark.parametrize('name', MODULES)
def test_the_run_time_imports_nothing_heavy_when_it_is_imported(name):
    at_once = [one.name for one in imports(name) if one.when == 'import']
    if name.endswith(('_torch', 'torch_runtime')) or '.inference.networks.' in name:
        return  # imported themselves by what needs torch, and then only
    if room_of(name) == 'viewer':
        return  # by those who show something; its `__init__` and `shot` are for everybody
    assert [one for one in at_once if one.split('.')[0] in NOT_AT_IMPORT] == []


@pytest.mark.parametrize('name', MODULES)
def test_rooms_import_only_what_is_listed(name):
    room = room_of(name)
    assert room in MAY_IMPORT, f'new here: list what {room} may import'
    allowed = MAY_IMPORT[room] | {room}
    found = {room_of(module) for one in imports(name) if (module := module_of(one.name))}
    assert found - allowed == set()


@pytest.mark.parametrize('name', MODULES)
def test_no_import_hides_in_a_string(name):
    dynamic = [
        node.lineno
        for node in ast.walk(ast.parse(MODULES[name].read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
        and getattr(node, 'attr', getattr(node, 'id', '')) in ('import_module', '__import__')
    ]
    assert dynamic == [] or name in BY_STRING


def circles(modules):
    """Return the sets of modules that import each other, imports in functions and for types too.

    A package's `__init__` that lists what its modules offer is imported with each of them: that
    a module of the room imports another is no circle, unless it imports the room itself.
    """
    graph = {name: {module_of(one.name) for one in imports(name)} - {name, ''} for name in modules}
    reached = {name: _reached(graph, name) for name in graph}
    return {
        frozenset(other for other in there if name in reached[other])
        for name, there in reached.items()
        if name in there
    }


def _reached(graph, start):
    found, left = set(), list(graph[start])
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += graph.get(name, ())
    return found


def test_no_modules_import_each_other_in_a_circle():
    assert circles(MODULES) == set()


def test_imports_are_seen_wherever_they_are():
    source = """
import a.b, c
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from d import e
class C:
    from .near import f
    def g(self):
        from ..up import h
        class D:
            import i
try:
    from headpose_ros import j
except ImportError:
    k = lambda: __import__('l')
"""
    found = set(imports('headpose_ros.geometry.camera', source))
    assert found == {
        Import('a.b', 'import'), Import('c', 'import'), Import('typing.TYPE_CHECKING', 'import'),
        Import('d.e', 'types'), Import('headpose_ros.geometry.near.f', 'import'),
        Import('headpose_ros.up.h', 'call'), Import('i', 'call'),
        Import('headpose_ros.j', 'import'),
    }  # fmt: skip


def test_no_two_modules_have_one_name():
    # So that a name in a traceback, a search or a talk is one file's. Those of cli/ are named as
    # their commands are.
    names = [path.name for path in MODULES.values() if path.parent.name != 'cli']
    twice = {name for name in names if names.count(name) > 1}
    assert twice - {'__init__.py'} == set()


def test_the_core_runs_where_there_is_no_ros_and_no_torch():
    # torch as well: it is for training and GPUs, and costs seconds and hundreds of megabytes.
    program = f"""
import sys
class Without:  # finds all that the finder finds, but these: as if they were not installed
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        absent = name.startswith({(*ROS, *NOT_AT_IMPORT)!r})
        return None if absent else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from headpose_ros import CameraModel, HeadPosePipeline, PipelineConfig
import headpose_ros.cli.main
import numpy as np
pipeline = HeadPosePipeline(PipelineConfig())
camera = CameraModel.from_fov(160, 120, 1.0)
print(len(pipeline.process(np.zeros((120, 160, 3), np.uint8), camera)))
"""
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, cwd=PACKAGE.parent
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '0'
