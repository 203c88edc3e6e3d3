# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names and lengths of lens models as drivers send them: taken where sure, else with the cure."""

import cv2
import numpy as np
import pytest

from headpose_ros.geometry import CameraModel, CameraModelError
from headpose_ros.geometry.lens_names import OPENCV_LENGTHS, known_model

D = (-0.28, 0.07, 0.001, -0.002, 0.01, 0.02, 0.03, -0.004, 1e-3, 2e-3, 1e-3, 1e-3, 0.01, 0.02)
BROWN, FISHEYE = D[:5], (0.01, -0.004, 0.001, 0.0002)


@pytest.mark.parametrize(
    'name',
    [
        'PLUMB_BOB', 'plumb_bob ', 'plumb-bob', 'Plumb Bob', 'plumb_bob\x00', 'radtan', 'RadTan',
        'radial-tangential', 'brown_conrady', 'Brown Conrady', 'BROWN_CONRADY', 'brown',
        'Modified Brown Conrady', 'pinhole', 'PINHOLE', 'opencv', 'OPENCV',
    ],
)  # fmt: skip
def test_spellings_of_plumb_bob(name):
    model = known_model(name, BROWN)
    assert model[:2] == ('plumb_bob', BROWN)
    assert model.note == f"distortion model {name!r} is taken for 'plumb_bob'"


@pytest.mark.parametrize(
    'name',
    [
        'fisheye', 'Fisheye', 'FISHEYE', 'kannala_brandt', 'kannala_brandt4', 'KANNALA_BRANDT4',
        'Kannala Brandt4', 'kannala-brandt', 'kb4', 'equi', 'EQUIDISTANT', 'opencv_fisheye',
        'pinhole-equi',
    ],
)  # fmt: skip
def test_spellings_of_equidistant(name):
    model = known_model(name, FISHEYE)
    assert model[:2] == ('equidistant', FISHEYE)
    assert model.note == f"distortion model {name!r} is taken for 'equidistant'"


@pytest.mark.parametrize('name', ['plumb_bob', 'rational_polynomial', 'equidistant'])
def test_usual_names_are_not_remarked_on(name):
    assert known_model(name, FISHEYE).note == ''


@pytest.mark.parametrize('name', ['plumb_bob', 'rational_polynomial', 'pinhole', ''])
@pytest.mark.parametrize('count', OPENCV_LENGTHS)
def test_lengths_that_opencv_takes_project_as_opencv_does(name, count):
    if not name and count == 4:
        return
    model = known_model(name, D[:count])
    camera = CameraModel(640, 480, 400, 420, 310, 250, 0.0, model.name, model.coefficients)
    points = np.array([[0.1, 0.2, 1.0], [-0.3, 0.1, 1.0], [0.2, -0.25, 1.0]])
    pixels, valid = camera.pixels(points)
    expected, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), camera.matrix, np.array(D[:count])
    )
    assert valid.all()
    np.testing.assert_allclose(pixels, expected[:, 0], atol=1e-9)


@pytest.mark.parametrize(
    ('name', 'd', 'expected'),
    [
        ('plumb_bob', (*BROWN, 0.0, 0.0, 0.0), ('plumb_bob', BROWN)),
        ('plumb_bob', D[:8], ('rational_polynomial', D[:8])),
        ('rational_polynomial', BROWN, ('rational_polynomial', (*BROWN, 0.0, 0.0, 0.0))),
        ('rational_polynomial', D[:8] + (0.0,) * 12, ('rational_polynomial', D[:8])),
        ('equidistant', (*FISHEYE, 0.0, 0.0), ('equidistant', FISHEYE)),
        ('equidistant', (0.01, -0.004, 0, 0, 0.001, 0.0002, 0, 0), ('equidistant', FISHEYE)),
        ('fisheye', (), ('equidistant', ())),
        ('pinhole', (), ('plumb_bob', ())),
        ('', BROWN, ('plumb_bob', BROWN)),
        ('', (0.0,) * 5, ('', ())),
        ('none', (0.0,) * 8, ('', ())),
        ('Inverse Brown Conrady', (0.0,) * 5, ('', ())),
        ('equirectangular', (0.0,) * 5, ('equirectangular', ())),
    ],
)
def test_what_coefficients_mean(name, d, expected):
    assert known_model(name, d)[:2] == expected


def test_other_lengths_are_remarked_on():
    assert known_model('plumb_bob', D[:8]).note == (
        "distortion model 'plumb_bob' with 8 coefficients is taken for 'rational_polynomial'"
    )
    assert known_model('', BROWN).note.startswith('5 coefficients without a distortion model')
    assert known_model('rational_polynomial', BROWN).note == ''


@pytest.mark.parametrize(
    ('name', 'd', 'why'),
    [
        ('magic', BROWN, "'magic' is unknown; known are 'plumb_bob', .*set the one that was"),
        ('division', BROWN, 'cannot be used: it is another lens model; calibrate as plumb_bob'),
        ('Inverse Brown Conrady', BROWN, 'cannot be used: it goes from the distorted'),
        ('f-theta', FISHEYE, 'cannot be used: its polynomial is of pixels'),
        ('double_sphere', FISHEYE, 'another lens model.*equidistant'),
        ('equidistant', BROWN, 'has 4 coefficients.*got 5; 5 are the number of plumb_bob'),
        ('equidistant', D[:8], 'has 4 coefficients.*got 8; 8 are the number of plumb_bob'),
        ('fisheye', D[:6], 'has 4 coefficients.*got 6; set distortion_model and D as calibrated'),
        ('equidistant', FISHEYE[:2], 'got 2; append zeros'),
        ('', FISHEYE, "'' has 0 coefficients, got 4; set distortion_model"),
        ('none', BROWN, "'none' has 0 coefficients, got 5; set distortion_model"),
        ('plumb_bob', D[:6], 'has 4 or 5 or 8 or 12 or 14 coefficients, got 6; .*append zeros'),
        ('plumb_bob', (0.1, 0.2, 0.0), 'got 3; .*append zeros'),
        ('rational_polynomial', (*D, 1.0), 'got 15'),
    ],
)
def test_what_is_not_sure_is_refused_with_the_cure(name, d, why):
    with pytest.raises(CameraModelError, match=why) as error:
        known_model(name, d)
    assert 'calibrate the camera' not in str(error.value)
