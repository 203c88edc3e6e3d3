# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Searches what a camera of any lens sees for faces, with a detector that knows flat images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace, Detector, SizedDetector
from headpose_ros.geometry import CameraModel, View, covering_views, merge_on_sphere
from headpose_ros.geometry.face_frame import angular_size_from_distance
from headpose_ros.geometry.rays import angle_between
from headpose_ros.geometry.reduction import halved
from headpose_ros.geometry.upright_views import TurnedView
from headpose_ros.heads import Boxes, Faces
from headpose_ros.typing import Array, Image

REFERENCE_WIDTH = 640
"""`min_face_px` is meant in an image of this width; wider ones are searched as if scaled to it.

Otherwise a 4K image would cost 27 times as much, to find people 35 m away.
"""

_SMALLEST_PX = 12.0  # what detectors can find at all
_Sizes = tuple[float, float]
"""Range of the sizes searched for, over the smallest wanted."""

_ALL: _Sizes = (1.0, math.inf)
_SMALL: _Sizes = (1.0, 2.0)
_LARGE: _Sizes = (2.0, math.inf)
_AMPLE_PX = 24.0  # smallest faces larger than twice this are shrunk before the detector sees them


class FaceSearch:
    """Finds all faces in an image.

    `config`: the options where a call gives none; only the live ones may differ there. `views`:
    tells what to search of a camera's image.
    """

    def __init__(
        self,
        detector: Detector,
        config: PipelineConfig | None = None,
        views: Callable[..., Sequence[View | TurnedView]] = covering_views,
    ) -> None:
        self.detector = detector
        self._config = config or PipelineConfig()
        self._views = views
        self.parts = 2 if isinstance(detector, SizedDetector) else 1
        """In how many parts a search can be divided; small faces cost twice what large ones do."""

    def find_part(
        self,
        image_bgr: Image,
        camera: CameraModel,
        part: int,
        config: PipelineConfig | None = None,
        up: Array | None = None,
    ) -> Faces:
        """Find small faces (part 0) or large ones (part 1); of others it may find some.

        All parts together find what `find` does. Raises ValueError as `find`.
        """
        if not 0 <= part < self.parts:
            raise ValueError(f'part: expected 0 to {self.parts - 1}, got {part}')
        if self.parts == 1:
            return self.find(image_bgr, camera, config, up)
        return self._find(image_bgr, camera, config, _SMALL if part == 0 else _LARGE, up)

    def find(
        self,
        image_bgr: Image,
        camera: CameraModel,
        config: PipelineConfig | None = None,
        up: Array | None = None,
    ) -> Faces:
        """Return the faces in `image_bgr` (H,W,3), which `camera` took, best score first.

        Each is found once, however many views of a wide lens show it: what the border of one view
        cuts is left out where another shows the face whole. Faces whose centre is outside the
        image are left out. `up` (3,): against gravity, in the camera's frame; None: the camera is
        held upright. Raises ValueError where image and camera differ in size.
        """
        return self._find(image_bgr, camera, config, _ALL, up)

    def _find(
        self,
        image_bgr: Image,
        camera: CameraModel,
        config: PipelineConfig | None,
        wanted: _Sizes,
        up: Array | None,
    ) -> Faces:
        config = config or self._config
        height, width = image_bgr.shape[:2]
        if (width, height) != (camera.width, camera.height):
            raise ValueError(
                f'image: expected {camera.width}x{camera.height} as its camera, '
                f'got {width}x{height}'
            )
        views = self._views(camera) if up is None else self._views(camera, up=up)
        found = [self._find_in_view(image_bgr, view, config, wanted) for view in views]
        rays, sizes, scores, cut = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = merge_on_sphere(rays, sizes, scores - 2 * cut)  # whole ones first
        whole, rest = kept[~cut[kept]], kept[cut[kept]]
        kept = np.concatenate([whole, rest[~_touches(rays, sizes, rest, whole)]])
        kept = kept[np.argsort(-scores[kept], kind='stable')]
        return Faces(rays[kept], sizes[kept], scores[kept])

    def _find_in_view(
        self, image: Image, view: View | TurnedView, config: PipelineConfig, wanted: _Sizes
    ) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
        """Return rays, angular sizes, scores, and which faces the view's border cuts."""
        smallest = smallest_face_px(config, view.camera, self.detector.box_to_face)
        boxes = detect_scaled(self.detector, view.render(image), smallest, wanted)
        centres, sides = face_squares(boxes, self.detector.box_to_face)
        end = np.array([view.camera.width, view.camera.height]) - 0.5
        inside = ((centres > -0.5) & (centres < end)).all(axis=1)
        good = inside & (boxes.scores >= config.score_threshold)
        rays, angular_sizes = view.faces_from_squares(centres[good], sides[good])
        low, high = boxes.corners[good, :2], boxes.corners[good, 2:]
        cut: NDArray[np.bool_] = np.any((low < 1) | (high > end - 1.5), axis=1)
        return rays, angular_sizes, boxes.scores[good], cut & (not view.is_whole_image)


def _touches(
    rays: Array, sizes: Array, some: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Tell which of the discs `some` touch one of `others`; both index rays and sizes."""
    apart = angle_between(rays[some][:, None], rays[others])
    touch: NDArray[np.bool_] = np.any(apart < (sizes[some][:, None] + sizes[others]) / 2, axis=1)
    return touch


def smallest_face_px(config: PipelineConfig, camera: CameraModel, relation: BoxToFace) -> float:
    """Return the smallest box, pixels across, to search for in an image of `camera`."""
    if config.max_distance == 0:
        return config.min_face_px * max(1.0, camera.width / REFERENCE_WIDTH)
    angle = float(angular_size_from_distance(config.max_distance))
    side = 2 * math.tan(angle / 2) * min(camera.fx, camera.fy)
    return max(side / relation.scale, _SMALLEST_PX)


def detect_scaled(
    detector: Detector, image: Image, smallest_px: float, sizes: _Sizes = _ALL
) -> Boxes:
    """Detect in `image`, shrunk first by a power of two where the smallest wanted are large."""
    halvings = max(int(math.log2(smallest_px * sizes[0] / _AMPLE_PX)), 0)
    block = 1 << halvings
    height, width = image.shape[0] // block, image.shape[1] // block
    if block == 1 or min(height, width) == 0:
        return _detect(detector, image, smallest_px, sizes)
    small = _shrunk(image[: height * block, : width * block], halvings)
    boxes = _detect(detector, small, smallest_px / block, sizes)
    landmarks = boxes.landmarks
    return Boxes(
        _enlarged(boxes.corners, block),
        boxes.scores,
        None if landmarks is None else _enlarged(landmarks, block),
    )


def _shrunk(image: Image, halvings: int) -> Image:
    """Return the image halved so often; its sides are multiples of what that takes."""
    if halvings < 2:
        return halved(image, halvings)
    # Bilinear, by four: the mean of the inner four of each sixteen pixels, so that half of a large
    # image's rows are not read at all.
    size = (image.shape[1] >> 2, image.shape[0] >> 2)
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return halved(small, halvings - 2)


def _detect(detector: Detector, image: Image, smallest_px: float, sizes: _Sizes) -> Boxes:
    low, high = smallest_px * sizes[0], smallest_px * sizes[1]
    if isinstance(detector, SizedDetector) and sizes is not _ALL:
        return detector.detect_between(image, low, high)
    return detector.detect(image, low)


def face_squares(boxes: Boxes, relation: BoxToFace) -> tuple[Array, Array]:
    """Return centres (N,2) and sides (N,) of the face spheres' squares; see `BoxToFace`."""
    spans = np.maximum(boxes.corners[:, 2:] - boxes.corners[:, :2], 1e-6)
    sizes = np.sqrt(spans.prod(axis=1))
    centres = (boxes.corners[:, :2] + boxes.corners[:, 2:]) / 2
    centres = centres + sizes[:, None] * [relation.dx, relation.dy]
    return centres, sizes * relation.scale


def _enlarged(pixels: Array, block: int) -> Array:
    """Return positions in the whole image; the centre of pixel 0 is not its corner."""
    larger: Array = (pixels + 0.5) * block - 0.5
    return larger
