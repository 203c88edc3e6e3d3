# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A sheet of small annotated pictures, to see at a glance what was found in a recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.media.drawing import draw_heads
from headpose_ros.media.pictures import read_picture
from headpose_ros.media.sinks import write_picture
from headpose_ros.result import FrameResult
from headpose_ros.typing import Image

COLUMNS, ROWS = 4, 3
TILE = (320, 240)
"""Width and height of a picture on the sheet; one of another shape gets borders."""

_GREY = 40


class Tiles:
    """Picks pictures of a part at even distances and draws the heads into them.

    `images`: how many the part has, None where unknown; `parts`: how many parts there are.
    """

    def __init__(self, images: int | None, parts: int) -> None:
        self._wanted = max(1, -(-COLUMNS * ROWS // parts))
        self._every = max(1, -(-(images or 600) // self._wanted))
        self._seen = 0
        self._tiles: list[Image] = []

    def wants_next(self, is_lead: bool) -> bool:
        """Return whether the next image is to be kept for `add`."""
        if is_lead:
            return False
        self._seen += 1
        picked = (self._seen - 1) // self._every
        return (self._seen - 1) % self._every == 0 and picked < self._wanted

    def add(self, image: Image, camera: CameraModel, result: FrameResult) -> None:
        """Add a picture with its heads."""
        drawn = image.copy()
        draw_heads(drawn, result.heads, camera, result.principal_id)
        self._tiles.append(_fitted(drawn))

    def save(self, folder: Path) -> None:
        """Write the pictures into a folder."""
        for number, tile in enumerate(self._tiles):
            write_picture(folder / f'tile-{number:03d}.png', tile)


def write_sheet(path: Path, folders: Sequence[Path]) -> None:
    """Write the sheet of all parts, whose pictures are in `folders`, as JPEG. Raises OSError."""
    files = [file for folder in folders for file in sorted(folder.glob('tile-*.png'))]
    picked = [files[i * len(files) // (COLUMNS * ROWS)] for i in range(COLUMNS * ROWS)]
    tiles = [read_picture(file) for file in dict.fromkeys(picked)]
    columns = min(COLUMNS, len(tiles))
    blank = np.full((TILE[1], TILE[0], 3), _GREY, np.uint8)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    _, data = cv2.imencode('.jpg', np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 90])
    path.write_bytes(data.tobytes())


def _fitted(image: Image) -> Image:
    """Return the image as large as a tile lets it be, on grey."""
    width, height = TILE
    scale = min(width / image.shape[1], height / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    tile = np.full((height, width, 3), _GREY, np.uint8)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    tile[y : y + size[1], x : x + size[0]] = small
    return tile
