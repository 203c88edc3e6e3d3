# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos: right when all goes well, and whole when it does not."""

from collections import namedtuple

import cv2
import numpy as np
import pytest

from headpose_ros.media import files
from headpose_ros.media.sinks import SinkError, VideoSink, write_picture
from headpose_ros.media.sources import open_source

IMAGE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


@pytest.mark.parametrize('suffix', ['.mp4', '.avi', '.mkv', '.MP4'])
@pytest.mark.parametrize(('width', 'height'), [(64, 48), (100, 76)])
def test_size_rate_and_count_are_kept(tmp_path, suffix, width, height):
    path = tmp_path / f'out{suffix}'
    with VideoSink(path, width, height, 12.5) as sink:
        for _ in range(25):
            sink.write(np.full((height, width, 3), 90, np.uint8))
    with open_source(path) as source:
        assert (source.width, source.height) == (width, height)
        assert source.rate_hz == pytest.approx(12.5, rel=1e-3)
        assert len(list(source)) == 25


def test_an_image_file_takes_one_image(tmp_path):
    with VideoSink(tmp_path / 'out.png', 64, 48, 10) as sink:
        sink.write(IMAGE)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'out.png')), IMAGE)


def test_an_image_file_takes_no_second_image(tmp_path):
    with VideoSink(tmp_path / 'out.png', 64, 48, 10) as sink:
        sink.write(IMAGE)
        with pytest.raises(SinkError, match='holds one image'):
            sink.write(IMAGE)


def written(path, times, rate=10.0):
    """Return which of images made for `times` are in the file, one after the other."""
    with VideoSink(path, 64, 48, rate) as sink:
        for i, time in enumerate(times):
            sink.write(np.full((48, 64, 3), 20 * i + 10, np.uint8), time)
    with open_source(path) as source:
        return [int(frame.image_bgr.mean()) // 20 for frame in source]


def test_times_decide_how_often_an_image_is_shown(tmp_path):
    path = tmp_path / 'out.avi'
    assert written(path, [0, 0.1, 0.2, 0.3]) == [0, 1, 2, 3]
    assert written(path, [0, 0.14, 0.16, 0.34, 0.36]) == [0, 1, 2, 3, 4], 'jitter'
    assert written(path, [0, 0.1, 0.5, 0.6]) == [0, 1, 1, 1, 1, 2, 3], 'a gap'
    assert written(path, [0, 0.01, 0.02, 0.03, 0.9]) == [0, 1, 2, 3, 3, 3, 3, 3, 3, 4], 'a burst'
    shown = written(path, [0, 0.1, 30.0, 30.1])
    assert [shown.count(i) for i in range(4)] == [1, 299, 1, 1], 'a pause'


def test_without_images_nothing_is_written_and_what_was_there_stays(tmp_path):
    path = tmp_path / 'out.mp4'
    for before in (None, b'of yesterday'):
        with pytest.raises(KeyboardInterrupt), VideoSink(path, 64, 48, 30):
            raise KeyboardInterrupt
        assert (path.read_bytes() if path.exists() else None) == before
        path.write_bytes(b'of yesterday')


@pytest.mark.parametrize('name', ['out.mp4', 'out.png'])
def test_a_finished_file_is_not_begun_anew(tmp_path, name):
    path = tmp_path / name
    sink = VideoSink(path, 64, 48, 10)
    sink.write(IMAGE)
    sink.close()
    before = path.read_bytes()
    with pytest.raises(SinkError, match='is closed and finished'):
        sink.write(IMAGE)
    sink.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize('shape', [(48, 64), (48, 64, 1)])
def test_grey_images(tmp_path, shape):
    with VideoSink(tmp_path / 'out.avi', 64, 48, 10) as sink:
        for _ in range(3):
            sink.write(np.full(shape, 90, np.uint8))
    with open_source(tmp_path / 'out.avi') as source:
        frames = list(source)
    assert len(frames) == 3
    np.testing.assert_allclose(frames[0].image_bgr, 90, atol=2)


@pytest.mark.parametrize('image', [np.zeros((48, 64, 3)), np.zeros((48, 64, 2), np.uint8)])
def test_what_is_no_image_is_told(tmp_path, image):
    with (
        VideoSink(tmp_path / 'out.avi', 64, 48, 10) as sink,
        pytest.raises(ValueError, match='image: expected uint8 pixels'),
    ):
        sink.write(image)


@pytest.mark.parametrize('rate', [0.0, -1.0, float('nan'), float('inf')])
def test_a_rate_that_makes_no_sense(tmp_path, rate):
    with pytest.raises(ValueError, match='rate_hz: expected a positive number'):
        VideoSink(tmp_path / 'out.mp4', 64, 48, rate)


def test_a_picture_that_cannot_be_written(tmp_path, capfd):
    for path in (tmp_path / 'none' / 'out.png', tmp_path / 'out.xyz'):
        with pytest.raises(SinkError, match='cannot be written'):
            write_picture(path, IMAGE)


@pytest.mark.parametrize('error', [KeyboardInterrupt, RuntimeError])
def test_whatever_ends_it_the_video_plays(tmp_path, error):
    path = tmp_path / 'out.mp4'
    with pytest.raises(error), VideoSink(path, 64, 48, 30) as sink:  # noqa: PT012
        for _ in range(7):
            sink.write(IMAGE)
        raise error
    with open_source(path) as source:
        assert len(list(source)) == 7


def test_a_full_disk_stops_in_time(tmp_path, monkeypatch):
    path = tmp_path / 'out.mp4'
    usage = namedtuple('usage', 'total used free')
    free = iter([1 << 40] * 21 + [1 << 20])
    monkeypatch.setattr(files.shutil, 'disk_usage', lambda p: usage(0, 0, next(free)))

    def fill():
        with VideoSink(path, 64, 48, 30) as sink:
            for _ in range(1000):
                sink.write(IMAGE)

    with pytest.raises(SinkError, match=r'only 1\.0 MB are left'):
        fill()
    with open_source(path) as source:
        assert len(list(source)) == 20


def test_a_disk_that_is_full_at_the_first_image_keeps_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / 'out.mp4'
    path.write_bytes(b'of yesterday')
    usage = namedtuple('usage', 'total used free')
    free = iter([1 << 40, 1 << 20])
    monkeypatch.setattr(files.shutil, 'disk_usage', lambda p: usage(0, 0, next(free)))
    with pytest.raises(SinkError, match=r'only 1\.0 MB'), VideoSink(path, 64, 48, 30) as sink:
        sink.write(IMAGE)
    assert path.read_bytes() == b'of yesterday'


def test_a_video_that_was_not_written_completely_is_told(tmp_path, capfd):
    path = tmp_path / 'out.mp4'
    sink = VideoSink(path, 64, 48, 30)
    for _ in range(3):
        sink.write(IMAGE)
    sink._writer.release()
    path.write_bytes(b'')  # as a file system that ran full leaves it
    with pytest.raises(SinkError, match='disk full'):
        sink.close()
    sink.close()


def test_impossible_outputs_are_told_at_once(tmp_path, monkeypatch):
    with pytest.raises(SinkError, match='unknown kind of video'):
        VideoSink(tmp_path / 'out.xyz', 64, 48, 30)
    with pytest.raises(SinkError, match='does not exist'):
        VideoSink(tmp_path / 'nowhere' / 'out.mp4', 64, 48, 30)
    (tmp_path / 'folder.mp4').mkdir()
    with pytest.raises(SinkError, match='is a folder'):
        VideoSink(tmp_path / 'folder.mp4', 64, 48, 30)
    monkeypatch.setattr(files.os, 'access', lambda path, mode: False)
    with pytest.raises(SinkError, match='permission denied'):
        VideoSink(tmp_path / 'out.mp4', 64, 48, 30)


def test_a_wrong_size_is_refused(tmp_path):
    with VideoSink(tmp_path / 'out.mp4', 64, 48, 30) as sink:
        with pytest.raises(ValueError, match='expected 64x48, got 48x64'):
            sink.write(IMAGE.transpose(1, 0, 2))
        sink.write(IMAGE)
