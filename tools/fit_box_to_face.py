# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fit where the face sphere lies in a detector's boxes, by pictures whose truth is known.

    headpose synthesize scenes --camera pinhole --people 3 --count 200 --held-out --out SCENES
    python tools/fit_box_to_face.py SCENES --detectors mtcnn retinaface cascade

prints `BoxToFace` for each detector: medians over the faces that it finds, and how far they
spread. Pictures may be of any lens; wide ones are searched in covering views, as the product does.

A detector that finds few rendered faces, as the cascade does, is fitted on real ones instead, to
where another detector, itself fitted on renders, has them:

    python tools/fit_box_to_face.py CLIPS_OR_FOLDERS --like mtcnn --detectors cascade
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import BoxToFace, Detector, create_detector
from headpose_ros.detection.search import detect_scaled, face_squares
from headpose_ros.evaluation.posed import pictures
from headpose_ros.evaluation.samples import read_picture
from headpose_ros.geometry import covering_views, squares_of_spheres
from headpose_ros.geometry.face_frame import angular_size_from_distance
from headpose_ros.heads import Boxes
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.media.sources import open_source
from headpose_ros.typing import Array

_SMALLEST_PX = 20.0
_VIDEO_STEP, _FOLDER_STEP = 30, 4
_PLAIN = BoxToFace(1.0)


def pairs(folder: Path, detector: Detector) -> Iterator[Array]:
    """Yield (K,3), of boxes that show a true face: dx, dy and scale as in `BoxToFace`."""
    for picture in pictures(folder):
        if picture.lens is None:
            continue
        image = read_picture(picture.path)
        camera = picture.lens.camera(image.shape[1], image.shape[0])
        centres = np.array([face.centre for face in picture.faces if face.centre is not None])
        sizes = angular_size_from_distance(np.linalg.norm(centres, axis=1))
        for view in covering_views(camera):
            boxes = detect_scaled(detector, view.render(image), _SMALLEST_PX)
            turned = centres @ view.rotation_view_from_camera.T
            truth, true_sides, valid = squares_of_spheres(view.camera, turned, sizes)
            whole = valid & view.camera.contains(truth)
            yield matched(boxes, truth[whole], true_sides[whole])


def pairs_like(path: Path, detector: Detector, fitted: Detector) -> Iterator[Array]:
    """Yield what `pairs` does, the faces that `fitted` finds for the truth."""
    with open_source(path) as source:
        for frame in source:
            if frame.index % (_VIDEO_STEP if path.is_file() else _FOLDER_STEP):
                continue
            truth = face_squares(fitted.detect(frame.image_bgr, _SMALLEST_PX), fitted.box_to_face)
            yield matched(detector.detect(frame.image_bgr, _SMALLEST_PX), *truth)


def matched(boxes: Boxes, truth: Array, true_sides: Array) -> Array:
    """Return dx, dy and scale (K,3) of those boxes that show a face of `truth` (N,2), pixels."""
    middles, sides = face_squares(boxes, _PLAIN)
    apart = np.linalg.norm(middles[:, None] - truth, axis=2)
    fits = np.abs(np.log2(true_sides / sides[:, None] / 1.6)) < 1
    i, j = np.nonzero((apart < 0.3 * true_sides) & fits)
    return np.column_stack([(truth[j] - middles[i]) / sides[i, None], true_sides[j] / sides[i]])


def main() -> None:
    """Print the fits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'folders', type=Path, nargs='+', help='in the posed format; with --like, any, or videos'
    )
    parser.add_argument('--like', metavar='DETECTOR', help='a detector fitted already')
    parser.add_argument('--detectors', nargs='+', default=['mtcnn', 'retinaface', 'cascade'])
    options = parser.parse_args()
    runtime = create_runtime('cpu')
    fitted = (
        create_detector(PipelineConfig(detector=options.like), runtime) if options.like else None
    )
    for name in options.detectors:
        detector = create_detector(PipelineConfig(detector=name), runtime)
        parts = (
            pairs_like(folder, detector, fitted) if fitted else pairs(folder, detector)
            for folder in options.folders
        )
        found = np.concatenate([*chain.from_iterable(parts)])
        dx, dy, scale = np.median(found, axis=0)
        spread = 1.4826 * np.median(np.abs(found - (dx, dy, scale)), axis=0)
        print(
            f'{name}: scale={scale:.2f}, dx={dx:.3f}, dy={dy:.3f}; {len(found)} faces, spread '
            f'{spread[2] / scale:.1%} of the scale, {spread[0]:.3f} and {spread[1]:.3f} in place'
        )


if __name__ == '__main__':
    main()
