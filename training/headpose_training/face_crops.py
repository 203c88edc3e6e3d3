# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled crops in memory, real or rendered: what every training batch is drawn from.

On disk they are .npz files with one array per field of `FaceCrops`, without pickles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headpose_ros.estimation.pfld import LANDMARKS
from headpose_ros.typing import Array, Image
from headpose_training.arrays import arrays_of


@dataclass(frozen=True)
class FaceCrops:
    """N crops of virtual cameras, wider than the network wants, so that they can be warped.

    `images` (N,P,P,3) uint8 BGR. `rotations` (N,3,3): from the face to the camera turned by the
    minimal rotation onto the face centre. `centres` (N,2): the face centre from the crop's, x
    right and y down, in half crops. `sizes` (N,): tan(apparent half angle of the head's own
    sphere) over tan(half the crop's angle). `half_tangents` (N,): tan(half the crop's angle), NaN
    where the camera is unknown. `head_scales` (N,): size over an average adult's, or NaN.
    `spreads` (N,): rad, how uncertain the rotation is. `landmarks` (N,68,2): from the crop's
    middle like `centres`, in iBUG order, NaN where unknown. `is_face`, `is_synthetic` (N,) bool;
    where `is_face` is false all but the image is without meaning.
    """

    images: Image
    rotations: Array
    centres: Array
    sizes: Array
    half_tangents: Array
    head_scales: Array
    spreads: Array
    landmarks: Array
    is_face: NDArray[np.bool_]
    is_synthetic: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self.images)
        shapes = {
            'rotations': (count, 3, 3),
            'centres': (count, 2),
            'sizes': (count,),
            'half_tangents': (count,),
            'head_scales': (count,),
            'spreads': (count,),
            'landmarks': (count, LANDMARKS, 2),
            'is_face': (count,),
            'is_synthetic': (count,),
        }
        if self.images.ndim != 4 or self.images.shape[1:] != (self.size_px, self.size_px, 3):
            raise ValueError(f'face crops: expected images (N,P,P,3), got {self.images.shape}')
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f'face crops: expected {name} {shape}, got {getattr(self, name).shape}'
                )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size_px(self) -> int:
        """Side of the stored crops."""
        return int(self.images.shape[1])

    def subset(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> FaceCrops:
        """Return some of them."""
        return FaceCrops(*(getattr(self, f.name)[which] for f in fields(self)))

    def save(self, path: Path) -> None:
        """Write one .npz; it appears under its name only when whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + '.partial')
        try:
            with partial.open('wb') as file:
                np.savez(file, **{f.name: getattr(self, f.name) for f in fields(self)})
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    @staticmethod
    def load(path: Path) -> FaceCrops:
        """Read one .npz. Raises ValueError where it is not one of ours."""
        with arrays_of(path, 'a file of face crops') as arrays:
            return FaceCrops(*(arrays[f.name] for f in fields(FaceCrops)))

    @staticmethod
    def join(parts: Iterable[FaceCrops]) -> FaceCrops:
        """Return all of several. Raises ValueError where there are none or their sizes differ."""
        every: Sequence[FaceCrops] = list(parts)
        if not every:
            raise ValueError('face crops: expected at least one file')
        if len(every) == 1:
            return every[0]  # no second copy of a gigabyte
        if len({p.size_px for p in every}) > 1:
            raise ValueError(
                f'face crops: expected one size, got {sorted({p.size_px for p in every})}'
            )
        return FaceCrops(
            *(np.concatenate([getattr(p, f.name) for p in every]) for f in fields(FaceCrops))
        )
