# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names that OpenCV, FFmpeg or a terminal do not take: as input, in a folder, as output."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from headpose_ros.media.file_names import plain_name, printable
from headpose_ros.media.pictures import find_pictures, read_picture
from headpose_ros.media.sinks import VideoSink, write_picture
from headpose_ros.media.sources import SourceError, open_source
from headpose_ros.media.table_files import CsvSink, JsonSink

IMAGE = np.full((48, 64, 3), 90, np.uint8)
NAMES = {
    'not UTF-8': os.fsdecode(b'caf\xe9'),
    'half a character': os.fsdecode(b'a\xc3'),
    'colons': '2024-05-01T12:30:00',
    'a protocol': 'file:a',
    'per cent': 'a%03d%s%%',
    'Chinese': '头部姿势',
    'spaces and quotes': 'a "b" \'c\'',
    'a leading dash': '-o',
    'newline': 'a\nb',
    'brackets': 'a[1]{2}*?',
    'a number': '0',
    'long': 'x' * 240,
}


@pytest.fixture(params=NAMES)
def name(request):
    return NAMES[request.param]


@pytest.mark.parametrize('relative', [True, False])
@pytest.mark.parametrize('suffix', ['.avi', '.mp4', '.mkv', '.mov'])
def test_videos(tmp_path, monkeypatch, name, suffix, relative):
    monkeypatch.chdir(tmp_path)
    path = Path(name + suffix) if relative else tmp_path / (name + suffix)
    with VideoSink(path, 64, 48, 10.0) as sink:
        for time in (0.0, 0.1, 0.2, 0.7):
            sink.write(IMAGE, time)
    assert os.listdir(os.fsencode(tmp_path)) == [os.fsencode(name + suffix)]
    for given in (path, str(path), Path('.') / path):
        with open_source(given) as source:
            assert len(list(source)) == (4 if suffix in ('.mp4', '.mov') else 8)


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.tiff'])
def test_pictures(tmp_path, monkeypatch, name, suffix):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / name
    folder.mkdir()
    for path in (Path(name + suffix), folder / (name + suffix)):
        write_picture(path, IMAGE)
        np.testing.assert_allclose(read_picture(path), IMAGE, atol=1)
        with open_source(path) as source:
            assert source.frame_count == 1
    assert find_pictures([folder]) == [folder / (name + suffix)]
    with open_source(folder) as source:
        assert [frame.name for frame in source] == [name + suffix]


def test_a_suffix_that_is_not_utf8(tmp_path):
    path = tmp_path / os.fsdecode(b'a.\xe9')
    write_picture(tmp_path / 'a.png', IMAGE)
    (tmp_path / 'a.png').rename(path)
    with open_source(path) as source:
        assert len(list(source)) == 1


def test_what_is_not_there_or_no_video_is_one_line(tmp_path, name):
    for missing in (True, False):
        path = tmp_path / f'{name}.mp4'
        if not missing:
            path.write_bytes(bytes(range(256)) * 9)
        with pytest.raises(SourceError) as caught:
            open_source(path)
        assert printable(path.name) in printable(str(caught.value))


def test_tables_name_pictures_of_any_name(tmp_path, name):
    place = ['image']
    with CsvSink(tmp_path / 'a.csv', place) as sink:
        sink.write([], None, image=name)
    with JsonSink(tmp_path / 'a.json', place) as sink:
        sink.write([], None, image=name)
    (line,) = (tmp_path / 'a.json').read_text('utf-8').splitlines()
    assert json.loads(line)['image'] == name, 'JSON can say any name'


def test_a_csv_file_is_utf8_whatever_the_name(tmp_path):
    from headpose_ros.heads import Head, Roi

    head = Head(
        'f0001', np.eye(3), np.array([0.0, 0.1, 1.0]), np.eye(6), 0.9, Roi(0, 0, 9, 9), 0.1, 0.1
    )
    path = tmp_path / os.fsdecode(b't\xe9.csv')
    with CsvSink(path, ['image']) as sink:
        sink.write([head], None, image=os.fsdecode(b'caf\xe9.jpg'))
    (row,) = csv.DictReader(io.StringIO(path.read_text('utf-8')))
    assert row['image'] == 'caf\\udce9.jpg'


def test_links_are_followed_and_left_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    import tempfile

    monkeypatch.setattr(tempfile, 'tempdir', None)
    target = tmp_path / os.fsdecode(b'\xe9.png')
    write_picture(target, IMAGE)
    with plain_name(target) as plain:
        assert plain.isascii()
        assert cv2.imread(plain).shape == IMAGE.shape
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


COMMANDS = """
import os
import sys
import numpy as np
import headpose_ros.pipeline
from headpose_ros.cli.main import main
from headpose_ros.heads import Head, Roi
from headpose_ros.result import FrameResult

class Fake:
    warnings = {}
    def __init__(self, config, mode='video'): pass
    def process(self, image, camera, stamp=None):
        head = Head('f0001', np.eye(3)[[1, 2, 0]], np.array([0, 0.1, 1.0]), np.eye(6), 0.9,
                    Roi(2, 2, 40, 40), 0.1, 0.1)
        return FrameResult((head,), 'f0001', stamp, tracks=(1,))
    def process_batch(self, images, cameras):
        return [self.process(image, camera) for image, camera in zip(images, cameras)]

headpose_ros.pipeline.HeadPosePipeline = Fake
for words in open('words', 'rb').read().split(b'\\x01'):
    try:
        status = main([os.fsdecode(word) for word in words.split(b'\\x02')])
    except SystemExit as end:
        status = end.code
    print('status', status, flush=True)
"""
ENVIRONMENTS = {
    'UTF-8': {'LC_ALL': 'C.UTF-8'},
    'ASCII terminal': {'LC_ALL': 'C.UTF-8', 'PYTHONIOENCODING': 'ascii'},
    'ASCII files': {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'},
}


@pytest.mark.parametrize('environment', ENVIRONMENTS)
@pytest.mark.parametrize('stem', [b'caf\xe9', '头é…'.encode(), b'12:30 %d'])
def test_every_command_takes_every_name_in_every_terminal(tmp_path, stem, environment):
    """In a process of its own, since the fault was a segmentation fault."""
    at = os.fsencode(tmp_path) + b'/'
    write_picture(tmp_path / 'a.jpg', IMAGE)
    with VideoSink(tmp_path / 'a.mp4', 64, 48, 10.0) as sink:
        for _ in range(4):
            sink.write(IMAGE)
    for suffix in (b'.jpg', b'.mp4'):
        os.rename(at + b'a' + suffix, at + stem + suffix)
    os.mkdir(at + stem)
    os.link(at + stem + b'.jpg', at + stem + b'/' + stem + b'.jpg')
    commands = [
        [b'video', stem + b'.mp4'],
        [b'video', stem + b'.mp4', b'-o', b'o' + stem + b'.mp4', b'--csv', stem + b'.csv'],
        [b'video', stem + b'.jpg', b'-o', b'o' + stem + b'.png', b'--json', b'-'],
        [b'video', stem],
        [b'image', stem + b'.jpg', stem, b'-o', b'out' + stem, b'--csv', b'-'],
        [b'image', stem + b'.jpg', b'--json', stem + b'.json'],
        [b'weights', b'list'],
        [b'weights', b'export', b'pfld', b'--onnx', stem + b'.onnx'],
        [b'weights', b'check', stem + b'.onnx'],
        [b'video', b'--help'],
        [b'image', b'--help'],
        [b'evaluate', b'--help'],
    ]
    refused = [
        [b'video', stem + b'.none'],
        [b'image', stem + b'.none'],
        [b'evaluate', b'posed', stem, b'--json', stem + b'.json2'],
        [b'weights', b'import', stem + b'.none', b'--output', stem + b'.onnx2'],
    ]
    (tmp_path / 'words').write_bytes(
        b'\x01'.join(b'\x02'.join(words) for words in commands + refused)
    )
    process = subprocess.run(
        [sys.executable, '-c', COMMANDS],
        cwd=tmp_path, capture_output=True, timeout=240,
        env={**os.environ, **ENVIRONMENTS[environment], 'PYTHONPATH': os.pathsep.join(sys.path)},
    )  # fmt: skip
    output = process.stdout.decode('utf-8', 'replace')
    errors = process.stderr.decode('utf-8', 'replace')
    assert process.returncode == 0, errors
    assert 'Traceback' not in errors
    found = [line.split()[1] for line in output.splitlines() if line.startswith('status')]
    assert found == ['0'] * len(commands) + ['2'] * len(refused), errors
    made = os.listdir(at)
    for name in (b'o' + stem + b'.mp4', stem + b'.csv', b'o' + stem + b'.png', stem + b'.json'):
        assert name in made
    assert os.listdir(at + b'out' + stem) != []
