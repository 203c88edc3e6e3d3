# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""pip's build: runs CMakeLists.txt and packs what it installs, messages compiled, into the wheel.

All else stands in pyproject.toml. colcon does not come here: it runs CMakeLists.txt itself.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
NAME = 'headpose_ros'


def sourced_prefixes() -> list[str]:
    """Prefixes of a sourced ROS; empty where none is."""
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    has_messages = any(Path(p, 'share', 'geometry_msgs').is_dir() for p in prefixes)
    return prefixes if has_messages else []


def wheel_prefixes() -> list[str]:
    """Prefixes that the wheels of ROS are installed under: the build environment, and Python's."""
    spec = importlib.util.find_spec('rosidl_adapter')
    found = [sys.prefix]
    if spec and spec.origin:  # <prefix>/lib/python3.X/site-packages/rosidl_adapter/__init__.py
        found.insert(0, str(Path(spec.origin).parents[4]))
    return list(dict.fromkeys(found))


def requirements(name: str) -> list[str]:
    """Read one of requirements/*.txt."""
    lines = (HERE / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in (line.split('#')[0].strip() for line in lines) if line]


class BuildWithMessages(build_py):
    """Builds the Python package, then the messages into it."""

    def run(self) -> None:
        """Build; an editable install gets its messages from tools/setup.py."""
        super().run()
        if not self.editable_mode:
            self._add(self._compile())

    def _compile(self) -> Path:
        work = Path(self.get_finalized_command('build').build_temp).resolve() / 'rosidl'
        stage = work / 'install'
        shutil.rmtree(stage, ignore_errors=True)
        prefixes = os.pathsep.join(sourced_prefixes() or wheel_prefixes())
        environment = dict(os.environ, AMENT_PREFIX_PATH=prefixes, CMAKE_PREFIX_PATH=prefixes)
        configure = [
            'cmake', '-S', str(HERE), '-B', str(work / 'build'),
            f'-DCMAKE_INSTALL_PREFIX={stage}', '-DCMAKE_BUILD_TYPE=Release',
            '-DBUILD_TESTING=OFF', f'-DPython3_EXECUTABLE={sys.executable}',
            '-DHEADPOSE_ROS_INSTALL_PYTHON=OFF',
            '-DHEADPOSE_ROS_SHEBANG=/usr/bin/env python3',
        ]  # fmt: skip
        if shutil.which('ninja'):
            configure += ['-G', 'Ninja']
        subprocess.run(configure, check=True, env=environment)
        subprocess.run(
            ['cmake', '--build', str(work / 'build'), '--target', 'install', '--parallel', '2'],
            check=True,
            env=environment,
        )
        return stage

    def _add(self, stage: Path) -> None:
        """Put generated Python into the package, everything else under the prefix."""
        generated = next(
            path
            for path in stage.rglob(NAME)
            if (path / 'msg').is_dir() and (path / '__init__.py').is_file()
        )
        shutil.copytree(
            generated, Path(self.build_lib, NAME), dirs_exist_ok=True,
            ignore=lambda folder, names: [
                n for n in names
                if n == '__pycache__' or n.endswith('.c')
                or (n == '__init__.py' and Path(folder) == generated)
            ],
        )  # fmt: skip
        python_folder = generated.parent
        for folder, _, files in os.walk(stage):
            inside = Path(folder)
            if files and python_folder not in (inside, *inside.parents):
                self.distribution.data_files.append(
                    (str(inside.relative_to(stage)), [str(inside / name) for name in files])
                )


class BinaryDistribution(Distribution):
    """A wheel for one Python on one platform: the messages are compiled."""

    def has_ext_modules(self) -> bool:
        """Say so to setuptools."""
        return True


setup(
    data_files=[],
    install_requires=requirements('run') + ([] if sourced_prefixes() else requirements('ros')),
    cmdclass={'build_py': BuildWithMessages},
    distclass=BinaryDistribution,
)
