# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Containers that lie about rate or count: every image comes and goes out at its true time."""

import os
import threading

import cv2
import numpy as np
import pytest
from made_streams import h264, jpeg, matroska, mjpeg

from headpose_ros.media.pictures import IMAGE_RATE_HZ
from headpose_ros.media.sinks import VideoSink
from headpose_ros.media.sources import open_source
from headpose_ros.media.videos import SCANNED, usual_rate

EVEN = np.arange(60) / 30.0
RANDOM = np.random.default_rng(0)
TIMES = {
    'even': EVEN,
    'browser': np.cumsum(np.r_[0, RANDOM.uniform(0.015, 0.055, 59)]),
    'bursts': np.sort(np.r_[EVEN[:30], EVEN[:30] + 0.002]),
    'a pause of 8 s': np.r_[EVEN[:30], EVEN[30:] + 8.0],
    'a pause of 25 s': np.r_[EVEN[:30], EVEN[30:] + 25.0],
    'a pause at once': np.r_[0.0, EVEN[1:] + 5.0],
    'a pause at the end': np.r_[EVEN[:-1], 40.0],
    'slow, then fast': np.r_[0.5 * np.arange(30), 15.0 + EVEN[:30]],
    'an image a minute': 60.0 * np.arange(8),
    'an image an hour': 3600.0 * np.arange(4),
    'fast': np.arange(60) / 240.0,
}
USUAL = {'slow, then fast': 2.0, 'an image a minute': 1 / 60, 'an image an hour': 1 / 3600,
         'fast': 240.0}  # fmt: skip
HEADERS = {
    'live': {},
    'a duration': {'duration': 'true'},
    'a rate of 5': {'duration': 'true', 'rate': 5.0},
    'a rate of 1000': {'rate': 1000.0},
    'a short duration': {'duration': 0.1},
}


def grey_images(count):
    """Each of a level of its own."""
    return [np.full((48, 64, 3), 20 + 3 * i, np.uint8) for i in range(count)]


def levels_of(frames):
    return [round((frame.image_bgr.mean() - 20) / 3) for frame in frames]


def made(path, times, header=()):
    header = dict(header)
    if header.get('duration') == 'true':
        header['duration'] = times[-1] + 0.03
    path.write_bytes(matroska(grey_images(len(times)), times, **header))
    return path


@pytest.mark.parametrize('header', HEADERS)
@pytest.mark.parametrize('name', TIMES)
def test_every_image_comes_at_its_time(tmp_path, name, header):
    times = TIMES[name]
    with open_source(made(tmp_path / 'in.webm', times, HEADERS[header])) as source:
        frames = list(source)
        rate, count = source.rate_hz, source.frame_count
    assert levels_of(frames) == list(range(len(times)))
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=1.1e-3)
    if name not in ('browser', 'bursts'):
        assert rate == pytest.approx(USUAL.get(name, 30.0), rel=0.1)
    assert len(times) >= SCANNED or count == len(times), 'of a short one the count is known'


@pytest.mark.parametrize('suffix', ['mp4', 'mov', 'm4v'])
@pytest.mark.parametrize('name', TIMES)
def test_the_output_holds_each_image_once_at_its_time(tmp_path, name, suffix):
    times = TIMES[name]
    out = tmp_path / f'out.{suffix}'
    with (
        open_source(made(tmp_path / 'in.webm', times)) as source,
        VideoSink(out, 64, 48, source.rate_hz) as sink,
    ):
        for frame in source:
            sink.write(frame.image_bgr, frame.time)
    with open_source(out) as source:
        frames = list(source)
    assert len(frames) == len(times)
    assert np.diff(levels_of(frames)).min() >= 0
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=2.5e-3)


@pytest.mark.parametrize('suffix', ['avi', 'mkv'])
@pytest.mark.parametrize(
    'name', sorted(set(TIMES) - {'an image an hour', 'slow, then fast', 'bursts'})
)
def test_where_there_is_one_rate_images_are_repeated(tmp_path, name, suffix):
    times = TIMES[name]
    out = tmp_path / f'out.{suffix}'
    with (
        open_source(made(tmp_path / 'in.webm', times)) as source,
        VideoSink(out, 64, 48, source.rate_hz) as sink,
    ):
        for frame in source:
            sink.write(frame.image_bgr, frame.time)
    with open_source(out) as source:
        shown = [(level, frame.time) for frame in source for level in levels_of([frame])]
    first = {}
    for level, time in shown:
        first.setdefault(level, time)
    if suffix == 'avi':  # the other codec smears steps of 3 levels
        assert sorted(first) == list(range(len(times))), 'every image is there'
        slot = max(1 / USUAL.get(name, 30.0), 0.04) if name != 'an image a minute' else 1.0
        np.testing.assert_allclose([first[i] for i in range(len(times))], times, atol=2 * slot)
    assert shown[-1][1] == pytest.approx(times[-1], abs=1.0)


def test_a_video_of_one_rate_tells_what_it_cannot_show(tmp_path, caplog):
    with VideoSink(tmp_path / 'out.avi', 64, 48, 2.0) as sink:
        for image, time in zip(grey_images(30), np.arange(30) / 30, strict=True):
            sink.write(image, time)
    assert sink.frames == 30
    assert 'out.avi: images are shown up to 13.5 s late' in caplog.text
    assert 'an .mp4 shows any times' in caplog.text


def test_a_pause_of_hours_does_not_fill_the_disk(tmp_path, caplog):
    with VideoSink(tmp_path / 'out.avi', 64, 48, 1.0) as sink:
        for image, time in zip(grey_images(3), [0, 1, 36000], strict=True):
            sink.write(image, time)
    assert sink.frames == 2 + 600 + 1
    assert 'a pause was cut by 35398.0 s' in caplog.text
    caplog.clear()
    with VideoSink(tmp_path / 'out.mp4', 64, 48, 1.0) as sink:
        for image, time in zip(grey_images(3), [0, 1, 36000], strict=True):
            sink.write(image, time)
    with open_source(tmp_path / 'out.mp4') as source:
        assert [round(frame.time) for frame in source] == [0, 1, 36000]
    assert not caplog.text


def test_times_that_go_back_stay_in_order(tmp_path):
    with VideoSink(tmp_path / 'out.mp4', 64, 48, 10.0) as sink:
        for image, time in zip(grey_images(5), [0.0, 0.1, 0.05, 0.05, 0.4], strict=True):
            sink.write(image, time)
    with open_source(tmp_path / 'out.mp4') as source:
        times = [frame.time for frame in source]
    np.testing.assert_allclose(times, [0.0, 0.1, 0.101, 0.102, 0.4], atol=1e-4)


def test_a_video_that_cannot_be_timed_is_told(tmp_path, monkeypatch):
    from headpose_ros.media import sinks
    from headpose_ros.media.files import SinkError

    def refuse(*words):
        raise sinks.LayoutError('its index is damaged')

    monkeypatch.setattr(sinks, 'retime', refuse)
    sink = VideoSink(tmp_path / 'out.mp4', 64, 48, 10.0)
    for image, time in zip(grey_images(3), [0, 0.1, 5.0], strict=True):
        sink.write(image, time)
    with pytest.raises(SinkError, match=r'out\.mp4: holds all images, but not at their times'):
        sink.close()
    with open_source(tmp_path / 'out.mp4') as source:
        assert len(list(source)) == 3


@pytest.mark.parametrize('count', [1, 2, 3, SCANNED - 1, SCANNED, SCANNED + 1])
@pytest.mark.parametrize('kind', ['h264', 'mjpeg', 'mjpg', 'webm'])
def test_raw_streams_of_any_length(tmp_path, kind, count):
    images = grey_images(count)
    data = {'h264': h264, 'mjpeg': mjpeg, 'mjpg': mjpeg}.get(kind) or (
        lambda images: matroska(images, EVEN[: len(images)])
    )
    (tmp_path / f'in.{kind}').write_bytes(data(images))
    with open_source(tmp_path / f'in.{kind}') as source:
        assert source.frame_count == (count if count < SCANNED else None)
        frames, again = list(source), list(source)
    assert levels_of(frames) == list(range(count))
    times = [frame.time for frame in frames]
    rate = 30.0 if kind == 'webm' else 25.0
    if kind == 'h264' and count == 2 and cv2.__version__.startswith('4.5.'):
        rate = 50.0  # the rate of fields, all that this reader tells of so few images
    np.testing.assert_allclose(times, np.arange(count) / rate, atol=1.2e-3)
    assert [frame.time for frame in again] == times


def test_a_jpeg_followed_by_another_is_a_picture(tmp_path):
    """As phones append a preview or a second exposure; only the name says that it is a video."""
    (tmp_path / 'a.jpg').write_bytes(mjpeg(grey_images(2)))
    with open_source(tmp_path / 'a.jpg') as source:
        assert levels_of(source) == [0]


def test_a_picture_that_is_a_video(tmp_path):
    with open_source(made(tmp_path / 'a.jpg', EVEN[:5])) as source:
        assert levels_of(source) == list(range(5))


def test_a_named_pipe_is_read_once(tmp_path):
    os.mkfifo(tmp_path / 'pipe.webm')
    data = matroska(grey_images(40), EVEN[:40])
    feeder = threading.Thread(target=(tmp_path / 'pipe.webm').write_bytes, args=[data])
    feeder.start()
    with open_source(tmp_path / 'pipe.webm') as source:
        assert levels_of(source) == list(range(40))
    feeder.join(5)


def test_the_usual_rate():
    assert usual_rate([0.0], 30.0) == 30.0
    assert usual_rate([0.0, 0.0, 0.0], None) is None
    assert usual_rate([0.0, 0.033, 0.067, 0.1], 29.97) == 29.97, 'exact, and near enough'
    assert usual_rate([0.0, 0.1, 0.2], 1000.0) == pytest.approx(10.0)
    assert usual_rate([0.0, 1e-6, 2e-6], 25.0) == 25.0, 'no camera is as quick'
    assert usual_rate([0.0, 0.04, 0.08, 9.0, 9.04], None) == pytest.approx(25.0)


def deep_grey_video(path, images):
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*'FFV1'), 10.0, images[0].shape[::-1],
        [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U, cv2.VIDEOWRITER_PROP_IS_COLOR, 0],
    )  # fmt: skip
    for image in images:
        writer.write(image)
    writer.release()


@pytest.mark.parametrize('suffix', ['mkv', 'avi'])
def test_thermal_recordings_of_16_bits(tmp_path, suffix):
    """Values of 10 bits, whose upper 8 of 16 are black."""
    ramp = np.tile(np.arange(64, dtype=np.uint16) * 16, (48, 1))
    try:
        deep_grey_video(tmp_path / f'in.{suffix}', [ramp] * 5)
        assert cv2.VideoCapture(str(tmp_path / f'in.{suffix}')).read()[0]
    except (AttributeError, AssertionError, cv2.error):
        pytest.skip('this OpenCV writes no video of 16 bits')
    with open_source(tmp_path / f'in.{suffix}') as source:
        frames = list(source)
    assert len(frames) == 5
    assert frames[0].image_bgr.shape == (48, 64, 3)
    assert np.ptp(frames[-1].image_bgr[..., 1].astype(int)) > 200


def test_a_video_whose_images_claim_to_be_huge(tmp_path, capfd):
    data = bytearray(jpeg(grey_images(1)[0]))
    at = data.index(b'\xff\xc0') + 5
    data[at : at + 4] = b'\xff\x00\xff\x00'
    (tmp_path / 'in.mjpeg').write_bytes(bytes(data) * 3)
    from headpose_ros.media.frames import SourceError

    with pytest.raises(SourceError) as caught, open_source(tmp_path / 'in.mjpeg') as source:
        list(source)
    assert '\n' not in str(caught.value)


def test_a_folder_keeps_its_rate(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), grey_images(1)[0])
    with open_source(tmp_path) as source:
        assert source.rate_hz == IMAGE_RATE_HZ
