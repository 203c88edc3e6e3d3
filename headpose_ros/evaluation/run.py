# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs an estimator over a benchmark's pictures and sums its errors up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headpose_ros.estimation.estimator import Estimator
from headpose_ros.evaluation import metrics
from headpose_ros.evaluation.face_crops import FaceFinder, Found, Scene, crops_of, perturbed
from headpose_ros.evaluation.samples import Picture, TrueFace, read_picture
from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.geometry.face_frame import (
    distance_from_angular_size,
    sellion_from_face_centre,
)
from headpose_ros.geometry.rays import off_axis_angle
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.geometry.sampling import Crops
from headpose_ros.geometry.virtual_camera import VirtualCameras, crop_angles
from headpose_ros.heads import Estimates
from headpose_ros.typing import Array


@dataclass(frozen=True)
class Options:
    """How faces are cropped.

    `rectify`: turn a virtual camera to the face, where there are intrinsics. `hfov`: rad, for
    sets without intrinsics, or None. `box_scale`, `box_shift`: crops made larger by this factor,
    and moved by this share of what their side was, to see how sensitive an estimator is. `passes`:
    how often an estimator that refines faces reads each; every further pass has its crop where,
    and as upright as, the one before found the face, as in the next image of a video.
    """

    rectify: bool = True
    hfov: float | None = None
    box_scale: float = 1.0
    box_shift: tuple[float, float] = (0.0, 0.0)
    passes: int = 1


@dataclass(frozen=True)
class Results:
    """What was estimated for the faces found, beside the truth; N faces of `count`.

    `outside`: true faces not counted, since their centre lies outside the picture.
    `rotations`, `rotations_virtual` and `truth`, `truth_virtual` (N,3,3): camera_from_face and
    virtual_from_face (the same without rectification). `positions` (N,3) and
    `positions_true_size` (N,3), metres: with the head's estimated size and with its true one.
    `off_axis` (N,): rad, NaN without intrinsics.
    """

    count: int
    outside: int
    faces: tuple[TrueFace, ...]
    off_axis: Array
    truth: Array
    rotations: Array
    truth_virtual: Array
    rotations_virtual: Array
    sigma: Array
    positions: Array
    positions_true_size: Array


def evaluate(
    pictures: Iterable[Picture], estimator: Estimator, finder: FaceFinder, options: Options
) -> Results:
    """Estimate every face of `pictures` that `finder` finds.

    Raises ValueError where a picture cannot be read or no face at all was found.
    """
    parts: list[tuple[Array, ...]] = []
    faces: list[TrueFace] = []
    count = outside = 0
    for picture in pictures:
        try:
            scene = Scene.of(picture, read_picture(picture.path), options.hfov)
            count += len(scene.faces)
            outside += len(picture.faces) - len(scene.faces)
            found = [
                perturbed(one, options.box_scale, options.box_shift)
                for one in finder.find(scene, estimator)
            ]
            if found:
                parts.append(_estimate(scene, found, estimator, options))
                faces += [one.face for one in found]
        except ValueError as error:
            text = str(error)
            raise ValueError(
                text if str(picture.path) in text else f'{picture.path}: {text}'
            ) from error
    if not parts:
        raise ValueError(
            f'none of the {count} faces was found; {outside} more lie outside their pictures'
        )
    return Results(
        count, outside, tuple(faces), *(np.concatenate(c) for c in zip(*parts, strict=True))
    )


def report(results: Results) -> dict[str, Any]:
    """Return the errors as design.md section 6 lays them out; degrees and metres."""
    plain = geodesic_distance(results.rotations, results.truth)
    aligned = metrics.aligned_geodesic(results.rotations, results.truth)
    yaw, pitch, roll = np.rad2deg(
        metrics.angle_errors(results.rotations, results.truth).mean(axis=0)
    )
    names = ('mean', 'median', 'p90')
    out: dict[str, Any] = {
        'count': results.count,
        'detected': len(results.faces),
        'outside_image': results.outside,
        'mae_deg': {
            'yaw': round(yaw, 4),
            'pitch': round(pitch, 4),
            'roll': round(roll, 4),
            'mean': round((yaw + pitch + roll) / 3, 4),
        },
        'geodesic_deg': metrics.summary(np.rad2deg(plain), names),
        'geodesic_aligned_deg': metrics.summary(np.rad2deg(aligned), names),
        'by_off_axis': rings_off_axis(results),
        'by_yaw': metrics.by_angle(np.abs(euler_from_matrix(results.truth)[0]), plain, aligned),
    }
    out.update(_position_report(results))
    calibrated = metrics.calibration(
        results.rotations_virtual, results.truth_virtual, results.sigma
    )
    if calibrated:
        out['rotation_sigma'] = calibrated
    return out


def rings_off_axis(results: Results) -> list[dict[str, float]]:
    """Return the errors in rings of the view angle; empty where there are no intrinsics."""
    if not np.all(np.isfinite(results.off_axis)):
        return []
    return metrics.by_angle(
        results.off_axis,
        geodesic_distance(results.rotations, results.truth),
        metrics.aligned_geodesic(results.rotations, results.truth),
    )


def _position_report(results: Results) -> dict[str, Any]:
    sellions = [face.sellion for face in results.faces]
    known = [sellion for sellion in sellions if sellion is not None]
    if len(known) < len(sellions):
        return {}
    truth = np.array(known)
    range_true = np.linalg.norm(truth, axis=1)

    def relative(positions: Array) -> Array:
        return np.asarray(np.abs(np.linalg.norm(positions, axis=1) / range_true - 1))

    names = ('mean', 'p90')
    out = {
        'position_m': metrics.summary(np.linalg.norm(results.positions - truth, axis=1), names),
        'distance_relative': metrics.summary(relative(results.positions), names),
    }
    if np.all(np.isfinite([face.head_scale for face in results.faces])):
        out['distance_relative_true_size'] = metrics.summary(
            relative(results.positions_true_size), names
        )
    return out


def _estimate(
    scene: Scene, found: Sequence[Found], estimator: Estimator, options: Options
) -> tuple[Array, ...]:
    """Return the columns of `Results` from `off_axis` on."""
    crops, estimates = _read(scene, found, estimator, options.rectify)
    for _ in range(options.passes - 1 if estimator.refines else 0):
        seen = _crops_where_found(scene, found, crops.cameras, estimates, estimator.crop_scale)
        crops, estimates = _read(scene, seen, estimator, options.rectify)
    truth = np.array([one.face.rotation_camera_from_face for one in found])
    virtual = estimates.rotations_virtual_from_face
    rotations = crops.cameras.rotations_to_camera(virtual)
    rays = crops.cameras.rays_to_camera(estimates.rays_virtual)
    own = np.array([one.face.head_scale for one in found])
    return (
        np.array([_off_axis(scene, one) for one in found]),
        truth,
        rotations,
        crops.cameras.rotations_to_virtual(truth),
        virtual,
        estimates.rotation_sigma,
        _sellions(rays, estimates.angular_sizes, estimates.head_scale, rotations),
        _sellions(rays, estimates.angular_sizes, own, rotations),
    )


def _read(
    scene: Scene, found: Sequence[Found], estimator: Estimator, rectify: bool
) -> tuple[Crops, Estimates]:
    crops = crops_of(scene, found, estimator.crop_px, rectify)
    return crops, estimator.estimate(crops.images, _stated_angles(scene, crops.cameras))


def _stated_angles(scene: Scene, cameras: VirtualCameras) -> Array:
    """Return the angles (N,), rad, that an estimator is told its crops span.

    Without a camera no angle is known that a shift in the crop could stand for.
    """
    return cameras.angles if scene.known else np.full(len(cameras), 1e-3)


def _crops_where_found(
    scene: Scene,
    found: Sequence[Found],
    cameras: VirtualCameras,
    estimates: Estimates,
    crop_scale: float,
) -> list[Found]:
    """Return crops of the same faces where `estimates`, from crops by `cameras`, saw them."""
    stretch = np.tan(cameras.angles / 2) / np.tan(_stated_angles(scene, cameras) / 2)
    plane = estimates.rays_virtual / estimates.rays_virtual[:, 2:]
    plane[:, :2] *= stretch[:, None]
    rays = cameras.rays_to_camera(plane / np.linalg.norm(plane, axis=1, keepdims=True))
    sizes = 2 * np.arctan(np.tan(estimates.angular_sizes / 2) * stretch)
    angles = crop_angles(sizes, crop_scale).tolist()
    ups = cameras.rotations_to_camera(estimates.rotations_virtual_from_face)[:, :, 2]
    return [
        Found(one.face, ray, angle, up)
        for one, ray, angle, up in zip(found, rays, angles, ups, strict=True)
    ]


def _off_axis(scene: Scene, found: Found) -> float:
    if found.face.off_axis is not None:
        return found.face.off_axis
    return float(off_axis_angle(found.ray)) if scene.known else float('nan')


def _sellions(rays: Array, angular_sizes: Array, head_scale: Array, rotations: Array) -> Array:
    distance = distance_from_angular_size(angular_sizes, head_scale)
    return sellion_from_face_centre(rotations, rays * distance[:, None])
