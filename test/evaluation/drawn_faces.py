# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A data set that is drawn, and an estimator that reads the truth from the drawing.

Every face is a square in one grey level; the level is the number of the pose it has, so that an
estimator that knows the poses is exact, wherever its crop is taken from.
"""

import cv2
import numpy as np
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from headpose_ros.detection.detector import BoxToFace
from headpose_ros.evaluation.posed_files import pose_row, write_rows
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE, FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_ros.heads import Boxes, Estimates

LEVEL = 20
POINTS = np.random.default_rng(1).uniform(100, 300, (68, 2))


def level_of(index):
    return 40 + LEVEL * index


class KnowingEstimator:
    """Reads the grey level in the middle of a crop and answers with the pose of that number.

    `rotations_virtual_from_face` are returned as they are: what a network that is right in its
    virtual camera's frame would see.
    """

    name = 'knowing'
    crop_px = 32
    crop_scale = 1.0
    landmark_box_scale = 1.4
    refines = False

    def __init__(self, rotations_virtual_from_face, head_scale=1.0, sigma=np.nan):
        self._rotations = rotations_virtual_from_face
        self._head_scale = head_scale
        self._sigma = sigma
        self.crops = []

    def estimate(self, crops, crop_angles):
        self.crops += list(crops)
        level = crops[:, 14:18, 14:18].mean(axis=(1, 2, 3))
        index = np.clip(np.round((level - 40) / LEVEL), 0, len(self._rotations) - 1).astype(int)
        count = len(crops)
        return Estimates(
            rotations_virtual_from_face=self._rotations[index],
            rotation_sigma=np.full((count, 3), self._sigma),
            rays_virtual=np.tile([0.0, 0.0, 1.0], (count, 1)),
            angular_sizes=2 * np.arctan(np.tan(np.asarray(crop_angles) / 2) / self.crop_scale),
            head_scale=np.full(count, self._head_scale),
            face_probability=np.full(count, np.nan),
        )


class SeekingEstimator(KnowingEstimator):
    """Says where in its crops it sees the drawn square, as a network that refines does."""

    refines = True

    def estimate(self, crops, crop_angles):
        estimates = super().estimate(crops, crop_angles)
        half = np.tan(np.asarray(crop_angles) / 2)
        for i, crop in enumerate(crops):
            rows, columns = np.nonzero(crop[..., 0] > 20)
            centre = np.array([columns.mean(), rows.mean()]) - (self.crop_px - 1) / 2
            ray = np.append(centre / (self.crop_px / 2) * half[i], 1.0)
            estimates.rays_virtual[i] = ray / np.linalg.norm(ray)
            side = np.sqrt(len(rows)) / self.crop_px
            estimates.angular_sizes[i] = 2 * np.arctan(side * half[i])
        return estimates


class DrawnFaceDetector:
    """Finds the drawn squares, but for those of the grey levels in `blind`."""

    name = 'drawn'
    box_to_face = BoxToFace(1.0)

    def __init__(self, blind=()):
        self._blind = [level_of(index) for index in blind]

    def detect(self, image_bgr, min_face_px):
        found = []
        for level in range(40, 256, LEVEL):
            mask = cv2.inRange(image_bgr[..., 0], level, level)
            x, y, w, h = cv2.boundingRect(mask)
            if w and level not in self._blind:
                found.append([x - 0.5, y - 0.5, x + w - 0.5, y + h - 0.5])
        return Boxes(np.array(found).reshape(-1, 4), np.ones(len(found)))


def draw_faces(camera: CameraModel, sellions, rotations):
    """Return an image with a square where each face's sphere is."""
    image = np.zeros((camera.height, camera.width, 3), np.uint8)
    for index, (sellion, rotation) in enumerate(zip(sellions, rotations, strict=True)):
        centre = sellion + rotation @ FACE_CENTRE_IN_FACE
        (x, y), side = camera.pixels(centre[None])[0][0], camera.fx / centre[2]
        half = side * FACE_SPHERE_RADIUS
        low, high = np.round([x - half, y - half]), np.round([x + half, y + half])
        cv2.rectangle(
            image, low.astype(int).tolist(), high.astype(int).tolist(), [level_of(index)] * 3, -1
        )
    return image


def virtual_from_face(rotation_camera_from_face, sellion):
    """Return what a camera turned to look at the face sees."""
    centre = sellion + rotation_camera_from_face @ FACE_CENTRE_IN_FACE
    return rotation_to_axis(centre / np.linalg.norm(centre)) @ rotation_camera_from_face


def some_rotations(count, seed=0):
    facing = np.array([[0, 1, 0], [0, 0, -1], [-1, 0, 0]], float)
    turns = Rotation.from_rotvec(np.random.default_rng(seed).normal(0, 0.3, (count, 3)))
    return turns.as_matrix() @ facing


def write_face(folder, name, degrees=(10, 20, 30), landmarks='pt3d_68', **changes):
    """Write an image and its .mat as the official archives have them."""
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f'{name}.jpg'), np.zeros((450, 450, 3), np.uint8))
    content = {'Pose_Para': np.r_[np.deg2rad(degrees), 10.0, 20.0, 0.0, 1e-3][None]}
    if landmarks == 'pt3d_68':
        content['pt3d_68'] = np.vstack([POINTS.T, np.zeros(68)])
        content['pt2d'] = np.full((2, 21), -1.0)
    elif landmarks == 'pt2d':
        content['pt2d'] = POINTS.T
    content |= changes
    savemat(folder / f'{name}.mat', {k: v for k, v in content.items() if v is not None})


def write_set(folder, file, lens, rotations, sellions, **extra):
    """Write poses.csv: one image of 640x480 with several people."""
    camera = lens.camera(640, 480)
    rows = [
        pose_row(file, camera, r, np.array(t)) | extra
        for r, t in zip(rotations, sellions, strict=True)
    ]
    write_rows(folder / 'poses.csv', rows, tuple(extra))
