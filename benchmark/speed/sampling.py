# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time of `sample_crops`: crops of 112 px from VGA and 4K images, pinhole and fisheye.

Two questions. *same pixels*: the crops show as many pixels of either image, so the cost may not
depend on the size of the image: the ratio is to stay below 1.3. *same angle*: the crops show the
same angle, so that at 4K each shows 36 times the pixels, and reads them all, because it is area
filtered. *floor*: what no such filter can do without: OpenCV's halving, once, of what the crops
show of the 4K image where they shrink it, and cv2.remap with ready maps. Times are the best of
rounds that take turns, so that all meet the same load.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.geometry import CameraModel, VirtualCameras, sample_crops
from headpose_ros.geometry.footprint import Footprints

SIZES = ((640, 480), (3840, 2160))
CROP_PX = 112


def cameras(width: int, height: int) -> dict[str, CameraModel]:
    """Return the two lenses at one resolution."""
    focal = width / 2.6
    matrix = (focal, 0, (width - 1) / 2, 0, focal, (height - 1) / 2, 0, 0, 1)
    lens = CameraModel.from_matrix(
        matrix, width, height, 'equidistant', (-0.02, 0.003, -0.001, 0.0002)
    )
    return {'pinhole': CameraModel.from_fov(width, height, np.radians(70)), 'fisheye': lens}


def jobs(
    lens: str, size: tuple[int, int], count: int, same: str
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return functions that sample `count` crops of one image, and that do no more than needed."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)
    image = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    camera = cameras(*size)[lens]
    rays = camera.rays(rng.uniform(0.25, 0.75, (count, 2)) * size)
    angle = 2 * np.arctan(CROP_PX / 2 / camera.fx) if same == 'pixels' else 0.25
    angles = np.full(count, angle)
    footprints = Footprints.of(VirtualCameras.look_along(rays, angles, CROP_PX), camera)
    halves = np.rint(footprints.boxes / 2).astype(int)
    shown = [image[2 * y0 : 2 * y1, 2 * x0 : 2 * x1] for x0, y0, x1, y1 in halves]
    shrinks = [footprints.reduction(i)[0] > 1 for i in range(count)]
    maps = np.meshgrid(np.arange(CROP_PX, dtype=np.float32), np.arange(CROP_PX, dtype=np.float32))

    def floor() -> None:
        for part, shrink in zip(shown, shrinks, strict=True):
            if shrink:
                half = (part.shape[1] // 2, part.shape[0] // 2)
                cv2.resize(part, half, interpolation=cv2.INTER_AREA)
            cv2.remap(part, *maps, cv2.INTER_LINEAR)

    return lambda: sample_crops(image, camera, rays, angles, CROP_PX), floor


def measure(tried: list[Callable[[], object]], rounds: int) -> list[float]:
    """Return the best time of each job in microseconds."""
    times: list[list[float]] = [[] for _ in tried]
    for round_ in range(rounds + 2):
        for one, found in zip(tried, times, strict=True):
            start = time.perf_counter()
            one()
            if round_ >= 2:  # the first ones warm caches
                found.append((time.perf_counter() - start) * 1e6)
    return [min(found) for found in times]


def main() -> None:
    """Print the table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=60)
    parser.add_argument('--json', type=Path, help='write the table here')
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = []
    print('crops show    lens      N   VGA us    4K us   ratio  floor 4K us')
    for same in ('pixels', 'angle'):
        for lens in ('pinhole', 'fisheye'):
            for count in (1, 8, 32):
                (small, _), (large, least) = (jobs(lens, s, count, same) for s in SIZES)
                vga, uhd, floor = measure([small, large, least], options.rounds)
                row = {'vga_us': vga, 'uhd_us': uhd, 'uhd_floor_us': floor}
                rows.append({'same': same, 'lens': lens, 'crops': count} | row)
                print(
                    f'same {same:8} {lens} {count:4} {vga:8.0f} {uhd:8.0f} {uhd / vga:7.2f} '
                    f'{floor:12.0f}'
                )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1) + '\n')


if __name__ == '__main__':
    main()
