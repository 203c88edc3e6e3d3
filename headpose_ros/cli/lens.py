# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options that give the camera's intrinsics, the same for every command."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headpose_ros.geometry.camera import CameraModel, FovModel
    from headpose_ros.geometry.camera_doubts import Remark

DEFAULT_HFOV_DEG = 60.0
LENSES = {'pinhole': DEFAULT_HFOV_DEG, 'equidistant': 180.0, 'equirectangular': 360.0}
"""The ideal lenses, with the field of view, degrees, that is assumed where nothing says it."""


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
    """Add --camera-info, --hfov and --lens. `unknown`: what is done without the first two."""
    lens = parser.add_mutually_exclusive_group()
    lens.add_argument(
        '--camera-info', type=Path, metavar='FILE',
        help='calibration, as camera_calibration, OpenCV, Kalibr, COLMAP (cameras.txt) or '
        '`ros2 topic echo` of a CameraInfo write it',
    )  # fmt: skip
    lens.add_argument(
        '--hfov', type=float, metavar='DEG', help=f'horizontal field of view, degrees [{unknown}]'
    )
    parser.add_argument(
        '--lens',
        choices=tuple(LENSES),
        default='pinhole',
        help='kind of lens that --hfov is about: pinhole, equidistant (a fisheye; 180 degrees '
        'without --hfov) or equirectangular (a panorama; 360) [%(default)s]',
    )


class Lenses:
    """The lens of images of any size, from the options."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._calibrated = calibrated(args.camera_info) if args.camera_info else None
        self._hfov_deg: float | None = args.hfov
        self._model: FovModel = args.lens
        if args.camera_info and args.lens != 'pinhole':
            raise ValueError('--lens: goes with --hfov; a calibration says the lens itself')
        if args.hfov is not None:
            _check_hfov(args.hfov, args.lens)

    @property
    def is_given(self) -> bool:
        """Whether the options say anything of the lens."""
        return (
            self._calibrated is not None or self._hfov_deg is not None or self._model != 'pinhole'
        )

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
        elif exif_hfov is not None and self._model == 'pinhole':
            hfov, source = exif_hfov, 'exif'
        else:
            hfov, source = math.radians(LENSES[self._model]), 'assumed'
        return Lens(CameraModel.from_fov(width, height, hfov, self._model), source)


def calibrated(path: Path) -> CameraModel:
    """Return the camera of a calibration file; print what is unusual or doubtful about it."""
    from headpose_ros.geometry.camera import CameraModel

    def tell(remark: Remark) -> None:
        print(f'--camera-info {remark.text}', file=sys.stderr)

    return CameraModel.from_yaml(path, tell=tell)


def _check_hfov(degrees: float, lens: str) -> None:
    if lens == 'pinhole' and not 0.0 < degrees < 180.0:
        raise ValueError(
            f'--hfov: expected degrees between 0 and 180, got {degrees}; for wider views name '
            'the lens: --lens equidistant (fisheye) or --lens equirectangular (panorama)'
        )
    if not 0.0 < degrees <= 360.0:
        raise ValueError(f'--hfov: expected degrees up to 360, got {degrees}')
