# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""People before a webcam, each with an id that stays; Esc or q ends.

python webcam_loop.py [index of the webcam]

Windows need an OpenCV that has them: pip install opencv-python.
"""

import sys
import time
from math import radians

import cv2

from headpose_ros import CameraModel, HeadPosePipeline, annotate

ESCAPE = 27


def main(index: int = 0) -> None:
    """Show what the webcam sees, with the heads drawn on it, and tell who comes and goes."""
    capture = cv2.VideoCapture(index)
    if not capture.isOpened():
        raise SystemExit(f'webcam {index}: cannot be opened')

    camera = None
    present: frozenset[str] = frozenset()
    with HeadPosePipeline() as pipeline:  # mode='video': people are followed
        while True:
            grabbed, image = capture.read()
            stamp = time.monotonic()  # of the image: the filters and the tracker go by it
            if not grabbed:
                break
            if camera is None:
                camera = CameraModel.from_fov(image.shape[1], image.shape[0], radians(60))

            result = pipeline.process(image, camera, stamp)

            for head_id in sorted(result.followed_ids - present):
                print(f'{head_id} came')
            for head_id in sorted(present - result.followed_ids):
                print(f'{head_id} went')
            present = result.followed_ids

            cv2.imshow('heads', annotate(image, result))
            if cv2.waitKey(1) & 0xFF in (ESCAPE, ord('q')):
                break
    capture.release()
    cv2.destroyAllWindows()


if __name__ == '__main__':
    main(*map(int, sys.argv[1:2]))
