# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from drawn_faces import POINTS, write_face

from headpose_ros.evaluation import landmark_sets
from headpose_ros.geometry.euler import matrix_from_euler


@pytest.mark.parametrize('landmarks', ['pt3d_68', 'pt2d'])
def test_pose_and_landmarks(tmp_path, landmarks):
    write_face(tmp_path, 'image00002', landmarks=landmarks)
    (picture,) = landmark_sets.pictures(tmp_path)
    (face,) = picture.faces
    pitch, yaw, roll = np.deg2rad([10, 20, 30])
    assert face.rotation_camera_from_face == pytest.approx(matrix_from_euler(yaw, pitch, roll))
    assert face.landmarks == pytest.approx(POINTS)
    assert picture.lens is None
    assert face.sellion is face.centre is face.off_axis is None


def test_pictures_beyond_99_degrees_are_left_out_and_subfolders_are_found(tmp_path):
    write_face(tmp_path / 'AFW', 'b', (99.5, 0, 0))
    write_face(tmp_path / 'AFW', 'c', (0, -98.5, 0))
    write_face(tmp_path / 'AFW_Flip', 'a', (0, 0, 100))
    (tmp_path / 'AFW' / 'unlabelled.jpg').touch()
    assert [p.path.name for p in landmark_sets.pictures(tmp_path)] == ['c.jpg']


def test_files_of_other_programs(tmp_path):
    """Names with spaces, capitals, other types, landmarks outside and a row each, no landmarks."""
    outside = POINTS - 250.0
    write_face(tmp_path / 'a b', 'c d', pt3d_68=outside, pt2d=None)
    write_face(tmp_path, 'e', landmarks='none', pt2d=POINTS.T.astype(np.float32))
    (tmp_path / 'e.jpg').rename(tmp_path / 'e.PNG')
    (tmp_path / '._e.png').touch()
    (tmp_path / '._e.mat').write_bytes(b'what macOS leaves beside files')
    found = landmark_sets.pictures(tmp_path)
    assert [p.path.name for p in found] == ['c d.jpg', 'e.PNG']
    assert found[0].faces[0].landmarks == pytest.approx(outside)
    assert found[1].faces[0].landmarks == pytest.approx(POINTS, abs=1e-4)


@pytest.mark.parametrize(
    ('changes', 'complaint'),
    [
        ({'Pose_Para': None}, 'expected Pose_Para'),
        ({'Pose_Para': np.array([[np.nan, 0, 0]])}, 'expected Pose_Para'),
        ({'pt3d_68': None}, 'expected 68 landmarks'),
        ({'pt3d_68': np.zeros((3, 21))}, 'expected 68 landmarks'),
        ({'pt3d_68': np.full((3, 68), 7.0)}, 'expected 68 landmarks, finite and apart'),
    ],
)
def test_wrong_files_get_one_clear_error(tmp_path, changes, complaint):
    write_face(tmp_path, 'x', **changes)
    with pytest.raises(ValueError, match=rf'x\.mat: {complaint}'):
        landmark_sets.pictures(tmp_path)


def test_mat_that_is_none(tmp_path):
    write_face(tmp_path, 'x')
    (tmp_path / 'x.mat').write_bytes(b'not a mat file')
    with pytest.raises(ValueError, match=r'x\.mat: not a MATLAB file'):
        landmark_sets.pictures(tmp_path)
    header = b'MATLAB 7.3 MAT-file'.ljust(124) + b'\x00\x02IM'
    (tmp_path / 'x.mat').write_bytes(header + bytes(400))
    with pytest.raises(ValueError, match=r'x\.mat: not a MATLAB file that scipy reads .*v7\.3'):
        landmark_sets.pictures(tmp_path)


def test_folder_without_labels_and_folder_with_extremes_only(tmp_path):
    with pytest.raises(ValueError, match=r'no image with a \.mat'):
        landmark_sets.pictures(tmp_path)
    write_face(tmp_path, 'x', (0, 120, 0))
    with pytest.raises(ValueError, match='all 1 pictures'):
        landmark_sets.pictures(tmp_path)
