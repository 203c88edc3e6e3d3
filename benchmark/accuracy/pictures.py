# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The annotated stills of the README: docs/images/demo.png, and real.png where the data are.

    python -m benchmark.accuracy.pictures

Both are what `headpose video` draws, with its defaults, into one frame of a clip.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.media.drawing import draw_heads
from headpose_ros.media.sources import open_source
from headpose_ros.pipeline import HeadPosePipeline
from headpose_ros.typing import Image

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get('HEADPOSE_DATA', ROOT.parent / 'shared' / 'data'))
DEMO = ROOT / 'headpose_ros' / 'demo'
REAL = DATA / 'videos' / 'head-pose-face-detection-female-and-male'
HFOV = np.deg2rad(60.0)
"""Assumed for the real clip, whose camera nobody calibrated."""

DEMO_FRAME, REAL_FRAME = 153, 41
MAX_BYTES = 400_000


def main() -> None:
    """Draw what there are sources for."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').split('\n')[0])
    add = parser.add_argument
    add('--out', type=Path, default=ROOT / 'docs' / 'images', help='default: docs/images')
    add('--demo-frame', type=int, default=DEMO_FRAME, help='default %(default)s')
    add('--real-frame', type=int, default=REAL_FRAME, help='default %(default)s')
    args = parser.parse_args()
    camera = CameraModel.from_yaml(DEMO / 'clip_camera.yaml')
    write_png(args.out / 'demo.png', still(DEMO / 'clip.mp4', camera, args.demo_frame))
    if REAL.is_dir():
        write_png(args.out / 'real.png', still(REAL, None, args.real_frame))


def still(source: Path, camera: CameraModel | None, number: int) -> Image:
    """Return frame `number`, annotated; the pipeline has seen all the frames before it."""
    pipeline = HeadPosePipeline()
    with open_source(str(source)) as frames:
        model = camera or CameraModel.from_fov(frames.width, frames.height, HFOV)
        for frame in frames:
            heads = pipeline.process(frame.image_bgr, model, frame.time)
            if frame.index == number:
                draw_heads(frame.image_bgr, heads, model, heads.principal_id)
                return frame.image_bgr
    raise SystemExit(f'{source}: has no frame {number}')


def write_png(path: Path, image: Image) -> None:
    """Write an image (H,W,3) as a PNG of at most MAX_BYTES, with fewer colours where it must."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for bits in range(0, 5):
        coarse = image >> bits << bits
        _, data = cv2.imencode('.png', coarse, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        if len(data) <= MAX_BYTES:
            path.write_bytes(data.tobytes())
            print(f'{path}: {len(data) // 1000} kB')
            return
    raise SystemExit(f'{path}: cannot be made smaller than {MAX_BYTES} bytes')


if __name__ == '__main__':
    main()
