# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fit where the face sphere lies in a detector's boxes, by pictures whose truth is known.

    headpose synthesize scenes --camera pinhole --people 3 --count 200 --held-out --out SCENES
    python tools/fit_box_to_face.py SCENES --detectors mtcnn retinaface cascade

prints `BoxToFace` for each detector: medians over the faces that it finds, and how far they
spread. Pictures may be of any lens; wide ones are searched in covering views, as the product does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import BoxToFace, Detector, create_detector
from headpose_ros.detection.search import detect_scaled, face_squares
from headpose_ros.estimation.runtime import create_runtime
from headpose_ros.evaluation.posed import pictures
from headpose_ros.evaluation.samples import read_picture
from headpose_ros.geometry import covering_views
from headpose_ros.geometry.face_frame import angular_size_from_distance
from headpose_ros.heads import Array

_SMALLEST_PX = 20.0
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
            truth, true_sides, valid = view.squares_from_faces(centres, sizes)
            whole = valid & view.camera.contains(truth)
            truth, true_sides = truth[whole], true_sides[whole]
            middles, sides = face_squares(boxes, _PLAIN)
            apart = np.linalg.norm(middles[:, None] - truth, axis=2)
            fits = np.abs(np.log2(true_sides / sides[:, None] / 1.6)) < 1
            i, j = np.nonzero((apart < 0.3 * true_sides) & fits)
            off = (truth[j] - middles[i]) / sides[i, None]
            yield np.column_stack([off, true_sides[j] / sides[i]])


def main() -> None:
    """Print the fits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folders', type=Path, nargs='+', help='in the posed format')
    parser.add_argument('--detectors', nargs='+', default=['mtcnn', 'retinaface', 'cascade'])
    options = parser.parse_args()
    runtime = create_runtime('cpu')
    for name in options.detectors:
        detector = create_detector(PipelineConfig(detector=name), runtime)
        found = np.concatenate([p for folder in options.folders for p in pairs(folder, detector)])
        dx, dy, scale = np.median(found, axis=0)
        spread = 1.4826 * np.median(np.abs(found - (dx, dy, scale)), axis=0)
        print(
            f'{name}: scale={scale:.2f}, dx={dx:.3f}, dy={dy:.3f}; {len(found)} faces, spread '
            f'{spread[2] / scale:.1%} of the scale, {spread[0]:.3f} and {spread[1]:.3f} in place'
        )


if __name__ == '__main__':
    main()
