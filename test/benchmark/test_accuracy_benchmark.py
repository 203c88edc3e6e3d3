# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from headpose_ros.evaluation import posed
from headpose_ros.evaluation.samples import read_picture
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.geometry.sampling import sample_crops


def test_docs_fill_their_blocks_and_leave_others_alone(tmp_path):
    from benchmark.accuracy import docs as docs

    (tmp_path / 'docs' / 'images').mkdir(parents=True)
    text = (
        'before\n<!-- figures: {} -->\nold\n<!-- end of figures -->\nbetween\n'
        '<!-- figures: speed -->\nkept\n<!-- end of figures -->\n'
    )
    for file, name in (('README.md', 'off-axis'), ('docs/model_card.md', 'real')):
        (tmp_path / file).write_text(text.format(name))
    (tmp_path / 'off_axis.png').write_bytes(b'plot')
    docs.write({'off-axis': 'new \\1', 'real': 'faces'}, tmp_path, tmp_path)
    assert (tmp_path / 'README.md').read_text() == text.format('off-axis').replace(
        'old', 'new \\1'
    )
    assert (tmp_path / 'docs/model_card.md').read_text() == text.format('real').replace(
        'old', 'faces'
    )
    assert (tmp_path / 'docs/images/off_axis.png').read_bytes() == b'plot'


def test_docs_without_an_end_are_refused(tmp_path):
    from benchmark.accuracy import docs as docs

    (tmp_path / 'README.md').write_text('<!-- figures: real -->\ntext')
    with pytest.raises(ValueError, match='has no <!-- end of figures -->'):
        docs.write({'real': 'faces'}, tmp_path, tmp_path)


def test_true_yaw_goes_on_beyond_90_degrees():
    pytest.importorskip('headpose_training')
    from benchmark.accuracy import rendered as rendered

    yaw = np.array([-100.0, -89.0, 0.0, 60.0, 91.0, 100.0])
    pitch, roll = np.deg2rad([20.0, -30.0])
    rotations = matrix_from_euler(np.deg2rad(yaw), pitch, roll)
    np.testing.assert_allclose(rendered.true_yaw(rotations), yaw, atol=1e-9)


def test_rings_differ_in_the_view_angle_alone(tmp_path):
    pytest.importorskip('numba')
    from benchmark.accuracy import rings as rings
    from headpose_training.head_model import HeadModel, HeadModelError

    try:
        HeadModel.load()
    except HeadModelError as error:
        pytest.skip(f'rendering needs the head model: {error}')
    folders = rings.make_rings(tmp_path, rings.RingSet(1), 1)
    for name, angles in rings.RINGS.items():
        np.testing.assert_array_equal(rings.ring_column(folders[name]), angles)
        pictures = posed.pictures(folders[name])
        assert np.rad2deg([p.faces[0].off_axis for p in pictures]) == pytest.approx(
            angles, abs=0.5
        )
        crops, rotations = zip(*(_rectified(picture) for picture in pictures), strict=True)
        assert np.rad2deg(geodesic_distance(np.array(rotations), rotations[0])).max() < 1.0
        middle = [crop[30:66, 30:66].astype(float) for crop in crops]
        alike = [np.corrcoef(middle[0].ravel(), other.ravel())[0, 1] for other in middle]
        assert min(alike) > 0.93, alike


def _rectified(picture):
    image, face = read_picture(picture.path), picture.faces[0]
    camera = picture.lens.camera(image.shape[1], image.shape[0])
    ray = face.centre / np.linalg.norm(face.centre)
    crops = sample_crops(image, camera, ray[None], np.array([0.35]), 96)
    truth = crops.cameras.rotations_to_virtual(face.rotation_camera_from_face[None])[0]
    return crops.images[0], truth
