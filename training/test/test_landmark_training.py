# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import csv

import cv2
import numpy as np
import pytest
import torch

from headpose_ros.estimation.landmark_points import MEAN_HEAD
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.inference.networks.layers import folded_tensors
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import read
from headpose_training import landmark_training as training
from headpose_training.landmark_table import MIRRORED
from headpose_training.landmark_training_data import (
    LandmarkBatches,
    LandmarkPicture,
    LandmarkViews,
    half_crops,
    random_view,
    read_annotated,
    read_shards,
)
from headpose_training.network_training import NetworkRun
from headpose_training.warping import crop_from_image

PLAIN = LandmarkViews(
    scale_sigma=0.0, shift_sigma=0.0, roll_sigma_deg=0.0, wide=0.0, beside=0.0)  # fmt: skip


def drawn_face(seed=0, size=100):
    """A picture of dots where the landmarks of a mean head in some pose are."""
    rng = np.random.default_rng(seed)
    rotation = matrix_from_euler(*rng.normal(0, 0.15, 3))
    head = MEAN_HEAD @ rotation.T + [0, 0, 1.0]
    points = head[:, :2] / head[:, 2:] * 3.2 * size + [size / 2, size * 0.35]
    image = np.full((size, size, 3), 40, np.uint8)
    for i, (x, y) in enumerate(points):
        centre = (round(x * 16), round(y * 16))
        colour = (60 + 2 * i, 255 - 3 * i, 128)
        cv2.circle(image, centre, 24, colour, -1, cv2.LINE_AA, 4)
    return LandmarkPicture(image, points)


def write_set(folder, pictures):
    (folder / 'images').mkdir(parents=True)
    columns = ['file', *(f'{axis}{i}' for i in range(68) for axis in 'xy')]
    with (folder / 'landmarks68.csv').open('w', newline='') as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for i, picture in enumerate(pictures):
            cv2.imwrite(str(folder / f'images/{i}.png'), picture.image)
            writer.writerow([f'images/{i}.png', *picture.points.ravel()])


def test_annotated_pictures_are_read_and_wrong_tables_refused(tmp_path):
    pictures = [drawn_face(i) for i in range(3)]
    write_set(tmp_path / 'a', pictures)
    found = read_annotated(tmp_path / 'a', 'images/')
    assert found[2].points == pytest.approx(pictures[2].points)
    assert np.array_equal(found[2].image, pictures[2].image)
    with pytest.raises(ValueError, match="begins with 'nothing'"):
        read_annotated(tmp_path / 'a', 'nothing')
    with pytest.raises(ValueError, match=r'landmarks68\.csv: not found'):
        read_annotated(tmp_path)
    table = tmp_path / 'a' / 'landmarks68.csv'
    table.write_text(table.read_text().replace(',y67', ''))
    with pytest.raises(ValueError, match='lacks the columns y67'):
        read_annotated(tmp_path / 'a')


def test_shards_are_read_and_others_refused(tmp_path):
    face = drawn_face()
    arrays = {
        'images': np.stack([face.image] * 2), 'landmarks68': np.stack([face.points] * 2),
        'face': np.array([True, False]),
    }  # fmt: skip
    np.savez(tmp_path / 'shard.npz', **arrays)
    one, other = read_shards([tmp_path / 'shard.npz'])
    assert one.points == pytest.approx(face.points)
    assert other.points is None
    np.savez(tmp_path / 'other.npz', images=arrays['images'])
    with pytest.raises(ValueError, match=r'other\.npz: not a shard'):
        read_shards([tmp_path / 'other.npz'])


def test_mirror_swaps_sides():
    assert sorted(MIRRORED) == list(range(68))
    assert np.array_equal(MIRRORED[MIRRORED], np.arange(68))
    mirrored = MEAN_HEAD[MIRRORED] * [1, -1, 1]
    assert np.abs(mirrored - MEAN_HEAD).max() < 5e-3


def test_affine_map_by_hand():
    matrix = crop_from_image(np.array([50.0, 60.0]), 40.0, np.pi / 2, 112)
    assert matrix[:, :2] @ [50, 60] + matrix[:, 2] == pytest.approx([55.5, 55.5])
    # A quarter turn clockwise takes what is right of the centre below it.
    assert matrix[:, :2] @ [60, 60] + matrix[:, 2] == pytest.approx([55.5, 55.5 + 28])
    assert half_crops(np.array([111.5, -0.5]), 112) == pytest.approx([1, -1])


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('marked', [8, 27, 48])
def test_points_stay_on_what_they_mark(seed, marked):
    """However a picture is turned, scaled, moved and mirrored."""
    points = drawn_face(seed, size=300).points
    image = np.zeros((300, 300, 3), np.uint8)
    cv2.circle(image, np.round(points[marked]).astype(int).tolist(), 5, (255, 255, 255), -1)
    views = LandmarkViews(roll_sigma_deg=40.0, beside=0.0)
    crop, found = random_view(LandmarkPicture(image, points), views, np.random.default_rng(seed))
    rows, columns = np.nonzero(crop[..., 0] > 128)
    spot = half_crops(np.array([columns.mean(), rows.mean()]), 112)
    apart = np.linalg.norm(found[[marked, MIRRORED[marked]]] - spot, axis=1)
    assert apart.min() < 0.02


def test_crops_beside_the_face_and_negatives_have_no_points():
    rng = np.random.default_rng(0)
    _, points = random_view(drawn_face(), LandmarkViews(beside=1.0), rng)
    assert np.isnan(points).all()
    _, points = random_view(LandmarkPicture(drawn_face().image, None), PLAIN, rng)
    assert np.isnan(points).all()


def test_batches_depend_on_seed_and_number_alone():
    sources = [([drawn_face(i) for i in range(3)], 1.0)]
    one, other = (LandmarkBatches(sources, LandmarkViews(), 4, seed=3) for _ in range(2))
    assert np.array_equal(one[7].crops, other[7].crops)
    assert not np.array_equal(one[7].crops, one[8].crops)
    with pytest.raises(ValueError, match='expected pictures in every source'):
        LandmarkBatches([([], 1.0)], LandmarkViews(), 4)


def run(out, steps, learning_rate=2e-3, **changes):
    torch.set_num_threads(1)
    options = NetworkRun(out, steps, batch_size=8, log_every=5, **changes)
    said = []
    network = training.train(
        [([drawn_face(i) for i in range(6)], 1.0)], options, learning_rate, said.append
    )
    return network, [float(line.split()[-1]) for line in said]


def test_training_learns_and_the_weights_file_computes_the_same(tmp_path):
    network, losses = run(tmp_path / 'run', 40, learning_rate=4e-3)
    assert losses[-1] < 0.8 * losses[0]
    path = training.write_weights(network, tmp_path, 'made', None).path
    assert path.stat().st_size < 880_000
    compiled = create_runtime('cpu', 1).compile(read(path))
    crops = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    with torch.no_grad():
        expected = network(torch.from_numpy(crops))
    for ours, theirs in zip(compiled(crops), expected, strict=True):
        assert ours == pytest.approx(theirs.numpy(), abs=2e-3)


def test_resumed_training_gives_the_same_weights(tmp_path):
    whole, _ = run(tmp_path / 'whole', 10, bfloat16=False)
    interrupted = LandmarkBatches.__getitem__

    def stop_at_five(batches, index):
        if index == 5:
            raise KeyboardInterrupt
        return interrupted(batches, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LandmarkBatches, '__getitem__', stop_at_five)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / 'parts', 10, bfloat16=False)
    parts, _ = run(tmp_path / 'parts', 10, bfloat16=False, resume=True)
    again = folded_tensors(parts)
    for name, value in folded_tensors(whole).items():
        assert again[name] == pytest.approx(value, abs=1e-6)


def test_a_training_is_not_overwritten_nor_resumed_from_nothing(tmp_path):
    run(tmp_path / 'run', 1)
    with pytest.raises(ValueError, match='holds a training already'):
        run(tmp_path / 'run', 1)
    with pytest.raises(ValueError, match='no checkpoint there'):
        run(tmp_path / 'none', 1, resume=True)


def test_normalised_mean_error_by_hand():
    truth = np.zeros((1, 68, 2))
    truth[0, 45] = [0.5, 0.0]
    found = truth + [0.03, 0.04]
    assert training._errors(found.reshape(1, -1), truth) == pytest.approx([0.1])
