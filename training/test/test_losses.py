# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from headpose_ros.estimation import pose_network as outputs_of
from headpose_ros.geometry.rotations import sixd_from_matrix
from headpose_training.losses import (
    LossWeights,
    ZeroOffset,
    matrix_from_vector,
    pose_loss,
    rotation_errors,
    rotation_from_columns,
)


def random_rotations(count, seed=0):
    return Rotation.random(count, np.random.default_rng(seed)).as_matrix()


def perfect(rotations, count):
    out = np.zeros((count, outputs_of.OUTPUTS))
    out[:, outputs_of.ROTATION] = sixd_from_matrix(rotations)
    out[:, outputs_of.FACE_LOGIT] = 20.0
    return torch.tensor(out, dtype=torch.float32)


def batch(rotations, **changes):
    count = len(rotations)
    values = {
        'rotations': torch.tensor(rotations, dtype=torch.float32),
        'centres': torch.zeros(count, 2),
        'log_sizes': torch.zeros(count),
        'log_head_scales': torch.zeros(count),
        'spreads': torch.zeros(count),
        'landmarks': torch.full((count, 68, 2), torch.nan),
        'is_face': torch.ones(count, dtype=torch.bool),
        'is_synthetic': torch.zeros(count, dtype=torch.bool),
    }
    return {**values, **changes}


def loss_of(outputs, batch, zero, weights):
    """The loss where landmarks are told to be in the middle."""
    return pose_loss(outputs, torch.zeros(len(outputs), 68, 2), batch, zero, weights)


def test_the_truth_costs_nothing():
    rotations = random_rotations(6)
    _, terms = loss_of(perfect(rotations, 6), batch(rotations), ZeroOffset(), LossWeights())
    assert float(terms['rotation'].detach()) == pytest.approx(
        1e-3, rel=0.1
    )  # sqrt of its smoothing
    for name in ('centre', 'size', 'head_scale', 'face', 'landmarks'):
        assert float(terms[name].detach()) == pytest.approx(0, abs=1e-6)


def test_the_rotation_term_is_the_chord():
    rotations = random_rotations(1)
    for angle in (0.1, 1.0, 3.0):
        turned = Rotation.from_rotvec([0, angle, 0]).as_matrix() @ rotations
        _, terms = loss_of(perfect(turned, 1), batch(rotations), ZeroOffset(), LossWeights())
        assert float(terms['rotation'].detach()) == pytest.approx(2 * np.sin(angle / 2), rel=1e-3)


def test_rotation_errors_are_rotation_vectors_in_the_camera_frame():
    rotations = random_rotations(50)
    vectors = np.random.default_rng(1).uniform(-1, 1, (50, 3))
    turned = Rotation.from_rotvec(vectors).as_matrix() @ rotations
    found = rotation_errors(torch.tensor(turned), torch.tensor(rotations)).numpy()
    np.testing.assert_allclose(found, vectors, atol=1e-9)


def test_gram_schmidt_is_that_of_the_package():
    columns = torch.randn(20, 6, dtype=torch.float64)
    from headpose_ros.geometry.rotations import matrix_from_sixd

    np.testing.assert_allclose(
        rotation_from_columns(columns).numpy(), matrix_from_sixd(columns.numpy()), atol=1e-12
    )


def test_the_zero_offset_turns_renders_only_and_can_be_learned_from_zero():
    rotations = random_rotations(4)
    synthetic = torch.tensor([True, False, True, False])
    zero = ZeroOffset()
    torch.testing.assert_close(matrix_from_vector(zero.vector), torch.eye(3))
    offset = Rotation.from_rotvec([0.02, -0.03, 0.01]).as_matrix()
    shown = rotations.copy()
    shown[[0, 2]] = rotations[[0, 2]] @ offset
    optimizer = torch.optim.Adam(zero.parameters(), 1e-2)
    for _ in range(300):
        loss, _ = loss_of(
            perfect(shown, 4), batch(rotations, is_synthetic=synthetic), zero, LossWeights()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(matrix_from_vector(zero.vector).detach().numpy(), offset, atol=2e-3)


def test_no_face_teaches_no_pose():
    rotations = random_rotations(3)
    outputs = perfect(random_rotations(3, seed=5), 3).requires_grad_()
    loss, _ = loss_of(
        outputs,
        batch(rotations, is_face=torch.zeros(3, dtype=torch.bool)),
        ZeroOffset(),
        LossWeights(),
    )
    loss.backward()
    pose = torch.arange(outputs_of.OUTPUTS) != outputs_of.FACE_LOGIT
    assert (outputs.grad[:, pose] == 0).all()
    assert (outputs.grad[:, outputs_of.FACE_LOGIT] > 0).all()


def test_an_unknown_head_size_teaches_none_and_spoils_nothing():
    rotations = random_rotations(2)
    outputs = perfect(rotations, 2).requires_grad_()
    scales = torch.tensor([float('nan'), 0.1])
    loss, terms = loss_of(
        outputs, batch(rotations, log_head_scales=scales), ZeroOffset(), LossWeights()
    )
    loss.backward()
    assert torch.isfinite(outputs.grad).all()
    assert outputs.grad[0, outputs_of.LOG_HEAD_SCALE] == 0
    assert float(terms['head_scale'].detach()) == pytest.approx(0.1 - 0.025, rel=1e-3)


def test_landmarks_teach_where_they_are_known_and_the_face_is_seen():
    count = 4
    rotations = random_rotations(count)
    truth = torch.zeros(count, 68, 2)
    truth[1] = torch.nan
    truth[3, :10] = torch.nan
    told = torch.full((count, 68, 2), 0.2, requires_grad=True)
    loss, terms = pose_loss(
        perfect(rotations, count),
        told,
        batch(rotations, landmarks=truth, is_face=torch.tensor([True, True, False, True])),
        ZeroOffset(),
        LossWeights(),
    )
    # two coordinates, each 0.2 off; the smooth distance is half of beta shorter
    assert float(terms['landmarks'].detach()) == pytest.approx(2 * (0.2 - 0.025), rel=1e-6)
    loss.backward()
    taught = (told.grad > 0).all(2)
    assert taught[0].all()
    assert not taught[1].any()
    assert not taught[2].any()
    assert taught[3].tolist() == [False] * 10 + [True] * 58
    assert torch.isfinite(told.grad).all()


def test_the_likelihood_wants_sigma_to_be_the_error_and_leaves_the_rotation_alone():
    rotations = np.repeat(random_rotations(1), 400, axis=0)
    sigma = np.array([0.02, 0.05, 0.1])
    vectors = np.random.default_rng(0).normal(0, sigma, (400, 3))
    outputs = perfect(Rotation.from_rotvec(vectors).as_matrix() @ rotations, 400)
    log_sigma = torch.full((3,), -2.0, requires_grad=True)
    optimizer = torch.optim.Adam([log_sigma], 0.05)
    weights = LossWeights(rotation=0.0, sigma=1.0)
    for _ in range(300):
        filled = torch.cat([outputs[:, :6], log_sigma.expand(400, 3), outputs[:, 9:]], 1)
        loss, _ = loss_of(filled, batch(rotations), ZeroOffset(), weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(log_sigma.detach().exp().numpy(), sigma, rtol=0.15)
    outputs.requires_grad_()
    loss, _ = loss_of(
        outputs, batch(rotations), ZeroOffset(), LossWeights(rotation=0.0, sigma=1.0)
    )
    loss.backward()
    assert (outputs.grad[:, outputs_of.ROTATION] == 0).all()
