# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lag and jitter of the smoothing, over its two parameters: a table and JSON.

A head is filtered as the pipeline filters it, once at rest with the errors of a real estimator,
once turning and walking at constant speed without errors. Jitter: root mean square of the change
from image to image at rest, over that of the raw poses. Lag: error in motion over the speed, in
milliseconds. Nothing here is timed: the figures are the same on every machine.

    python -m benchmark.accuracy.smoothing --json out/benchmark/smoothing.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import geodesic_distance, matrix_from_vector
from headpose_ros.tracking.smoothing import HeadSmoother, Smoothing
from headpose_ros.typing import Array

RATES_HZ = (10.0, 30.0)
SETTINGS = ((0.5, 1.0), (1.0, 3.0), (1.5, 1.0), (1.5, 3.0), (1.5, 10.0), (3.0, 3.0), (6.0, 10.0))
ROTATION_SIGMA, RAY_SIGMA, SIZE_SIGMA = np.radians(1.5), 0.02, 0.015
"""Errors at rest: rad; face radii; relative."""

TURN_RATE, WALK_SPEED, DISTANCE = np.radians(60.0), 1.0, 1.5
"""Motion: rad/s, m/s along an arc at DISTANCE, m."""

_IMAGES = 3000


def _filtered(setting: Smoothing, rate: float, noisy: bool) -> tuple[Array, Array, Array, Array]:
    """Return raw and filtered rotations (N,3,3), raw and filtered positions (N,3)."""
    random = np.random.default_rng(0)
    smoother, dt = HeadSmoother(), 1.0 / rate
    size = 2.0 * np.arcsin(FACE_SPHERE_RADIUS / DISTANCE)
    raw, smooth = [], []
    for i in range(_IMAGES):
        moved = 0.0 if noisy else i * dt
        error = random.standard_normal(6) * noisy
        turn = np.array([0.0, TURN_RATE * moved, 0.0]) + ROTATION_SIGMA * error[:3]
        rotation = matrix_from_vector(turn)
        angle = WALK_SPEED / DISTANCE * moved + RAY_SIGMA * size / 2 * error[3]
        lift = RAY_SIGMA * size / 2 * error[4]
        ray = np.array([np.sin(angle) * np.cos(lift), np.sin(lift), np.cos(angle) * np.cos(lift)])
        log_distance = np.log(DISTANCE) + SIZE_SIGMA * error[5]
        found = smoother.update(rotation, ray, log_distance, size, dt if i else 0.0, setting)
        raw.append((rotation, ray * np.exp(log_distance)))
        smooth.append((found[0], found[1] * np.exp(found[2])))
    steady = slice(_IMAGES // 3, None)
    columns = [np.array(part)[steady] for part in (*zip(*raw, strict=True),
                                                    *zip(*smooth, strict=True))]  # fmt: skip
    return columns[0], columns[2], columns[1], columns[3]


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def measure(setting: Smoothing, rate: float) -> dict[str, float]:
    """Return jitter (shares of the raw one) and lag (ms) of rotation and position."""
    turn, turn_smooth, place, place_smooth = _filtered(setting, rate, noisy=True)
    jitter_turn = _rms(geodesic_distance(turn_smooth[1:], turn_smooth[:-1]))
    jitter_place = _rms(np.linalg.norm(np.diff(place_smooth, axis=0), axis=1))
    raw_turn = _rms(geodesic_distance(turn[1:], turn[:-1]))
    raw_place = _rms(np.linalg.norm(np.diff(place, axis=0), axis=1))
    turn, turn_smooth, place, place_smooth = _filtered(setting, rate, noisy=False)
    lag_turn = _rms(geodesic_distance(turn, turn_smooth)) / TURN_RATE
    lag_place = _rms(np.linalg.norm(place - place_smooth, axis=1)) / WALK_SPEED
    return {
        'min_cutoff_hz': setting.min_cutoff,
        'beta': setting.beta,
        'rate_hz': rate,
        'jitter_rotation': jitter_turn / raw_turn,
        'jitter_position': jitter_place / raw_place,
        'lag_rotation_ms': 1e3 * lag_turn,
        'lag_position_ms': 1e3 * lag_place,
    }


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--json', type=Path, metavar='FILE')
    args = parser.parse_args()
    default = PipelineConfig()
    rows = [measure(Smoothing(*pair), rate) for rate in RATES_HZ for pair in SETTINGS]
    print('| rate | min_cutoff | beta | jitter, rotation | jitter, position | lag, rotation |'
          ' lag, position |\n|---|---|---|---|---|---|---|')  # fmt: skip
    for row in rows:
        is_default = (row['min_cutoff_hz'], row['beta']) == (
            default.smoothing_min_cutoff,
            default.smoothing_beta,
        )
        print(
            f'| {row["rate_hz"]:.0f} Hz | {row["min_cutoff_hz"]} Hz | {row["beta"]} '
            f'| {row["jitter_rotation"]:.0%} | {row["jitter_position"]:.0%} '
            f'| {row["lag_rotation_ms"]:.0f} ms | {row["lag_position_ms"]:.0f} ms |'
            + (' (default)' if is_default else '')
        )
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({'smoothing': rows}, indent=2) + '\n')


if __name__ == '__main__':
    main()
