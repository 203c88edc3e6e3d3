# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fit how sure a pose is by the standard deviation that the network states, on turned heads.

    python tools/fit_confidence.py --count 1500 --weights pose_best

Renders heads of held-out people: turned about the vertical axis by any angle, and a tenth of them
upside down or on their side in the crop. A pose is right where it is within 15 deg. Prints
HALF_SURE_SIGMA (deg) and SURENESS of `estimation/pose_network.py`, and for both the fit and what
the code has now: what was said, beside how often it was right.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation import create_estimator
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import angular_size_from_distance, sellion_from_face_centre
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.typing import Array
from headpose_training.head_model import ROTATION_FACE_FROM_MODEL, HeadModel
from headpose_training.rendering.background import Backgrounds
from headpose_training.rendering.camera import SquareCamera
from headpose_training.rendering.crops import finish, random_distance
from headpose_training.rendering.head_parts import HeadParts
from headpose_training.rendering.lighting import random_lighting
from headpose_training.rendering.person import HELD_OUT_IDENTITIES, Person, Pose
from headpose_training.rendering.view import photograph

RIGHT = np.radians(15.0)
PEOPLE = 60
ROLLED = 0.1
BINS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def turned_crop(
    rng: np.random.Generator, person: Person, size: int, crop_scale: float, rooms: Backgrounds
) -> tuple[Array, float, Array]:
    """Return a crop (S,S,3), the angle it spans, and the rotation (3,3) of the head in it."""
    yaw, pitch = float(rng.uniform(-np.pi, np.pi)), float(np.clip(rng.normal(0, 0.25), -0.9, 0.9))
    roll = float(rng.uniform(-np.pi, np.pi) if rng.random() < ROLLED else rng.normal(0, 0.2))
    rotation = matrix_from_euler(yaw, pitch, roll)
    distance = random_distance(rng)
    apparent = float(angular_size_from_distance(distance, person.appearance.head_scale))
    spread = float(np.tan(apparent / 2)) * crop_scale * rng.uniform(0.95, 1.05)
    centre = np.array([*np.clip(rng.normal(0, 0.05, 2), -0.15, 0.15) * spread, 1.0])
    centre *= distance / np.linalg.norm(centre)
    torso = matrix_from_euler(yaw * rng.uniform(0.3, 1.0), 0.0, roll) @ ROTATION_FACE_FROM_MODEL
    sellion = sellion_from_face_centre(rotation, centre)
    pose = Pose(rotation, sellion, torso, person.random_expression(rng))
    camera = SquareCamera(0.5 * size / spread, size)
    picture = photograph(person, pose, camera, random_lighting(rng))
    backdrop = rooms.draw(rng, size, size)
    albedo = float(person.complexion.albedo[1])
    image = finish(rng, picture.light, picture.coverage, picture.skin, backdrop, albedo)
    return image, camera.angle, rotation


def measured(count: int, weights: str) -> tuple[Array, Array, Array]:
    """Return face probabilities, standard deviations in rad, and errors in rad, (N,) each."""
    runtime = create_runtime('cpu', 1)
    estimator = create_estimator(PipelineConfig(weights=weights), runtime)
    parts, rooms = HeadParts(HeadModel.load(None)), Backgrounds()
    rows = []
    for number in range(PEOPLE):
        person = Person(parts, HELD_OUT_IDENTITIES + 500 + number)
        for shot in range(-(-count // PEOPLE)):
            rng = np.random.default_rng([number, shot])
            image, angle, truth = turned_crop(
                rng, person, estimator.crop_px, estimator.crop_scale, rooms
            )
            read = estimator.estimate(image[None], np.array([angle]))
            error = geodesic_distance(read.rotations_virtual_from_face[0], truth)
            sigma = np.linalg.norm(read.rotation_sigma[0])
            rows.append((float(read.face_probability[0]), float(sigma), float(error)))
    probability, sigma, error = np.array(rows).T
    return probability, sigma, error


def chances(parameters: Array, probability: Array, sigma: Array) -> Array:
    """Return the chance (N,) that a pose is right; `parameters`: log sigma, log sureness."""
    half, sureness = np.exp(parameters)
    chance: Array = probability / (1 + (sigma / half) ** sureness)
    return np.clip(chance, 1e-6, 1 - 1e-6)


def fit(probability: Array, sigma: Array, right: Array) -> Array:
    """Return the most likely parameters of `chances`."""

    def surprise(parameters: Array) -> float:
        chance = chances(parameters, probability, sigma)
        return float(-np.mean(np.where(right, np.log(chance), np.log(1 - chance))))

    found: Array = minimize(surprise, np.log([np.radians(10.0), 8.0]), method='Nelder-Mead').x
    return found


def table(chance: Array, right: Array) -> str:
    """Return what was said beside what was so."""
    lines = []
    for low, high in pairwise(BINS):
        some = (chance >= low) & (chance < high + (high == 1.0))
        if some.any():
            said, so = float(chance[some].mean()), float(right[some].mean())
            lines.append(f'  {low:.2f}..{high:.2f}: {some.sum():5d} said {said:.3f}, so {so:.3f}')
    return '\n'.join(lines)


def main() -> None:
    """Measure, fit and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').split('\n')[0])
    parser.add_argument('--count', type=int, default=1500)
    parser.add_argument('--weights', default='')
    args = parser.parse_args()
    from headpose_ros.estimation.pose_network import HALF_SURE_SIGMA, SURENESS

    probability, sigma, error = measured(args.count, args.weights)
    right = error <= RIGHT
    found = fit(probability, sigma, right)
    half, sureness = np.exp(found)
    print(f'HALF_SURE_SIGMA = {np.degrees(half):.1f} deg, SURENESS = {sureness:.1f}')
    print('fitted:\n' + table(chances(found, probability, sigma), right))
    now = np.log([HALF_SURE_SIGMA, SURENESS])
    print('as the code has it:\n' + table(chances(now, probability, sigma), right))


if __name__ == '__main__':
    main()
