# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How good a network is on labelled crops: errors, robustness, equivariance, calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import nn

from headpose_ros.estimation.pose_network import (
    CENTRE,
    FACE_LOGIT,
    LOG_HEAD_SCALE,
    LOG_SIGMA,
    LOG_SIZE,
    ROTATION,
)
from headpose_ros.evaluation import metrics
from headpose_ros.geometry.rotations import (
    geodesic_distance,
    matrix_from_sixd,
    vector_from_matrix,
)
from headpose_ros.typing import Array, Image
from headpose_training.face_crops import FaceCrops
from headpose_training.warping import Views, plan_warp, warp_image

Predict = Callable[[Image], Array]
"""Crops (N,S,S,3) uint8 BGR to the outputs (N,14) of `pose_network.py`."""


@dataclass(frozen=True)
class Looker:
    """A network and the crops it wants."""

    predict: Predict
    crop_px: int
    crop_scale: float

    def outputs(self, crops: FaceCrops, views: Views | None = None) -> tuple[Array, Array]:
        """Look at every crop; return outputs (N,14) and true rotations (N,3,3) of those views."""
        views = views or Views.plain(len(crops))
        warp = plan_warp(crops, np.arange(len(crops)), views, self.crop_px, self.crop_scale)
        images = np.stack(
            [
                _sample(image, h, self.crop_px)
                for image, h in zip(crops.images, warp.homographies, strict=True)
            ]
        )
        return self.predict(images), warp.rotations

    def rotations(self, crops: FaceCrops, views: Views | None = None) -> tuple[Array, Array]:
        """Return predicted and true rotations (N,3,3)."""
        outputs, truth = self.outputs(crops, views)
        return matrix_from_sixd(outputs[:, ROTATION]), truth

    def where_seen(self, crops: FaceCrops, views: Views) -> Views:
        """Return views of the same faces where, as large as and as upright as they are seen."""
        outputs, _ = self.outputs(crops, views)
        grown = np.exp(outputs[:, LOG_SIZE])
        seen, up = outputs[:, CENTRE].copy(), matrix_from_sixd(outputs[:, ROTATION])[:, :2, 2]
        # `Views` states centres and rolls before they are mirrored.
        seen[views.mirrored, 0] *= -1
        up[views.mirrored, 0] *= -1
        rolls = np.arctan2(up[:, 0], -up[:, 1])
        turn = np.exp(-1j * rolls)  # of what the crop shows, which the roll leaves turned back
        left = (views.centres - seen) @ [1, 1j] * turn / grown
        return replace(
            views,
            rolls=views.rolls + rolls,
            scales=views.scales * grown,
            centres=np.column_stack([left.real, left.imag]),
        )


def network_predictor(network: nn.Module, batch: int = 256) -> Predict:
    """Run a `TrainablePoseNetwork` in evaluation mode and float32, on whatever device it is."""
    device = next(network.parameters()).device

    @torch.inference_mode()
    def predict(crops: Image) -> Array:
        was_training = network.training
        network.eval()
        parts = [
            network(torch.from_numpy(crops[i : i + batch]).to(device))[0].cpu().double().numpy()
            for i in range(0, len(crops), batch)
        ]
        network.train(was_training)
        return np.concatenate(parts)

    return predict


def accuracy(looker: Looker, crops: FaceCrops) -> dict[str, float]:
    """Errors on the faces of `crops`, in degrees; `found` is the area under the ROC curve."""
    faces = crops.subset(crops.is_face)
    outputs, truth = looker.outputs(faces)
    predicted = matrix_from_sixd(outputs[:, ROTATION])
    figures = rotation_errors_deg(predicted, truth)
    figures['centre'] = float(np.linalg.norm(outputs[:, CENTRE], axis=1).mean())
    figures['log_size'] = float(np.abs(outputs[:, LOG_SIZE]).mean())
    scales = np.log(faces.head_scales)
    if np.isfinite(scales).any():
        figures['log_head_scale'] = float(np.nanmean(np.abs(outputs[:, LOG_HEAD_SCALE] - scales)))
    sigma = np.exp(outputs[:, LOG_SIGMA])
    normalised = vector_from_matrix(predicted @ np.swapaxes(truth, 1, 2)) / sigma
    figures['sigma_ratio'] = float(np.sqrt(np.mean(np.clip(normalised, -5, 5) ** 2)))
    if not crops.is_face.all():
        others, _ = looker.outputs(crops.subset(~crops.is_face))
        figures['found'] = _area_under_curve(outputs[:, FACE_LOGIT], others[:, FACE_LOGIT])
    return figures


def rotation_errors_deg(predicted: Array, truth: Array) -> dict[str, float]:
    """Mean absolute errors of yaw, pitch and roll; geodesic ones, raw and aligned; degrees."""
    angles = np.degrees(metrics.angle_errors(predicted, truth).mean(axis=0))
    plain = np.degrees(geodesic_distance(predicted, truth))
    aligned = np.degrees(metrics.aligned_geodesic(predicted, truth))
    return {
        **dict(zip(('yaw', 'pitch', 'roll'), angles.tolist(), strict=True)),
        'mae': float(angles.mean()),
        'geodesic': float(plain.mean()),
        'aligned': float(aligned.mean()),
        'aligned_median': float(np.median(aligned)),
    }


def box_sensitivity(looker: Looker, crops: FaceCrops, looks: int = 1) -> dict[str, float]:
    """Mean absolute error in degrees for boxes that are off, by kind; of the last of `looks`."""
    plain = Views.plain(len(crops))
    kinds = {
        'exact': plain,
        'smaller': replace(plain, scales=plain.scales * 0.7),
        'larger': replace(plain, scales=plain.scales * 1.3),
        # a tenth of the box's side is a fifth of half of it
        'right': replace(plain, centres=plain.centres + [-0.2, 0.0]),
        'left': replace(plain, centres=plain.centres + [0.2, 0.0]),
        'down': replace(plain, centres=plain.centres + [0.0, -0.2]),
        'up': replace(plain, centres=plain.centres + [0.0, 0.2]),
    }
    for _ in range(looks - 1):
        kinds = {kind: looker.where_seen(crops, views) for kind, views in kinds.items()}
    return {k: rotation_errors_deg(*looker.rotations(crops, v))['mae'] for k, v in kinds.items()}


def equivariance_deg(looker: Looker, crops: FaceCrops, seed: int = 0, looks: int = 1) -> float:
    """Mean geodesic difference between the pose in a turned virtual camera and what it must be.

    The camera is turned by up to 25 degrees: about its axis, and sideways as far as the face stays
    within 0.15 half crops of the middle. What is expected is the pose seen without the turn,
    turned, so that wrong labels do not count. Of the last of `looks`.
    """
    rng = np.random.default_rng(seed)
    count = len(crops)
    views = replace(
        Views.plain(count),
        rolls=np.deg2rad(rng.uniform(-25, 25, count)),
        centres=rng.uniform(-0.15, 0.15, (count, 2)),
    )
    plain = Views.plain(count)
    for _ in range(looks - 1):
        plain, views = looker.where_seen(crops, plain), looker.where_seen(crops, views)
    before, truth_before = looker.rotations(crops, plain)
    after, truth_after = looker.rotations(crops, views)
    expected = truth_after @ np.swapaxes(truth_before, 1, 2) @ before
    return float(np.degrees(geodesic_distance(after, expected)).mean())


def errors_by_yaw(
    looker: Looker, crops: FaceCrops, constant: Array | None = None
) -> list[tuple[float, float, int, float]]:
    """Rows (low, high, count, mean geodesic): degrees of absolute yaw, after `constant`."""
    faces = crops.subset(crops.is_face)
    predicted, truth = looker.rotations(faces)
    if constant is not None:
        predicted = predicted @ constant
    error = np.degrees(geodesic_distance(predicted, truth))
    yaw = np.degrees(np.arctan2(truth[:, 0, 0], -truth[:, 2, 0]))
    rows = []
    for low, high in ((0, 30), (30, 60), (60, 90), (90, 180)):
        inside = (np.abs(yaw) >= low) & (np.abs(yaw) < high)
        if inside.any():
            rows.append((float(low), float(high), int(inside.sum()), float(error[inside].mean())))
    return rows


def sigma_scale(looker: Looker, crops: FaceCrops, zero: Array) -> Array:
    """Return factors (3,) that make the standard deviations right on `crops`: a temperature.

    `zero` (3,3): what the truth of renders is turned by, as in training (`ZeroOffset`). Robustly:
    the middle 68 % of the normalised errors lie within one standard deviation.
    """
    faces = crops.subset(crops.is_face)
    outputs, truth = looker.outputs(faces)
    truth = np.where(faces.is_synthetic[:, None, None], truth @ zero, truth)
    turn = matrix_from_sixd(outputs[:, ROTATION]) @ np.swapaxes(truth, 1, 2)
    normalised = np.abs(vector_from_matrix(turn)) / np.exp(outputs[:, LOG_SIGMA])
    scale: Array = np.quantile(normalised, 0.6827, axis=0)
    return scale


def _sample(image: Image, homography: Array, crop_px: int) -> Image:
    step = np.linalg.norm(homography[:2, :2]) / np.sqrt(2) / homography[2, 2]
    if step > 1.5:  # as every crop sampler must: no aliasing where pixels are skipped
        image = cv2.GaussianBlur(image, (0, 0), 0.4 * step)
    return warp_image(image, homography, crop_px)


def _area_under_curve(positive: Array, negative: Array) -> float:
    ranks = np.searchsorted(np.sort(negative), positive)
    return float(ranks.mean() / len(negative))
