# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files of camera_calibration, OpenCV, ros2 topic echo, Kalibr and COLMAP."""

import os

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_camera_info import YAML, D, info

from headpose_ros.geometry import CameraModel, CameraModelError

K = [400.0, 0.0, 310.0, 0.0, 420.0, 250.0, 0.0, 0.0, 1.0]
EXPECTED = CameraModel.from_camera_info(info())
FISHEYE = (0.01, -0.004, 0.001, 0.0002)

ECHO = """header:
  stamp:
    sec: 1700000000
    nanosec: 5
  frame_id: camera
height: 480
width: 640
distortion_model: plumb_bob
d:
- -0.28
- 0.07
- 0.001
- -0.002
- 0.01
k:
- 400.0
- 0.0
- 310.0
- 0.0
- 420.0
- 250.0
- 0.0
- 0.0
- 1.0
r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
p: [380.0, 0.0, 315.0, 0.0, 0.0, 390.0, 245.0, 0.0, 0.0, 0.0, 1.0, 0.0]
binning_x: 0
binning_y: 0
roi:
  x_offset: 0
  y_offset: 0
  height: 0
  width: 0
  do_rectify: false
---
"""
ROS_1 = """header:
  seq: 4470
  stamp: {secs: 536577153, nsecs: 375714660}
  frame_id: "camera"
height: 480
width: 640
distortion_model: "plumb_bob"
D: [-0.28, 0.07, 0.001, -0.002, 0.01]
K: [400.0, 0.0, 310.0, 0.0, 420.0, 250.0, 0.0, 0.0, 1.0]
R: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
P: [380.0, 0.0, 315.0, 0.0, 0.0, 390.0, 245.0, 0.0, 0.0, 0.0, 1.0, 0.0]
binning_x: 0
binning_y: 0
---
"""
KALIBR = """cam0:
  cam_overlaps: [1]
  camera_model: pinhole
  distortion_coeffs: [-0.28, 0.07, 0.001, -0.002]
  distortion_model: radtan
  intrinsics: [400.0, 420.0, 310.0, 250.0]
  resolution: [640, 480]
  rostopic: /cam0/image_raw
cam1:
  camera_model: pinhole
  distortion_coeffs: [0.01, -0.004, 0.001, 0.0002]
  distortion_model: equidistant
  intrinsics: [300.0, 300.0, 320.0, 240.0]
  resolution: [640, 480]
"""
OST = """# oST version 5.0 parameters


[image]

width
640

height
480

[narrow_stereo]

camera matrix
400.000000 0.000000 310.000000
0.000000 420.000000 250.000000
0.000000 0.000000 1.000000

distortion
-0.280000 0.070000 0.001000 -0.002000 0.010000

rectification
1.000000 0.000000 0.000000
0.000000 1.000000 0.000000
0.000000 0.000000 1.000000

projection
380.000000 0.000000 315.000000 0.000000
0.000000 390.000000 245.000000 0.000000
0.000000 0.000000 1.000000 0.000000
"""


def opencv_storage(suffix, **more):
    """What OpenCV itself writes: `%YAML:1.0`, XML or JSON."""
    flags = cv2.FileStorage_WRITE | cv2.FileStorage_MEMORY
    storage = cv2.FileStorage(suffix, flags)
    storage.write('calibration_time', 'Tue 01 Jan 2026 10:00:00')
    for name, value in more.items():
        storage.write(name, value)
    return storage.releaseAndGetString()


def of_opencv(suffix):
    return opencv_storage(
        suffix, image_width=640, image_height=480, flags=0,
        camera_matrix=np.array(K).reshape(3, 3),
        distortion_coefficients=np.array([D]).T,
    )  # fmt: skip


def read(tmp_path, content, name='camera.yaml', **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = []
    camera = CameraModel.from_yaml(path, tell=told.append, **options)
    assert all(name in remark.text for remark in told)
    return camera, '; '.join(remark.text for remark in told)


@pytest.mark.parametrize(
    'content',
    [
        YAML, ECHO, ECHO + ECHO, ROS_1, of_opencv('.yml'), of_opencv('.xml'), of_opencv('.json'),
        OST, '---\n' + YAML, '%YAML 1.1\n---\n' + YAML, YAML.replace('\n', '\r\n'),
        ECHO[: ECHO.rindex('---')], ECHO + 'height: 4',  # Ctrl-C in the second message
        YAML.replace('  rows: 3\n  cols: 3\n  data: [400.', '  data: [400.'),
        YAML.replace('camera_matrix:\n  rows: 3\n  cols: 3\n  data: ', 'camera_matrix: '),
        YAML.replace('[400., 0., 310., 0., 420., 250., 0., 0., 1.]',
                     '[[400, 0, 310], [0, 420, 250], [0, 0, 1]]'),
        YAML.replace('0.001', '1e-3'),  # text for PyYAML, a number for everybody else
    ],
    ids=[
        'camera_calibration', 'echo', 'echo of two', 'rostopic echo', 'OpenCV YAML', 'OpenCV XML',
        'OpenCV JSON', 'ost.txt', 'document mark', 'directive', 'CR LF', 'no end mark', 'cut off',
        'no rows and cols', 'bare list', 'rows', '1e-3',
    ],
)  # fmt: skip
def test_the_same_camera_from_whatever_writes_it(tmp_path, content):
    camera, told = read(tmp_path, content)
    assert camera == EXPECTED or camera == CameraModel(*_named(EXPECTED))
    assert told == '' or 'without a distortion model' in told


def _named(camera):
    return (
        camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy, camera.skew,
        'plumb_bob', camera.distortion,
    )  # fmt: skip


def test_opencv_files_begin_as_the_report_says():
    assert of_opencv('.yml').startswith('%YAML:1.0')
    assert '!!opencv-matrix' in of_opencv('.yml')


ENCODINGS = ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'latin-1']


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('content', [YAML, ECHO, KALIBR, OST], ids=['YAML', 'echo', 'K', 'ost'])
def test_any_encoding(tmp_path, content, encoding):
    plain, _ = read(tmp_path, content)
    content = content.replace('narrow', 'größe', 1).replace('# oST', '# öST')
    assert read(tmp_path, content.encode(encoding))[0] == plain


@pytest.mark.parametrize('encoding', ['gb18030', 'shift-jis', 'cp1252', 'koi8-r'])
def test_names_in_other_encodings_do_no_harm(tmp_path, encoding):
    name = {'cp1252': 'caf\u00e9 \u20ac', 'koi8-r': 'камера'}.get(encoding, '相机')
    content = YAML.replace('narrow', f'"{name}"').encode(encoding)
    assert read(tmp_path, content)[0] == EXPECTED


def test_kalibr(tmp_path):
    camera, told = read(tmp_path, KALIBR)
    assert camera == CameraModel(640, 480, 400, 420, 310, 250, 0.0, 'plumb_bob', D[:4])
    assert 'holds 2 cameras: cam0 is taken' in told
    assert "'radtan' is taken for 'plumb_bob'" in told
    alone = KALIBR[KALIBR.index('cam1') :]
    camera, told = read(tmp_path, alone)
    assert camera == CameraModel(640, 480, 300, 300, 320, 240, 0.0, 'equidistant', FISHEYE)
    assert told == ''
    flat = alone.replace('equidistant', 'none').replace('[0.01, -0.004, 0.001, 0.0002]', '[]')
    assert read(tmp_path, flat)[0].is_pinhole
    unindented = '\n'.join(line[2:] for line in alone.splitlines()[1:])
    assert read(tmp_path, unindented)[0] == camera


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        ('SIMPLE_PINHOLE 640 480 400 310.5 250.5', (400, 400, '', ())),
        ('PINHOLE 640 480 400 420 310.5 250.5', (400, 420, '', ())),
        ('SIMPLE_RADIAL 640 480 400 310.5 250.5 -0.1', (400, 400, 'plumb_bob', (-0.1, 0, 0, 0))),
        ('RADIAL 640 480 400 310.5 250.5 -0.1 .02', (400, 400, 'plumb_bob', (-0.1, 0.02, 0, 0))),
        ('OPENCV 640 480 400 420 310.5 250.5 -0.28 0.07 0.001 -0.002',
         (400, 420, 'plumb_bob', D[:4])),
        ('FULL_OPENCV 640 480 400 420 310.5 250.5 -0.28 .07 .001 -.002 .01 .02 .003 .004',
         (400, 420, 'rational_polynomial', (*D, 0.02, 0.003, 0.004))),
        ('OPENCV_FISHEYE 640 480 400 420 310.5 250.5 .01 -.004 .001 .0002',
         (400, 420, 'equidistant', FISHEYE)),
        ('SIMPLE_RADIAL_FISHEYE 640 480 400 310.5 250.5 .01',
         (400, 400, 'equidistant', (0.01, 0, 0, 0))),
    ],
)  # fmt: skip
def test_colmap_counts_pixels_from_their_corners(tmp_path, line, expected):
    content = f'# Camera list with one line of data per camera:\n#   ID, MODEL\n1 {line}\n'
    camera, told = read(tmp_path, content, 'cameras.txt')
    fx, fy, model, d = expected
    assert camera == CameraModel(640, 480, fx, fy, 310.0, 250.0, 0.0, model, d)
    assert told == ''
    assert 'holds 2 cameras: the first' in read(tmp_path, content + f'2 {line}\n')[1]


def test_opencv_says_whether_it_is_a_fisheye(tmp_path):
    four = {'image_size': (640, 480), 'K': np.array(K).reshape(3, 3), 'D': np.array([FISHEYE])}
    text = opencv_storage('.yml', **four)
    with pytest.raises(CameraModelError, match=r'got 4; set distortion_model'):
        read(tmp_path, text)
    assert read(tmp_path, text + 'fisheye_model: 1\n')[0].distortion_model == 'equidistant'
    assert read(tmp_path, text + 'fisheye_model: 0\n')[0].distortion_model == 'plumb_bob'
    assert read(tmp_path, text + 'distortion_model: fisheye\n')[0].distortion == FISHEYE


def test_old_names_of_opencv(tmp_path):
    text = of_opencv('.yml').replace('camera_matrix', 'Camera_Matrix')
    text = text.replace('distortion_coefficients', 'Distortion_Coefficients')
    text = text.replace('image_width', 'image_Width').replace('image_height', 'image_Height')
    assert read(tmp_path, text)[0].distortion == D


def test_a_region_in_an_echoed_message_counts(tmp_path):
    part = ECHO.replace('x_offset: 0', 'x_offset: 100').replace('  height: 0', '  height: 160')
    part = part.replace('  width: 0', '  width: 200')
    camera, _ = read(tmp_path, part)
    assert (camera.width, camera.height, camera.cx) == (200, 160, 210)


def test_projection_where_there_is_no_matrix(tmp_path):
    content = YAML.replace('data: [400., 0., 310., 0., 420., 250., 0., 0., 1.]', 'data: []')
    camera, told = read(tmp_path, content)
    assert (camera.fx, camera.is_pinhole) == (380, True)
    assert 'projection_matrix is taken in its place' in told
    assert read(tmp_path, OST, rectified=True)[0].fx == 380


@pytest.mark.parametrize(
    ('content', 'why'),
    [
        (KALIBR.replace('model: pinhole', 'model: omni', 1), "'omni' cannot be used"),
        (KALIBR.replace('model: pinhole', 'model: ds', 1), "'ds' cannot be used"),
        (KALIBR.replace('radtan', 'fov'), "'fov' cannot be used"),
        (KALIBR.replace('  intrinsics', '  other', 1), 'intrinsics is missing'),
        (KALIBR.replace('[640, 480]', '[640]', 1), 'resolution: expected width and height'),
        (KALIBR.replace('[400.0, 420.0', '[400.0'), 'intrinsics: expected 4 numbers, got 3'),
        ('1 FOV 640 480 400 400 320 240 0.9', "'FOV' of COLMAP cannot be used; known are"),
        ('1 PINHOLE 640 480 400 320 240', "'PINHOLE' of COLMAP has 4 parameters, got 3"),
        ('1 PINHOLE 640 480 x 400 320 240', 'expected numbers, got'),
        (OST.replace('camera matrix', 'matrix'), 'camera matrix is missing'),
        (OST.replace(' 0.010000\n', '\n'), 'four coefficients.*take ost.yaml'),
        (OST.replace('420.0', '42o.0'), 'expected numbers, got'),
        ('<html></html>', "an XML file of 'html', expected one of OpenCV"),
        ('<opencv_storage>', 'not an XML file'),
        ('<!DOCTYPE x [<!ENTITY a "b">]><opencv_storage/>', 'document type'),
        ('<opencv_storage/>', 'image_width is missing'),
        (ECHO.replace('- 400.0', '- nan'), 'k: expected numbers|k: expected finite'),
        (ECHO.replace('- 400.0', '- .nan'), 'k: expected finite'),
        (ECHO.replace('width: 640', 'width: 0'), 'image size must be positive, got 0x480'),
        (ECHO.replace('plumb_bob', 'magic'), "'magic' is unknown; known are"),
        ('a: &a [1]\nb: &b [*a,*a]\nimage_width: 1\nimage_height: 1\ncamera_matrix: [*b,*b]\n',
         'camera_matrix: expected some numbers'),
        (YAML.replace('[400.', '!!python/object/apply:os.system [400.'), 'not a YAML file: could'),
        (b'\x00' * 100, 'not a text file'),
        (b'\x07binary', 'not a text file'),
        (b'\xff\xfe\x00', 'not a text file'),
        (YAML.encode('utf-16')[:-1], 'not a text file'),
    ],
)  # fmt: skip
def test_what_is_no_calibration_is_one_line_with_the_name(tmp_path, content, why):
    with pytest.raises(CameraModelError, match=why) as error:
        read(tmp_path, content, 'broken.txt')
    text = str(error.value)
    assert 'broken.txt: ' in text
    assert len(text.splitlines()) == 1


def test_a_bomb_of_aliases_is_not_unfolded(tmp_path):
    lines = ['a0: &a0 [1, 1]']
    lines += [f'a{n}: &a{n} [*a{n - 1}, *a{n - 1}]' for n in range(1, 60)]
    lines += ['image_width: 640', 'image_height: 480', 'camera_matrix: *a59']
    with pytest.raises(CameraModelError, match='camera_matrix: expected some numbers'):
        read(tmp_path, '\n'.join(lines))
    lines[-1] = 'image_size: *a59'
    with pytest.raises(CameraModelError, match='expected'):
        read(tmp_path, '\n'.join(lines))


def test_a_file_without_an_end_is_not_read_to_it():
    with pytest.raises(CameraModelError, match=r'^/dev/zero: larger than 16 MiB'):
        CameraModel.from_yaml('/dev/zero')


SEEDS = [
    YAML, ECHO, ROS_1, KALIBR, OST, of_opencv('.yml'), of_opencv('.xml'), of_opencv('.json'),
    '1 OPENCV 640 480 400 420 310.5 250.5 -0.28 0.07 0.001 -0.002\n',
]  # fmt: skip
WORDS = [
    b'', b'\n', b'0', b'-', b'nan', b'1e999', b'.inf', b'[', b']', b'{', b': ', b'&a ', b'*a',
    b'\t', b'!!opencv-matrix', b'---\n', b'<', b'>', b'\xff', b'\x00', b'\xef\xbb\xbf', b'#',
    b'9' * 400,
]  # fmt: skip


@settings(
    max_examples=int(os.environ.get('HEADPOSE_FUZZ', '400')),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_damaged_files_are_a_camera_or_one_line(tmp_path, data):
    content = bytearray(data.draw(st.sampled_from(SEEDS)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.sampled_from([0, 1, 1, 3, 20, 200]))
        content[at : at + length] = data.draw(st.sampled_from(WORDS))
        content = content or bytearray(b' ')
    try:
        camera, _ = read(tmp_path, bytes(content), 'damaged.yaml')
        refusal = ''
    except CameraModelError as error:
        refusal = str(error)
    if refusal:
        assert 'damaged.yaml: ' in refusal
        assert len(refusal.splitlines()) == 1
        return
    assert np.isfinite(camera.rays([[0.0, 0.0], [3.0, 4.0]])).all()
