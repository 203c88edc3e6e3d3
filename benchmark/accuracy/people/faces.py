# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real faces, cut out of photographs, as patches; their poses are the network's own of the still.

    python -m benchmark.accuracy.people.faces    # chooses the faces anew and writes faces.json

faces.json holds which photographs are used, and where the face is in each and how it is turned, so
that every version of the code is measured against the same truth. The pictures themselves are not
part of the project: without the shared data this part of the benchmark is not measured.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.measure import DATA, NotMeasuredError
from headpose_ros.geometry import CameraModel, rotation_to_axis
from headpose_ros.geometry.face_frame import (
    angular_size_from_distance,
    face_centre_from_sellion,
)
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.typing import Image

from .patches import Patch, Place, paste

PHOTOGRAPHS = DATA / 'faces_youtube' / 'images' / 'test'
CHOSEN = Path(__file__).with_name('faces.json')
COUNT = 24
_FOCAL = 3.0  # of the photographs' cameras, which nobody knows: image widths
_SIZE, _RADIUS_PX = 224, 52.0
_ELLIPSE, _SOFT, _RAISED = (1.2, 1.55), 0.2, 0.1  # of the head in face radii


@lru_cache(maxsize=1)
def real_faces() -> list[Patch]:
    """Return the faces; NotMeasuredError where the photographs are not there."""
    if not PHOTOGRAPHS.is_dir():
        raise NotMeasuredError(f'{PHOTOGRAPHS}: not there')
    return [_cut(row) for row in json.loads(CHOSEN.read_text())]


def _camera(image: Image) -> CameraModel:
    height, width = image.shape[:2]
    f = _FOCAL * width
    return CameraModel(width, height, f, f, (width - 1) / 2, (height - 1) / 2)


def _cut(row: dict[str, Any]) -> Patch:
    """Return the patch of one row of faces.json."""
    image = np.asarray(cv2.imread(str(PHOTOGRAPHS / row['file'])), np.uint8)
    camera = _camera(image)
    centre, rotation = np.array(row['centre']), np.array(row['rotation_camera_from_face'])
    distance = float(np.linalg.norm(centre))
    turn = rotation_to_axis(centre[None] / distance)[0]
    focal = _RADIUS_PX / float(np.tan(angular_size_from_distance(distance) / 2))
    middle = (_SIZE - 1) / 2
    v, u = np.mgrid[:_SIZE, :_SIZE].astype(float)
    rays = np.stack([(u - middle) / focal, (v - middle) / focal, np.ones_like(u)], -1) @ turn
    x = (camera.fx * rays[..., 0] / rays[..., 2] + camera.cx).astype(np.float32)
    y = (camera.fy * rays[..., 1] / rays[..., 2] + camera.cy).astype(np.float32)
    colours = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    across, down = (u - middle) / _RADIUS_PX, (v - middle) / _RADIUS_PX + _RAISED
    out = np.hypot(across / _ELLIPSE[0], down / _ELLIPSE[1]) - 1
    edge = np.minimum.reduce([x, y, camera.width - 1 - x, camera.height - 1 - y]) / (
        _RADIUS_PX * _SOFT
    )
    alpha = np.clip(np.minimum(0.5 - out / _SOFT, edge), 0, 1)[..., None]
    bgra = np.concatenate([colours * alpha, 255 * alpha], -1)
    return Patch(np.rint(bgra).astype(np.uint8), focal, distance, turn @ rotation)


def _choose() -> list[dict[str, Any]]:
    """Return the first frontal faces, of different people, that are read alike when pasted."""
    from headpose_ros.pipeline import HeadPosePipeline

    pipeline, rows, names = HeadPosePipeline(), [], set()
    paths = sorted(PHOTOGRAPHS.glob('*.jpg'))
    for path in paths[3::7] + paths:
        name = path.stem.rsplit('_', 1)[0]
        if name in names or (row := _row(pipeline, path)) is None or not _agrees(pipeline, row):
            continue
        names.add(name)
        rows.append(row)
        if len(rows) == COUNT:
            break
    return rows


def _row(pipeline: Any, path: Path) -> dict[str, Any] | None:
    image = np.asarray(cv2.imread(str(path)), np.uint8)
    head = _only(pipeline, image, _camera(image))
    if head is None or head.confidence < 0.99 or head.facing_angle > 0.6:
        return None
    sigma = np.sqrt(np.diag(head.covariance)[3:]).max()
    if not (90 <= head.roi.width <= 260 and sigma < 0.08):
        return None
    centre = face_centre_from_sellion(head.rotation_camera_from_face, head.position)
    rotation = np.round(head.rotation_camera_from_face, 5)
    return {
        'file': path.name,
        'centre': np.round(centre, 5).tolist(),
        'rotation_camera_from_face': rotation.tolist(),
    }


def _only(pipeline: Any, image: Image, camera: CameraModel) -> Any:
    """Return the head in a still picture, where there is one only."""
    pipeline.reset()
    for k in range(12):
        heads = list(pipeline.process(image, camera, k / 30))
    return heads[0] if len(heads) == 1 else None


def _agrees(pipeline: Any, row: dict[str, Any]) -> bool:
    """Tell whether the pasted face is found, as it is turned, at all distances."""
    patch, camera = _cut(row), CameraModel.from_fov(640, 480, np.radians(60.0))
    for distance in (1.0, 2.0, 4.0):
        image = np.full((480, 640, 3), 110, np.uint8)
        place = Place(np.array([0.1 * distance, 0.0, distance]))
        paste(image, camera, patch, place)
        head = _only(pipeline, image, camera)
        if head is None:
            return False
        truth = place.rotation_patch_from_camera.T @ patch.rotation_patch_from_face
        if geodesic_distance(head.rotation_camera_from_face, truth) > np.radians(8.0):
            return False
    return True


if __name__ == '__main__':
    CHOSEN.write_text('[\n' + ',\n'.join(json.dumps(row) for row in _choose()) + '\n]\n')
