# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import made_faces
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from headpose_ros.estimation import pose_network as outputs_of
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.rotations import sixd_from_matrix
from headpose_training import validation
from headpose_training.export import calibrate
from headpose_training.warping import Views, plan_warp

PX, SCALE = 48, 0.9


class Oracle:
    """Knows the truth of the views it is shown next, and is wrong as told."""

    def __init__(self, crops, monkeypatch, error=None, sigma=0.1):
        self.error = error if error is not None else np.eye(3)
        self.sigma = sigma
        self.truth = None

        def planned(*args):
            warp = plan_warp(*args)
            self.truth = warp
            return warp

        monkeypatch.setattr(validation, 'plan_warp', planned)
        self.looker = validation.Looker(self, PX, SCALE)

    def __call__(self, images):
        out = np.zeros((len(images), outputs_of.OUTPUTS))
        out[:, outputs_of.ROTATION] = sixd_from_matrix(self.truth.rotations @ self.error)
        out[:, outputs_of.LOG_SIGMA] = np.log(self.sigma)
        out[:, outputs_of.CENTRE] = self.truth.centres
        out[:, outputs_of.LOG_SIZE] = self.truth.log_sizes
        out[:, outputs_of.FACE_LOGIT] = images.std(axis=(1, 2)).mean(1)  # made negatives are plain
        return out


def test_the_truth_has_no_error(monkeypatch):
    crops = made_faces.made_crops(20, negatives=5)
    oracle = Oracle(crops, monkeypatch)
    figures = validation.accuracy(oracle.looker, crops)
    for name in ('yaw', 'pitch', 'roll', 'mae', 'geodesic', 'aligned', 'centre', 'log_size'):
        assert figures[name] == pytest.approx(0, abs=1e-5), name
    assert figures['found'] == 1.0
    faces = crops.subset(crops.is_face)
    assert validation.equivariance_deg(oracle.looker, faces) == pytest.approx(0, abs=1e-5)
    boxes = validation.box_sensitivity(oracle.looker, faces)
    assert len(boxes) == 7
    assert max(boxes.values()) == pytest.approx(0, abs=1e-5)


OFF_ROLLS = np.array([0.3, -0.5, 0.0, 0.4, -0.2, 0.1])


def test_a_second_look_is_centred_upright_and_of_the_right_size(monkeypatch):
    faces = made_faces.made_crops(6)
    oracle = Oracle(faces, monkeypatch)
    off = replace(
        Views.plain(len(faces)),
        rolls=OFF_ROLLS,
        scales=np.array([0.7, 1.3, 1.0, 1.2, 0.8, 1.0]),
        centres=np.array([[0.2, 0], [0, -0.2], [0.1, 0.1], [-0.3, 0.2], [0, 0], [0.2, -0.1]]),
        mirrored=np.array([False, True] * 3),
    )
    views = oracle.looker.where_seen(faces, off)
    assert views.centres == pytest.approx(0, abs=1e-9)
    assert views.scales == pytest.approx(1)
    up = oracle.looker.outputs(faces, views)[1][:, :, 2]
    assert up[:, 0] == pytest.approx(0, abs=1e-6)
    assert (up[:, 1] < 0).all()


def test_a_second_look_is_where_the_first_says_even_if_that_is_wrong(monkeypatch):
    faces = made_faces.made_crops(6)

    class Shy(Oracle):  # sees faces half as far off as they are
        def __call__(self, images):
            out = super().__call__(images)
            out[:, outputs_of.CENTRE] /= 2
            return out

    oracle = Shy(faces, monkeypatch)
    off = replace(
        Views.plain(len(faces)),
        rolls=OFF_ROLLS,
        centres=np.array([[0.2, 0], [0, -0.2], [0.1, 0.1], [-0.3, 0.2], [0, 0], [0.2, -0.1]]),
        mirrored=np.array([False, True] * 3),
    )
    views = oracle.looker.where_seen(faces, off)
    before, after = (
        plan_warp(faces, np.arange(6), v, PX, SCALE).homographies for v in (off, views)
    )
    middle = (PX - 1) / 2
    shown = off.centres / 2
    shown[off.mirrored, 0] *= -1
    said = np.column_stack([middle + shown * PX / 2, np.ones(6)])
    expected, found = (
        (h @ p[:, :, None])[:, :2, 0] / (h @ p[:, :, None])[:, 2:, 0]
        for h, p in ((before, said), (after, np.tile([middle, middle, 1.0], (6, 1))))
    )
    assert found == pytest.approx(expected, abs=0.3)  # pixels: a shift is no turn
    assert np.abs(found - (faces.size_px - 1) / 2).max() > 2


def test_one_constant_rotation_is_aligned_away(monkeypatch):
    crops = made_faces.made_crops(20)
    error = Rotation.from_rotvec(np.deg2rad([0.0, 7.0, 0.0])).as_matrix()
    figures = validation.accuracy(Oracle(crops, monkeypatch, error).looker, crops)
    assert figures['geodesic'] == pytest.approx(7.0, abs=1e-4)
    assert figures['aligned'] == pytest.approx(0.0, abs=1e-4)


def test_angles_wrap_around():
    truth = matrix_from_euler(0.0, 0.0, np.deg2rad([179.0, 10.0]))
    predicted = matrix_from_euler(0.0, 0.0, np.deg2rad([-179.0, 14.0]))
    figures = validation.rotation_errors_deg(predicted, truth)
    assert figures['geodesic'] == pytest.approx(3.0)
    assert figures['roll'] == pytest.approx(3.0)
    assert figures['mae'] == pytest.approx(1.0)


def test_equivariance_counts_what_changes_with_the_turn_alone(monkeypatch):
    crops = made_faces.made_crops(30)
    wrong = Rotation.from_rotvec([0.2, 0.1, 0.0]).as_matrix()
    oracle = Oracle(crops, monkeypatch, wrong)  # wrong, but by the same in the face frame
    assert validation.equivariance_deg(oracle.looker, crops) == pytest.approx(0, abs=1e-5)

    class Stubborn(Oracle):  # always says what an unturned camera would see
        def __call__(self, images):
            out = super().__call__(images)
            out[:, outputs_of.ROTATION] = sixd_from_matrix(crops.rotations)
            return out

    stubborn = Stubborn(crops, monkeypatch)
    found = validation.equivariance_deg(stubborn.looker, crops)
    assert found == pytest.approx(12.5, rel=0.25)  # the mean of |roll|, uniform to 25


def test_calibration_makes_sigma_the_error(monkeypatch):
    crops = made_faces.made_crops(2000, size=8)
    rng = np.random.default_rng(0)
    spread = np.array([0.02, 0.05, 0.1])

    class Noisy(Oracle):
        def __call__(self, images):
            out = super().__call__(images)
            turn = Rotation.from_rotvec(rng.normal(0, spread, (len(images), 3))).as_matrix()
            out[:, outputs_of.ROTATION] = sixd_from_matrix(
                turn @ self.truth.rotations @ self.error
            )
            return out

    looker = Noisy(crops, monkeypatch, sigma=0.1).looker
    factors = validation.sigma_scale(looker, crops, np.eye(3))
    np.testing.assert_allclose(factors, spread / 0.1, rtol=0.08)
    zero = Rotation.from_rotvec([0.0, 0.3, 0.0]).as_matrix()
    real = validation.sigma_scale(looker, crops, zero)  # of real faces nothing is turned
    np.testing.assert_allclose(real, spread / 0.1, rtol=0.08)
    renders = replace(crops, is_synthetic=~crops.is_synthetic)
    looker = Noisy(renders, monkeypatch, error=zero, sigma=0.1).looker
    made = validation.sigma_scale(looker, renders, zero)
    np.testing.assert_allclose(made, spread / 0.1, rtol=0.08)
    weights = {'head.bias': np.zeros(outputs_of.OUTPUTS, np.float32)}
    calibrate(weights, factors)
    np.testing.assert_allclose(np.exp(weights['head.bias'][6:9]), factors, rtol=1e-5)
    assert not weights['head.bias'][:6].any()


def test_crops_are_sampled_where_views_look(monkeypatch):
    crops = made_faces.made_crops(1, size=128)
    seen = []

    def predict(images):
        seen.append(images[0])
        return np.tile(np.r_[1.0, 0, 0, 0, 1, 0, np.zeros(8)], (len(images), 1))

    looker = validation.Looker(predict, PX, SCALE)
    plain = Views.plain(1)
    looker.outputs(crops, plain)
    looker.outputs(crops, replace(plain, mirrored=np.array([True])))
    difference = np.abs(seen[0][:, ::-1].astype(int) - seen[1].astype(int))
    assert difference.max() <= 2
