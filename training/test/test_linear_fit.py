# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from headpose_ros.estimation.landmark_points import MEAN_HEAD
from headpose_ros.estimation.linear_pose import LinearPose
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_training import linear_fit
from headpose_training.face_crops import FaceCrops

DISTANCE = 1.0


def seen_heads(count, spread, seed=0):
    """Mean heads in random poses, their landmarks exact."""
    rng = np.random.default_rng(seed)
    rotations = matrix_from_euler(*rng.normal(0, spread, (3, count)))
    heads = np.einsum('nij,pj->npi', rotations, MEAN_HEAD) + [0, 0, DISTANCE]
    angles = np.full(count, 2 * np.arctan(0.12))
    return linear_fit.SeenCrops(heads[..., :2] / heads[..., 2:] / 0.12, angles, rotations)


class Model:
    """Stands for a network whose landmarks were seen already."""

    crop_px, crop_scale, landmark_box_scale, refines = 16, 0.9, 1.5, True
    sigma_deg = {}  # noqa: RUF012
    linear = None

    def __call__(self, crops):
        self.crops = crops
        return np.zeros((len(crops), 68, 2)), None


def test_fit_reads_small_turns_of_exact_heads():
    seen = seen_heads(300, np.deg2rad(8))
    model = Model()
    model.linear = linear_fit.fit(seen)
    geodesic, vectors = linear_fit.errors(model, 'linear', seen)
    assert np.rad2deg(geodesic.mean()) < 2.0
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(geodesic)
    exact, _ = linear_fit.errors(model, 'pnp', seen)
    assert np.rad2deg(exact.max()) < 0.1


def test_outliers_do_not_rule_the_fit():
    clean = seen_heads(300, np.deg2rad(8))
    points = clean.points.copy()
    points[::15] = points[::15, :, ::-1]
    dirty = linear_fit.SeenCrops(points, clean.angles, clean.rotations)
    one, other = linear_fit.fit(clean), linear_fit.fit(dirty)
    assert other.yaw == pytest.approx(one.yaw, rel=0.1, abs=1.0)


def test_too_few_faces_in_range():
    with pytest.raises(ValueError, match='expected at least 20 faces'):
        linear_fit.fit(seen_heads(19, 0.1))


def test_sigma_by_hand():
    vectors = np.deg2rad(np.array([[1.0, -2.0, 3.0], [-1.0, 2.0, 3.0], [50.0, 2.0, -3.0]]))
    assert linear_fit.sigma_deg(vectors) == pytest.approx(1.4826 * np.array([1, 2, 3]))


def test_crops_are_shown_centred_at_the_models_scale():
    """The stored crop spans tan 0.2 with a sphere of tan 0.1; the model wants 0.9 times that."""
    image = np.zeros((32, 32, 3), np.uint8)
    image[8:24, 8:24] = 255
    one = FaceCrops(
        images=np.stack([image, image]), rotations=np.stack([np.eye(3)] * 2),
        centres=np.zeros((2, 2)), sizes=np.full(2, 0.5), half_tangents=np.full(2, 0.2),
        head_scales=np.ones(2), spreads=np.zeros(2),
        landmarks=np.full((2, 68, 2), np.nan), is_face=np.array([True, False]),
        is_synthetic=np.ones(2, bool),
    )  # fmt: skip
    model = Model()
    seen = linear_fit.see(model, one)
    assert len(seen.points) == 1
    assert np.tan(seen.angles / 2) == pytest.approx(0.2 * 0.5 * 0.9)
    assert model.crops[0, 2:-2, 2:-2].min() == 255
    assert isinstance(linear_fit.fit(seen_heads(40, 0.1)), LinearPose)
