# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options that give the camera's intrinsics, the same for every command."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headpose_ros.geometry.camera import CameraModel

DEFAULT_HFOV_DEG = 60.0


@dataclass(frozen=True)
class Lens:
    """A camera, and where its intrinsics are from: `given`, `exif` or `assumed`."""

    camera: CameraModel
    source: str

    @property
    def hfov_deg(self) -> float:
        """Horizontal field of view between the edges of the image, degrees, to 0.1."""
        import numpy as np

        camera = self.camera
        edges = [[-0.5, camera.cy], [camera.width - 0.5, camera.cy]]
        left, right = camera.rays(np.array(edges))
        # not by the angle between them, which is never more than 180 degrees
        return round(sum(math.degrees(math.atan2(abs(x), z)) for x, _, z in (left, right)), 1)


def add_lens_options(parser: argparse.ArgumentParser, unknown: str) -> None:
    """Add --camera-info and --hfov. `unknown`: what is done without them."""
    lens = parser.add_mutually_exclusive_group()
    lens.add_argument(
        '--camera-info', type=Path, metavar='YAML', help='calibration as camera_calibration writes'
    )
    lens.add_argument(
        '--hfov', type=float, metavar='DEG', help=f'horizontal field of view, degrees [{unknown}]'
    )


class Lenses:
    """The lens of images of any size, from the options."""

    def __init__(self, args: argparse.Namespace) -> None:
        from headpose_ros.geometry.camera import CameraModel

        self._calibrated = CameraModel.from_yaml(args.camera_info) if args.camera_info else None
        self._hfov_deg: float | None = args.hfov
        if args.hfov is not None and not 0.0 < args.hfov < 180.0:
            raise ValueError(f'--hfov: expected degrees between 0 and 180, got {args.hfov}')

    def of(self, width: int, height: int, exif_hfov: float | None = None) -> Lens:
        """Return the lens of an image of this size.

        `exif_hfov`, rad: what the image itself says, taken where there are no options. Raises
        ValueError where the calibration is of another aspect ratio.
        """
        from headpose_ros.geometry.camera import CameraModel

        if self._calibrated is not None:
            return Lens(self._calibrated.scaled_to(width, height), 'given')
        if self._hfov_deg is not None:
            hfov, source = math.radians(self._hfov_deg), 'given'
        elif exif_hfov is not None:
            hfov, source = exif_hfov, 'exif'
        else:
            hfov, source = math.radians(DEFAULT_HFOV_DEG), 'assumed'
        return Lens(CameraModel.from_fov(width, height, hfov), source)
