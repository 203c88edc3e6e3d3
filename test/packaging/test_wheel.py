# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The wheel: pure Python, the run-time package whole, and nothing else."""

import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'headpose_ros'
MAX_BYTES = 12e6
LEFT_OUT = shutil.ignore_patterns(
    '.git', '.venv', 'out', 'build', 'install', 'log', '__pycache__', '*.egg-info', '.*_cache'
)


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A copy of the checkout, with what an older build left in it."""
    setuptools = pytest.importorskip('setuptools')
    if tuple(map(int, setuptools.__version__.split('.')[:2])) < (70, 1):
        pytest.skip('this setuptools builds no wheels by itself')
    copied = tmp_path_factory.mktemp('wheel') / 'source'
    shutil.copytree(ROOT, copied, ignore=LEFT_OUT)
    old = copied / 'build' / 'lib' / 'headpose_ros' / 'stale.py'
    old.parent.mkdir(parents=True)
    old.touch()
    return copied


def build(hook, source):
    """Run a hook of the build back end as pip does, no compiler on PATH; return what it made."""
    call = f'from setuptools import build_meta; build_meta.{hook}({str(source.parent)!r})'
    done = subprocess.run(
        [sys.executable, '-c', call], cwd=source, capture_output=True, text=True,
        env={'PATH': '', 'HOME': str(source.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]


@pytest.fixture(scope='module')
def wheel(source):
    build('build_wheel', source)
    (path,) = source.parent.glob('*.whl')
    return path


@pytest.fixture(scope='module')
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith('.dist-info/METADATA')]
        return Parser().parsestr(archive.read(name).decode())


def test_one_small_wheel_for_every_python_and_machine(wheel):
    assert wheel.name.endswith('-py3-none-any.whl')
    assert wheel.stat().st_size < MAX_BYTES


def test_it_holds_every_file_of_the_package_and_nothing_else(wheel):
    wanted = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }
    for name in ('py.typed', 'models/weights.json', 'demo/clip.mp4', 'cli/main.py'):
        assert f'headpose_ros/{name}' in wanted
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if '.dist-info/' not in name}
    assert held == wanted


def test_it_asks_for_no_ros_and_nothing_of_training(metadata):
    always = [line for line in metadata.get_all('Requires-Dist') if 'extra ==' not in line]
    names = {re.split(r'[<>=!; ]', line)[0] for line in always}
    names = {'opencv' if name.startswith('opencv-') else name for name in names}
    assert names <= {'numpy', 'scipy', 'opencv', 'openvino', 'pyyaml', 'safetensors', 'tqdm'}
    assert set(metadata.get_all('Provides-Extra')) == {'gui', 'torch', 'viewer', 'batch', 'ray'}


def test_a_source_distribution_can_be_built_from(source):
    build('build_sdist', source)
    (archive,) = source.parent.glob('*.tar.gz')
    unpacked = source.parent / 'unpacked'
    shutil.unpack_archive(archive, unpacked)
    (folder,) = unpacked.iterdir()
    build('build_wheel', folder)
    assert len(list(unpacked.glob('*.whl'))) == 1


@pytest.mark.parametrize(
    ('installed', 'required'),
    [
        ((), 'opencv-python-headless>=4.5.4,<5'),
        (('opencv_python_headless-4.14.0',), 'opencv-python-headless>=4.5.4,<5'),
        (('opencv_python-5.0.0',), 'opencv-python>=4.5.4'),
        (('opencv_contrib_python-4.10.0',), 'opencv-contrib-python>=4.5.4'),
        (('opencv_python_headless-4.14.0', 'opencv_python-4.14.0'), 'opencv-python>=4.5.4'),
    ],
)
def test_the_opencv_that_is_there_is_kept(monkeypatch, tmp_path, installed, required):
    for name in installed:
        folder = tmp_path / f'{name}.dist-info'
        folder.mkdir()
        given, version = name.split('-')
        (folder / 'METADATA').write_text(f'Name: {given}\nVersion: {version}\n')
    asked = {}
    setuptools = pytest.importorskip('setuptools')
    monkeypatch.setattr(setuptools, 'setup', lambda **given: asked.update(given))
    monkeypatch.setattr(sysconfig, 'get_path', lambda name: str(tmp_path))
    monkeypatch.setattr('site.getusersitepackages', lambda: str(tmp_path / 'none'))
    runpy.run_path(str(ROOT / 'setup.py'))
    (opencv,) = [line for line in asked['install_requires'] if line.startswith('opencv')]
    assert opencv == required
