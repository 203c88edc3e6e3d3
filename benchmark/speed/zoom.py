# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time of the pipeline with a zoom lens: K anew in each image, against one that stays.

CPU time an image, with cameras that take turns image by image, so that all meet the same load.
*ratio*: that of the zooming camera over that of the still one of the same lens. Both see the same
images: those of the demo's clip, taken for the lens that is asked for. The zooming one goes from
the focal length to 1.15 times it and back.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from headpose_ros import HeadPosePipeline, PipelineConfig
from headpose_ros.geometry import CameraModel
from headpose_ros.media.sources import open_source
from headpose_ros.node.demo_camera import CLIP

SIZE = (640, 480)
LENSES = {
    'pinhole 70 deg': CameraModel.from_fov(*SIZE, np.radians(70.0)),
    'fisheye 120 deg': CameraModel.from_fov(*SIZE, np.radians(120.0), 'equidistant'),
}


def zoomed(camera: CameraModel, number: int, images: int) -> CameraModel:
    """Return the camera of image `number`: no two in a row have the same focal length."""
    longer = 1.0 + 0.15 * (1 - abs(1 - 2 * (number + 0.5) / images))
    return replace(camera, fx=camera.fx * longer, fy=camera.fy * longer)


def measure(camera: CameraModel, images: int) -> tuple[float, float, float]:
    """Return CPU seconds an image, still and zooming, and the longest image while zooming."""
    import cv2

    config = PipelineConfig(device='cpu')
    still, zooming = HeadPosePipeline(config), HeadPosePipeline(config)
    times: dict[str, list[float]] = {'still': [], 'zooming': []}
    with open_source(str(CLIP), loop=True) as source:
        for number, frame in enumerate(source):
            if number == images:
                break
            picture = cv2.resize(frame.image_bgr, SIZE)
            for name, pipeline, lens in (
                ('still', still, camera),
                ('zooming', zooming, zoomed(camera, number, images)),
            ):
                start = time.process_time()
                pipeline.process(picture, lens, number / 30)
                times[name].append(time.process_time() - start)
    return float(np.mean(times['still'])), float(np.mean(times['zooming'])), max(times['zooming'])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=200)
    args = parser.parse_args()
    print('| lens | still, ms | zooming, ms | ratio | longest, ms |\n|---|---|---|---|---|')
    for name, camera in LENSES.items():
        still, zooming, longest = (1000 * t for t in measure(camera, args.images))
        print(f'| {name} | {still:.1f} | {zooming:.1f} | {zooming / still:.2f} | {longest:.0f} |')


if __name__ == '__main__':
    main()
