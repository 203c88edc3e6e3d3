# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A face detector of your own in place of ours; everything after it stays the same.

python own_detector.py people.jpg

The detector here is the Haar cascade that comes with OpenCV. It knows frontal faces only.
"""

import sys
from math import radians

import cv2
import numpy as np

from headpose_ros import Boxes, BoxToFace, CameraModel, FaceSearch, HeadPosePipeline


class HaarDetector:
    """What a detector needs: `name`, `box_to_face` and `detect`."""

    name = 'haar'

    # Where the head is relative to a box of this detector: the circle around the head is 1.5
    # times as wide as the box, its centre 0.08 of the box's size further down.
    box_to_face = BoxToFace(scale=1.5, dy=0.08)

    def __init__(self) -> None:
        name = 'haarcascade_frontalface_default.xml'
        self._cascade = cv2.CascadeClassifier(cv2.data.haarcascades + name)

    def detect(self, image_bgr: np.ndarray, min_face_px: float) -> Boxes:
        """Return the faces at least `min_face_px` across in `image_bgr` (H,W,3) uint8."""
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        side = round(min_face_px)
        found = self._cascade.detectMultiScale(grey, 1.1, 5, minSize=(side, side))
        found = np.reshape(found, (-1, 4)).astype(float)
        corners = np.hstack([found[:, :2], found[:, :2] + found[:, 2:] - 1])
        return Boxes(corners, scores=np.full(len(found), 0.9))  # a cascade has no scores


def main(source: str) -> None:
    """Print the heads in the picture `source`, found by `HaarDetector`."""
    image = cv2.imread(source)
    if image is None:
        raise SystemExit(f'{source}: cannot be read as a picture')
    camera = CameraModel.from_fov(image.shape[1], image.shape[0], radians(60))
    search = FaceSearch(HaarDetector())  # also searches fisheye images, view by view
    with HeadPosePipeline(mode='image', search=search) as pipeline:
        for head in pipeline.process(image, camera):
            print(head)


if __name__ == '__main__':
    main(*sys.argv[1:2])
