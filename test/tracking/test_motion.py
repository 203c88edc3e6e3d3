# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motion model: honest about its errors, the same at any distance, and evidence in seconds."""

import numpy as np
import pytest

from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.tracking.evidence import CEILING, FLOOR, Evidence, of_detection, of_reading
from headpose_ros.tracking.motion import (
    ACCELERATION_NOISE,
    READING_SIGMA,
    START_SPEED_SIGMA,
    VELOCITY_MEMORY,
    Motion,
)

AHEAD = np.array([0.0, 0.0, 1.0])


def simulated(random, times, size):
    """Return rays (N,3) of a head that moves as the model says, one at each time."""
    radius, place = size / 2, np.zeros(2)
    velocity = random.standard_normal(2) * START_SPEED_SIGMA
    rays, now = [], times[0]
    for t in times:
        while now < t - 1e-9:
            step = 1e-3
            kick = random.standard_normal(2) * np.sqrt(ACCELERATION_NOISE * step)
            velocity = velocity * (1 - step / VELOCITY_MEMORY) + kick
            place, now = place + velocity * step, now + step
        x, y = np.tan(place * radius)
        rays.append(np.array([x, y, 1.0]) / np.sqrt(x * x + y * y + 1))
    return rays


@pytest.mark.parametrize('rate', [5, 30])
def test_the_errors_are_as_large_as_the_filter_says(rate):
    random = np.random.default_rng(0)
    size, times = 0.02, np.arange(8) / rate
    ratios = []
    for _ in range(200):
        rays = simulated(random, times, size)
        motion = Motion.start(0.0, rays[0], size)
        for t, ray in zip(times[1:], rays[1:], strict=True):
            motion = motion.at(float(t))
            ratios.append((ray - motion.ray)[:2] / (size / 2) / motion.sigma)
            noisy = ray + READING_SIGMA * size / 2 * random.standard_normal(3)
            motion = motion.measured(noisy / np.linalg.norm(noisy), READING_SIGMA)
    assert 0.85 < np.std(ratios) < 1.2


def test_predictions_in_one_step_and_in_many_are_the_same():
    start = Motion(0.0, AHEAD, np.array([0.2, -0.1, 0.0]), 0.2, 0.01, 0.02, 30.0)
    once, often = start.at(0.5), start
    for t in np.linspace(0, 0.5, 11)[1:]:
        often = often.at(float(t))
    np.testing.assert_allclose(often.ray, once.ray, atol=1e-9)
    for name in ('var_place', 'covariance', 'var_velocity'):
        assert getattr(often, name) == pytest.approx(getattr(once, name))


def test_no_time_changes_nothing():
    motion = Motion.start(1.0, AHEAD, 0.2)
    assert motion.at(1.0) is motion
    assert motion.at(0.5) is motion, 'and time does not go back'


def test_a_constant_speed_is_learned_and_forgotten_when_unseen():
    motion = Motion.start(0.0, AHEAD, 0.2)
    for k in range(1, 30):
        x = 0.3 * k / 30
        motion = motion.at(k / 30).measured(np.array([np.sin(x), 0, np.cos(x)]), READING_SIGMA)
    assert motion.velocity[0] == pytest.approx(0.3, rel=0.15)
    later = motion.at(motion.time + 3 * VELOCITY_MEMORY)
    assert np.linalg.norm(later.velocity) < 0.06 * np.linalg.norm(motion.velocity)
    assert later.sigma > 5


def test_what_a_turned_camera_sees_is_the_same_motion_turned():
    turn = matrix_from_vector([0.1, -0.3, 0.2])
    motion = Motion(0.0, AHEAD, np.array([0.2, -0.1, 0.0]), 0.2, 0.01, 0.02, 30.0)
    turned = motion.turned(turn).at(0.4)
    np.testing.assert_allclose(turned.ray, turn @ motion.at(0.4).ray, atol=1e-12)


@pytest.mark.parametrize('rate', [2, 10, 30, 120, 500])
def test_evidence_grows_with_seconds_not_with_images(rate):
    evidence = Evidence()
    for k in range(rate + 1):
        evidence.add(0.02, k / rate)
    gained = evidence.log_odds - Evidence().log_odds
    assert 0.02 * 0.7 * min(rate, 16) <= gained < 0.02 * 24


def test_the_first_image_counts_whole_and_there_are_bounds():
    evidence = Evidence()
    evidence.add(3.0, 5.0)
    assert evidence.log_odds == Evidence().log_odds + 3.0
    evidence.add(3.0, 5.0)
    assert evidence.log_odds == Evidence().log_odds + 3.0, 'the same time says nothing new'
    for k in range(100):
        evidence.add(30.0, 6.0 + k)
    assert evidence.log_odds == CEILING
    for k in range(100):
        evidence.add(-30.0, 200.0 + k)
    assert evidence.log_odds == FLOOR


def test_surer_says_more():
    for of in (of_detection, of_reading):
        said = [of(chance) for chance in (0.0, 0.3, 0.75, 0.9, 1.0)]
        assert said == sorted(said)
        assert np.isfinite(said).all()
