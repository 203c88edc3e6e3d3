# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detector `one_pass` beside `mtcnn`, on real frames that its training did not see.

    python -m benchmark.accuracy.proposals

Of the faces that `mtcnn` is sure of (0.7), how many `one_pass` finds too, for rising least scores
of its proposals: those of 24 px or more in an image 640 wide, and the smaller ones that MTCNN
finds beyond what it is asked for. *Others*: what `one_pass` alone is sure of. The frames are every
second one of the shared data's six previews. R-Net and O-Net cost by the number of proposals.

*Renders*: in how many crops of held-out heads, faces seen, either finds a face, by yaw; *pieces*:
in how many pieces of photographs without one they find one all the same. From the files of the
training (docs/training_log.md), where they are in `out/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from benchmark.measure import DATA, ROOT, Image, NotMeasuredError, run_part
from headpose_ros.config import PipelineConfig
from headpose_ros.detection import create_detector
from headpose_ros.detection.mtcnn_stages import intersection_over_union
from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.heads import Boxes
from headpose_ros.inference.runtime import create_runtime
from headpose_training.data_files import load_crops

WEIGHTS = ('proposals_best', 'proposals_clean')
"""The frames are for the first: the second saw them."""

MIN_SCORES = (0.05, 0.1, 0.15, 0.2)
_SURE = 0.7
_SMALLEST_PX, _REFERENCE_WIDTH = 24.0, 640  # the smallest face in an image so wide
_SAME = 0.4  # intersection over union
_YAWS = (0, 30, 60, 100)
_MIN_SHARE = 0.18  # of a crop's side: the smallest face searched for in it


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
        overlaps = intersection_over_union(a.corners, b.corners)
        sure = a.scores >= _SURE
        found = overlaps.max(axis=1, initial=0.0) >= _SAME
        side = np.sqrt((a.corners[:, 2:] - a.corners[:, :2]).prod(axis=1))
        for name, own in (('large', side >= least), ('small', side < least)):
            counts[name] += int((sure & own).sum())
            counts[f'{name}_found'] += int((sure & own & found).sum())
        new = overlaps.max(axis=0, initial=0.0) < _SAME
        counts['others'] += int((new & (b.scores >= _SURE)).sum())
    return counts


def on_crops(detectors: dict[str, Any]) -> dict[str, Any]:
    """Return the shares of crops in which each detector finds a face, by kind of crop."""
    out = ROOT / 'out'
    if not (out / 'real').is_dir() or not (out / 'synth_heldout').is_dir():
        return {}
    renders = load_crops(out, 'synth_heldout/shard_*.npz')
    seen = renders.is_face & (renders.spreads < np.radians(3))
    yaw = np.degrees(np.abs(np.asarray(euler_from_matrix(renders.rotations)[0])))
    kinds = {
        f'renders, yaw {low} to {high} deg': list(
            renders.images[seen & (yaw >= low) & (yaw < high)]
        )
        for low, high in pairwise(_YAWS)
    }
    faces = load_crops(out, 'real/faces_youtube_test.npz')
    kinds['pieces without a face'] = list(faces.images[~faces.is_face])
    return {
        kind: {
            'count': len(images),
            **{
                name: float(np.mean([_finds(detector, image) for image in images]))
                for name, detector in detectors.items()
            },
        }
        for kind, images in kinds.items()
    }


def _finds(detector: Any, image: Image) -> bool:
    found = detector.detect(image, _MIN_SHARE * image.shape[1])
    return bool((found.scores >= _SURE).any())


def measure() -> dict[str, Any]:
    """Measure everything."""
    images = frames()
    runtime = create_runtime('cpu')
    mtcnn = create_detector(PipelineConfig(detector='mtcnn'), runtime)
    ours: dict[str, Any] = {
        name: create_detector(PipelineConfig(detector='one_pass', detector_weights=name), runtime)
        for name in WEIGHTS
    }
    smallest = [_SMALLEST_PX * i.shape[1] / _REFERENCE_WIDTH for i in images]
    crops = on_crops({'mtcnn': mtcnn, **ours})
    theirs = [mtcnn.detect(i, least) for i, least in zip(images, smallest, strict=True)]
    detector, rows = ours[WEIGHTS[0]], {}
    for score in MIN_SCORES:
        detector.min_score = score
        found = [detector.detect(i, s) for i, s in zip(images, smallest, strict=True)]
        proposals = [len(detector.propose(i, s)) for i, s in zip(images, smallest, strict=True)]
        rows[str(score)] = {
            **compare(theirs, found, smallest),
            'proposals': float(np.mean(proposals)),
        }
    return {'frames': len(images), 'least_scores': rows, 'crops': crops}


if __name__ == '__main__':
    run_part(__doc__, measure)
