# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the proposal network (`detection/proposal_network.py`) on mosaics of face crops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from headpose_ros.detection.detector import BoxToFace
from headpose_ros.detection.mtcnn import Mtcnn
from headpose_ros.detection.mtcnn_stages import intersection_over_union, suppress
from headpose_ros.detection.one_pass import MAX_OVERLAP, MIN_SCORE
from headpose_ros.detection.proposal_network import (
    LARGEST_PX,
    STRIDES,
    metadata,
    squares,
)
from headpose_ros.inference.networks.export import write
from headpose_ros.inference.networks.layers import Conv, Network, folded_tensors
from headpose_ros.inference.networks.proposal_net import ProposalNet
from headpose_ros.inference.weights import WeightsFile
from headpose_training.batches import Source
from headpose_training.face_mosaics import Mosaic, MosaicMaker
from headpose_training.network_training import NetworkRun, train_network
from headpose_training.optimizer import MuonAndAdamW, Rates

RELATION: BoxToFace = Mtcnn.box_to_face
"""The boxes wanted are those that R-Net and O-Net were trained on."""

_SIDES = ((8.0, 28.0), (20.0, 56.0), (40.0, LARGEST_PX * 1.3))
"""Sides of the faces that each level finds, pixels; neighbours share some."""

_NEAR_SIDES = 1.35  # faces so much beyond a level's sides are neither asked for nor forbidden
_INNER, _OUTER = 0.25, 0.6  # of a side: nearer to the centre is a face, farther is none
_FOCUS = 2.0  # Lin et al., Focal Loss for Dense Object Detection, 2017
_FACE_WEIGHT = 0.5
_BOX_WEIGHT = 2.0
_BOX_BETA = 0.05
_REPORTED_SIDES = (8, 12, 24, 48, 96, 230)
_FACE, _NOTHING, _UNSURE = 1, 0, -1


@dataclass(frozen=True)
class ProposalBatch:
    """Images (B,H,W,3) uint8; per level `states` (B,h,w) int8 and `boxes` (B,3,h,w) float32."""

    images: Tensor
    states: tuple[Tensor, ...]
    boxes: tuple[Tensor, ...]


class ProposalBatches:
    """Draws batches; batch k depends on the seed and k alone."""

    def __init__(self, sources: Sequence[Source], size: int, seed: int = 0) -> None:
        self._mosaics = MosaicMaker(sources, RELATION)
        self._size, self._seed = size, seed

    def __getitem__(self, index: int) -> ProposalBatch:
        rng = np.random.default_rng([self._seed, index])
        mosaics = [self._mosaics.draw(rng) for _ in range(self._size)]
        targets = [[level_targets(m, i) for m in mosaics] for i in range(len(STRIDES))]
        return ProposalBatch(
            torch.from_numpy(np.stack([m.image for m in mosaics])),
            tuple(torch.from_numpy(np.stack([s for s, _ in level])) for level in targets),
            tuple(torch.from_numpy(np.stack([b for _, b in level])) for level in targets),
        )


def level_targets(mosaic: Mosaic, level: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return states (h,w), face 1, nothing 0 or unsure -1, and boxes (3,h,w) as the outputs."""
    stride, (low, high) = STRIDES[level], _SIDES[level]
    rows, columns = (-(-n // stride) for n in mosaic.image.shape[:2])
    states = np.full((rows, columns), _NOTHING, np.int8)
    boxes = np.zeros((3, rows, columns), np.float32)
    near = mosaic.boxes[:, 2]
    kept = (near >= low / _NEAR_SIDES) & (near < high * _NEAR_SIDES)
    if not kept.any():
        return states, boxes
    x, y, side = mosaic.boxes[kept].T[:, :, None, None]
    asked = mosaic.sure[kept][:, None, None] & (side >= low) & (side < high)
    across = x - ((np.arange(columns) + 0.5) * stride - 0.5)
    down = y - ((np.arange(rows)[:, None] + 0.5) * stride - 0.5)
    away = np.maximum(np.abs(across), np.abs(down))
    inner = np.maximum(_INNER * side, stride / 2)
    states[(away < np.maximum(_OUTER * side, inner)).any(axis=0)] = _UNSURE
    hit = asked & (away <= inner)
    states[hit.any(axis=0)] = _FACE
    nearest = np.where(hit, away / side, np.inf).argmin(axis=0)[None]
    base = 2.0 * stride
    for row, values in enumerate((across / base, down / base, np.log(side / base))):
        full = np.broadcast_to(values, away.shape)
        boxes[row] = np.take_along_axis(full, nearest, axis=0)[0]
    return states, boxes


def proposal_loss(network: Network, batch: ProposalBatch) -> Tensor:
    """Return the focal loss of the logits, plus the smooth L1 loss of boxes over their sides."""
    face_loss, box_loss, faces = torch.zeros(()), torch.zeros(()), torch.zeros(())
    for output, states, boxes in zip(
        network(batch.images), batch.states, batch.boxes, strict=True
    ):
        found = output.float()
        is_face = (states == _FACE).float()
        probability = torch.sigmoid(found[:, 0])
        wrong = torch.where(states == _FACE, 1 - probability, probability)
        weight = torch.where(states == _FACE, _FACE_WEIGHT, 1 - _FACE_WEIGHT) * wrong**_FOCUS
        entropy = functional.binary_cross_entropy_with_logits(
            found[:, 0], is_face, reduction='none'
        )
        face_loss = face_loss + (weight * entropy * (states != _UNSURE)).sum()
        scale = torch.exp(-boxes[:, 2])
        errors = (found[:, 1:] - boxes) * torch.stack([scale, scale, torch.ones_like(scale)], 1)
        rough = functional.smooth_l1_loss(
            errors, torch.zeros_like(errors), beta=_BOX_BETA, reduction='none'
        )
        box_loss = box_loss + (rough.sum(1) * is_face).sum()
        faces = faces + is_face.sum()
    return (face_loss + _BOX_WEIGHT * box_loss) / faces.clamp(min=1)


def train(
    sources: Sequence[Source],
    run: NetworkRun,
    learning_rate: float,
    say: Callable[[str], None] = print,
) -> Network:
    """Train to the end of the run and return the averaged network; see `train_network`."""
    torch.manual_seed(run.seed)
    batches = ProposalBatches(sources, run.batch_size, run.seed)

    def optimizer_of(network: Network) -> MuonAndAdamW:
        return MuonAndAdamW(network, Rates(learning_rate, learning_rate / 2, 0.0, 0.01))

    return train_network(_untrained(), proposal_loss, batches, optimizer_of, run, say)


def _untrained() -> Network:
    """Return a network that finds little, all of it where its cell is."""
    network = ProposalNet(norm=True)
    for head in network.heads:
        assert isinstance(head, Conv)
        assert head.bias is not None
        torch.nn.init.normal_(head.weight, std=0.01)
        torch.nn.init.constant_(head.bias, 0.0)
        torch.nn.init.constant_(head.bias.detach()[:1], -3.0)
    return network


@dataclass(frozen=True)
class ProposalQuality:
    """What proposals are worth on mosaics.

    `found`: by ranges of the face's side in pixels, how many faces there are and are found.
    """

    found: dict[tuple[int, int], tuple[int, int]]
    proposals_per_face: float

    def text(self) -> str:
        """Return it in words."""
        ranges = ', '.join(
            f'{low} to {high} px {100 * found / max(faces, 1):.1f} % of {faces}'
            for (low, high), (faces, found) in self.found.items()
        )
        return f'found: {ranges}; {self.proposals_per_face:.2f} proposals a face'


@torch.no_grad()
def quality(network: Network, sources: Sequence[Source], mosaics: int = 200) -> ProposalQuality:
    """Measure on mosaics of `sources`; a face is found where a proposal overlaps it by half."""
    maker = MosaicMaker(sources, RELATION)
    sides, hits, proposals = [np.empty(0)], [np.empty(0, bool)], 0
    for i in range(mosaics):
        mosaic = maker.draw(np.random.default_rng([1, i]))
        outputs = [y.numpy() for y in network(torch.from_numpy(mosaic.image[None]))]
        boxes, scores = squares(outputs, MIN_SCORE)
        boxes = boxes[suppress(boxes, scores, MAX_OVERLAP)]
        truth = mosaic.boxes[mosaic.sure]
        sides.append(truth[:, 2])
        half = truth[:, 2:] / 2
        corners = np.hstack([truth[:, :2] - half, truth[:, :2] + half])
        hits.append(intersection_over_union(corners, boxes).max(axis=1, initial=0.0) >= 0.5)
        proposals += len(boxes)
    side, hit = np.concatenate(sides), np.concatenate(hits)
    found = {}
    for low, high in pairwise(_REPORTED_SIDES):
        own = hit[(side >= low) & (side < high)]
        found[low, high] = (len(own), int(own.sum()))
    return ProposalQuality(found, proposals / max(len(side), 1))


def write_weights(network: Network, out: Path, licence: str, origin: str) -> WeightsFile:
    """Write `out`/proposals.onnx."""
    about = {**metadata(), 'licence': licence, 'origin': origin}
    return write(out / 'proposals.onnx', folded_tensors(network), about)
