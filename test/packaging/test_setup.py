# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The set-up (tools/setup.py): what it finds, when it works again, what it says when it cannot."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """Return the module, working on a made-up checkout."""
    spec = importlib.util.spec_from_file_location('setup_tool', ROOT / 'tools' / 'setup.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in (*module.PACKAGES, *module.BUILD):
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.parent.mkdir(exist_ok=True)
            shutil.copy(source, target)
    venv = tmp_path / '.venv'
    paths = {
        'ROOT': tmp_path, 'VENV': venv, 'STAMP': venv / 'stamp', 'OVERLAY': venv / 'overlay.sh',
        'LOG': venv / 'setup.log', 'OWN_LIMITS': venv / 'constraints.txt',
    }  # fmt: skip
    for name, value in paths.items():
        monkeypatch.setattr(module, name, value)
    for name in ('AMENT_PREFIX_PATH', 'HEADPOSE_TORCH', 'ROS_DISTRO'):
        monkeypatch.delenv(name, raising=False)
    return module


def fake_ros(folder, works=True):
    """Make a prefix that looks like a sourced ROS; its rclpy can be imported or not."""
    (folder / 'share' / 'rclpy').mkdir(parents=True)
    (folder / 'python' / 'rclpy').mkdir(parents=True)
    text = '' if works else 'raise ImportError("libpython3.99.so: no such file")'
    (folder / 'python' / 'rclpy' / '__init__.py').write_text(text)
    return {
        'AMENT_PREFIX_PATH': str(folder),
        'PYTHONPATH': str(folder / 'python'),
        'ROS_DISTRO': 'jazzy',
    }


def test_finds_a_sourced_ros(tool, monkeypatch, tmp_path):
    for name, value in fake_ros(tmp_path / 'opt').items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tool, 'ROOT', tmp_path / 'checkout')
    assert tool.sourced_ros() == 'jazzy'


def test_without_a_sourced_ros_its_leftovers_are_put_aside(tool, monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/nowhere')
    monkeypatch.setenv('LD_LIBRARY_PATH', '/nowhere/lib')
    assert tool.sourced_ros() == ''
    assert 'LD_LIBRARY_PATH' not in os.environ


def test_the_own_workspace_is_not_taken_for_a_ros(tool, monkeypatch, tmp_path):
    for name, value in fake_ros(tmp_path / 'install').items():
        monkeypatch.setenv(name, value)
    assert tool.sourced_ros() == ''


def test_says_why_a_sourced_ros_is_of_no_use(tool, monkeypatch, tmp_path):
    for name, value in fake_ros(tmp_path / 'opt', works=False).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tool, 'ROOT', tmp_path / 'checkout')
    with pytest.raises(tool.SetupError, match=r'libpython3\.99.*\n.*PYTHON=/usr/bin/python3'):
        tool.sourced_ros()


def test_an_unsupported_python_looks_for_a_supported_one(tool, monkeypatch):
    monkeypatch.setattr(sys, 'version_info', (3, 99, 0))
    monkeypatch.setattr(tool.shutil, 'which', lambda name: name == 'python3.11' and '/opt/python')
    started = []

    def execv(path, words):  # the real one does not return
        started.append(path)
        raise SystemExit

    monkeypatch.setattr(tool.os, 'execv', execv)
    with pytest.raises(SystemExit):
        tool.check_python()
    assert started == ['/opt/python']


def test_says_what_to_install_where_no_python_will_do(tool, monkeypatch):
    monkeypatch.setattr(sys, 'version_info', (3, 9, 0))
    monkeypatch.setattr(tool.shutil, 'which', lambda name: None)
    with pytest.raises(tool.SetupError, match=r'3\.10 to 3\.13(.|\n)*apt install'):
        tool.check_python()


def test_says_what_to_install_where_nothing_compiles(tool, monkeypatch, tmp_path):
    monkeypatch.delenv('CXX', raising=False)
    monkeypatch.setattr(tool.shutil, 'which', lambda name: None)
    monkeypatch.setattr(tool.sysconfig, 'get_path', lambda name: str(tmp_path))
    with pytest.raises(tool.SetupError) as error:
        tool.check_compiler()
    assert 'a C++ compiler and Python.h' in str(error.value)
    assert 'apt install g++ python3' in str(error.value)


def test_says_what_to_install_where_there_is_no_venv(tool, monkeypatch):
    failing = subprocess.CompletedProcess([], 1, 'ensurepip is not available', '')
    monkeypatch.setattr(tool.subprocess, 'run', lambda *words, **options: failing)
    with pytest.raises(tool.SetupError, match=r'ensurepip(.|\n)*apt install python3\.\d+-venv'):
        tool.make_venv('base here\n', over_ros=False)
    assert not tool.VENV.exists()


def test_an_index_out_of_reach_is_named_as_such(tool):
    tool.VENV.mkdir()
    tool.LOG.write_text('')
    said = 'raise SystemExit("Failed to establish: NameResolutionError(host)")'
    with pytest.raises(tool.SetupError, match='could not be reached'):
        tool.run('installing', [sys.executable, '-c', said])


def test_any_other_failure_shows_the_end_of_its_output(tool):
    tool.VENV.mkdir()
    tool.LOG.write_text('')
    with pytest.raises(tool.SetupError, match=r'the reason(.|\n)*"compiling" failed'):
        tool.run('compiling', [sys.executable, '-c', 'raise SystemExit("the reason")'])


@pytest.mark.parametrize(
    'change', ['msg/HeadPose.msg', 'CMakeLists.txt', 'requirements/constraints.txt', 'msg/New.msg']
)
def test_a_changed_input_is_noticed(tool, change):
    before = tool.fingerprint('', 'cpu')
    assert tool.fingerprint('', 'cpu') == before
    with (tool.ROOT / change).open('a') as file:
        file.write('\n# more')
    assert tool.fingerprint('', 'cpu') != before


@pytest.mark.parametrize(
    ('change', 'kept'), [('msg/HeadPose.msg', True), ('requirements/constraints.txt', False)]
)
def test_packages_are_installed_again_only_where_theirs_changed(tool, change, kept):
    tool.VENV.mkdir()
    tool.STAMP.write_text(tool.fingerprint('', 'cpu'))
    with (tool.ROOT / change).open('a') as file:
        file.write('\n# more')
    assert tool.has_packages(tool.fingerprint('', 'cpu')) is kept
    assert not tool.has_packages(tool.fingerprint('', 'cuda'))
    assert not tool.has_packages(tool.fingerprint('jazzy', 'cpu'))


def test_another_ros_or_torch_is_noticed(tool):
    texts = {tool.fingerprint(ros, torch) for ros in ('', 'jazzy') for torch in ('cpu', 'cuda')}
    assert len(texts) == 4


def test_done_before_it_does_nothing(tool, monkeypatch, capsys):
    tool.VENV.mkdir()
    monkeypatch.setenv('HEADPOSE_TORCH', 'cpu')
    tool.STAMP.write_text(tool.fingerprint('', 'cpu'))
    monkeypatch.setattr(tool, 'make_venv', lambda *given, **named: pytest.fail('set up again'))
    assert tool.main() == 0
    assert capsys.readouterr().out == ''


def test_an_environment_of_another_place_is_made_anew(tool, monkeypatch):
    (tool.VENV / 'bin').mkdir(parents=True)
    (tool.VENV / 'bin' / 'pip').touch()
    tool.STAMP.write_text('base elsewhere\n')
    made = []

    def run(words, **options):
        made.append(words[1:])
        tool.VENV.mkdir()
        return subprocess.CompletedProcess(words, 0, '', '')

    monkeypatch.setattr(tool.subprocess, 'run', run)
    tool.make_venv('base here\n', over_ros=False)
    assert made == [['-m', 'venv', str(tool.VENV)]]


def test_torch_is_chosen_by_the_gpu_and_by_hand(tool, monkeypatch):
    monkeypatch.setattr(tool.shutil, 'which', lambda name: None)
    assert tool.torch_build() == 'cpu'
    monkeypatch.setattr(tool.shutil, 'which', lambda name: f'/usr/bin/{name}')
    listing = subprocess.CompletedProcess([], 0, 'GPU 0: NVIDIA', '')
    monkeypatch.setattr(tool.subprocess, 'run', lambda *words, **options: listing)
    assert tool.torch_build() == 'cuda'
    monkeypatch.setenv('HEADPOSE_TORCH', 'none')
    assert tool.torch_build() == 'none'
    monkeypatch.setenv('HEADPOSE_TORCH', 'gpu')
    with pytest.raises(tool.SetupError, match='cpu, cuda or none'):
        tool.torch_build()


@pytest.mark.parametrize('known_to_pip', [True, False])
def test_torch_for_a_cpu_never_comes_with_cuda(tool, monkeypatch, known_to_pip):
    commands = []

    def run(words, **options):
        commands.append(words)
        return subprocess.CompletedProcess(words, int(len(commands) == 1 and not known_to_pip))

    monkeypatch.setattr(tool.subprocess, 'run', run)
    tool.VENV.mkdir()
    tool.install_torch('cpu')
    assert all(words[-1].endswith('+cpu') for words in commands)
    assert any(tool.TORCH_WITHOUT_CUDA in words for words in commands) is not known_to_pip
