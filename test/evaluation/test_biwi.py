# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from headpose_ros.evaluation import biwi
from headpose_ros.geometry.euler import euler_from_matrix

RGB_FROM_DEPTH = Rotation.from_euler('xyz', [0.7, -0.6, 0.25], degrees=True).as_matrix()
SHIFT_MM = np.array([-24.0, 6.0, -13.0])


def text(matrix):
    return '\n'.join(' '.join(f'{v:.6g}' for v in line) + ' ' for line in np.atleast_2d(matrix))


def write_calibration(path, rotation, shift):
    intrinsics = [[517.679, 0, 320], [0, 517.679, 240.5], [0, 0, 1]]
    parts = [intrinsics, [0, 0, 0, 0], rotation, shift]
    path.write_text('\n\n'.join(text(p) for p in parts) + '\n\n640\n480\n')


def write_frame(root, pose, centre_mm=(58.0, 59.0, 899.0), rotation=RGB_FROM_DEPTH):
    folder = root / '01'
    folder.mkdir(exist_ok=True)
    write_calibration(folder / 'rgb.cal', rotation, SHIFT_MM)
    write_calibration(folder / 'depth.cal', np.eye(3), np.zeros(3))
    (folder / 'frame_00003_rgb.png').touch()
    (folder / 'frame_00003_pose.txt').write_text(f'{text(pose)}\n\n{text(centre_mm)}\n')
    return folder


def published_angles(pose):
    """Yaw, pitch, roll in degrees by the formulas that published BIWI protocols use."""
    r = np.asarray(pose).T
    roll = -np.arctan2(r[1, 0], r[0, 0])
    yaw = -np.arctan2(-r[2, 0], np.hypot(r[2, 1], r[2, 2]))
    pitch = np.arctan2(r[2, 1], r[2, 2])
    return np.rad2deg([yaw, pitch, roll])


def test_angles_agree_with_the_published_protocol(tmp_path):
    pose = Rotation.from_euler('xyz', [20, -35, 10], degrees=True).as_matrix()
    write_frame(tmp_path, pose, rotation=np.eye(3))
    (picture,) = biwi.pictures(tmp_path)
    angles = np.rad2deg(euler_from_matrix(picture.faces[0].rotation_camera_from_face))
    assert angles == pytest.approx(published_angles(pose), abs=1e-3)


def test_truth_is_in_the_colour_cameras_frame(tmp_path):
    write_frame(tmp_path, np.eye(3))
    (picture,) = biwi.pictures(tmp_path)
    (face,) = picture.faces
    expected = (RGB_FROM_DEPTH @ [58.0, 59.0, 899.0] + SHIFT_MM) / 1000
    assert face.centre == pytest.approx(expected, abs=1e-5)
    # The head looks straight into the depth camera: its x axis is that camera's -z.
    out_of_face = face.rotation_camera_from_face[:, 0]
    assert out_of_face == pytest.approx(-RGB_FROM_DEPTH[:, 2], abs=1e-5)
    assert face.off_axis == pytest.approx(
        np.arccos(expected[2] / np.linalg.norm(expected)), abs=1e-5)  # fmt: skip
    assert face.sellion is None
    assert (picture.lens.fx, picture.lens.cy) == (517.679, 240.5)
    assert picture.lens.camera(640, 480).is_pinhole


def test_missing_and_wrong_files_get_one_clear_error(tmp_path):
    with pytest.raises(ValueError, match='no frame_'):
        biwi.pictures(tmp_path)
    folder = write_frame(tmp_path, np.eye(3))
    (folder / 'frame_00003_rgb.png').unlink()
    with pytest.raises(ValueError, match=r'frame_00003_rgb\.png: not found'):
        biwi.pictures(tmp_path)
    folder = write_frame(tmp_path, np.diag([1.0, 1.0, -1.0]))
    with pytest.raises(ValueError, match=r'frame_00003_pose\.txt: holds no rotation'):
        biwi.pictures(tmp_path)
    (folder / 'frame_00003_pose.txt').write_text('1 0 0')
    with pytest.raises(ValueError, match='expected 12 finite numbers or more, got 3'):
        biwi.pictures(tmp_path)
    (folder / 'rgb.cal').write_text('one two')
    with pytest.raises(ValueError, match=r'rgb\.cal: expected numbers only'):
        biwi.pictures(tmp_path)
    (folder / 'rgb.cal').unlink()
    with pytest.raises(ValueError, match=r'rgb\.cal: not found'):
        biwi.pictures(tmp_path)
