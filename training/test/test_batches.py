# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import made_faces
import numpy as np
import pytest
import torch

from headpose_training.batches import Batches, BatchPlan, Source
from headpose_training.face_crops import FaceCrops
from headpose_training.photometry import Photometry, PhotometryChances

PLAN = BatchPlan(32, 48, 0.9, seed=7)


@pytest.fixture(scope='module')
def sources():
    real = made_faces.made_crops(60, seed=1, negatives=6)
    return [Source(real, 3.0), Source(made_faces.made_crops(40, seed=2, synthetic=True), 1.0)]


def test_a_batch_depends_on_seed_rank_and_number_alone(sources):
    first, again = Batches(sources, PLAN), Batches(sources, PLAN)
    again[3]  # what was drawn before does not matter
    for name, tensor in first[5].items():
        assert torch.equal(tensor, again[5][name]) or torch.isnan(tensor).any(), name
    for other in (first[6], Batches(sources, PLAN, rank=1)[5]):
        assert not torch.equal(other['crops'], first[5]['crops'])


def test_sources_have_their_shares(sources):
    batch = Batches(sources, PLAN)[0]
    assert batch['crops'].shape == (32, 48, 48, 3)
    assert batch['crops'].dtype == torch.uint8
    assert int(batch['is_synthetic'].sum()) == 8
    assert 0 < int((~batch['is_face']).sum()) < 16


def test_rare_yaw_angles_are_drawn_more_often():
    crops = made_faces.made_crops(200, seed=3)
    yaw = np.arctan2(crops.rotations[:, 0, 0], -crops.rotations[:, 2, 0])
    few = np.flatnonzero(np.abs(yaw) > np.deg2rad(25))[:6]
    many = np.flatnonzero(np.abs(yaw) < np.deg2rad(8))[:40]
    skewed = crops.subset(np.concatenate([few, many]))

    def share(balance):
        batches = Batches([Source(skewed, 1.0)], BatchPlan(64, 24, 0.9, yaw_balance=balance))
        turned = [
            np.abs(np.arctan2(r[:, 0, 0], -r[:, 2, 0]))
            for r in (skewed.rotations[batches_index(batches, i)] for i in range(6))
        ]
        return np.mean(np.concatenate(turned) > np.deg2rad(20))

    def batches_index(batches, number):
        rng = np.random.default_rng(number)
        return np.searchsorted(batches._chances[0], rng.random(200)).clip(max=len(skewed) - 1)

    assert share(1.0) > 2 * share(0.0)


def test_no_data_is_said():
    with pytest.raises(ValueError, match='at least one source'):
        Batches([], PLAN)


def test_every_disturbance_keeps_shape_and_type_and_changes_the_image():
    rng = np.random.default_rng(0)
    image = made_faces.made_crops(1, size=64).images[0]
    other = rng.integers(0, 256, (80, 80, 3), np.uint8)
    names = [n for n in PhotometryChances.__dataclass_fields__ if n != 'none']
    never = dict.fromkeys(['none', *names], 0.0)
    for name in names:
        photometry = Photometry(64, PhotometryChances(**{**never, name: 1.0}))
        for _ in range(20):
            before = image.copy()
            changed = photometry(image, rng, other)
            assert changed.shape == image.shape
            assert changed.dtype == np.uint8
            assert np.array_equal(image, before), f'{name} wrote on its input'
        assert not np.array_equal(changed, image), name
    calm = Photometry(64, PhotometryChances(**never))
    assert np.array_equal(calm(image, rng, other), image)


def test_crops_are_saved_and_loaded(tmp_path):
    crops = made_faces.made_crops(5, negatives=1)
    crops.save(tmp_path / 'a.npz')
    assert [p.name for p in tmp_path.iterdir()] == ['a.npz']
    loaded = FaceCrops.load(tmp_path / 'a.npz')
    np.testing.assert_array_equal(loaded.images, crops.images)
    np.testing.assert_array_equal(loaded.is_face, [True] * 4 + [False])
    both = FaceCrops.join([crops, loaded])
    assert len(both) == 10
    with pytest.raises(ValueError, match='one size'):
        FaceCrops.join([crops, made_faces.made_crops(2, size=64)])
    with pytest.raises(ValueError, match=r'rotations \(5, 3, 3\)'):
        FaceCrops(**{**crops.__dict__, 'rotations': crops.rotations[:3]})


def test_negatives_are_drawn_as_often_as_planned_at_most():
    crops = made_faces.made_crops(100, negatives=60)
    for most, expected in ((0.1, 0.1), (0.9, 0.6)):
        plan = BatchPlan(8, 24, 0.9, negative_share=most)
        cumulated = Batches([Source(crops, 1.0)], plan)._chances[0]
        chances = np.diff(cumulated, prepend=0)
        assert chances.sum() == pytest.approx(1)
        assert chances[~crops.is_face].sum() == pytest.approx(expected)
