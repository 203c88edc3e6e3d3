# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detector `one_pass` beside `mtcnn`, on real frames that its training did not see.

    python benchmark/bench_proposals.py

Of the faces that `mtcnn` is sure of (0.7), how many `one_pass` finds too, for rising least scores
of its proposals: those at least as large as `min_face_px` says, and the smaller ones that MTCNN
finds beyond what it is asked for. *Others*: what `one_pass` alone is sure of. The frames are those of
the shared data's six previews, every second one. R-Net and O-Net cost by the number of proposals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from measure import DATA, Image, NotMeasuredError, run_part

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import create_detector, one_pass
from headpose_ros.detection.search import REFERENCE_WIDTH
from headpose_ros.estimation.runtime import create_runtime
from headpose_ros.heads import Boxes

LEAST_SCORES = (0.05, 0.1, 0.15, 0.2)
_SURE = 0.7
_SAME = 0.4  # intersection over union


def frames() -> list[Image]:
    """Return the frames."""
    folders = sorted(p for p in (DATA / 'videos').glob('*') if p.name != 'signers')
    files = [path for folder in folders for path in sorted(folder.glob('*.jpg'))[::2]]
    if not files:
        raise NotMeasuredError(f'{DATA}/videos: no frames there')
    return [np.asarray(cv2.imread(str(path)), np.uint8) for path in files]


def compare(theirs: Sequence[Boxes], ours: Sequence[Boxes], smallest: Sequence[float]) -> Any:
    """Return counts over all frames."""
    counts = {'large': 0, 'large_found': 0, 'small': 0, 'small_found': 0, 'others': 0}
    for a, b, least in zip(theirs, ours, smallest, strict=True):
        overlaps = _overlaps(a.corners, b.corners)
        sure = a.scores >= _SURE
        found = overlaps.max(axis=1, initial=0.0) >= _SAME
        side = np.sqrt((a.corners[:, 2:] - a.corners[:, :2]).prod(axis=1))
        for name, own in (('large', side >= least), ('small', side < least)):
            counts[name] += int((sure & own).sum())
            counts[f'{name}_found'] += int((sure & own & found).sum())
        new = overlaps.max(axis=0, initial=0.0) < _SAME
        counts['others'] += int((new & (b.scores >= _SURE)).sum())
    return counts


def _overlaps(a: Any, b: Any) -> Any:
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (a, b))
    return common / (area_a[:, None] + area_b - common)


def measure() -> dict[str, Any]:
    """Measure everything."""
    images = frames()
    runtime = create_runtime('cpu')
    mtcnn = create_detector(PipelineConfig(detector='mtcnn'), runtime)
    ours: Any = create_detector(PipelineConfig(detector='one_pass'), runtime)
    smallest = [PipelineConfig().min_face_px * i.shape[1] / REFERENCE_WIDTH for i in images]
    theirs = [mtcnn.detect(i, least) for i, least in zip(images, smallest, strict=True)]
    rows = {}
    for score in LEAST_SCORES:
        one_pass.LEAST_SCORE = score
        found = [ours.detect(i, least) for i, least in zip(images, smallest, strict=True)]
        proposals = [len(ours.propose(i, s)) for i, s in zip(images, smallest, strict=True)]
        rows[str(score)] = {
            **compare(theirs, found, smallest),
            'proposals': float(np.mean(proposals)),
        }
        print(score, rows[str(score)], flush=True)
    return {'frames': len(images), 'least_scores': rows}


if __name__ == '__main__':
    run_part(__doc__, measure)
