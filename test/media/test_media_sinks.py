# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos and tables: right when all goes well, and whole when it does not."""

import csv
from collections import namedtuple

import cv2
import numpy as np
import pytest

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Head, Roi
from headpose_ros.media import sinks
from headpose_ros.media.sinks import CsvSink, SinkError, VideoSink
from headpose_ros.media.sources import Frame, open_source

IMAGE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


def a_head(name='f0001'):
    rotation = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
    return Head(
        name, rotation, np.array([0.1, 0.2, 1.5]), np.eye(6), 0.9, Roi(20, 10, 20, 20), 0.15, 0.2
    )


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
    assert written(path, [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]) == [0, 1, 3, 5], 'too many'
    assert written(path, [0, 0.1, 500.0, 500.1]) == [0, 1, 2, 3], 'a pause'


def test_without_images_nothing_is_written_and_what_was_there_stays(tmp_path):
    camera = CameraModel.from_fov(64, 48, 1.0)
    video, table = tmp_path / 'out.mp4', tmp_path / 'out.csv'
    for before in (None, b'of yesterday'):
        with (
            pytest.raises(KeyboardInterrupt),
            VideoSink(video, 64, 48, 30),
            CsvSink(table, camera),
        ):
            raise KeyboardInterrupt
        for path in (video, table):
            assert (path.read_bytes() if path.exists() else None) == before
            path.write_bytes(b'of yesterday')
    with CsvSink(table, camera) as sink:
        sink.write(Frame(IMAGE, 0.0, 0, 'a.png'), [])
    assert table.read_text().startswith('file,distortion_model')  # an image without heads counts


def test_a_table_on_a_full_disk_is_told_by_its_name():
    with (
        pytest.raises(SinkError, match='/dev/full: cannot be written: No space left'),
        CsvSink('/dev/full', CameraModel.from_fov(64, 48, 1.0)) as sink,
    ):
        sink.write(Frame(IMAGE, 0.0, 0, 'a.png'), [a_head()])


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
    monkeypatch.setattr(sinks.shutil, 'disk_usage', lambda p: usage(0, 0, next(free)))

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
    monkeypatch.setattr(sinks.shutil, 'disk_usage', lambda p: usage(0, 0, next(free)))
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
    monkeypatch.setattr(sinks.os, 'access', lambda path, mode: False)
    with pytest.raises(SinkError, match='permission denied'):
        VideoSink(tmp_path / 'out.mp4', 64, 48, 30)
    with pytest.raises(SinkError, match='does not exist'):
        CsvSink(tmp_path / 'nowhere' / 'out.csv', CameraModel.from_fov(64, 48, 1.0))


def test_a_wrong_size_is_refused(tmp_path):
    with VideoSink(tmp_path / 'out.mp4', 64, 48, 30) as sink:
        with pytest.raises(ValueError, match='expected 64x48, got 48x64'):
            sink.write(IMAGE.transpose(1, 0, 2))
        sink.write(IMAGE)


def test_the_table_has_the_columns_of_poses_csv(tmp_path):
    camera = CameraModel.from_matrix(
        [[500, 0, 31], [0, 501, 23], [0, 0, 1]], 64, 48, 'plumb_bob', [0.1, 0.02, 0, 0, 0]
    )
    with CsvSink(tmp_path / 'out.csv', camera) as sink:
        sink.write(Frame(IMAGE, 0.0, 0, 'a.png'), [])
        sink.write(Frame(IMAGE, 0.1, 1, 'b.png'), [a_head('f0001'), a_head('f0002')])
        # Rows are on disk before the end, for the case that it never comes.
        assert (tmp_path / 'out.csv').read_text().count('\n') == 3
    with (tmp_path / 'out.csv').open(newline='') as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert ','.join(reader.fieldnames) == (
        'file,distortion_model,fx,fy,cx,cy,d0,d1,d2,d3,d4,r00,r01,r02,r10,r11,r12,r20,r21,r22,'
        'tx,ty,tz,off_axis_deg,id,score,time'
    )
    assert [row['id'] for row in rows] == ['f0001', 'f0002']
    row = rows[0]
    assert (row['file'], row['distortion_model'], row['time']) == (
        'b.png',
        'plumb_bob',
        '0.100000',
    )
    assert [float(row[f'd{i}']) for i in range(5)] == [0.1, 0.02, 0, 0, 0]
    rotation = np.array([float(row[f'r{i}{j}']) for i in range(3) for j in range(3)])
    np.testing.assert_array_equal(rotation.reshape(3, 3), a_head().rotation_camera_from_face)
    assert float(row['off_axis_deg']) == pytest.approx(np.degrees(0.15), rel=1e-6)


def test_the_table_is_read_by_our_own_reader(tmp_path):
    from headpose_ros.evaluation.posed import read_posed

    camera = CameraModel.from_matrix(
        [[500, 0, 31], [0, 501, 23], [0, 0, 1]], 64, 48, 'equidistant', [0.1, 0.02, 0, 0]
    )
    with CsvSink(tmp_path / 'poses.csv', camera) as sink:
        sink.write(Frame(IMAGE, 0.1, 1, 'b.png'), [a_head()])
    (row,) = read_posed(tmp_path)
    np.testing.assert_allclose(row.position, a_head().position)
    assert row.lens.distortion_model == 'equidistant'
