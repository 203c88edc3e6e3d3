# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CameraInfo as a stream: what is taken, what is told once, what is looked at again."""

import pytest

pytest.importorskip('sensor_msgs')
from sensor_msgs.msg import CameraInfo

from headpose_ros.geometry import camera as camera_module
from headpose_ros.node.camera_source import CameraInfoError, CameraSource

K = [400.0, 0.0, 239.5, 0.0, 400.0, 133.5, 0.0, 0.0, 1.0]
P = [380.0, 0.0, 239.5, 0.0, 0.0, 380.0, 133.5, 0.0, 0.0, 0.0, 1.0, 0.0]
D = [-0.1, 0.02, 0.0, 0.0, 0.0]


def info(**changes):
    message = CameraInfo(width=480, height=268, distortion_model='plumb_bob', d=D, k=K)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def source_of(message, rectified=False, size=(480, 268)):
    source = CameraSource(rectified)
    source.update(message)
    return source, source.camera(*size)


@pytest.mark.parametrize(
    ('changes', 'model', 'note'),
    [
        ({'distortion_model': 'fisheye', 'd': D[:4]}, 'equidistant', "'fisheye' is taken for"),
        ({'distortion_model': 'radtan', 'd': D[:4]}, 'plumb_bob', "'radtan' is taken for"),
        ({'d': [*D[:4], 0.01, 0.0, 0.0, 0.1]}, 'rational_polynomial', 'with 8 coefficients'),
        ({'distortion_model': 'rational_polynomial'}, 'rational_polynomial', ''),
        ({'distortion_model': ''}, 'plumb_bob', '5 coefficients without a distortion model'),
        ({'width': 0, 'height': 0}, 'plumb_bob', '0x0: those of the image are taken'),
        ({'width': 0}, 'plumb_bob', '0x268: those of the image'),
        ({'k': [0.0] * 9, 'p': P}, '', 'K is all zero or missing: P is taken'),
        ({'k': [0.0] * 8 + [1.0], 'p': P}, '', 'K is all zero or missing: P is taken'),
    ],
)
def test_what_drivers_send_is_taken_with_a_note(changes, model, note):
    source, camera = source_of(info(**changes))
    assert (camera.width, camera.height, camera.distortion_model) == (480, 268, model)
    assert note in '; '.join(source.notes())
    assert bool(note) == bool(source.notes())
    assert source.doubt() == ''


def test_nothing_unusual_no_note():
    source, camera = source_of(info(k=K, p=[float('nan')] * 12))  # P is not looked at
    assert (source.notes(), source.doubt()) == ((), '')
    assert source.state() == '480x268 plumb_bob'
    assert camera.distortion == tuple(D)


def test_without_a_size_it_is_that_of_each_image():
    source, camera = source_of(info(width=0, height=0))
    assert source.camera(240, 134).width == 240
    assert source.size_note() == ''
    binned = info(width=0, height=0, binning_x=2, binning_y=2)
    source, camera = source_of(binned, size=(240, 134))
    assert (camera.width, camera.height, camera.fx) == (240, 134, 200)
    part = info(width=0, height=0)
    part.roi.width = 100
    with pytest.raises(CameraInfoError, match='width and height are 0 but roi is set'):
        source_of(part)


def test_rectified_images_without_p():
    flat = info(d=[0.0] * 5)
    source, camera = source_of(flat, rectified=True)
    assert camera.fx == 400
    assert 'P is all zero or missing: K is taken' in source.notes()[0]
    for message in (info(), info(distortion_model='equidistant', d=[0.0] * 4)):
        with pytest.raises(CameraInfoError, match=r'P is all zero .*rectified_input.* to false'):
            source_of(message, rectified=True)
    with pytest.raises(CameraInfoError, match='P is all zero: the camera is uncalibrated'):
        source_of(info(k=[0.0] * 9), rectified=True)


@pytest.mark.parametrize(
    ('changes', 'why'),
    [
        ({'k': [0.0] * 9}, 'K is all zero: the camera is uncalibrated .*calibrate it'),
        ({'k': [0.8, 0.0, 0.5, 0.0, 1.5, 0.5, 0.0, 0.0, 1.0]}, 'divided by its size'),
        ({'distortion_model': 'magic'}, "'magic' is unknown; known are 'plumb_bob'"),
        ({'distortion_model': 'equidistant', 'd': [0.1] * 5}, 'set the model that was calibrated'),
    ],
)
def test_each_refusal_has_its_own_cure(changes, why):
    with pytest.raises(CameraInfoError, match=why) as error:
        source_of(info(**changes))
    assert not str(error.value).endswith('; calibrate the camera')


@pytest.fixture
def looked(monkeypatch):
    """How often a camera was looked at for doubts."""
    calls = []
    real = camera_module.doubts

    def counted(*cameras):
        calls.append(cameras)
        return real(*cameras)

    monkeypatch.setattr(camera_module, 'doubts', counted)
    return calls


def test_a_camera_is_looked_at_once_not_for_each_image(looked):
    source, _ = source_of(info())
    for _ in range(50):
        source.update(info())
        source.camera(480, 268)
        source.camera(240, 134)
    assert len(looked) == 1


def test_a_zoom_lens_is_looked_at_now_and_then(looked):
    source = CameraSource(False)
    for number in range(100):
        focal = 400.0 * (1 + number / 1000)
        source.update(info(k=[focal, *K[1:4], focal, *K[5:]], distortion_model='radtan'))
        assert source.camera(480, 268).fx == focal
        assert len(source.notes()) == 1
    assert 5 < len(looked) < 15
    folding = info(k=[focal, *K[1:4], focal, *K[5:]], d=[-0.9, 0.0, 0.0, 0.0, 0.0])
    source.update(folding)
    source.camera(480, 268)
    assert '% of the image has no ray' in source.doubt()
    source.update(info())
    source.camera(480, 268)
    assert source.doubt() == ''
