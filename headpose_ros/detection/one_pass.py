# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MTCNN with its first stage replaced: our network proposes in one pass, R- and O-Net decide."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import proposal_network as proposals
from headpose_ros.detection.mtcnn import Mtcnn
from headpose_ros.detection.mtcnn_stages import FaceCheck, Thresholds, suppress
from headpose_ros.geometry.reduction import halved
from headpose_ros.heads import Boxes
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.weights import LoadedWeights, fitted, load
from headpose_ros.typing import Array, Image

# The first by benchmark/bench_proposals.py; the others: docs/training_log.md.
MIN_SCORE = 0.2
MAX_OVERLAP = 0.75  # some for each face: R-Net may take another than our best for one
_RNET_SCORE = 0.4  # less than after P-Net, whose proposals are a hundred times as many
_MAX_CELLS, _MAX_PROPOSALS = 2048, 256
_MULTIPLE = 32
_BEYOND = 1.25  # of the largest: a face as high as the image is not worth another look
_BORDER = 127


class OnePass:
    """The detector (`detector.Detector`). `min_score`: of the proposals that it checks."""

    name = 'one_pass'
    box_to_face = Mtcnn.box_to_face  # the boxes are O-Net's

    def __init__(
        self,
        runtime: Runtime,
        weights: LoadedWeights,
        thresholds: Thresholds,
    ) -> None:
        self._network = runtime.compile(weights, exact=True)
        self._check = FaceCheck(runtime, thresholds)
        self.min_score = MIN_SCORE

    def detect(self, image_bgr: Image, min_face_px: float) -> Boxes:
        """Find faces; boxes may reach out of the image. See `detector.Detector`."""
        return self._check(image_bgr, self.propose(image_bgr, min_face_px))

    def propose(self, image_bgr: Image, min_face_px: float) -> Array:
        """Return squares (N,4) that may be faces of at least `min_face_px`, best first."""
        height, width = image_bgr.shape[:2]
        found = [np.empty((0, 5))]
        for size in sizes_to_look_at(width, height, min_face_px):
            boxes, scores = proposals.squares(
                self._network(_padded(image_bgr, size)[None]), self.min_score
            )
            scale = np.array([width / size.width, height / size.height] * 2)
            found.append(np.column_stack([(boxes + 0.5) * scale - 0.5, scores]))
        rows = np.concatenate(found)
        rows = rows[np.argsort(-rows[:, 4], kind='stable')[:_MAX_CELLS]]
        kept = suppress(rows[:, :4], rows[:, 4], MAX_OVERLAP)[:_MAX_PROPOSALS]
        return rows[kept, :4]


def create(config: PipelineConfig, runtime: Runtime) -> OnePass:
    """Load the shipped weights, or the proposals' of `config.detector_weights`: WeightsError."""
    weights = load(config.detector_weights, 'one_pass', (proposals.ARCHITECTURE,))
    thresholds = Thresholds(rnet=_RNET_SCORE, onet=min(0.5, config.score_threshold))
    with fitted(weights):
        return OnePass(runtime, weights, thresholds)


@dataclass(frozen=True)
class Size:
    """Of an image that the network looks at, in pixels, without what pads it."""

    width: int
    height: int

    @property
    def padded_width(self) -> int:
        """With a border that fills the coarsest cells."""
        return -(-self.width // _MULTIPLE) * _MULTIPLE

    @property
    def padded_height(self) -> int:
        """With a border that fills the coarsest cells."""
        return -(-self.height // _MULTIPLE) * _MULTIPLE


def sizes_to_look_at(width: int, height: int, min_face_px: float) -> list[Size]:
    """Return one size, or more where faces may be larger than the network knows."""
    scale = proposals.SMALLEST_PX / min_face_px
    found: list[Size] = []
    while True:
        size = Size(max(round(width * scale), 1), max(round(height * scale), 1))
        if min(size.width, size.height) < proposals.SMALLEST_PX:
            return found
        found.append(size)
        if min(size.width, size.height) <= proposals.LARGEST_PX * _BEYOND:
            return found
        scale *= 2 * proposals.SMALLEST_PX / proposals.LARGEST_PX


def _padded(image: Image, size: Size) -> Image:
    """Return the image of that size, with its border to the right and below."""
    # Halved as often as can be, then sampled: as the training does, and faster than area averages.
    image = halved(image, max(int(math.log2(image.shape[1] / size.width)), 0))
    canvas = np.full((size.padded_height, size.padded_width, 3), _BORDER, np.uint8)
    place = canvas[: size.height, : size.width]
    cv2.resize(image, (size.width, size.height), place, interpolation=cv2.INTER_LINEAR)
    return canvas
