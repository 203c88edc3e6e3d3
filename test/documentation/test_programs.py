# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every program of the documentation's pages runs as it stands."""

import ast
import sys
import types

import cv2
import numpy as np
import pages
import pytest
import yaml

from headpose_ros import CameraModel, HeadPosePipeline
from headpose_ros.cli import main as cli

DEMO = pages.ROOT / 'headpose_ros' / 'demo'
CAMERA = CameraModel.from_yaml(DEMO / 'clip_camera.yaml')


@pytest.fixture
def frames():
    clip = cv2.VideoCapture(str(DEMO / 'clip.mp4'))
    return [clip.read()[1] for _ in range(6)]


@pytest.fixture
def picture(frames, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'archive').mkdir()
    cv2.imwrite(str(tmp_path / 'archive' / 'people.jpg'), frames[0])
    return tmp_path / 'archive' / 'people.jpg'


def program(page, index=0):
    return pages.blocks(pages.ROOT / page, 'python')[index]


def execute(page, **given):
    """Run a page's first program with the names that its text takes as given."""
    exec(compile(program(page), page, 'exec'), given)
    return given


def test_the_page_on_python_has_the_readmes():
    """test/examples runs that one on a photograph, a folder and a webcam."""
    assert program('docs/start/python.md') == program('README.md')


def test_the_listener_is_that_of_the_examples():
    """Its comments aside: test/node/test_examples_end.py runs the whole program."""
    (shown,) = ast.parse(program('docs/start/ros.md')).body
    whole = ast.parse((pages.ROOT / 'examples' / 'listener.py').read_text())
    functions = [node for node in ast.walk(whole) if isinstance(node, ast.FunctionDef)]
    (run,) = [node for node in functions if node.name == shown.name]
    run.body = run.body[1:]  # without the docstring
    assert ast.unparse(shown) == ast.unparse(run)


def test_attention(frames, capsys):
    with HeadPosePipeline() as pipeline:
        results = [pipeline.process(x, CAMERA, i / 30) for i, x in enumerate(frames)]
    found = execute('docs/attention.md', result=results[-1])['found']
    assert {look.target for look in found.looks} == {'camera', 'tablet'}
    assert len(capsys.readouterr().out.splitlines()) == len(found.looks) + len(found.events)


def test_calibrate():
    K = np.array([[500, 0, 320], [0, 500, 240], [0, 0, 1.0]])
    given = execute('docs/howto/calibrate.md', K=K, width=640, height=480, d=[0.1, 0, 0, 0, 0])
    assert given['camera'].width == 640


def test_tables(picture):
    pytest.importorskip('pandas')
    assert cli.main(['image', 'archive', '--csv', 'heads.csv', '--json', 'heads.json']) == 0
    text = program('docs/tables.md').splitlines()
    tables = {}
    for line in text:
        exec(line, tables)
        if line.startswith('rows'):
            assert len(tables['rows']) == 3, line
            assert set(tables['rows'].image) == {'archive/people.jpg'}


def test_archives(picture):
    pytest.importorskip('pandas')
    pytest.importorskip('pyarrow')
    pytest.importorskip('rosbags')
    assert cli.main(['batch', 'archive', '--out', 'poses']) == 0
    given = execute('docs/archives.md')
    assert len(given['heads']) == 3
    assert given['looks'].sum() == (given['heads'].facing_deg < 15).sum()


def test_viewer(frames, tmp_path, monkeypatch, capsys):
    chunk = pytest.importorskip('rerun.chunk', reason='rerun-sdk is missing or reads no files')
    assert chunk
    monkeypatch.chdir(tmp_path)
    writer = cv2.VideoWriter('clip.mp4', cv2.VideoWriter_fourcc(*'mp4v'), 30, (640, 480))
    for frame in frames:
        writer.write(frame)
    writer.release()
    (tmp_path / 'out' / 'demo').mkdir(parents=True)
    assert cli.main(['video', 'clip.mp4', '--rerun', 'out/demo/demo.rrd', '--hfov', '60']) == 0
    capsys.readouterr()
    execute('docs/viewer.md')
    assert len(capsys.readouterr().out.splitlines()) >= 3 * 4


def test_base_link(monkeypatch):
    """With stand-ins: tf2_geometry_msgs is not on the package index."""
    asked = []
    module = types.ModuleType('tf2_geometry_msgs')
    module.do_transform_pose_stamped = lambda pose, transform: (pose, transform)
    monkeypatch.setitem(sys.modules, 'tf2_geometry_msgs', module)
    header = types.SimpleNamespace(frame_id='camera_optical_frame', stamp=7)
    buffer = types.SimpleNamespace(lookup_transform=lambda *words: asked.append(words) or 'T')
    pose = types.SimpleNamespace(header=header)
    given = execute('docs/howto/base_link.md', buffer=buffer, pose=pose, timeout=1)
    assert asked == [('base_link', 'camera_optical_frame', 7, 1)]
    assert given['in_base'] == (pose, 'T')


def test_parameter_files():
    """Those on pages name parameters that there are."""
    file = yaml.safe_load((pages.ROOT / 'config' / 'headpose.yaml').read_text())
    known = set(file['/**']['ros__parameters'])
    given = [text for page in pages.PAGES for text in pages.blocks(page, 'yaml')]
    assert given
    for text in given:
        assert set(yaml.safe_load(text)['/**']['ros__parameters']) <= known


def test_no_program_is_left_out():
    tested = {
        'README.md': 1, 'docs/start/python.md': 1, 'docs/start/ros.md': 1, 'docs/attention.md': 1,
        'docs/howto/calibrate.md': 1, 'docs/tables.md': 1, 'docs/archives.md': 1,
        'docs/viewer.md': 1, 'docs/howto/base_link.md': 1,
    }  # fmt: skip
    found = {pages.name(page): len(pages.blocks(page, 'python')) for page in pages.PAGES}
    assert {name: count for name, count in found.items() if count} == tested
    for page in pages.PAGES:
        languages = {given for given, _ in pages.FENCE.findall(page.read_text())}
        assert languages <= {'', 'python', 'yaml', 'text'}, pages.name(page)
