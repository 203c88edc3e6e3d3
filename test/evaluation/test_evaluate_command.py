# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import argparse
import json

import cv2
import numpy as np
import pytest
from drawn_faces import (
    DrawnFaceDetector,
    KnowingEstimator,
    draw_faces,
    some_rotations,
    virtual_from_face,
    write_face,
    write_set,
)

from headpose_ros.cli import evaluate
from headpose_ros.evaluation import plots
from headpose_ros.evaluation.face_crops import DetectedBoxes, TrueBoxes
from headpose_ros.evaluation.samples import Lens

LENS = Lens(400.0, 400.0, 319.5, 239.5)
SELLION = np.array([0.5, 0.1, 1.0])
(ROTATION,) = some_rotations(1)


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Run the command on estimators that the tests make, and return what it wrote."""
    estimator = KnowingEstimator(virtual_from_face(ROTATION, SELLION)[None])
    weights = tmp_path / 'w.onnx'
    weights.write_bytes(b'anything')

    def build(config, boxes):
        detected = DetectedBoxes(DrawnFaceDetector(), config)
        return estimator, TrueBoxes() if boxes == 'truth' else detected

    monkeypatch.setattr(evaluate, '_build', build)

    def call(dataset, root, *options):
        parser = argparse.ArgumentParser()
        evaluate.configure(parser)
        out = tmp_path / 'out' / 'result.json'
        given = [dataset, str(root), '--json', str(out), '--weights', str(weights), *options]
        assert evaluate.run(parser.parse_args(given)) == 0
        assert out.with_suffix('.png').is_file() == plots.can_plot()
        return json.loads(out.read_text())

    return call


@pytest.fixture
def posed_set(tmp_path):
    root = tmp_path / 'set'
    root.mkdir()
    camera = LENS.camera(640, 480)
    cv2.imwrite(str(root / 'a.png'), draw_faces(camera, [SELLION], [ROTATION]))
    write_set(root, 'a.png', LENS, [ROTATION], [SELLION])
    return root


def test_json_has_the_keys_of_the_contract(command, posed_set, capsys):
    out = command('posed', posed_set)
    assert {
        'count', 'detected', 'mae_deg', 'geodesic_deg', 'geodesic_aligned_deg', 'by_off_axis',
        'position_m', 'weights', 'protocol',
    } <= out.keys()  # fmt: skip
    assert set(out['mae_deg']) == {'yaw', 'pitch', 'roll', 'mean'}
    assert set(out['by_off_axis'][0]) == {
        'lo', 'hi', 'count', 'geodesic_deg', 'geodesic_aligned_deg'}  # fmt: skip
    assert out['weights']['file'] == 'w.onnx'
    assert out['protocol']['boxes'] == 'truth'
    assert out['protocol']['passes'] == 1
    assert out['protocol']['mirror'] is True
    assert out['protocol']['rectified'] is True
    assert '1 of 1 faces' in capsys.readouterr().out


def test_an_estimator_that_refines_estimates_twice_unless_told_otherwise(
    command, posed_set, monkeypatch
):
    monkeypatch.setattr(KnowingEstimator, 'refines', True)
    assert command('posed', posed_set)['protocol']['passes'] == 2
    assert command('posed', posed_set, '--passes', '1')['protocol']['passes'] == 1


def test_both_ways_of_cropping_are_compared(command, posed_set):
    off_axis = 26.6
    rectified = command('posed', posed_set)
    assert rectified['geodesic_deg']['mean'] == pytest.approx(0, abs=0.01)
    assert rectified['not_rectified']['geodesic_deg']['mean'] == pytest.approx(off_axis, abs=1.0)
    plain = command('posed', posed_set, '--no-rectify')
    assert plain['protocol']['rectified'] is False
    assert plain['geodesic_deg'] == rectified['not_rectified']['geodesic_deg']
    assert plain['rectified']['geodesic_deg'] == rectified['geodesic_deg']


def test_detector_boxes_are_named_in_the_protocol(command, posed_set):
    out = command('posed', posed_set, '--boxes', 'detector', '--detector', 'retinaface')
    assert (out['detected'], out['protocol']['detector']) == (1, 'retinaface')


def test_landmark_set_without_and_with_a_field_of_view(command, tmp_path, monkeypatch):
    drawn, write = [], evaluate._write

    def record(args, content, curves):
        drawn.append(list(curves))
        write(args, content, curves)

    monkeypatch.setattr(evaluate, '_write', record)
    for name in 'ab':
        write_face(tmp_path / 'aflw', name)
    out = command('aflw2000', tmp_path / 'aflw', '--limit', '1')
    assert out['count'] == 1
    assert out['by_off_axis'] == []
    assert out['protocol']['intrinsics'] == 'none'
    out = command('aflw2000', tmp_path / 'aflw', '--hfov', '60')
    assert out['count'] == 2
    assert out['protocol']['hfov_deg'] == 60
    assert 'not_rectified' in out
    assert drawn == [['not rectified'], ['rectified', 'not rectified']]


def test_a_result_without_matplotlib_has_no_plot(command, posed_set, monkeypatch, capsys):
    monkeypatch.setattr(plots, 'can_plot', lambda: False)
    assert command('posed', posed_set)['count'] == 1
    assert 'no plot: matplotlib is not installed' in capsys.readouterr().err


def test_result_on_the_standard_output(command, posed_set, capsys, tmp_path):
    parser = argparse.ArgumentParser()
    evaluate.configure(parser)
    given = ['posed', str(posed_set), '--weights', str(tmp_path / 'w.onnx'), '--json']
    assert evaluate.run(parser.parse_args(given)) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)['count'] == 1
    assert '1 of 1 faces' in shown.err


def test_what_cannot_be_written_is_refused_before_the_work(command, posed_set, tmp_path):
    (tmp_path / 'out').mkdir()
    refused = 'expected a plot to be one of' if plots.can_plot() else 'pip install matplotlib'
    with pytest.raises(ValueError, match=refused):
        command('posed', posed_set, '--plot', str(tmp_path / 'plot.xyz'))
    (tmp_path / 'out' / 'result.json').mkdir()
    with pytest.raises(ValueError, match=r'result\.json: expected a file to write'):
        command('posed', tmp_path / 'nowhere')


@pytest.mark.parametrize(
    ('options', 'complaint'),
    [
        (['--hfov', '200'], '--hfov: expected degrees'),
        (['--limit', '0'], '--limit: expected 1 or more'),
        (['--box-scale', '0'], '--box-scale: expected'),
        (['--min-face-px', '1'], 'min_face_px: expected'),
    ],
)
def test_wrong_options_get_one_clear_error(command, posed_set, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        command('posed', posed_set, *options)
