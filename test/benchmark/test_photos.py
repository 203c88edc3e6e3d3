# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rule by which benchmark.accuracy.photos says which faces were found."""

import csv

import numpy as np
import pytest

from benchmark.accuracy import photos, photos_text
from benchmark.accuracy.photos import Face, Photo, Score, groups_of, matched, read_photos
from benchmark.measure import NotMeasuredError


def face(x, y, side=100.0, counts=True, kind='frontal', roll=0.0):
    return Face((x, y, x + side, y + side), kind, roll, counts)


def head(x, y, side=150.0):
    """A square whose middle is that of a face of 100 px at x, y."""
    middle = np.array([x, y]) + 50
    return np.array([*(middle - side / 2), *(middle + side / 2)])


@pytest.mark.parametrize(
    ('heads', 'faces', 'what'),
    [
        ([head(0, 0)], [face(0, 0)], ['hit']),
        ([head(55, 0)], [face(0, 0)], ['hit']),
        ([head(65, 0)], [face(0, 0)], ['false']),
        ([head(0, 0, side=270)], [face(0, 0)], ['false']),
        ([head(0, 0, side=45)], [face(0, 0)], ['false']),
        ([head(20, 0), head(0, 0)], [face(0, 0)], ['double', 'hit']),
        ([head(0, 0)], [face(0, 0, counts=False)], ['ignored']),
        ([head(30, 0)], [face(40, 0, counts=False), face(0, 0)], ['hit']),
        ([head(300, 300)], [face(200, 200, side=400, counts=False)], ['ignored']),
        ([head(0, 0)], [], ['false']),
        ([], [face(0, 0)], []),
    ],
)
def test_heads_match_faces_one_to_one(heads, faces, what):
    assert matched(np.array(heads).reshape(-1, 4), faces)[1] == what


def test_the_nearest_face_is_taken():
    of_head, _ = matched(np.array([head(48, 0), head(2, 0)]), [face(0, 0), face(50, 0)])
    assert of_head == [1, 0]


def test_groups_by_size_and_kind_are_of_upright_faces():
    assert set(groups_of(face(0, 0, side=30, kind='half'))) == {
        'all', 'roll 0 to 30', 'px 24 to 48', 'half'}  # fmt: skip
    assert set(groups_of(face(0, 0, side=20))) == {'all', 'roll 0 to 30', 'px 12 to 24'}
    assert set(groups_of(face(0, 0, roll=-170.0))) == {'all', 'roll 120 to 180'}
    assert set(groups_of(face(0, 0, roll=270.0))) == {'all', 'roll 60 to 120'}


def test_a_folder_without_tables_is_not_measured(tmp_path):
    with pytest.raises(NotMeasuredError, match=r'no faces\.csv'):
        read_photos(tmp_path)


def write(path, *rows):
    with path.open('w', newline='') as file:
        csv.writer(file).writerows(rows)


def test_tables_are_read_and_written(tmp_path):
    names = 'file', 'x0', 'y0', 'x1', 'y1', 'kind', 'roll_deg', 'yaw_class', 'ignore'
    write(tmp_path / 'faces.csv', names, ('a.jpg', 1, 2, 31, 32, 'half', '', '', 0))
    write(tmp_path / 'pictures.csv', ('file', 'lens'), ('a.jpg', 'unknown'), ('b.jpg', 'fisheye'))
    one, two = read_photos(tmp_path)
    assert one == Photo(tmp_path / 'a.jpg', 'unknown', (Face((1, 2, 31, 32), 'half', 0.0, True),))
    assert (one.is_empty, two.is_empty) == (False, True)
    assert two.camera(200, 100).distortion_model == 'equidistant'
    score = Score()
    score.add(one, [], listing=False)
    result = score.result()
    assert result['found'] == {
        'all': [0, 1], 'roll 0 to 30': [0, 1], 'px 24 to 48': [0, 1], 'half': [0, 1]
    }  # fmt: skip
    part = {'detectors': {'retinaface': {'ordinary': result}}}
    for make in photos_text.TABLES.values():
        assert '0 % of 1' in make(part)


@pytest.mark.skipif(not photos.FOLDER.is_dir(), reason=f'{photos.FOLDER} is not there')
def test_a_photograph_is_measured():
    some = [photo for photo in read_photos(photos.FOLDER) if 'd010' in photo.path.name]
    config = photos.PipelineConfig(device='cpu', threads=1)
    found = photos.measure(some, config)['ordinary']
    assert found['found']['all'] == [5, 5]
    assert (found['false'], found['doubles']) == (0, 0)
