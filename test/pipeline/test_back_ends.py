# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every shipped detector with every estimator, on the packaged clip, whose truth is known."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

import headpose_ros
from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.media.sources import open_source
from headpose_ros.pipeline import HeadPosePipeline

FOLDER = Path(headpose_ros.__file__).parent / 'demo'
ESTIMATORS = {
    'pose_clean': ({}, 10),
    'pose_best': ({'weights': 'pose_best'}, 10),
    'landmarks, linear': ({'estimator': 'landmarks', 'weights': 'pfld'}, 10),
    'landmarks, linear, authors': (
        {'estimator': 'landmarks', 'weights': 'pfld', 'landmark_pose': 'linear_authors'}, 20),
    'landmarks, pnp': ({'estimator': 'landmarks', 'weights': 'pfld', 'landmark_pose': 'pnp'}, 10),
}  # fmt: skip
"""Options, and the mean error in degrees that none of them reaches unless something is wrong."""


@pytest.fixture(scope='module')
def clip():
    """Return the first images, their camera, and the true (positions, rotations) of each."""
    with open_source(FOLDER / 'clip.mp4') as source:
        images = [frame.image_bgr for frame, _ in zip(source, range(4), strict=False)]
    with (FOLDER / 'clip_truth.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    truth = []
    for i in range(len(images)):
        of_image = [row for row in rows if int(row['file']) == i]
        positions = [[float(row[f't{axis}']) for axis in 'xyz'] for row in of_image]
        entries = [f'r{j}{k}' for j in range(3) for k in range(3)]
        rotations = [[float(row[entry]) for entry in entries] for row in of_image]
        truth.append((np.array(positions), np.array(rotations).reshape(-1, 3, 3)))
    return images, CameraModel.from_yaml(FOLDER / 'clip_camera.yaml'), truth


@pytest.mark.parametrize('estimator', ESTIMATORS)
@pytest.mark.parametrize('detector', ['one_pass', 'mtcnn', 'retinaface', 'cascade'])
def test_three_people_are_found_and_where_they_face(clip, detector, estimator):
    if detector == 'cascade' and not hasattr(cv2, 'CascadeClassifier'):
        pytest.skip('this OpenCV has no cascades')
    images, camera, truth = clip
    options, most = ESTIMATORS[estimator]
    config = PipelineConfig(
        detector=detector, device='cpu', threads=1, confirm_probability=0.01, **options
    )
    pipeline = HeadPosePipeline(config)
    errors = []
    for image, (positions, rotations) in zip(images, truth, strict=True):
        heads = pipeline.process(image, camera)
        assert len(heads) == len(positions) == 3
        for position, rotation in zip(positions, rotations, strict=True):
            apart = [np.linalg.norm(head.position - position) for head in heads]
            assert min(apart) < 0.25
            nearest = heads[int(np.argmin(apart))]
            errors.append(geodesic_distance(nearest.rotation_camera_from_face, rotation))
    assert np.degrees(np.mean(errors)) < most
