# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wrong arguments of the pipeline: one clear error each, and nothing has changed."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from head_world import CAMERA, IMAGE, World, make_pipeline, walking


@pytest.fixture
def pipeline(monkeypatch):
    """Return one that reports somebody in each image."""
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    return make_pipeline(world, monkeypatch, confirm_probability=0.01)


WRONG = {
    'no image': (TypeError, {'image': None}, 'image: expected a uint8 array .* got NoneType'),
    'a list': (TypeError, {'image': [[1, 2, 3]]}, 'image: .* got list'),
    'a path': (TypeError, {'image': 'face.jpg'}, 'image: .* got str'),
    'float': (ValueError, {'image': IMAGE.astype(np.float32)}, 'image: .* got float32'),
    'grey': (
        ValueError, {'image': IMAGE[..., 0]},
        r"got \(480, 640\); a grey image needs channels='grey'"),
    'four channels': (
        ValueError, {'image': np.zeros((480, 640, 4), np.uint8)}, r'\(480, 640, 4\)'),
    'empty': (ValueError, {'image': np.zeros((0, 640, 3), np.uint8)}, r'\(0, 640, 3\)'),
    'another shape': (ValueError, {'image': np.zeros((480, 700, 3), np.uint8)}, '700x480'),
    'colour as grey': (ValueError, {'channels': 'grey'}, r'expected shape \(H,W\), .* 640, 3\)'),
    'grey as rgb': (
        ValueError, {'image': IMAGE[..., 0], 'channels': 'rgb'}, r'expected shape \(H,W,3\)'),
    'channels': (ValueError, {'channels': 'yuv'}, "channels: expected bgr, rgb, grey, got 'yuv'"),
    'no channels': (ValueError, {'channels': None}, 'channels: expected bgr'),
    'channel list': (ValueError, {'channels': ['bgr']}, 'channels: expected bgr'),
    'no camera': (TypeError, {'camera': None}, 'camera: expected a CameraModel, got NoneType'),
    'a field of view': (TypeError, {'camera': 60.0}, 'camera: .* got float'),
    'stamp as text': (TypeError, {'stamp': '1'}, "stamp: expected seconds .* got '1'"),
    'stamp as flag': (TypeError, {'stamp': True}, 'stamp: .* got True'),
    'stamps': (TypeError, {'stamp': [1.0]}, 'stamp: '),
    'nan': (ValueError, {'stamp': float('nan')}, 'stamp: expected finite seconds'),
    'infinite': (ValueError, {'stamp': np.float32('inf')}, 'stamp: expected finite seconds'),
    'complex': (TypeError, {'stamp': 1j}, 'stamp: '),
    'huge': (ValueError, {'stamp': 10**400}, 'stamp: expected finite seconds'),
    'depth as list': (TypeError, {'depth': [1]}, 'depth: expected float metres .* got list'),
    'depth of bytes': (ValueError, {'depth': IMAGE}, 'depth: expected float metres'),
    'depth in mm': (ValueError, {'depth': np.zeros((480, 640), np.uint16)}, 'depth: .* uint16'),
    'no depth in it': (ValueError, {'depth': np.zeros((0, 0))}, r'depth: .* \(0, 0\)'),
    'no reduction': (ValueError, {'reduction': 0}, 'reduction: expected 1, 2, 4 or 8, got 0'),
    'negative': (ValueError, {'reduction': -2}, 'reduction: expected 1, 2, 4 or 8, got -2'),
    'third': (ValueError, {'reduction': 3}, 'reduction: expected 1, 2, 4 or 8, got 3'),
    'half': (TypeError, {'reduction': 0.5}, 'reduction: expected 1, 2, 4 or 8, got 0.5'),
    'flag': (TypeError, {'reduction': True}, 'reduction: '),
    'None': (TypeError, {'reduction': None}, 'reduction: '),
    'not reduced': (ValueError, {'reduction': 2}, 'image: 640x480 is not 640x480 over 2'),
}  # fmt: skip


@pytest.mark.parametrize('case', WRONG)
def test_a_wrong_argument_is_one_clear_error_and_changes_nothing(pipeline, case):
    kind, changes, said = WRONG[case]
    before = pipeline.process(IMAGE, CAMERA, stamp=10.0)
    arguments = {'image': IMAGE, 'camera': CAMERA, 'stamp': 5.0, **changes}
    with pytest.raises(kind, match=said):
        pipeline.process(arguments.pop('image'), arguments.pop('camera'), **arguments)
    after = pipeline.process(IMAGE, CAMERA, stamp=10.05)
    assert [head.id for head in after] == [head.id for head in before] == ['f0001']


@pytest.mark.parametrize('stamp', [3, np.float32(3), np.int64(3), Fraction(3), np.float64(3), 3.0])
def test_any_kind_of_number_is_a_stamp(pipeline, stamp):
    result = pipeline.process(IMAGE, CAMERA, stamp)
    assert type(result.stamp) is float
    assert result.stamp == 3.0


def test_decimals_are_not_silently_taken(pipeline):
    with pytest.raises(TypeError, match='stamp'):
        pipeline.process(IMAGE, CAMERA, Decimal(3))


def test_numpy_integers_are_reductions(pipeline):
    assert len(pipeline.process(IMAGE, CAMERA, reduction=np.int64(1))) == 1


def test_reduction_is_asked_for_a_camera(pipeline):
    with pytest.raises(TypeError, match='camera: expected a CameraModel, got tuple'):
        pipeline.reduction((640, 480))


@pytest.mark.parametrize(
    ('channels', 'given'),
    [
        ('bgr', lambda bgr, grey: bgr),
        ('rgb', lambda bgr, grey: bgr[..., ::-1]),
        ('rgb', lambda bgr, grey: np.ascontiguousarray(bgr[..., ::-1])),
        ('grey', lambda bgr, grey: grey),
        ('grey', lambda bgr, grey: np.asfortranarray(grey)),
    ],
)
def test_stages_get_bgr_whatever_came(monkeypatch, channels, given):
    seen = []
    pipeline = make_pipeline(World([]), monkeypatch)
    find = pipeline._stages.search.find
    pipeline._stages.search.find = lambda image, *words: seen.append(image) or find(image, *words)
    grey = np.arange(480 * 640, dtype=np.uint32).reshape(480, 640).astype(np.uint8)
    bgr = np.dstack([grey] * 3) if channels == 'grey' else np.dstack([grey, grey // 2, grey // 3])
    pipeline.process(given(bgr, grey), CAMERA, channels=channels)
    np.testing.assert_array_equal(seen[0], bgr)
