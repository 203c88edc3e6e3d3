# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Searches what a camera of any lens sees for faces, with a detector that knows flat images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.config import SMALLEST_FACE, PipelineConfig
from headpose_ros.detection.detector import BoxToFace, Detector
from headpose_ros.detection.pieces import Piece, pieces
from headpose_ros.geometry import CameraModel, covering_views, merge_on_sphere
from headpose_ros.geometry.face_frame import angular_size_from_distance
from headpose_ros.geometry.near_views import AnyView
from headpose_ros.geometry.rays import angle_between
from headpose_ros.geometry.reduction import halved
from headpose_ros.heads import Boxes, Faces
from headpose_ros.typing import Array, Image

VIDEO_FACE_PX, VIDEO_AREA = 24.0, 640 * 480
SINGLE_FACE_PX, SINGLE_AREA = 12.0, 1280 * 960
"""Smallest faces where `min_face_px` leaves it open, in an image of that area, of a stream and by
itself. Larger images are searched as if scaled to it, which bounds the time: otherwise 4K would
cost 27 times as much as VGA."""

_VIDEO_LEAST_PX = 20.0
"""In small images of a stream: the network would find less in those enlarged further."""

SINGLE_LENIENCE = 0.2
"""How much less than `score_threshold` a detection in a picture by itself may score: there the
estimator is asked as well (`tracking/single_judge.py`). That finds more faces that are tilted."""

MAX_PARTS = 10
"""In how many parts a search is divided at most: one for each image of a stream, by default."""

_TILE = 27.0
"""Side of the tiles in a part, in smallest faces. Such a tile is a VGA image at the usual size: in
three pieces it takes 1.7 times as long in all, in seven 2.6 times."""

_MAX_SMALL = 1
"""Most tiles in a part for faces smaller than is usual, see `automatic_face_px`. Where there are
more, each round of parts has its turn of them."""

_ABOUT = 0.7  # of the usual size still is

_WHOLE_TILE = 80.0
"""Side of the tiles of a whole search: for images so large that memory is what limits them."""

_WARM_SIZES = 4
"""Sizes of images for which runtimes keep a graph of its own; making one takes 0.1 s."""

_AMPLE_PX = 24.0  # smallest faces larger than twice this are shrunk before the detector sees them


_Job = tuple[AnyView, Piece]


class FaceSearch:
    """Finds all faces in an image, or in a part of it.

    `config`: the options where a call gives none; only the live ones may differ there. `views`:
    tells what to search of a camera's image. `single`: images are pictures by themselves, for
    which a search may take longer than for those of a stream. `thorough`: a detector that finds
    more and takes longer, for the searches that are to be thorough; None: they are as others.
    """

    def __init__(
        self,
        detector: Detector,
        config: PipelineConfig | None = None,
        views: Callable[..., Sequence[AnyView]] = covering_views,
        single: bool = False,
        thorough: Detector | None = None,
    ) -> None:
        self.detector = detector
        self.thorough = thorough
        self._warm: set[tuple[object, ...]] = set()
        self._config = config or PipelineConfig()
        self._views = views
        self._single = single
        self._round = 0
        self.parts = 1
        """In how many parts to search such an image as the newest, so that none takes long."""

    def find_part(
        self,
        image_bgr: Image,
        camera: CameraModel,
        part: int,
        config: PipelineConfig | None = None,
        up: Array | None = None,
        thorough: bool = False,
    ) -> Faces:
        """Find the faces in part `part` of `parts`: tiles for small ones, or all of it for large.

        All parts together find what `find` does; where `min_face_px` asks for faces much smaller
        than is usual for such an image, several rounds of all parts do. Raises ValueError as
        `find`.
        """
        if not 0 <= part < self.parts:
            raise ValueError(f'part: expected 0 to {self.parts - 1}, got {part}')
        config = config or self._config
        _check_size(image_bgr, camera)
        usual, small = self._jobs(camera, config, up)
        rounds = max(1, -(-len(small) // (self.parts * _MAX_SMALL)))
        self._round += part == 0
        first = part + self.parts * (self._round % rounds)
        due = usual[part :: self.parts] + small[first :: self.parts * rounds]
        self.parts = _parts_for(usual, small)
        return self._find(image_bgr, due, config, thorough)

    def find(
        self,
        image_bgr: Image,
        camera: CameraModel,
        config: PipelineConfig | None = None,
        up: Array | None = None,
        thorough: bool = False,
    ) -> Faces:
        """Return the faces in `image_bgr` (H,W,3), which `camera` took, best score first.

        Each is found once, however many views of a wide lens show it: what the border of one view
        cuts is left out where another shows the face whole. Faces whose centre is outside the
        image are left out. `up` (3,): against gravity, in the camera's frame; None: the camera is
        held upright. Raises ValueError where image and camera differ in size.
        """
        config = config or self._config
        _check_size(image_bgr, camera)
        every = [
            (view, piece)
            for view in self._views_of(camera, up)
            for piece in self._pieces(view, config, _WHOLE_TILE)
        ]
        self.parts = _parts_for(*self._jobs(camera, config, up))
        return self._find(image_bgr, every, config, thorough)

    def _jobs(
        self, camera: CameraModel, config: PipelineConfig, up: Array | None
    ) -> tuple[list[_Job], list[_Job]]:
        """Return what to search piece by piece: for faces of usual sizes, and for smaller ones."""
        usual: list[_Job] = []
        small: list[_Job] = []
        for view in self._views_of(camera, up):
            least = automatic_face_px(view.camera.width, view.camera.height, self._single)
            for piece in self._pieces(view, config, _TILE):
                (usual if piece.smallest >= _ABOUT * least else small).append((view, piece))
        return usual, small

    def _views_of(self, camera: CameraModel, up: Array | None) -> Sequence[AnyView]:
        return self._views(camera) if up is None else self._views(camera, up=up)

    def _pieces(self, view: AnyView, config: PipelineConfig, side: float) -> tuple[Piece, ...]:
        relation = self.detector.box_to_face
        smallest = smallest_face_px(config, view.camera, relation, self._single)
        return pieces(view.camera.width, view.camera.height, smallest, side)

    def _find(
        self, image: Image, due: Sequence[_Job], config: PipelineConfig, thorough: bool
    ) -> Faces:
        detector = (self.thorough if thorough else None) or self.detector
        found, shown, rendered = [_NOTHING], None, image
        for view, piece in due:
            if view is not shown:
                shown, rendered = view, view.render(image)
            self._warm_up(piece.of(rendered), piece.smallest)
            found.append(self._find_in_piece(detector, rendered, view, piece, config))
        rays, sizes, scores, cut = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = merge_on_sphere(rays, sizes, scores - 2 * cut)  # whole ones first
        whole, rest = kept[~cut[kept]], kept[cut[kept]]
        kept = np.concatenate([whole, rest[~_touches(rays, sizes, rest, whole)]])
        kept = kept[np.argsort(-scores[kept], kind='stable')]
        return Faces(rays[kept], sizes[kept], scores[kept])

    def _warm_up(self, image: Image, smallest_px: float) -> None:
        """Let the thorough detector make its graph for such images now, not amid a stream."""
        size = (*image.shape, smallest_px)
        if self.thorough is None or size in self._warm or len(self._warm) >= _WARM_SIZES:
            return
        self._warm.add(size)
        detect_scaled(self.thorough, image, smallest_px)

    def _find_in_piece(
        self,
        detector: Detector,
        rendered: Image,
        view: AnyView,
        piece: Piece,
        config: PipelineConfig,
    ) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
        """Return rays, angular sizes, scores, and which faces the view's border cuts.

        Left out is what a border of the piece cuts: others of the same view show that whole.
        """
        boxes = detect_scaled(detector, piece.of(rendered), piece.smallest)
        width, height = view.camera.width, view.camera.height
        uncut = ~piece.is_cut(boxes.corners, width, height)
        corners = boxes.corners[uncut] + np.tile([piece.x0, piece.y0], 2)
        boxes = Boxes(corners, boxes.scores[uncut])
        centres, sides = face_squares(boxes, detector.box_to_face)
        end = np.array([width, height]) - 0.5
        inside = ((centres > -0.5) & (centres < end)).all(axis=1)
        least = config.score_threshold - (SINGLE_LENIENCE if self._single else 0.0)
        good = inside & (boxes.scores >= least)
        rays, angular_sizes = view.faces_from_squares(centres[good], sides[good])
        low, high = boxes.corners[good, :2], boxes.corners[good, 2:]
        cut: NDArray[np.bool_] = np.any((low < 1) | (high > end - 1.5), axis=1)
        return rays, angular_sizes, boxes.scores[good], cut & (not view.is_whole_image)


_NOTHING = (np.empty((0, 3)), np.empty(0), np.empty(0), np.empty(0, bool))


def _parts_for(usual: Sequence[_Job], small: Sequence[_Job]) -> int:
    return max(1, min(MAX_PARTS, max(len(usual), -(-len(small) // _MAX_SMALL))))


def _check_size(image: Image, camera: CameraModel) -> None:
    height, width = image.shape[:2]
    if (width, height) != (camera.width, camera.height):
        raise ValueError(
            f'image: expected {camera.width}x{camera.height} as its camera, got {width}x{height}'
        )


def _touches(
    rays: Array, sizes: Array, some: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Tell which of the discs `some` touch one of `others`; both index rays and sizes."""
    apart = angle_between(rays[some][:, None], rays[others])
    touch: NDArray[np.bool_] = np.any(apart < (sizes[some][:, None] + sizes[others]) / 2, axis=1)
    return touch


def smallest_face_px(
    config: PipelineConfig, camera: CameraModel, relation: BoxToFace, single: bool = False
) -> float:
    """Return the smallest box, pixels across, to search for in an image of `camera`.

    `single`: it is a picture by itself, see `FaceSearch`.
    """
    if config.max_distance == 0:
        return config.min_face_px or automatic_face_px(camera.width, camera.height, single)
    angle = float(angular_size_from_distance(config.max_distance))
    side = 2 * math.tan(angle / 2) * min(camera.fx, camera.fy)
    return max(side / relation.scale, SMALLEST_FACE)


def automatic_face_px(width: int, height: int, single: bool = False) -> float:
    """Return the smallest face searched for where `min_face_px` is 0, pixels."""
    if single:
        return SINGLE_FACE_PX * max(1.0, math.sqrt(width * height / SINGLE_AREA))
    return max(_VIDEO_LEAST_PX, VIDEO_FACE_PX * math.sqrt(width * height / VIDEO_AREA))


def detect_scaled(detector: Detector, image: Image, smallest_px: float) -> Boxes:
    """Detect in `image`, shrunk first by a power of two where the smallest wanted are large."""
    halvings = max(int(math.log2(smallest_px / _AMPLE_PX)), 0)
    block = 1 << halvings
    height, width = image.shape[0] // block, image.shape[1] // block
    if block == 1 or min(height, width) == 0:
        return detector.detect(image, smallest_px)
    small = _shrunk(image[: height * block, : width * block], halvings)
    boxes = detector.detect(small, smallest_px / block)
    return Boxes(
        _enlarged(boxes.corners, block),
        boxes.scores,
        None if boxes.landmarks is None else _enlarged(boxes.landmarks, block),
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
