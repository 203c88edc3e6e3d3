# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's clip: three people before a wide-angle lens, moving smoothly, truth known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headpose_ros.evaluation.posed_files import pose_row, write_rows
from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import sellion_from_face_centre
from headpose_ros.typing import Array, Image
from headpose_training.head_model import HeadModel
from headpose_training.rendering import photo
from headpose_training.rendering.background import Backgrounds
from headpose_training.rendering.head_parts import HeadParts
from headpose_training.rendering.lighting import Lighting
from headpose_training.rendering.person import HELD_OUT_IDENTITIES, Person, Pose
from headpose_training.rendering.scene import Placed, SceneCamera, compose, standing

RATE = 30.0
SECONDS = 10.0
EXTRA_COLUMNS = ('time', 'person', 'head_scale')
CAMERA = CameraModel(
    640, 480, 345.0, 345.0, 319.5, 239.5,
    distortion_model='plumb_bob', distortion=(-0.18, 0.03, 0.0004, -0.0003, -0.0022),
)  # fmt: skip


@dataclass(frozen=True)
class Role:
    """Who plays, where, and how: middle and swing of each motion, and its period in seconds.

    `azimuth`, `elevation` (rad off the camera's axis, to the right and down), `distance` (m), and
    `yaw`, `pitch`, `roll` (rad) against looking at the camera.
    """

    identity: int
    azimuth: tuple[float, float, float]
    elevation: tuple[float, float, float]
    distance: tuple[float, float, float]
    yaw: tuple[float, float, float]
    pitch: tuple[float, float, float]
    roll: tuple[float, float, float]

    def at(self, time: float, name: str) -> float:
        """Return one of the motions at a time."""
        middle, swing, period = getattr(self, name)
        return float(middle + swing * np.sin(2 * np.pi * time / period))


ROLES = (
    Role(HELD_OUT_IDENTITIES + 6, (-0.61, 0.10, 9.0), (0.02, 0.04, 7.0), (1.0, 0.15, 8.0),
         (0.05, 0.65, 6.0), (-0.05, 0.22, 4.4), (0.0, 0.15, 5.2)),
    Role(HELD_OUT_IDENTITIES + 16, (0.02, 0.10, 10.0), (-0.12, 0.05, 6.0), (1.25, 0.2, 10.0),
         (0.0, 0.75, 7.4), (0.0, 0.28, 5.0), (0.05, 0.22, 6.3)),
    Role(HELD_OUT_IDENTITIES + 9, (0.62, 0.10, 8.0), (0.04, 0.05, 9.0), (0.95, 0.12, 7.0),
         (-0.05, 0.60, 5.3), (0.04, 0.20, 6.1), (0.0, 0.18, 4.7)),
)  # fmt: skip


def _lighting() -> Lighting:
    """Return a room's light: a window to the right, a lamp on the left, white walls."""

    def lamp(direction: list[float], colour: list[float]) -> list[float]:
        return [*(np.array(direction) / np.linalg.norm(direction)), *colour]

    lights = [
        lamp([0.55, -0.55, -0.75], [0.85, 0.9, 0.92]),
        lamp([-0.8, -0.3, -0.5], [0.22, 0.26, 0.32]),
    ]
    ambient = np.array([[0.40, 0.39, 0.38], [0.03, 0.03, 0.03], [-0.14, -0.13, -0.12], [0, 0, 0]])
    return Lighting(np.array(lights, np.float32), ambient.astype(np.float32), 2.0, 'front')


def role_pose(role: Role, person: Person, time: float) -> Pose:
    """Return where and how someone is at a time, in the camera's frame."""
    azimuth, elevation = role.at(time, 'azimuth'), role.at(time, 'elevation')
    ray = np.array([np.tan(azimuth), np.tan(elevation) / np.cos(azimuth), 1.0])
    centre = ray / np.linalg.norm(ray) * role.at(time, 'distance')
    upright = cv2.Rodrigues(np.array([[0.0], [azimuth], [0.0]]))[0]
    yaw = role.at(time, 'yaw')
    rotation: Array = upright @ matrix_from_euler(
        yaw, role.at(time, 'pitch') + elevation, role.at(time, 'roll')
    )
    names = person.parts.model.expression_names
    expression = np.zeros(len(names), np.float32)
    blink = max(0.16, 1 - abs((time + 0.7 * role.identity) % 3.1 - 1.5) / 0.12)
    speech = 0.25 * max(0.0, float(np.sin(time * 9) * np.sin(time * 1.3 + role.identity)))
    for name, weight in (('eyeBlink_L', blink), ('eyeBlink_R', blink), ('jawOpen', speech)):
        expression[names.index(name)] = weight
    return Pose(
        rotation, sellion_from_face_centre(rotation, centre), upright @ standing(0.35 * yaw),
        expression, (float(-0.3 * yaw), 0.0),
    )  # fmt: skip


def frames(model: HeadModel, count: int) -> Iterator[tuple[Image, list[tuple[int, Person, Pose]]]]:
    """Yield images and who is where in them."""
    parts = HeadParts(model)
    cast = [Person(parts, role.identity, plain=True) for role in ROLES]
    camera, lighting = SceneCamera(CAMERA), _lighting()
    room = Backgrounds().room(np.random.default_rng(8), CAMERA.width, CAMERA.height)
    behind = photo.to_linear(room)
    rng = np.random.default_rng(1)
    for i in range(count):
        poses = [role_pose(role, who, i / RATE) for role, who in zip(ROLES, cast, strict=True)]
        people = [Placed(who, pose) for who, pose in zip(cast, poses, strict=True)]
        light, coverage, _ = compose(camera, people, lighting)
        both = light * np.float32(0.72) + behind * (1 - coverage[..., None])
        image = np.clip(both, 0, 1) ** np.float32(1 / 2.2) * 255
        image += rng.standard_normal(image.shape, np.float32) * 1.2
        yield (
            np.clip(image + 0.5, 0, 255).astype(np.uint8),
            list(zip(range(len(cast)), cast, poses, strict=True)),
        )


def write_clip(folder: str | Path, head_model: str | None = None, progress: bool = True) -> Path:
    """Write clip.mp4, clip_truth.csv and clip_camera.yaml into a folder; return the clip's path.

    Raises OSError where OpenCV cannot write video there.
    """
    from tqdm import tqdm

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = round(RATE * SECONDS)
    partial = folder / 'clip.partial.mp4'
    fourcc = cv2.VideoWriter_fourcc(*'mp4v')  # type: ignore[attr-defined]
    writer = cv2.VideoWriter(str(partial), fourcc, RATE, (CAMERA.width, CAMERA.height))
    if not writer.isOpened():
        raise OSError(f'cannot write video to {partial}: is the folder writable?')
    rows: list[dict[str, Any]] = []
    shots = frames(HeadModel.load(head_model), count)
    for i, (image, people) in enumerate(tqdm(shots, total=count, disable=not progress)):
        writer.write(image)
        for number, person, pose in people:
            row = pose_row(f'{i:06d}', CAMERA, pose.rotation_camera_from_face, pose.sellion)
            rows.append(row | {'time': i / RATE, 'person': number,
                               'head_scale': person.appearance.head_scale})  # fmt: skip
    writer.release()
    write_rows(folder / 'clip_truth.csv', rows, EXTRA_COLUMNS)
    write_camera(folder / 'clip_camera.yaml')
    partial.replace(folder / 'clip.mp4')
    return folder / 'clip.mp4'


def write_camera(path: Path) -> None:
    """Write the lens as camera_calibration does."""
    K = CAMERA.matrix
    P = np.column_stack([K, np.zeros(3)])

    def block(name: str, rows: int, columns: int, data: Any) -> str:
        numbers = ', '.join(f'{v:.9g}' for v in np.ravel(data))
        return f'{name}:\n  rows: {rows}\n  cols: {columns}\n  data: [{numbers}]\n'

    text = (
        f'image_width: {CAMERA.width}\nimage_height: {CAMERA.height}\ncamera_name: demo_clip\n'
        + block('camera_matrix', 3, 3, K)
        + f'distortion_model: {CAMERA.distortion_model}\n'
        + block('distortion_coefficients', 1, len(CAMERA.distortion), CAMERA.distortion)
        + block('rectification_matrix', 3, 3, np.eye(3))
        + block('projection_matrix', 3, 4, P)
    )
    path.write_text(text)
