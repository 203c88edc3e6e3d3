# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of photographs to a table: batches through the network, one row a head.

python batch.py photos heads.csv
"""

import csv
import sys
from math import radians
from pathlib import Path

import cv2

from headpose_ros import CameraModel, HeadPosePipeline

BATCH = 16
"""Pictures in memory at once."""


def main(folder: str, table: str) -> None:
    """Write the heads in all pictures of `folder` to the CSV file `table`."""
    paths = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in ('.jpg', '.png'))
    with HeadPosePipeline(mode='image') as pipeline, Path(table).open('w', newline='') as file:
        writer = None
        for start in range(0, len(paths), BATCH):
            names, images = [], []
            for path in paths[start : start + BATCH]:
                image = cv2.imread(str(path))
                if image is None:
                    print(f'{path}: cannot be read as a picture', file=sys.stderr)
                    continue
                names.append(path.name)
                images.append(image)

            # Sizes may differ: each picture has its own camera.
            cameras = [CameraModel.from_fov(i.shape[1], i.shape[0], radians(60)) for i in images]
            results = pipeline.process_batch(images, cameras)

            for name, result in zip(names, results, strict=True):
                for row in result.to_dicts():
                    row = {'image': name, **row}
                    if writer is None:
                        writer = csv.DictWriter(file, row)
                        writer.writeheader()
                    writer.writerow(row)
                print(f'{name}: {len(result)} heads')


if __name__ == '__main__':
    main(*sys.argv[1:3])
