# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""--camera-info: what is said about a calibration file, and what ends the command in one line."""

from argparse import Namespace

import pytest

from headpose_ros.cli.lens import Lenses

KALIBR = """cam0:
  camera_model: pinhole
  distortion_coeffs: [{k1}, 0.0, 0.0, 0.0]
  distortion_model: radtan
  intrinsics: [400.0, 400.0, 319.5, 239.5]
  resolution: [640, 480]
"""


def lenses(tmp_path, text):
    path = tmp_path / 'camchain.yaml'
    path.write_text(text)
    return Lenses(Namespace(camera_info=path, hfov=None, lens='pinhole')), path


def test_a_synonym_is_one_line(tmp_path, capsys):
    of, path = lenses(tmp_path, KALIBR.format(k1=-0.1))
    for _ in range(3):
        lens = of.of(320, 240)
    assert (lens.source, lens.camera.fx, lens.camera.distortion_model) == (
        'given', 200, 'plumb_bob',
    )  # fmt: skip
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (f"--camera-info {path}: distortion model 'radtan' is taken for 'plumb_bob'")


def test_a_fold_inside_the_image_is_said(tmp_path, capsys):
    lenses(tmp_path, KALIBR.format(k1=-0.5).replace('radtan', 'plumb_bob'))
    (line,) = capsys.readouterr().err.splitlines()
    assert '% of the image has no ray' in line


def test_what_is_refused_names_the_file(tmp_path):
    with pytest.raises(ValueError, match=r"camchain\.yaml: distortion model 'fov' cannot be used"):
        lenses(tmp_path, KALIBR.format(k1=-0.1).replace('radtan', 'fov'))
