# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of a weights file on files of labelled crops, through the real inference path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation import create_estimator
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.estimation.pose_network import (
    CENTRE,
    FACE_LOGIT,
    LOG_HEAD_SCALE,
    LOG_SIGMA,
    LOG_SIZE,
    OUTPUTS,
    ROTATION,
)
from headpose_ros.geometry.rotations import mean_rotation, sixd_from_matrix
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.typing import Array, Image
from headpose_training.data_files import load_crops
from headpose_training.face_crops import FaceCrops
from headpose_training.validation import (
    Looker,
    Predict,
    accuracy,
    box_sensitivity,
    equivariance_deg,
    errors_by_yaw,
)

_ANGLE = 1e-3  # of the crops: small, so that outputs in half crops can be read back
_BATCH = 128


def check_weights(weights: str, files: Sequence[Path], mirror: bool = True) -> dict[str, Any]:
    """Return, per file of crops, what `validation.py` measures. The runtime is the default one.

    Of rendered files the faces of which enough is seen (half of the inner landmarks) come apart.
    `mirror`: the pipeline's option of that name.
    """
    config = PipelineConfig(weights=weights, mirror=mirror)
    estimator = create_estimator(config, create_runtime())
    looker = Looker(estimator_predictor(estimator), estimator.crop_px, estimator.crop_scale)
    report: dict[str, Any] = {'weights': weights}
    for path in files:
        crops = load_crops(path.parent, path.name)
        if crops.is_synthetic.any():
            seen = crops.subset(crops.is_face & (crops.spreads == 0))
            report[f'{path.stem}: seen'] = _figures(looker, seen)
        report[path.stem] = _figures(looker, crops)
    return report


def _figures(looker: Looker, crops: FaceCrops) -> dict[str, Any]:
    faces = crops.subset(crops.is_face)
    predicted, truth = looker.rotations(faces)
    constant = mean_rotation(np.swapaxes(predicted, 1, 2) @ truth)
    return {
        'count': len(faces),
        **accuracy(looker, crops),
        'boxes_mae': box_sensitivity(looker, faces),
        'equivariance': equivariance_deg(looker, faces),
        'equivariance_second_look': equivariance_deg(looker, faces, looks=2),
        'by_yaw_aligned': errors_by_yaw(looker, crops, constant),
    }


def estimator_predictor(estimator: Estimator) -> Predict:
    """Present any estimator as a network with the outputs (N,14) of `pose_network.py`.

    What it cannot tell is neutral: no offset, no size, a certain face.
    """

    def predict(crops: Image) -> Array:
        parts = []
        for i in range(0, len(crops), _BATCH):
            some = crops[i : i + _BATCH]
            angles = np.full(len(some), _ANGLE)
            found = estimator.estimate(some, angles)
            outputs = np.zeros((len(some), OUTPUTS))
            outputs[:, ROTATION] = sixd_from_matrix(found.rotations_virtual_from_face)
            outputs[:, LOG_SIGMA] = np.log(found.rotation_sigma)
            half = np.tan(_ANGLE / 2)
            outputs[:, CENTRE] = found.rays_virtual[:, :2] / found.rays_virtual[:, 2:] / half
            outputs[:, LOG_SIZE] = np.log(
                np.tan(found.angular_sizes / 2) * estimator.crop_scale / half
            )
            outputs[:, LOG_HEAD_SCALE] = np.log(found.head_scale)
            chance = np.clip(np.nan_to_num(found.face_probability, nan=0.5), 1e-9, 1 - 1e-9)
            outputs[:, FACE_LOGIT] = np.log(chance / (1 - chance))
            parts.append(outputs)
        return np.concatenate(parts)

    return predict


def print_report(report: dict[str, Any]) -> None:
    """Print the figures for people; errors are degrees."""
    print(f'weights: {report["weights"]}')
    for name, figures in report.items():
        if name == 'weights':
            continue
        print(f'{name}: {figures["count"]} faces')
        plain = {k: v for k, v in figures.items() if isinstance(v, float)}
        print('  ' + '  '.join(f'{k} {v:.3f}' for k, v in plain.items()))
        print(
            '  MAE by box: ' + '  '.join(f'{k} {v:.2f}' for k, v in figures['boxes_mae'].items())
        )
        print(
            '  geodesic by |yaw|, aligned: '
            + '  '.join(
                f'{low:.0f}-{high:.0f}: {error:.2f} ({count})'
                for low, high, count, error in figures['by_yaw_aligned']
            )
        )
