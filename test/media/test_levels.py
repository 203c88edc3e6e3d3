# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of more than 8 bits: as bright as what they hold, and without flicker."""

import cv2
import numpy as np
import pytest

from headpose_ros.media.levels import Levels, is_dark

RANDOM = np.random.default_rng(0)
SCENE = cv2.resize(RANDOM.integers(10, 250, (12, 16)).astype(np.uint8), (160, 120))
DEEP = SCENE.astype(np.uint16)


def correlation(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


@pytest.mark.parametrize('bits', [9, 10, 11, 12, 13, 14])
@pytest.mark.parametrize('exposure', [1.0, 0.5])
def test_what_fills_a_part_of_16_bits_is_shown_bright(bits, exposure):
    shown = Levels().eight_bit((SCENE * exposure * 2.0 ** (bits - 8)).astype(np.uint16))
    assert shown.dtype == np.uint8
    assert 200 <= np.percentile(shown, 99) <= 254, 'bright, and hardly saturated'
    assert correlation(shown, SCENE) > 0.999


@pytest.mark.parametrize('top', [20000, 30000, 65535])
def test_the_whole_range_of_16_bits_is_shown_as_before(top):
    deep = (SCENE / SCENE.max() * top).astype(np.uint16)
    np.testing.assert_allclose(Levels().eight_bit(deep), deep / 257.0, atol=0.51)


@pytest.mark.parametrize(
    ('low', 'high'), [(7000, 8500), (27315, 31315), (60000, 65000), (900, 1000)]
)
def test_a_narrow_range_is_widened(low, high):
    thermal = (low + (high - low) * (SCENE / 255.0)).astype(np.uint16)
    shown = Levels().eight_bit(thermal)
    assert np.percentile(shown, 99) > 220
    assert np.percentile(shown, 1) < 35
    assert correlation(shown, SCENE) > 0.995


@pytest.mark.parametrize('level', [300, 8000, 23130, 60000])
def test_what_shows_nothing_is_not_made_to_show_noise(level):
    flat = (level + RANDOM.normal(0, 0.001 * level, SCENE.shape)).astype(np.uint16)
    assert Levels().eight_bit(flat).std() < 2


def test_the_noise_of_a_covered_sensor_stays_dark():
    noise = RANDOM.integers(0, 12, SCENE.shape).astype(np.uint16)
    assert is_dark(cv2.cvtColor(Levels().eight_bit(noise), cv2.COLOR_GRAY2BGR))


@pytest.mark.parametrize('dtype', [np.int16, np.float32, np.float64, np.int32])
def test_other_types_are_shown_from_dark_to_bright(dtype):
    celsius = (15 + SCENE / 10.0).astype(dtype)
    shown = Levels().eight_bit(celsius)
    assert correlation(shown, SCENE) > 0.99
    assert np.ptp(shown.astype(int)) > 180


def test_what_is_not_finite_is_black():
    depth = SCENE.astype(np.float32)
    depth[:60] = np.nan
    depth[60:70] = np.inf
    shown = Levels().eight_bit(depth)
    assert shown[:60].max() == 0
    assert correlation(shown[70:], SCENE[70:]) > 0.999
    assert Levels().eight_bit(np.full((4, 4), np.nan, np.float32)).max() == 0


def test_colour_keeps_its_hue():
    bgr = np.dstack([SCENE // 4, SCENE // 2, SCENE])
    shown = Levels().eight_bit(bgr.astype(np.uint16) * 4).astype(float)
    inside = SCENE > 100
    np.testing.assert_allclose(shown[inside][:, 1] / shown[inside][:, 2], 0.5, atol=0.02)


def test_8_bits_come_as_they_are():
    assert Levels().eight_bit(SCENE) is SCENE


def brightness(frames):
    levels = Levels()
    return np.array([levels.eight_bit(frame).mean() for frame in frames])


def test_a_still_scene_does_not_flicker():
    """Noise of 3 % from image to image, and a bright spot that comes and goes."""
    frames = []
    for i in range(90):
        frame = SCENE * 4.0 * RANDOM.normal(1.0, 0.03, SCENE.shape)
        if i % 7 == 0:
            frame[:3, :20] = 60000  # 0.3 % of the pixels
        frames.append(frame.clip(0, 65535).astype(np.uint16))
    shown = brightness([frame.clip(0, 1200) for frame in frames])
    assert np.abs(np.diff(shown)).max() < 4


@pytest.mark.parametrize('kind', ['whole', 'narrow'])
def test_neither_does_one_near_a_limit(kind):
    """About 2 ** 14, and where a narrow range begins, the ways to show an image meet."""
    for start in (0.9, 0.95, 1.0, 1.05):
        frames = []
        for _ in range(60):
            near = start * RANDOM.normal(1.0, 0.02)
            if kind == 'whole':
                frame = near * 16384 * SCENE / np.percentile(SCENE, 99.5)
            else:
                dark = min(0.75 * near, 0.9)
                frame = 8000 * (dark + (1 - dark) * SCENE / 255.0)
            frames.append(frame.astype(np.uint16))
        jumps = np.abs(np.diff(brightness(frames))) > 30
        assert jumps.sum() <= 1, 'one way or the other, not in turns'


def test_a_way_to_show_a_stream_is_kept_a_little_beyond_its_limit():
    """Here slowly, image after image: the levels have the time to follow."""
    top = SCENE / np.percentile(SCENE, 99.5)
    bright = [(level * top).astype(np.uint16) for level in [17000] * 3 + [14500] * 200]
    assert np.ptp(brightness(bright)) < 40, 'the whole range, still'
    narrow = [
        (8000 * (dark + (1 - dark) * SCENE / 255.0)).astype(np.uint16)
        for dark in np.linspace(0.78, 0.68, 200)
    ]
    assert np.abs(np.diff(brightness(narrow))).max() < 8, 'from its dark level, still'


def test_a_lamp_that_lights_every_second_image():
    lit, dark = DEEP * 4, np.full(SCENE.shape, 8, np.uint16)
    shown = brightness([dark if i % 2 else lit for i in range(120)])
    assert np.ptp(shown[::2]) < 8, 'those with light are all alike'
    assert shown[1::2].max() < 12, 'and the dark ones dark'


def test_light_that_goes_on_saturates_nothing_and_goes_off_slowly():
    dim, full = DEEP * 2, DEEP * 32
    levels = Levels()
    levels.eight_bit(dim)
    assert (levels.eight_bit(full) == 255).mean() < 0.02
    shown = brightness([full] + [dim] * 300)
    assert shown[1] < 15
    assert np.abs(np.diff(shown[1:])).max() < 8
    assert shown[-1] > 0.9 * brightness([dim])[0]


def test_another_kind_of_image_begins_anew():
    levels = Levels()
    levels.eight_bit((SCENE * 257.0).astype(np.uint16))
    assert np.ptp(levels.eight_bit(SCENE.astype(np.float32) / 255.0).astype(int)) > 180


def test_what_is_dark():
    black = np.zeros((120, 160, 3), np.uint8)
    assert is_dark(black)
    assert is_dark(black + 8)
    assert not is_dark(cv2.cvtColor(SCENE, cv2.COLOR_GRAY2BGR))
    window = black.copy()
    window[40:60, 60:90] = 200
    assert not is_dark(window), 'a bright place is enough'
    assert is_dark(np.zeros((1, 1, 3), np.uint8))
