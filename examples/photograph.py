# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads in one photograph: where they are, where they face, and a picture of it.

python photograph.py people.jpg people_heads.jpg
"""

import sys
from math import degrees, radians

import cv2

from headpose_ros import CameraModel, HeadPosePipeline, annotate


def main(source: str, target: str) -> None:
    """Print a line for each head in the picture `source`, and draw them into `target`."""
    image = cv2.imread(source)
    if image is None:
        raise SystemExit(f'{source}: cannot be read as a picture')

    # How the lens sees: from a calibration if there is one (CameraModel.from_yaml), else from the
    # horizontal field of view. 60 degrees is usual; distances are only as right as that.
    height, width = image.shape[:2]
    camera = CameraModel.from_fov(width, height, radians(60))

    with HeadPosePipeline(mode='image') as pipeline:
        result = pipeline.process(image, camera)

    for head in result:
        x, y, z = head.position
        print(f'{head.id}: {x:+.2f} m right, {y:+.2f} m down, {z:.2f} m ahead')
        print(
            f'  yaw {degrees(head.yaw):+.0f}, pitch {degrees(head.pitch):+.0f}, '
            f'roll {degrees(head.roll):+.0f} degrees (as 300W-LP defines them)'
        )
        looks = 'looks at the camera' if degrees(head.facing_angle) < 15 else 'looks elsewhere'
        print(f'  {looks}; the one to attend to' if head == result.principal else f'  {looks}')

    cv2.imwrite(target, annotate(image, result))


if __name__ == '__main__':
    main(*sys.argv[1:3])
