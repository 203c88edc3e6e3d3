# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CameraInfo as robots send it: binning, regions, rectified topics, and what is wrong with it."""

from array import array
from types import SimpleNamespace

import lenses
import numpy as np
import pytest

from headpose_ros.geometry import CameraModel, CameraModelError

D = (-0.28, 0.07, 0.001, -0.002, 0.01)
P = (380.0, 0.0, 315.0, 0.0, 0.0, 390.0, 245.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def info(**changes):
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0, do_rectify=False)
    fields = {
        'width': 640, 'height': 480, 'distortion_model': 'plumb_bob', 'd': array('d', D),
        'k': np.array(lenses.K), 'r': np.eye(3).ravel(), 'p': np.array(P),
        'binning_x': 0, 'binning_y': 0, 'roi': roi,
    }  # fmt: skip
    fields.update(changes)
    return SimpleNamespace(**fields)


def region(x, y, width, height):
    return SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height, do_rectify=True)


def test_raw_images_use_k_and_d_rectified_ones_p():
    raw = CameraModel.from_camera_info(info())
    assert (raw.fx, raw.fy, raw.cx, raw.cy) == (400, 420, 310, 250)
    assert raw.distortion == D
    rectified = CameraModel.from_camera_info(info(), rectified=True)
    assert (rectified.fx, rectified.fy, rectified.cx, rectified.cy) == (380, 390, 315, 245)
    assert rectified.is_pinhole


def test_ros_1_messages_have_upper_case_fields():
    message = info()
    for name in 'dkrp':
        setattr(message, name.upper(), message.__dict__.pop(name))
    assert CameraModel.from_camera_info(message) == CameraModel.from_camera_info(info())


def test_the_real_message_where_ros_is_installed():
    messages = pytest.importorskip('sensor_msgs.msg', reason='ROS is not installed')
    message = messages.CameraInfo(width=640, height=480, distortion_model='plumb_bob')
    message.d, message.k, message.p = list(D), list(lenses.K), list(P)
    assert CameraModel.from_camera_info(message) == CameraModel.from_camera_info(info())


def test_binned_pixels_are_averages_of_their_blocks():
    full = CameraModel.from_camera_info(info())
    binned = CameraModel.from_camera_info(info(binning_x=2, binning_y=4))
    assert (binned.width, binned.height) == (320, 120)
    # Pixel (10, 10) is the mean of columns 20, 21 and of rows 40 to 43.
    assert binned.rays([[10, 10]]) == pytest.approx(full.rays([[20.5, 41.5]]), abs=1e-14)


def test_a_region_of_interest_moves_the_principal_point():
    full = CameraModel.from_camera_info(info())
    part = CameraModel.from_camera_info(info(roi=region(100, 60, 200, 160)))
    assert (part.width, part.height) == (200, 160)
    assert part.rays([[5, 7]]) == pytest.approx(full.rays([[105, 67]]), abs=1e-14)


def test_a_region_is_in_full_resolution_pixels_also_when_binned():
    full = CameraModel.from_camera_info(info())
    part = CameraModel.from_camera_info(
        info(roi=region(100, 60, 200, 160), binning_x=2, binning_y=2)
    )
    assert (part.width, part.height) == (100, 80)
    assert part.rays([[5, 7]]) == pytest.approx(full.rays([[110.5, 74.5]]), abs=1e-14)
    rectified = CameraModel.from_camera_info(
        info(roi=region(100, 60, 200, 160), binning_x=2, binning_y=2), rectified=True
    )
    assert rectified.fx == 190
    assert rectified.cx == pytest.approx((315 - 100 + 0.5) / 2 - 0.5)


@pytest.mark.parametrize(
    ('model', 'count'), [('plumb_bob', 5), ('rational_polynomial', 14), ('equidistant', 4)]
)
def test_zeros_appended_to_d_change_nothing(model, count):
    d = tuple(0.01 / (k + 1) for k in range(count))
    expected = CameraModel.from_camera_info(info(distortion_model=model, d=d))
    padded = info(distortion_model=model, d=d + (0.0,) * 8)
    assert CameraModel.from_camera_info(padded) == expected
    with pytest.raises(CameraModelError, match=f'got {count + 1}'):
        CameraModel.from_camera_info(info(distortion_model=model, d=(*d, 1e-9)))


def test_a_binning_of_0_is_1_and_do_rectify_of_the_whole_image_changes_nothing():
    whole = region(0, 0, 640, 480)
    for changes in ({'binning_x': 0, 'binning_y': 0}, {'binning_x': 1, 'binning_y': 1}):
        for rectified in (False, True):
            full = CameraModel.from_camera_info(info(), rectified)
            assert CameraModel.from_camera_info(info(**changes, roi=whole), rectified) == full


def test_no_distortion_in_all_its_spellings():
    for model, d in (
        ('', ()),
        ('none', ()),
        ('', (0.0,) * 5),
        ('plumb_bob', ()),
        ('equidistant', ()),
    ):
        camera = CameraModel.from_camera_info(info(distortion_model=model, d=d))
        assert camera.is_pinhole == (model != 'equidistant')


@pytest.mark.parametrize(
    ('changes', 'why'),
    [
        ({'k': [0.0] * 9, 'p': [0.0] * 12}, 'K is all zero.*uncalibrated.*calibrate'),
        ({'k': [float('nan'), *lenses.K[1:]]}, 'K: expected finite'),
        ({'k': [-400.0, *lenses.K[1:]]}, 'focal lengths must be positive'),
        ({'k': [400.0, 0, 310, 0, 0, 250, 0, 0, 1]}, 'focal lengths must be positive'),
        ({'k': lenses.K[:8]}, 'K: expected 9 numbers, got 8'),
        ({'k': [*lenses.K[:8], 0.0]}, 'K: expected fx, 0, cx'),
        ({'d': (0.1, 0.2)}, "'plumb_bob' has 4 or 5 or 8 .*coefficients, got 2; .* append zeros"),
        ({'d': (0.1, 0.2, 0, 0, float('inf'))}, 'D: expected finite'),
        ({'width': 0}, 'size must be positive'),
        ({'height': 0}, 'size must be positive'),
        ({'width': 0, 'height': 0}, 'size must be positive'),
        ({'roi': region(600, 0, 100, 100)}, 'roi: 100x100 at'),
        ({'roi': region(0, 0, 100, 0)}, 'roi'),
        ({'binning_x': 1000}, 'binning'),
    ],
)
def test_what_makes_no_camera_is_refused_with_the_reason(changes, why):
    with pytest.raises(CameraModelError, match=why):
        CameraModel.from_camera_info(info(**changes))


def test_rectified_without_p_is_refused():
    with pytest.raises(CameraModelError, match='P is all zero'):
        CameraModel.from_camera_info(info(p=[0.0] * 12), rectified=True)


YAML = """image_width: 640
image_height: 480
camera_name: narrow
camera_matrix:
  rows: 3
  cols: 3
  data: [400., 0., 310., 0., 420., 250., 0., 0., 1.]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.28, 0.07, 0.001, -0.002, 0.01]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1., 0., 0., 0., 1., 0., 0., 0., 1.]
projection_matrix:
  rows: 3
  cols: 4
  data: [380., 0., 315., 0., 0., 390., 245., 0., 0., 0., 1., 0.]
"""


def test_a_calibration_file_gives_the_same_camera(tmp_path):
    path = tmp_path / 'camera.yaml'
    path.write_text(YAML)
    assert CameraModel.from_yaml(path) == CameraModel.from_camera_info(info())
    assert CameraModel.from_yaml(str(path), rectified=True) == CameraModel.from_camera_info(
        info(), rectified=True
    )


@pytest.mark.parametrize(
    ('text', 'why'),
    [
        ('image_width: 640\n', 'image_height'),
        ('[1, 2]', 'expected the fields of camera_calibration'),
        ('', 'expected the fields'),
        ('{', 'not a YAML file'),
        (YAML.replace('plumb_bob', 'fov'), 'fov'),
        (YAML.replace('[400.,', '[0.,'), 'focal lengths'),
        (YAML.replace('640', 'wide'), "image_width: expected a whole number, got 'wide'"),
        (YAML.replace('640', '.inf'), 'image_width: expected a whole number, got inf'),
        (YAML.replace('640', '1' + 400 * '0'), 'image_width: expected a whole number'),
        (YAML.replace('[400.,', '[1' + 400 * '0' + ','), 'camera_matrix: expected numbers'),
        (YAML.replace('[400., 0.', '[400., x'), 'camera_matrix: expected numbers'),
        (
            YAML[: YAML.index('projection')].replace('camera_matrix', 'matrix'),
            'camera_matrix.data is missing',
        ),
        (YAML.replace('  data: [400.', '  numbers: [400.'), 'camera_matrix.data is missing'),
        ('image_width: 1\nimage_height: 1\ncamera_matrix: [1]', 'expected 9 numbers, got 1'),
        ('just text', "found str 'just text'"),
        ('[' * 5000, 'not a YAML file: nested too deeply'),
        ('when: 2001-99-99', 'not a YAML file'),
    ],
)
def test_broken_calibration_files_are_named(tmp_path, text, why):
    path = tmp_path / 'broken.yaml'
    path.write_text(text)
    with pytest.raises(CameraModelError, match=why) as error:
        CameraModel.from_yaml(path)
    assert 'broken.yaml' in str(error.value)


@pytest.mark.parametrize('content', [b'\xff\xd8\xff\xe0\x00\x10JFIF', b'\x89PNG\r\n\x1a\n\x00'])
def test_a_picture_is_no_calibration_file(tmp_path, content):
    path = tmp_path / 'picture.jpg'
    path.write_bytes(content)
    with pytest.raises(CameraModelError, match=r'picture\.jpg: not a text file; expected YAML'):
        CameraModel.from_yaml(path)


def test_an_empty_device_is_no_calibration_file():
    with pytest.raises(CameraModelError, match=r'^/dev/null: expected the fields .*found nothing'):
        CameraModel.from_yaml('/dev/null')


@pytest.mark.parametrize('wrong', [None, 'camera', 3, {'k': lenses.K}])
def test_what_is_no_camera_info_is_refused(wrong):
    with pytest.raises(CameraModelError, match='expected a sensor_msgs/CameraInfo, got'):
        CameraModel.from_camera_info(wrong)


def test_a_missing_calibration_file_is_an_oserror(tmp_path):
    with pytest.raises(OSError, match='absent'):
        CameraModel.from_yaml(tmp_path / 'absent.yaml')
