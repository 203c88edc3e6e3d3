# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of input, and every way in which one is not readable."""

import struct

import cv2
import numpy as np
import pytest

from headpose_ros.media.live import WEBCAM_RATE_HZ
from headpose_ros.media.sources import IMAGE_RATE_HZ, SourceError, open_source


def image_of(value, width=64, height=48):
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture
def video(tmp_path):
    """Return a video of 12 images at 12.5 Hz whose brightness rises by 20 each."""
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 12.5, (64, 48))
    for i in range(12):
        writer.write(image_of(20 * i))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / 'images'
    path.mkdir()
    for i in (1, 2, 10, 9):
        cv2.imwrite(str(path / f'view{i}.png'), image_of(i))
    (path / 'notes.txt').write_text('not an image')
    (path / '._view1.png').write_text('what some systems leave beside a file')
    return path


def test_a_video_gives_all_its_images_in_time(video):
    with open_source(video) as source:
        assert (source.width, source.height, source.frame_count) == (64, 48, 12)
        assert source.rate_hz == pytest.approx(12.5)
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(12))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) / 12.5)
    means = [frame.image_bgr.mean() for frame in frames]
    np.testing.assert_allclose(means, 20 * np.arange(12), atol=4)
    assert frames[3].name == 'clip.avi#000003'


def test_a_folder_comes_in_natural_order(folder):
    with open_source(folder) as source:
        assert source.frame_count == 4
        assert source.rate_hz == IMAGE_RATE_HZ
        frames = list(source)
    assert [frame.image_bgr[0, 0, 0] for frame in frames] == [1, 2, 9, 10]
    assert [frame.name for frame in frames][-1] == 'view10.png'


def test_a_single_image(folder):
    with open_source(folder / 'view9.png') as source:
        (frame,) = source
    assert frame.image_bgr.shape == (48, 64, 3)
    assert frame.time == 0


@pytest.mark.parametrize('kind', ['video', 'folder'])
def test_loops_go_on_in_time(kind, video, folder):
    source = open_source({'video': video, 'folder': folder}[kind], loop=True, rate=25)
    assert source.frame_count is None
    frames = [frame for frame, _ in zip(source, range(30), strict=False)]
    source.close()
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(30) / 25)
    period = {'video': 12, 'folder': 4}[kind]
    np.testing.assert_array_equal(frames[0].image_bgr, frames[period].image_bgr)


def test_a_video_can_be_read_only_as_it_is_iterated(video):
    first = next(iter(open_source(video, rate=5.0)))
    assert first.index == 0


@pytest.mark.parametrize('name', ['', 'a.jpg', 'a.mp4', 'sub'])
def test_what_is_not_there(tmp_path, name):
    with pytest.raises(SourceError, match='no such'):
        open_source(tmp_path / 'missing' / name)


def test_what_is_empty(tmp_path):
    (tmp_path / 'empty.mp4').touch()
    with pytest.raises(SourceError, match='the file is empty'):
        open_source(tmp_path / 'empty.mp4')
    (tmp_path / 'folder').mkdir()
    with pytest.raises(SourceError, match='holds no images'):
        open_source(tmp_path / 'folder')


@pytest.mark.parametrize('name', ['bad.mp4', 'bad.txt', 'bad.png'])
def test_what_cannot_be_decoded(tmp_path, name, capfd):
    (tmp_path / name).write_bytes(bytes(range(256)) * 40)
    with pytest.raises(SourceError, match='OpenCV can'):
        open_source(tmp_path / name)


def test_a_video_that_breaks_off_is_an_error_after_its_images(tmp_path):
    path = tmp_path / 'whole.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 30, (320, 240))
    noise = np.random.default_rng(0)
    for _ in range(40):
        writer.write(noise.integers(0, 255, (240, 320, 3), np.uint8))
    writer.release()
    broken = tmp_path / 'broken.avi'
    data = path.read_bytes()
    broken.write_bytes(data[: len(data) // 2])
    frames = []
    with open_source(broken) as source:
        source.frame_count = 40  # as containers with their index in front say
        with pytest.raises(SourceError, match=r'breaks off after \d+'):
            frames.extend(source)
    assert 10 < len(frames) < 30, 'what came before the break was handed out'


@pytest.mark.parametrize('kind', ['video', 'folder'])
def test_files_can_be_iterated_over_again(kind, video, folder):
    with open_source({'video': video, 'folder': folder}[kind]) as source:
        first, second = list(source), list(source)
    assert [frame.time for frame in first] == [frame.time for frame in second]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.image_bgr, other.image_bgr)


def test_an_iteration_that_was_left_early_does_not_shorten_the_next(video):
    with open_source(video) as source:
        for _ in zip(source, range(5), strict=False):
            pass
        assert [frame.index for frame in source] == list(range(12))


def test_a_video_that_is_gone_at_the_second_iteration(video, capfd):
    with open_source(video) as source:
        list(source)
        video.unlink()
        with pytest.raises(SourceError, match=r'clip\.avi'):
            list(source)


@pytest.mark.parametrize('kind', ['video', 'folder'])
def test_what_is_closed_gives_no_more(kind, video, folder):
    source = open_source({'video': video, 'folder': folder}[kind])
    frames = iter(source)
    next(frames)
    source.close()
    source.close()
    with pytest.raises(SourceError, match='is closed'):
        next(frames)
    with pytest.raises(SourceError, match='is closed'):
        next(iter(source))


def test_files_are_known_by_their_content(video, folder):
    picture = (folder / 'view1.png').rename(folder / 'view1.dat')
    with open_source(picture) as source:
        assert source.frame_count == 1
    assert len(list(open_source(folder))) == 4, 'the folder gives it, too'
    with open_source(video.rename(video.with_suffix('.dat'))) as source:
        assert source.frame_count == 12


def test_images_of_several_sizes_are_refused(folder):
    cv2.imwrite(str(folder / 'view11.png'), image_of(3, width=32))
    with open_source(folder) as source, pytest.raises(SourceError, match=r'32x48.*64x48'):
        list(source)


def test_absent_cameras(capfd):
    with pytest.raises(SourceError, match='no such camera'):
        open_source('/dev/video77')
    with pytest.raises(SourceError, match='camera 77: cannot be opened'):
        open_source('77')


class FakeFile:
    """A video file whose images have the times `stamps`, ms, and whose header says `count`."""

    stamps = ()
    count = 0

    def __init__(self, path):
        self.read_so_far = 0

    def isOpened(self):
        return True

    def get(self, what):
        return {
            cv2.CAP_PROP_FPS: 10.0,
            cv2.CAP_PROP_FRAME_COUNT: self.count,
            # Newer OpenCV has forgotten the last one's time once it met the end.
            cv2.CAP_PROP_POS_MSEC: (*self.stamps, 0.0)[self.read_so_far - 1],
        }.get(what, 0.0)

    def read(self):
        left = self.read_so_far < len(self.stamps)
        self.read_so_far += 1
        return left, image_of(self.read_so_far) if left else None

    def grab(self):
        return self.read()[0]

    def release(self):
        pass


def times_of(monkeypatch, path, stamps, count, **options):
    monkeypatch.setattr(FakeFile, 'stamps', stamps)
    monkeypatch.setattr(FakeFile, 'count', count)
    monkeypatch.setattr(cv2, 'VideoCapture', FakeFile)
    with open_source(path, **options) as source:
        return [frame.time for frame, _ in zip(source, range(7), strict=False)]


def test_images_that_come_unevenly_have_the_times_of_the_file(monkeypatch, video):
    uneven = (200, 300, 400, 900, 1400)
    even_count = 14  # as OpenCV reckons from the duration
    times = times_of(monkeypatch, video, uneven, even_count)
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.7, 1.2])
    times = times_of(monkeypatch, video, uneven, even_count, loop=True)
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.7, 1.2, 1.3, 1.4])
    times = times_of(monkeypatch, video, uneven, 5, rate=5.0)
    np.testing.assert_allclose(times, np.arange(5) / 5)


@pytest.mark.parametrize('stamps', [(0, 0, 0, 0), (300, 200, 100, 0)])
def test_times_that_make_no_sense_are_taken_to_be_even(monkeypatch, video, stamps):
    times = times_of(monkeypatch, video, stamps, 4)
    np.testing.assert_allclose(times, np.arange(4) / 10)


def test_an_uneven_video_that_breaks_off(monkeypatch, video):
    with pytest.raises(SourceError, match='breaks off after 5 of 40 images'):
        times_of(monkeypatch, video, (200, 300, 400, 900, 1400), 40)


def test_a_video_without_images(tmp_path, capfd):
    writer = cv2.VideoWriter(
        str(tmp_path / 'a.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (64, 48)
    )
    writer.release()
    with pytest.raises(SourceError, match='OpenCV can'):
        open_source(tmp_path / 'a.avi')


def test_pictures_of_every_depth_and_one_of_a_single_pixel(tmp_path):
    for name, image in {
        'grey.png': np.full((48, 64), 90, np.uint8),
        'grey16.png': np.full((48, 64), 90 * 257, np.uint16),
        'alpha.png': np.full((48, 64, 4), 90, np.uint8),
        'with spaces é.png': np.full((48, 64, 3), 90, np.uint8),
        'one.png': np.full((1, 1, 3), 90, np.uint8),
    }.items():
        cv2.imwrite(str(tmp_path / name), image)
        with open_source(tmp_path / name) as source:
            (frame,) = source
        np.testing.assert_array_equal(frame.image_bgr, np.full((*image.shape[:2], 3), 90))


def test_a_picture_that_the_camera_took_lying_is_turned_upright(tmp_path):
    path = tmp_path / 'lying.jpg'
    cv2.imwrite(str(path), image_of(90))
    # An APP1 segment with one EXIF entry: orientation 6.
    entry = struct.pack('<HHLHH', 0x0112, 3, 1, 6, 0)
    exif = b'Exif\0\0II*\0' + struct.pack('<LH', 8, 1) + entry + bytes(4)
    data = path.read_bytes()
    path.write_bytes(data[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + data[2:])
    with open_source(path) as source:
        assert (source.width, source.height) == (48, 64)


class FakeCapture:
    """A webcam that is unplugged after three images."""

    rate = 15.0
    image = image_of(9)

    def __init__(self, device):
        self.left = 4

    def set(self, what, value):
        return True

    def get(self, what):
        return self.rate if what == cv2.CAP_PROP_FPS else 0.0

    def read(self):
        self.left -= 1
        return (True, self.image) if self.left >= 0 else (False, None)

    def release(self):
        pass


def test_a_webcam_that_is_unplugged(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    source = open_source('0')
    assert source.rate_hz == 15.0
    frames = []
    with pytest.raises(SourceError, match='unplugged'):
        frames.extend(source)
    assert len(frames) == 3
    assert [frame.time for frame in frames] == sorted(frame.time for frame in frames)


@pytest.mark.parametrize('rate', [-1.0, 0.0, float('nan'), float('inf'), 1e6])
def test_a_webcam_that_does_not_know_its_rate(monkeypatch, rate):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    monkeypatch.setattr(FakeCapture, 'rate', rate)
    assert open_source('0').rate_hz == WEBCAM_RATE_HZ
    assert open_source('0', rate=5.0).rate_hz == 5.0


@pytest.mark.parametrize(
    'image', [np.full((48, 64), 9, np.uint8), np.full((48, 64, 1), 9, np.uint8)]
)
def test_a_webcam_that_sees_grey(monkeypatch, image):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    monkeypatch.setattr(FakeCapture, 'image', image)
    source = open_source('0')
    assert (source.width, source.height) == (64, 48)
    np.testing.assert_array_equal(next(iter(source)).image_bgr, image_of(9))


def test_a_webcam_that_changes_its_size(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    source = open_source('0')
    monkeypatch.setattr(FakeCapture, 'image', image_of(9, width=32))
    with pytest.raises(SourceError, match=r'camera 0#000000: is 32x48, but .* 64x48'):
        next(iter(source))


def test_a_webcam_goes_on_when_iterated_over_again(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    source = open_source('0')
    first, second = next(iter(source)), next(iter(source))
    assert (first.index, second.index) == (0, 0)
    source.close()
    with pytest.raises(SourceError, match='is closed'):
        next(iter(source))


@pytest.mark.parametrize('rate', [0, -1, float('nan'), float('inf')])
def test_rates_must_be_positive(folder, rate):
    with pytest.raises(ValueError, match='rate'):
        open_source(folder, rate=rate)
