# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole: help, mistakes, errors in one line, exit statuses."""

import argparse
import subprocess
import sys

import pytest

from headpose_ros import __version__
from headpose_ros.cli import main as cli
from headpose_ros.cli.main import commands, main

COMMANDS = commands()


def status_of(argv):
    with pytest.raises(SystemExit) as end:
        main(argv)
    return end.value.code


def test_help_names_every_command(capsys):
    assert status_of(['--help']) == 0
    text = capsys.readouterr().out
    assert all(f'  {command} ' in text for command in COMMANDS)


def test_version(capsys):
    assert status_of(['--version']) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize('argv', [[], ['nonsense'], ['video'], ['video', 'a', '--nonsense']])
def test_wrong_usage_is_status_2(argv, capsys):
    assert status_of(argv) == 2
    assert 'usage: headpose' in capsys.readouterr().err


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_has_help(command, capsys):
    assert status_of([command, '--help']) == 0
    assert f'usage: headpose {command}' in capsys.readouterr().out


@pytest.mark.parametrize('command', COMMANDS)
def test_commands_keep_to_the_convention(command):
    module = COMMANDS[command]
    assert len(module.SUMMARY.splitlines()) == 1
    assert callable(module.configure)
    assert callable(module.run)


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes `headpose video` raise an error of one's choice."""

    def fail(error):
        def run(args):
            raise error

        module = argparse.Namespace(SUMMARY='fails', configure=lambda parser: None, run=run)
        monkeypatch.setattr(cli, 'commands', lambda: {'video': module})

    return fail


@pytest.mark.parametrize(
    ('error', 'status', 'said'),
    [
        (ValueError('no\n  good'), 2, 'headpose video: no good\n'),
        (FileNotFoundError(2, 'No such file', 'x.png'), 2, "[Errno 2] No such file: 'x.png'"),
        (RuntimeError('no device'), 2, 'headpose video: no device\n'),
        (KeyboardInterrupt(), 130, 'headpose video: interrupted\n'),
    ],
)
def test_errors_are_one_line(failing, capsys, error, status, said):
    failing(error)
    assert main(['video']) == status
    text = capsys.readouterr().err
    assert said in text
    assert text.count('\n') == 1


def test_programming_errors_are_not_hidden(failing):
    failing(TypeError('a bug'))
    with pytest.raises(TypeError):
        main(['video'])


def test_help_imports_nothing_heavy():
    code = (
        'import sys; from headpose_ros.cli.main import main\n'
        'try: main(["video", "--help"])\n'
        'except SystemExit: pass\n'
        'heavy = {"torch", "openvino", "cv2", "scipy", "numba"} & set(sys.modules)\n'
        'sys.exit(f"imported {heavy}" if heavy else 0)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
