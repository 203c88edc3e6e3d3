# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times in the index of an MP4 or MOV file, read back by OpenCV."""

import struct

import cv2
import numpy as np
import pytest

from headpose_ros.media.retiming import LayoutError, retime

TIMES = {
    'even': 0.04 * np.arange(12),
    'pause': [0, 0.04, 0.08, 25.0, 25.04, 25.08, 25.12],
    'lapse': 60.0 * np.arange(9),
    'burst': [0, 0.001, 0.002, 0.003, 1.0, 1.001],
    'jitter': np.cumsum(np.random.default_rng(0).uniform(0.01, 0.06, 40)),
    'days': 9000.0 * np.arange(20),
    'from 5000 s': 5000 + 0.1 * np.arange(5),
    'one': [0.0],
}


def made(path, count):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 25.0, (64, 48))
    for i in range(count):
        writer.write(np.full((48, 64, 3), 5 * i + 10, np.uint8))
    writer.release()
    return path


def read(path):
    """Return times, seconds, and mean levels of all images."""
    capture = cv2.VideoCapture(str(path))
    times, levels = [], []
    while True:
        done, image = capture.read()
        if not done:
            return np.array(times), np.array(levels)
        times.append(1e-3 * capture.get(cv2.CAP_PROP_POS_MSEC))
        levels.append(image.mean())


@pytest.mark.parametrize('suffix', ['.mp4', '.mov', '.m4v'])
@pytest.mark.parametrize('name', TIMES)
def test_each_image_has_its_time(tmp_path, name, suffix):
    times = np.asarray(TIMES[name], float)
    path = made(tmp_path / f'a{suffix}', len(times))
    before = read(path)[1]
    retime(path, times, 0.04)
    got, levels = read(path)
    tolerance = 1e-3 if name == 'days' else 1e-4
    np.testing.assert_allclose(got, times - times[0], atol=tolerance)
    np.testing.assert_array_equal(levels, before)


def test_the_duration_is_that_of_all_images(tmp_path):
    path = made(tmp_path / 'a.mp4', 3)
    retime(path, [0.0, 2.0, 6.0], 2.0)
    capture = cv2.VideoCapture(str(path))
    count, rate = (capture.get(p) for p in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS))
    assert count == 3
    assert count / rate == pytest.approx(8.0, abs=0.01)


@pytest.mark.parametrize('change', ['count', 'order', 'cut', 'empty', 'other'])
def test_an_unexpected_file_is_left_as_it_is(tmp_path, change):
    path = made(tmp_path / 'a.mp4', 4)
    data = path.read_bytes()
    if change == 'order':
        path.write_bytes(data + struct.pack('>L4s', 8, b'free'))
    elif change in ('cut', 'empty'):
        path.write_bytes(data[:-30] if change == 'cut' else b'')
    elif change == 'other':
        path.write_bytes(bytes(range(256)) * 20)
    before = path.read_bytes()
    with pytest.raises(LayoutError):
        retime(path, np.arange(5.0 if change == 'count' else 4.0), 1.0)
    assert path.read_bytes() == before


def test_random_damage_raises_nothing_else(tmp_path):
    path = made(tmp_path / 'a.mp4', 4)
    data, random = path.read_bytes(), np.random.default_rng(0)
    start = data.index(b'moov')
    for _ in range(300):
        broken = bytearray(data)
        for at in random.integers(start - 4, len(data), 3):
            broken[at] = random.integers(256)
        path.write_bytes(broken)
        try:
            retime(path, [0.0, 1.0, 2.0, 3.0], 1.0)
        except LayoutError:
            assert path.read_bytes() == broken
