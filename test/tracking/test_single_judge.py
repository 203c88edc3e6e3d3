# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from headpose_ros.tracking.single_judge import is_sure

TURNED_DEG = {'clear': 4.0, 'vague': 30.0}


@pytest.mark.parametrize(
    ('score', 'probability', 'sigma', 'sure'),
    [
        (0.99, 0.999, 'clear', True),
        (0.99, 0.6, 'clear', True),
        (0.70, 0.999, 'clear', True),
        (0.98, 0.9, 'vague', True),
        (0.75, 0.93, 'vague', False),
        (0.80, 0.3, 'clear', False),
        (0.55, 0.9, 'clear', False),
        (0.90, math.nan, 'clear', True),
        (0.70, math.nan, 'clear', False),
    ],
)
def test_detector_and_estimator_judge_together(score, probability, sigma, sure):
    assert is_sure(score, probability, math.radians(TURNED_DEG[sigma])) is sure


def test_certainty_is_no_error():
    assert is_sure(1.0, 1.0, 0.0)
    assert not is_sure(0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ('score', 'maybe_print', 'sure'),
    [(0.9, False, True), (0.9, True, False), (0.999, True, True)],
)
def test_a_print_on_a_shirt_must_be_as_sure_as_people_are(score, maybe_print, sure):
    assert is_sure(score, 0.995, math.radians(15), maybe_print) is sure
