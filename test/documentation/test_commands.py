# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every command of the documentation: run where it can be, else every word of it is checked.

`headpose …` on files, and examples, run as they stand, in a folder with files of the names that
the page uses. Of what takes hours, a camera or a GPU, the arguments are parsed. Launch arguments,
parameters, make targets and extras are looked up. What belongs to others is listed in OTHERS.
"""

import argparse
import os
import re
import runpy
import shlex
import shutil
import sys
from contextlib import contextmanager
from importlib.util import find_spec

import cv2
import launch_recorder as recorder
import pages
import pytest

from headpose_ros.cli import main as cli

pytest.importorskip('rclpy', reason='the launch files know the parameters of the node')
pytest.importorskip('benchmark.measure', reason='only in a checkout')
pytest.importorskip('matplotlib', reason='the commands of the documentation need all extras')
pytest.importorskip('psutil', reason='the commands of the documentation need all extras')
pytest.importorskip('pyarrow', reason='the commands of the documentation need all extras')
pytest.importorskip('torch', reason='the commands of the documentation need all extras')

from benchmark.measure import AUTHORS_WEIGHTS
from headpose_ros.node.launch_arguments import PARAMETERS

DEMO = pages.ROOT / 'headpose_ros' / 'demo'
OTHERS = {
    'rosdep install': 'ROS by apt; continuous integration runs docker/dependencies',
    'pip install openvino': 'the package index; make setup installs it',
    'colcon build': '.ci/colcon_builds runs it',
    '. install/setup.bash': '.ci/colcon_builds runs it',
    'git clone': 'wherever the repository is',
    'cd': 'the shell',
    'my_program': 'the reader has it',
    'sudo apt': 'ROS by apt',
    'docker': 'no Docker in the tests; the scripts that the Dockerfile calls run in CI',
    'trtexec': "TensorRT's",
    'ros2 bag': 'ROS by apt; test/node/test_session.py plays stamps as a bag does',
    'ros2 run camera_calibration': 'ROS by apt, and a camera',
    'ros2 run tf2_ros': 'ROS by apt; test/node/test_fixed_frame_graph.py publishes the like',
    'ros2 topic': 'test/node/test_humans.py subscribes to it',
    'ros2 launch hri_person_manager': 'ROS by apt',
    'ros2 launch hri_engagement': 'ROS by apt',
}
"""Programs of others, by their first words, and who runs what they do."""

PARSED = {'--show', '--device', '--view', '--shard', '--ray', 'train', 'synthesize', 'evaluate'}
"""Words by which a command of ours takes a screen, a GPU, a cluster or hours."""

UNPARSED = ('benchmark.reliability.ends',)
"""Modules that are only looked up, as are those without arguments, some of which write pages: it
starts nodes before it looks at its own."""

MAKE_VARIABLES = ('INPUT', 'HFOV', 'CAMERA_INFO', 'VIEW', 'TESTS', 'JOBS', 'PYTHON')
PLACEHOLDERS = {
    'N': '3', 'WIDTHxHEIGHT': '96x96', 'CROPS…': 'crops.npz', 'NAME': 'best',
    'pose_NAME': 'pose_best',
}  # fmt: skip


class Parsed(Exception):
    """The command's own parser took all words."""


@contextmanager
def only_parsed():
    """Let a command end once its arguments are parsed; fail where they are not."""
    real = argparse.ArgumentParser.parse_args

    def parse_args(self, *given, **named):
        real(self, *given, **named)
        raise Parsed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, 'parse_args', parse_args)
        try:
            yield
        except Parsed:
            return
    pytest.fail('it read no arguments')


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder with the files that the pages name."""
    clip = cv2.VideoCapture(str(DEMO / 'clip.mp4'))
    frames = [clip.read()[1] for _ in range(12)]
    for folder in ('holiday', 'archive/2024', 'recordings'):
        (tmp_path / folder).mkdir(parents=True)
    for name in ('photo.jpg', 'holiday/a.jpg', 'holiday/b.png', 'archive/2024/c.jpg'):
        cv2.imwrite(str(tmp_path / name), frames[0])
    writer = cv2.VideoWriter(
        str(tmp_path / 'clip.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 30, (640, 480)
    )
    for frame in frames:
        writer.write(frame)
    writer.release()
    for name in ('hall.mp4', 'recordings/a.mp4', 'archive/b.mp4'):
        shutil.copyfile(tmp_path / 'clip.mp4', tmp_path / name)
    shutil.copyfile(DEMO / 'clip_camera.yaml', tmp_path / 'ost.yaml')
    shutil.copytree(pages.ROOT / 'examples', tmp_path / 'examples')
    if AUTHORS_WEIGHTS.is_file():
        shutil.copyfile(AUTHORS_WEIGHTS, tmp_path / 'model-b66.pkl')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_python(words):
    """Run `python …` in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(pages.ROOT))
        if words[0] == '-m':
            patch.setattr(sys, 'argv', words[1:])
            runpy.run_module(words[1], run_name='__main__', alter_sys=True)
        else:
            patch.setattr(sys, 'argv', words)
            runpy.run_path(words[0], run_name='__main__')


def needs_what_is_not_there(words):
    """Return whether a command is one of the training's, or imports the authors' file."""
    training = words[1] in ('train', 'synthesize') and not find_spec('headpose_training')
    return training or ('authors.onnx' in words and not AUTHORS_WEIGHTS.is_file())


def run_headpose(words):
    if needs_what_is_not_there(words):
        return
    if '--help' in words:
        with pytest.raises(SystemExit, match='0'):
            cli.main(words[1:])
    elif PARSED & set(words) or any('rtsp://' in word for word in words):
        with only_parsed():
            cli.main(words[1:])
    else:
        assert cli.main(words[1:]) == 0


def check_launch(words):
    """Look the file, and the arguments that it declares, up."""
    file, *given = words
    with pytest.MonkeyPatch.context() as patch:
        declared = recorder.load(pages.ROOT / 'launch' / file, patch).arguments
    for word in given:
        name, sign, _ = word.partition(':=')
        assert (sign and name in declared) or word == '--show-args', word


def check_make(words):
    targets = re.findall(r'^(\w+):.*##', (pages.ROOT / 'Makefile').read_text(), re.MULTILINE)
    for word in words:
        name, sign, value = word.partition('=')
        assert name in (MAKE_VARIABLES if sign else targets), word
        if name == 'TESTS':
            assert all((pages.ROOT / path).exists() for path in value.split()), value


def check_pip(words):
    folder, _, extra = words[0].partition('[')
    text = (pages.ROOT / folder / 'pyproject.toml').read_text()
    if extra:
        (table,) = re.findall(r'optional-dependencies\]\n(.*?)\n\n', text, re.DOTALL)
        assert re.search(rf'^{extra.rstrip("]")} = ', table, re.MULTILINE), extra


def of_others(words):
    line = ' '.join(words) + ' '
    return any(line.startswith(start + ' ') for start in OTHERS)


def run(words):
    """Run one command, or check every word of it."""
    if words[0] == 'srun':
        words = [re.sub(r'\$\w+', '1', word) for word in words[1:]]
    match words:
        case ['headpose', *_]:
            run_headpose(words)
        case ['python', '-m', 'colcon', *_]:
            pass  # .ci/colcon_builds runs it
        case ['python', '-m', module, *more] if not more or module in UNPARSED:
            with pytest.MonkeyPatch.context() as patch:
                patch.syspath_prepend(str(pages.ROOT))
                assert find_spec(module), module
        case ['python', '-m', *_]:
            with only_parsed():
                run_python(words[1:])
        case ['python', *_]:
            run_python(words[1:])
        case ['pip', 'install', *what] if what != ['openvino']:
            check_pip(what)
        case ['make', *what]:
            check_make(what)
        case ['ros2', 'launch', 'headpose_ros', *what]:
            check_launch(what)
        case ['ros2', 'param', 'set', '/headpose', name, _]:
            assert name in PARAMETERS
        case [name] if name.startswith('.ci/'):
            assert os.access(pages.ROOT / name, os.X_OK), name
        case _:
            assert of_others(words), f'neither run nor listed in OTHERS: {" ".join(words)}'


@pytest.mark.parametrize('page', pages.PAGES, ids=pages.name)
def test_commands(page, world):
    for words in pages.commands(page):
        run(words)


@pytest.mark.parametrize('page', pages.PAGES, ids=pages.name)
def test_commands_within_sentences(page, world):
    for text in pages.inline_commands(page):
        words = [PLACEHOLDERS.get(word, word) for word in shlex.split(text) if word != '…']
        if words[0] != 'headpose':
            run(words)
        elif (
            '…' in text or words[1] == 'synthesize' or not set(''.join(words[2:])) & set('-./')
        ):  # a mention
            assert words[1] in (*cli.commands(), '--version') or needs_what_is_not_there(words)
        elif not needs_what_is_not_there(words):
            with only_parsed():
                cli.main(words[1:])


def test_others_are_needed():
    """A program that no page names any more leaves the list."""
    lines = [' '.join(words) + ' ' for page in pages.PAGES for words in pages.commands(page)]
    for start in OTHERS:
        assert any(line.startswith(start + ' ') for line in lines), start
