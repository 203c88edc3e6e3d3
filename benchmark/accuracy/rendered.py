# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Errors on rendered heads that no training saw: over the view angle, by what makes it hard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from benchmark.accuracy import rings as accuracy_rings
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.evaluation import metrics, posed
from headpose_ros.evaluation.face_crops import TrueBoxes
from headpose_ros.evaluation.run import Options, Results, evaluate, report
from headpose_ros.evaluation.samples import Picture, read_picture
from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.geometry.rotations import (
    geodesic_distance,
    rotation_to_axis,
    vector_from_matrix,
)
from headpose_ros.typing import Array
from headpose_training.landmark_table import INNER
from headpose_training.posed_crops import export_posed
from headpose_training.synthesis import CropSet, synthesize_crops

SEED = 10
"""Of the held-out crops. Seed 9 is what trainings are validated, and their sigma scaled, on."""

FACE_PX = (64, 48, 32, 24, 16)
BOXES = {
    'exact': Options(),
    '30 % larger': Options(box_scale=1.3),
    '30 % smaller': Options(box_scale=0.7),
    '10 % right': Options(box_shift=(0.1, 0.0)),
    '10 % left': Options(box_shift=(-0.1, 0.0)),
    '10 % down': Options(box_shift=(0.0, 0.1)),
    '10 % up': Options(box_shift=(0.0, -0.1)),
}
_COVERAGES = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class HeldOut:
    """A `posed` folder of crops, and the labels of each, (N,) arrays by name."""

    folder: Path
    labels: Mapping[str, NDArray[Any]]

    @property
    def pictures(self) -> list[Picture]:
        """The crops, one face each, in the order of the labels."""
        return posed.pictures(self.folder)

    @property
    def face_seen(self) -> NDArray[np.bool_]:
        """Whether a third of the inner landmarks is seen (N,): half of them are in a profile."""
        return np.asarray(self.labels['seen'] >= 1 / 3)

    @property
    def clear_pictures(self) -> list[Picture]:
        """Of the first half of the crops, those whose face is seen, within 60 deg of yaw."""
        pictures = self.pictures[: max(1, len(self.face_seen) // 2)]
        yaw = true_yaw(np.array([p.faces[0].rotation_camera_from_face for p in pictures]))
        keep = self.face_seen[: len(pictures)] & (np.abs(yaw) <= 60)
        return [picture for picture, good in zip(pictures, keep, strict=True) if good]


def held_out(folder: Path, count: int, workers: int) -> HeldOut:
    """Render the crops that are not there yet, and read their labels."""
    shards, pictures = folder / 'shards', folder / 'posed'
    what = CropSet(count, seed=SEED, negatives=0.0, held_out=True, shard_crops=100)
    fresh = synthesize_crops(shards, what, workers)
    if fresh or not (pictures / posed.FILE_NAME).exists():
        export_posed(shards, pictures)
    names = ('skin_tone', 'light', 'occlusion', 'glasses', 'mask', 'cover', 'beard', 'identity')
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in (*names, 'seen')}
    for path in sorted(shards.glob('shard_*.npz')):
        with np.load(path, allow_pickle=False) as shard:
            for name in names:
                parts[name].append(shard[name])
            parts['seen'].append(shard['landmark_visible'][:, INNER].mean(axis=1))
    return HeldOut(pictures, {name: np.concatenate(some) for name, some in parts.items()})


def off_axis(folders: Mapping[str, Path], estimator: Estimator) -> dict[str, Any]:
    """Return, per lens, the aligned errors with and without rectification, ring by ring."""
    out: dict[str, Any] = {}
    for name, folder in folders.items():
        pictures, rings = posed.pictures(folder), accuracy_rings.ring_column(folder)
        out[name] = {}
        for kind, rectify in (('rectified', True), ('plain', False)):
            results = evaluate(pictures, estimator, TrueBoxes(), Options(rectify))
            errors = metrics.aligned_geodesic(results.rotations, results.truth)
            by_ring = accuracy_rings.by_ring(rings, errors)
            means = [ring['geodesic_aligned_deg'] for ring in by_ring]
            out[name][kind] = {
                'by_ring': by_ring,
                'mean': round(float(np.rad2deg(errors.mean())), 3),
                'median': round(float(np.rad2deg(np.median(errors))), 3),
                'worst_over_best': round(max(means) / min(means), 3),
            }
    return out


def difficulties(heads: HeldOut, estimator: Estimator) -> tuple[dict[str, Any], Results]:
    """Return the figures on held-out crops, as they are and by label, and the raw results."""
    results = evaluate(heads.pictures, estimator, TrueBoxes(), Options())
    plain = np.rad2deg(geodesic_distance(results.rotations, results.truth))
    aligned = np.rad2deg(metrics.aligned_geodesic(results.rotations, results.truth))
    out = report(results)
    out['groups'] = {
        title: [
            {'group': name, **_figures(plain, aligned, inside)}
            for name, inside in groups
            if np.any(inside)
        ]
        for title, groups in _groups(heads, results).items()
    }
    return out, results


def resolutions(heads: HeldOut, estimator: Estimator) -> list[dict[str, float]]:
    """Return the errors where the face sphere is this many pixels across, then enlarged again."""
    pictures, rows = heads.clear_pictures, []
    for face_px in FACE_PX:
        folder = heads.folder.with_name(f'face_{face_px}px')
        shrunk = [_shrunk(picture, face_px, folder) for picture in pictures]
        results = evaluate(shrunk, estimator, TrueBoxes(), Options())
        errors = np.rad2deg(metrics.aligned_geodesic(results.rotations, results.truth))
        rows.append({'face_px': face_px, **_spread(errors)})
    return rows


def boxes(heads: HeldOut, estimator: Estimator, looks: int) -> dict[str, float]:
    """Return the mean aligned errors of the last look for boxes that are off, by how."""
    pictures = heads.clear_pictures
    out = {}
    for name, options in BOXES.items():
        results = evaluate(pictures, estimator, TrueBoxes(), replace(options, passes=looks))
        errors = np.rad2deg(metrics.aligned_geodesic(results.rotations, results.truth))
        out[name] = round(float(errors.mean()), 3)
    return out


def tilts(heads: HeldOut, estimator: Estimator, looks: int) -> list[dict[str, Any]]:
    """Return the aligned errors of the last look by how far the head is tilted in its crop.

    The tilt: between the image's vertical and the head's z axis, as a camera that looks straight
    at the face sees it.
    """
    results = evaluate(heads.clear_pictures, estimator, TrueBoxes(), Options(passes=looks))
    up = np.array([face.rotation_camera_from_face[:, 2] for face in results.faces])
    centres = np.array([face.centre for face in results.faces])
    x, y = (rotation_to_axis(centres) @ up[:, :, None])[:, :2, 0].T
    tilt = np.abs(np.rad2deg(np.arctan2(x, -y)))
    errors = np.rad2deg(metrics.aligned_geodesic(results.rotations, results.truth))
    return [
        {'group': name, 'count': int(inside.sum()), **_spread(errors[inside])}
        for name, inside in _ranges(tilt, (0, 10, 20, 40, 90.01), 'deg')
        if np.any(inside)
    ]


def calibration(results: Results) -> dict[str, Any]:
    """Return how the stated sigma compares with the errors, axis by axis and pooled.

    `coverage`: the share of errors within each central interval that a Gaussian of that sigma
    promises. `bins`: for eighths of the axes, from surest to least sure, the mean sigma and the
    quantiles of the errors, degrees.
    """
    turn = results.rotations_virtual @ np.swapaxes(results.truth_virtual, 1, 2)
    errors, sigma = np.abs(vector_from_matrix(turn)).ravel(), results.sigma.ravel()
    promised = ndtri((1 + _COVERAGES) / 2)
    order = np.argsort(sigma)
    bins = [
        {
            'sigma_deg': round(float(np.rad2deg(sigma[part].mean())), 3),
            **{
                f'p{percent}_deg': round(
                    float(np.rad2deg(np.percentile(errors[part], percent))), 3
                )
                for percent in (50, 68, 95)
            },
        }
        for part in np.array_split(order, 8)
    ]
    return {
        'coverage': [
            {'promised': round(float(p), 3), 'found': round(float(np.mean(errors < z * sigma)), 4)}
            for p, z in zip(_COVERAGES, promised, strict=True)
        ],
        'bins': bins,
    }


def true_yaw(rotations: Array) -> Array:
    """Return yaw in degrees, beyond 90 where the face turns away; pitch stays within +-90."""
    yaw, pitch, _ = euler_from_matrix(rotations)
    turned = np.where(yaw >= 0, np.pi - yaw, -np.pi - yaw)
    return np.rad2deg(np.where(np.abs(pitch) <= np.pi / 2, yaw, turned))


Groups = Iterator[tuple[str, NDArray[np.bool_]]]


def _groups(heads: HeldOut, results: Results) -> dict[str, Groups]:
    labels = heads.labels
    yaw = np.abs(true_yaw(results.truth))
    pitch = np.abs(np.rad2deg(euler_from_matrix(results.truth)[1]))
    near = yaw <= 60
    by_range: dict[str, Groups] = {
        'range': iter(
            [
                ('yaw within 60 deg', near),
                ('yaw beyond 60 deg', ~near),
                ('yaw within 60 deg, face seen', near & heads.face_seen),
                ('yaw beyond 60 deg, face seen', ~near & heads.face_seen),
            ]
        ),
        'absolute yaw': _ranges(yaw, (0, 15, 30, 45, 60, 75, 100.01), 'deg'),
        'absolute pitch': _ranges(np.minimum(pitch, 180 - pitch), (0, 15, 30, 45, 75.01), 'deg'),
    }
    others: dict[str, Groups] = {
        'inner landmarks seen': _ranges(
            100 * labels['seen'], (0, 34, 50, 70, 85, 95, 100.01), '%'
        ),
        'skin tone': _ranges(labels['skin_tone'], (0, 2, 4, 6, 8.01), '', '0 light, 7 dark'),
        'light': _values(labels['light']),
        'occluder': _values(labels['occlusion'], 'none'),
        'glasses': _values(labels['glasses'], 'none'),
        'mask': iter([('yes', labels['mask'])]),
        'head cover': iter([('yes', labels['cover'] != '')]),
    }
    return by_range | {
        title: ((name, inside & near) for name, inside in groups)
        for title, groups in others.items()
    }


def _ranges(values: Array, edges: Sequence[float], unit: str, note: str = '') -> Groups:
    for low, high in pairwise(edges):
        name = f'{low:g} to {int(high):g} {unit}'.strip()
        yield (
            f'{name} ({note})' if note and low == edges[0] else name,
            ((values >= low) & (values < high)),
        )


def _values(values: NDArray[Any], empty: str = '') -> Groups:
    for value in sorted(set(values.tolist())):
        yield value or empty, values == value


def _figures(plain: Array, aligned: Array, inside: NDArray[np.bool_]) -> dict[str, float]:
    return {
        'count': int(inside.sum()),
        'geodesic_deg': round(float(plain[inside].mean()), 3),
        **_spread(aligned[inside]),
    }


def _spread(errors: Array) -> dict[str, float]:
    return {
        'geodesic_aligned_deg': round(float(errors.mean()), 3),
        'median_aligned_deg': round(float(np.median(errors)), 3),
    }


def _shrunk(picture: Picture, face_px: int, folder: Path) -> Picture:
    """Return the picture as a camera of lower resolution gives it, at the old size."""
    path = folder / picture.path.name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        image, lens, face = read_picture(picture.path), picture.lens, picture.faces[0]
        assert lens is not None
        assert face.centre is not None
        across = 2 * lens.fx * 0.125 * face.head_scale / float(np.linalg.norm(face.centre))
        size, share = image.shape[0], min(1.0, face_px / across)
        small_px = max(4, round(size * share))
        small = cv2.resize(image, (small_px, small_px), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(path), cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR))
    return replace(picture, path=path)
