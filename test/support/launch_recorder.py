# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for launch and launch_ros where they are not installed (ROS from the package index).

Loads a launch file and records what it declares and starts. Constructors take the arguments that
the real classes take, so that a wrong name fails here too; nothing is started. What only the real
system can show is tested in test_launch_real.py.
"""

import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Action:
    pass


class LaunchContext:
    def __init__(self, configurations):
        self.launch_configurations = configurations


@dataclass
class LaunchConfiguration:
    variable_name: str

    def perform(self, context):
        return context.launch_configurations[self.variable_name]  # KeyError: not declared


@dataclass
class LaunchDescription:
    entities: list


@dataclass
class DeclareLaunchArgument(Action):
    name: str
    default_value: Any = None
    description: str = ''
    choices: list | None = None

    def __post_init__(self):
        assert self.choices is None or self.default_value in self.choices


@dataclass
class OpaqueFunction(Action):
    function: Any


class PushLaunchConfigurations(Action):
    pass


class PopLaunchConfigurations(Action):
    pass


@dataclass
class PythonLaunchDescriptionSource:
    location: str


@dataclass
class IncludeLaunchDescription(Action):
    source: PythonLaunchDescriptionSource
    launch_arguments: list


@dataclass(kw_only=True)
class Node(Action):
    package: str
    executable: str
    name: str | None = None
    namespace: str | None = None
    output: str = 'log'
    parameters: list = field(default_factory=list)
    remappings: list = field(default_factory=list)
    arguments: list = field(default_factory=list)
    additional_env: dict = field(default_factory=dict)


@dataclass(kw_only=True)
class LifecycleNode(Node):
    name: str
    namespace: str


@dataclass
class ParameterValue:
    value: Any
    value_type: type


class PackageNotFoundError(KeyError):
    pass


def get_package_share_directory(name):
    assert name == 'headpose_ros'
    return str(ROOT)  # launch/ and config/ are installed under it as they lie here


def get_package_prefix(name):
    raise PackageNotFoundError(name)


def load_python_launch_file_as_module(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULES = {
    'launch': (Action, LaunchContext, LaunchDescription),
    'launch.actions': (
        DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction, PopLaunchConfigurations,
        PushLaunchConfigurations,
    ),
    'launch.launch_description_sources': (
        PythonLaunchDescriptionSource, load_python_launch_file_as_module,
    ),
    'launch.substitutions': (LaunchConfiguration,),
    'launch_ros': (),
    'launch_ros.actions': (LifecycleNode, Node),
    'launch_ros.parameter_descriptions': (ParameterValue,),
    'ament_index_python': (),
    'ament_index_python.packages': (
        PackageNotFoundError, get_package_prefix, get_package_share_directory,
    ),
}  # fmt: skip


@dataclass
class Recording:
    """What a launch file described, and the names in it."""

    entities: list
    functions: dict

    def of(self, kind):
        return [entity for entity in self.entities if isinstance(entity, kind)]

    @property
    def arguments(self):
        return {argument.name: argument for argument in self.of(DeclareLaunchArgument)}

    def started(self, **given):
        """Return the actions that its functions make, with `given` arguments."""
        unknown = set(given) - set(self.arguments)
        assert not unknown, unknown
        values = {name: argument.default_value for name, argument in self.arguments.items()}
        context = LaunchContext({**values, **given})
        return [act for entity in self.of(OpaqueFunction) for act in entity.function(context)]


def load(path, monkeypatch):
    """Run a launch file against the stand-ins."""
    for name, members in MODULES.items():
        module = ModuleType(name)
        vars(module).update((member.__name__, member) for member in members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, 'dont_write_bytecode', True)
    module = load_python_launch_file_as_module(path)
    return Recording(module.generate_launch_description().entities, vars(module))
