# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Outcomes made by hand, for the tests of the benchmark of following people."""

import numpy as np

from benchmark.accuracy.people.compose import VISIBLE, Truth
from benchmark.accuracy.people.outcome import Moment, Outcome, Said, match
from headpose_ros.geometry.rotations import matrix_from_vector

FACING = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
PERIOD = 0.1


def someone(person, x, state=VISIBLE):
    """A person 2 m ahead, `x` m to the right."""
    return Truth(person, np.array([x, 0.0, 2.0]), FACING, 0.125, state)


def head(name, x, turned_deg=0.0, claims=True):
    """A published head there, turned wrong by so much."""
    ray = np.array([x, 0.0, 2.0])
    rotation = matrix_from_vector([0.0, np.radians(turned_deg), 0.0]) @ FACING
    return Said(name, ray / np.linalg.norm(ray), rotation if claims else None, 0.9)


def outcome(*images, people=2):
    """Of (truth, said) in each image."""
    moments = []
    for k, (truth, said) in enumerate(images):
        matched, offsets = match(tuple(truth), tuple(said))
        moments.append(Moment(k * PERIOD, tuple(truth), tuple(said), matched, offsets))
    return Outcome('made', 'made', PERIOD, people, moments)
