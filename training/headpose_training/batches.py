# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training batches: batch number i of a seed is always the same, whoever makes it and when.

So a resumed training continues exactly, and the number of workers changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.typing import Array
from headpose_training.face_crops import FaceCrops
from headpose_training.photometry import Photometry
from headpose_training.warping import Views, WarpLimits, plan_warp, warp_image

_YAW_BINS = np.deg2rad(np.arange(-90, 91, 10))
Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Source:
    """Crops and the share of every batch that they fill."""

    crops: FaceCrops
    share: float


@dataclass(frozen=True)
class BatchPlan:
    """Size of a batch, of its crops, and how its negatives are made.

    `beside_share`: of the faces, so many are looked at beside the face, as negatives.
    """

    batch_size: int
    crop_px: int
    crop_scale: float
    seed: int = 0
    beside_share: float = 0.04
    yaw_balance: float = 0.5
    """0 draws faces as they come, 1 draws all yaw angles equally often."""
    negative_share: float = 0.06
    """At most this share of what is drawn from a source shows no face."""
    spared_renders: float = 0.7
    """Share of the renders left as they are: the renderer has degraded them already."""


class Batches(Dataset[Batch]):
    """Batch i: crops (B,S,S,3) uint8 BGR and the targets of `losses.py`."""

    def __init__(
        self,
        sources: Sequence[Source],
        plan: BatchPlan,
        limits: WarpLimits | None = None,
        rank: int = 0,
    ) -> None:
        if not sources or sum(s.share for s in sources) <= 0:
            raise ValueError('training data: expected at least one source with a share above 0')
        self._sources = list(sources)
        self._plan = plan
        self._limits = limits or WarpLimits()
        self._rank = rank
        self._photometry = Photometry(plan.crop_px)
        self._chances = [_chances(s.crops, plan) for s in self._sources]

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self._plan.seed, self._rank, number])
        shares = np.array([s.share for s in self._sources])
        edges = np.round(np.cumsum(shares / shares.sum()) * self._plan.batch_size).astype(int)
        counts = np.diff(edges, prepend=0)
        parts = [
            self._draw(source.crops, chances, int(count), rng)
            for source, chances, count in zip(self._sources, self._chances, counts, strict=True)
            if count
        ]
        return {k: torch.from_numpy(np.concatenate([p[k] for p in parts])) for k in parts[0]}

    def _draw(
        self, crops: FaceCrops, chances: Array, count: int, rng: np.random.Generator
    ) -> dict[str, NDArray[np.generic]]:
        plan = self._plan
        index = np.searchsorted(chances, rng.random(count)).clip(max=len(crops) - 1)
        beside = rng.random(count) < plan.beside_share
        views = _beside(self._limits.draw(rng, count), beside, rng)
        warp = plan_warp(crops, index, views, plan.crop_px, plan.crop_scale)
        images = np.empty((count, plan.crop_px, plan.crop_px, 3), np.uint8)
        for i in range(count):
            crop = warp_image(crops.images[index[i]], warp.homographies[i], plan.crop_px)
            other = crops.images[index[rng.integers(count)]]
            if crops.is_synthetic[index[i]] and rng.random() < plan.spared_renders:
                images[i] = crop
            else:
                images[i] = self._photometry(crop, rng, other)
        return {
            'crops': images,
            'rotations': warp.rotations.astype(np.float32),
            'centres': warp.centres.astype(np.float32),
            'landmarks': warp.landmarks.astype(np.float32),
            'log_sizes': warp.log_sizes.astype(np.float32),
            'log_head_scales': np.log(crops.head_scales[index]).astype(np.float32),
            'spreads': crops.spreads[index].astype(np.float32),
            'is_face': (crops.is_face[index] & ~beside),
            'is_synthetic': crops.is_synthetic[index],
        }


def _chances(crops: FaceCrops, plan: BatchPlan) -> Array:
    """Return the cumulated probability of each crop: rare yaw angles more often."""
    yaw, _, _ = euler_from_matrix(crops.rotations)
    bins = np.digitize(np.abs(yaw), _YAW_BINS)
    frequency = np.bincount(bins, minlength=len(_YAW_BINS) + 1) / len(crops)
    weight = np.maximum(frequency[bins], 0.01) ** -plan.yaw_balance
    negatives = np.mean(~crops.is_face)
    if 0 < negatives < 1:
        share = min(float(negatives), plan.negative_share)
        weight[~crops.is_face] = 1 / negatives * share / (1 - share)
        weight[crops.is_face] /= weight[crops.is_face].mean() * (1 - negatives)
    cumulated: Array = np.cumsum(weight / weight.sum())
    return cumulated


def _beside(views: Views, beside: NDArray[np.bool_], rng: np.random.Generator) -> Views:
    """Look beside the face where `beside`: its centre is out of the crop by up to half a crop."""
    angle = rng.uniform(0, 2 * np.pi, len(beside))
    far = rng.uniform(1.0, 1.5, len(beside)) / np.maximum(
        np.abs(np.cos(angle)), np.abs(np.sin(angle))
    )
    outside = np.stack([np.cos(angle), np.sin(angle)], 1) * far[:, None]
    centres = np.where(beside[:, None], outside, views.centres)
    return Views(views.rolls, centres, views.scales, views.mirrored, views.distances)
