# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose video`, from the words on the command line to the files it leaves."""

import csv
import dataclasses
import json
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import cv2
import numpy as np
import pytest

import headpose_ros.pipeline
from headpose_ros.cli.main import main
from headpose_ros.heads import Head, Roi
from headpose_ros.media import files, sinks
from headpose_ros.media.sources import open_source
from headpose_ros.result import FrameResult

FRONTAL = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])


class FakePipeline:
    """One head in every image but the first; remembers how it was called."""

    last = None

    def __init__(self, config, mode='video'):
        FakePipeline.last = self
        self.config, self.mode = config, mode
        self.calls = []

    def process(self, image_bgr, camera, stamp=None, depth=None):
        self.calls.append((image_bgr.shape, camera, stamp))
        if len(self.calls) == 1:
            return FrameResult(stamp=stamp)
        roi = Roi(20, 20, 40, 40)
        position = np.array([0.0, 0.1, 1.0])
        head = Head('f0001', FRONTAL, position, np.eye(6), 0.9, roi, 0.1, 0.1)
        return FrameResult((head,), 'f0001', stamp, tracks=(1,))


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(headpose_ros.pipeline, 'HeadPosePipeline', FakePipeline)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 12.0, (160, 120))
    for i in range(24):
        writer.write(np.full((120, 160, 3), 5 * i, np.uint8))
    writer.release()
    return path


def test_a_video_in_gives_video_and_table_out(fake, clip, tmp_path, capsys):
    out, table = tmp_path / 'out.mp4', tmp_path / 'out.csv'
    assert main(['video', str(clip), '-o', str(out), '--csv', str(table), '--hfov', '70']) == 0
    with open_source(out) as source:
        assert (source.width, source.height) == (160, 120)
        assert source.rate_hz == pytest.approx(12.0)
        assert len(list(source)) == 24
    with table.open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 23
    assert int(rows[0]['stamp_ns']) == pytest.approx(1e9 / 12, abs=1e3)
    assert (rows[0]['image'], rows[0]['principal']) == ('clip.avi#000001', 'true')
    assert FakePipeline.last.calls[0][1].fx == pytest.approx(80 / np.tan(np.radians(35)))
    printed = capsys.readouterr()
    assert printed.out == '24 images, heads in 23 of them (95.8 %), 1 person\n'
    assert 'frame/s' in printed.err


def test_json_lines_hold_every_image(fake, clip, tmp_path):
    path = tmp_path / 'out.json'
    assert main(['video', str(clip), '--json', str(path), '--hfov', '70']) == 0
    images = [json.loads(line) for line in path.read_text().splitlines()]
    assert [len(image['heads']) for image in images] == [0] + [1] * 23
    assert (images[3]['image'], images[3]['stamp_ns']) == ('clip.avi#000003', 250000000)
    assert images[3]['heads'][0]['id'] == 'f0001'


@pytest.mark.parametrize('option', ['--csv', '--json'])
def test_nothing_else_goes_to_standard_output(fake, clip, capsys, option):
    assert main(['video', str(clip), option, '-']) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    if option == '--csv':
        assert len(list(csv.DictReader(lines))) == 23
    else:
        assert len([json.loads(line) for line in lines]) == 24
    assert '24 images, heads in 23 of them' in printed.err


def test_without_an_output_the_poses_are_printed(fake, clip, capsys):
    assert main(['video', str(clip), '--hfov', '70']) == 0
    printed = capsys.readouterr()
    lines = [line.split() for line in printed.out.splitlines()]
    assert lines[0][:3] == ['time', 'head', 'distance']
    assert lines[1] == ['0.000', 's', 'nobody', 'found']
    assert lines[2][:6] == ['0.083', 's', 'f0001', '*', '1.00', 'm']
    assert len(lines) == 1 + 24 + 2 + 1
    assert 'frame/s' not in printed.err, 'a bar would be drawn through the table'


def test_options_reach_the_pipeline(fake, clip):
    words = '--no-rectify --every 9 --detector retinaface --estimator landmarks --device cpu'
    more = '--weights w.onnx --detector-weights d.onnx --no-smoothing --max-heads 3'
    assert main(['video', str(clip), '--hfov', '60', *words.split(), *more.split()]) == 0
    config = FakePipeline.last.config
    assert not config.rectify
    assert not config.smoothing
    assert (config.detect_every, config.detector, config.estimator) == (
        9,
        'retinaface',
        'landmarks',
    )
    assert (config.weights, config.detector_weights) == ('w.onnx', 'd.onnx')
    assert config.max_heads == 3


def test_defaults_are_those_of_the_config(fake, clip):
    assert main(['video', str(clip)]) == 0
    assert FakePipeline.last.config == headpose_ros.PipelineConfig()


def test_without_a_lens_a_guess_is_made_and_said(fake, clip, capsys):
    assert main(['video', str(clip)]) == 0
    assert 'no --camera-info or --hfov' in capsys.readouterr().err
    assert FakePipeline.last.calls[0][1].fx == pytest.approx(80 / np.tan(np.radians(30)))


def test_a_calibration_file(fake, clip, tmp_path):
    path = tmp_path / 'camera.yaml'
    path.write_text(
        'image_width: 320\nimage_height: 240\ncamera_name: test\n'
        'camera_matrix: {rows: 3, cols: 3, data: [300, 0, 160, 0, 301, 120, 0, 0, 1]}\n'
        'distortion_model: plumb_bob\n'
        'distortion_coefficients: {rows: 1, cols: 5, data: [0.1, 0, 0, 0, 0]}\n'
        'rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}\n'
        'projection_matrix: {rows: 3, cols: 4,\n'
        '  data: [300, 0, 160, 0, 0, 301, 120, 0, 0, 0, 1, 0]}\n'
    )
    assert main(['video', str(clip), '--camera-info', str(path)]) == 0
    camera = FakePipeline.last.calls[0][1]
    assert (camera.width, camera.fx, camera.distortion[0]) == (160, pytest.approx(150), 0.1)


def test_one_image_in_one_image_out(fake, tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((120, 160, 3), np.uint8))
    words = ['video', str(tmp_path / 'a.png'), '-o', str(tmp_path / 'b.png'), '--hfov', '60']
    assert main(words) == 0
    assert cv2.imread(str(tmp_path / 'b.png')).shape == (120, 160, 3)
    assert FakePipeline.last.mode == 'image', 'there is no second image to wait for'


def test_a_picture_of_three_people_has_three_heads(tmp_path, capsys):
    """With the shipped networks: nothing confirms a face in a single picture."""
    demo = Path(headpose_ros.__file__).parent / 'demo'
    with open_source(demo / 'clip.mp4') as source:
        cv2.imwrite(str(tmp_path / 'a.png'), next(iter(source)).image_bgr)
    words = ['video', str(tmp_path / 'a.png'), '--csv', str(tmp_path / 'a.csv'), '--device', 'cpu']
    assert main([*words, '--camera-info', str(demo / 'clip_camera.yaml')]) == 0
    assert '1 image, heads in 1 of them (100.0 %), 3 people' in capsys.readouterr().out
    with (tmp_path / 'a.csv').open(newline='') as file:
        assert [row['id'] for row in csv.DictReader(file)] == ['f0001', 'f0002', 'f0003']


def test_a_picture_of_a_video(fake, clip, tmp_path, capsys):
    words = ['video', str(clip), '-o', str(tmp_path / 'b.png'), '--hfov', '60']
    assert main(words) == 2
    assert (
        'a picture holds one image, and the input has 24; name a video' in capsys.readouterr().err
    )
    assert main([*words, '--frames', '1']) == 0
    assert cv2.imread(str(tmp_path / 'b.png')).shape == (120, 160, 3)


def test_images_that_come_unevenly_keep_their_times(fake, tmp_path, monkeypatch):
    """A video of 10 images a second whose last ones are half a second apart."""
    from headpose_ros.media import sources

    class Uneven(sources.VideoSource):
        def __iter__(self):
            times = [0.0, 0.1, 0.2, 0.7, 1.2, 1.7]
            for frame, time in zip(super().__iter__(), times, strict=True):
                yield dataclasses.replace(frame, time=time)

    monkeypatch.setattr(sources, 'VideoSource', Uneven)
    clip, out, table = (tmp_path / name for name in ('in.avi', 'out.avi', 'out.csv'))
    with sinks.VideoSink(clip, 160, 120, 10.0) as sink:
        for i in range(6):
            sink.write(np.full((120, 160, 3), 40 * i, np.uint8))
    assert main(['video', str(clip), '-o', str(out), '--csv', str(table), '--hfov', '60']) == 0
    monkeypatch.undo()
    with open_source(out) as source:
        greys = [round(frame.image_bgr[5, 150, 0] / 40) for frame in source]
    assert greys == [0, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5]
    with table.open(newline='') as file:
        stamps = [int(row['stamp_ns']) for row in csv.DictReader(file)]
    assert stamps == [100000000, 200000000, 700000000, 1200000000, 1700000000]


@pytest.mark.parametrize('make', ['same', 'link'])
def test_the_input_is_never_written_over(fake, clip, tmp_path, capsys, make):
    other = clip
    if make == 'link':
        other = tmp_path / 'other.avi'
        other.hardlink_to(clip)
    before = clip.read_bytes()
    for option in ('-o', '--csv', '--json'):
        assert main(['video', str(clip), option, str(other), '--hfov', '60']) == 2
        assert 'is part of the input' in capsys.readouterr().err
    assert clip.read_bytes() == before


def test_an_image_of_the_input_folder_is_not_written_over(fake, tmp_path, capsys):
    image = tmp_path / 'images' / 'a.png'
    image.parent.mkdir()
    cv2.imwrite(str(image), np.zeros((120, 160, 3), np.uint8))
    assert main(['video', str(image.parent), '-o', str(image), '--hfov', '60']) == 2
    assert 'is part of the input' in capsys.readouterr().err


def test_two_outputs_do_not_share_a_file(fake, clip, tmp_path, capsys):
    both = str(tmp_path / 'out.mp4')
    assert main(['video', str(clip), '-o', both, '--csv', both, '--hfov', '60']) == 2
    assert '-o and --csv: both name' in capsys.readouterr().err


def test_stop_after_some_frames(fake, clip):
    assert main(['video', str(clip), '--frames', '5']) == 0
    assert len(FakePipeline.last.calls) == 5


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['{dir}/none.mp4'], 'no such file'),
        (['{dir}'], 'holds no images'),
        (['{clip}', '--hfov', '200'], '--hfov'),
        (['{clip}', '--camera-info', '{dir}/none.yaml'], 'none.yaml'),
        (['{clip}', '-o', '{dir}/none/out.mp4'], 'does not exist'),
        (['{clip}', '-o', '{dir}/out.doc'], 'unknown kind of video'),
        (['{clip}', '--every', '0'], 'detect_every: expected 1 to 1000'),
        (['{clip}', '--rate', '0'], 'rate'),
        (['{clip}', '--frames', '0'], '--frames'),
        (['{clip}', '--timeout', '0'], 'timeout'),
        (['gopher://camera/live'], 'gopher:// cannot be read'),
        (['{clip}', '--csv', '-', '--json', '-'], 'cannot both go there'),
    ],
)
def test_what_cannot_work_is_told_in_one_line(fake, clip, tmp_path, capsys, words, said):
    folder = tmp_path / 'empty'
    folder.mkdir()
    filled = [word.format(dir=folder, clip=clip) for word in words]
    assert main(['video', '--hfov', '60', *filled] if 'camera-info' not in str(words) else
                ['video', *filled]) == 2  # fmt: skip
    text = capsys.readouterr().err
    assert said in text
    assert 'Traceback' not in text


def test_a_full_disk_leaves_a_video_that_plays(fake, clip, tmp_path, monkeypatch, capsys):
    usage = namedtuple('usage', 'total used free')
    free = iter([1 << 40] * 11 + [1 << 20])
    monkeypatch.setattr(files.shutil, 'disk_usage', lambda path: usage(0, 0, next(free)))
    out = tmp_path / 'out.mp4'
    assert main(['video', str(clip), '-o', str(out), '--hfov', '60']) == 2
    assert 'are left on its disk' in capsys.readouterr().err
    with open_source(out) as source:
        assert len(list(source)) == 10


def test_a_camera_that_disappears(fake, tmp_path, monkeypatch, capsys):
    class Unplugged:
        def __init__(self, device):
            self.left = 9

        def isOpened(self):
            return True

        def set(self, what, value):
            return True

        def get(self, what):
            return 30.0

        def read(self):
            self.left -= 1
            return (True, np.zeros((120, 160, 3), np.uint8)) if self.left >= 0 else (False, None)

        def release(self):
            pass

    real = cv2.VideoCapture
    monkeypatch.setattr(cv2, 'VideoCapture', lambda x: Unplugged(x) if x == 0 else real(x))
    out, table = tmp_path / 'out.mp4', tmp_path / 'out.csv'
    assert main(['video', '0', '-o', str(out), '--csv', str(table), '--hfov', '60']) == 2
    printed = capsys.readouterr()
    assert 'unplugged' in printed.err
    assert '8 images, heads in 7' in printed.out
    assert len(table.read_text().splitlines()) == 1 + 7
    with open_source(out) as source:
        assert len(list(source)) >= 1, 'as many as fit the times at which they came'


SLOW = """
import sys, time
import numpy as np
import headpose_ros.pipeline
from headpose_ros.cli.main import main
from headpose_ros.result import FrameResult

class Slow:
    def __init__(self, config, mode): pass
    def process(self, image, camera, stamp=None):
        time.sleep(0.05)
        print('image', flush=True)
        return FrameResult()

headpose_ros.pipeline.HeadPosePipeline = Slow
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize('signal_number', [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_finishes_the_file(clip, tmp_path, signal_number):
    out = tmp_path / 'out.mp4'
    words = ['video', str(clip), '-o', str(out), '--hfov', '60']
    process = subprocess.Popen(
        [sys.executable, '-c', SLOW, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(5):
        assert process.stdout.readline() == 'image\n'
    process.send_signal(signal_number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert 'headpose video: interrupted' in errors
    assert 'Traceback' not in errors
    with open_source(out) as source:
        assert 4 <= len(list(source)) <= 23


def test_a_window_where_there_is_none(fake, clip, monkeypatch, capsys):
    def refuse(*words):
        raise cv2.error('not implemented')

    monkeypatch.setattr(cv2, 'namedWindow', refuse)
    assert main(['video', str(clip), '--show', '--hfov', '60']) == 2
    text = capsys.readouterr().err
    assert "pip install 'headpose_ros[gui]'" in text
    assert len(text.splitlines()) == 1


def test_the_window_shows_every_image_until_q(fake, clip, monkeypatch):
    shown = []
    monkeypatch.setattr(cv2, 'namedWindow', lambda *words: None)
    monkeypatch.setattr(cv2, 'imshow', lambda name, image: shown.append(image))
    monkeypatch.setattr(cv2, 'waitKey', lambda ms: ord('q') if len(shown) == 7 else -1)
    monkeypatch.setattr(cv2, 'destroyAllWindows', lambda: shown.append('closed'))
    assert main(['video', str(clip), '--show', '--hfov', '60']) == 0
    assert len(shown) == 8
    assert shown[-1] == 'closed'
