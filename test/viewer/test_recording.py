# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a recording for the viewer holds."""

import math

import cv2
import numpy as np
import pytest
import rerun  # noqa: F401 - skipped without
from rrd_files import components, poses
from viewer_shots import CAMERA, made_head, made_shot

from headpose_ros.attention import AttentionResult, HeadEvent, HeadEventType, Look
from headpose_ros.geometry import CameraModel
from headpose_ros.media.drawing import id_colour
from headpose_ros.viewer.feeds import RecordingFile
from headpose_ros.viewer.head_marks import rgb
from headpose_ros.viewer.shot import MAX_SIDE, Place

STEP = 100_000_007  # ns: no round number


def recorded(tmp_path, shots):
    path = tmp_path / 'made.rrd'
    with RecordingFile(path) as recording:
        for shot in shots:
            recording.put(shot)
    return path


@pytest.mark.parametrize('start', [0, 1_790_000_000_123_456_789])
def test_all_poses_are_in_it_with_their_exact_times(tmp_path, start):
    shots = [
        made_shot(start + number * STEP, [made_head('f0001', 0.1 * number), made_head('f0002')])
        for number in range(12)
    ]
    shots[5] = made_shot(start + 5 * STEP, [])
    found = poses(recorded(tmp_path, shots))
    expected = [
        (shot.stamp_ns, {k: v for k, v in row.items() if k != 'stamp_ns'})
        for shot in shots
        for row in shot.result.to_dicts()
    ]
    assert found == expected


def test_a_jpeg_is_shown_as_it_came(tmp_path):
    image = np.full((CAMERA.height, CAMERA.width, 3), 90, np.uint8)
    data = cv2.imencode('.jpg', image)[1].tobytes()
    shots = [made_shot(0)]
    object.__setattr__(shots[0], 'image', data)
    blobs = components(recorded(tmp_path, shots), '/camera/lens/image', 'blob')
    assert [bytes(blob) for (blob,) in blobs] == [data]


def test_a_large_image_is_made_smaller_and_its_boxes_with_it(tmp_path):
    camera = CameraModel.from_fov(3840, 2160, 1.0)
    path = recorded(tmp_path, [made_shot(0, camera=camera)])
    (blob,) = components(path, '/camera/lens/image', 'blob')[0]
    image = cv2.imdecode(np.frombuffer(bytes(blob), np.uint8), cv2.IMREAD_COLOR)
    assert max(image.shape) == MAX_SIDE
    # The frustum is that of the smaller image, or its image would lie in a corner of it.
    assert components(path, '/camera/lens', 'resolution') == [[[MAX_SIDE, 720]]]
    matrix = components(path, '/camera/lens', 'image_from_camera')[0][0]
    assert matrix[0] == pytest.approx(camera.fx / 3, rel=1e-6)
    roi = made_head(camera=camera).roi
    (half,) = components(path, '/camera/lens/boxes', 'half_sizes')[0]
    np.testing.assert_allclose(half, np.array([roi.width, roi.height]) / 2 / 3, rtol=1e-5)


@pytest.mark.parametrize('lens', ['equidistant', 'equirectangular'])
def test_the_image_of_a_lens_that_bends_lies_on_its_rays(tmp_path, lens):
    camera = CameraModel.from_fov(400, 200, math.pi, lens)
    head = made_head(position=(1.0, 0.0, 0.3), camera=camera)
    path = recorded(tmp_path, [made_shot(number, [head], camera=camera) for number in range(3)])
    assert len(components(path, '/camera/bowl', 'vertex_colors')) == 3
    assert len(components(path, '/camera/bowl', 'vertex_positions')) <= 2  # once for each layout
    assert len(components(path, '/picture/image', 'blob')) == 3
    assert components(path, '/camera/lens', 'image_from_camera') == []


def test_colours_are_those_of_annotated_videos(tmp_path):
    for id_ in ('f0001', 'f0017', 'anna'):
        assert rgb(id_) == id_colour(id_)[::-1]
    path = recorded(tmp_path, [made_shot(0)])
    (colour,) = components(path, '/camera/lens/boxes', 'colors')[0]
    red, green, blue = rgb('f0001')
    assert colour >> 8 == (red << 16) | (green << 8) | blue


def test_a_line_of_the_plots_breaks_where_somebody_is_away(tmp_path):
    here, away = made_head('f0001'), []
    shots = [
        made_shot(STEP * number, [here] if number not in (3, 4) else away) for number in range(8)
    ]
    values = components(recorded(tmp_path, shots), '/plots/azimuth/f0001', 'scalars')
    assert [math.isnan(value) for (value,) in values] == [False] * 3 + [True] + [False] * 3


def look(target, probability, looking=False):
    return Look('f0001', target, looking, probability, 0.1, 1.2, 0.0)


def test_attention_and_events_are_shown_where_there_are_any(tmp_path):
    plain = recorded(tmp_path, [made_shot(0)])
    assert components(plain, '/events', 'text') == []
    looks = (look('camera', 0.8, True), look('tablet', 0.1))
    event = HeadEvent(0.0, 'f0001', HeadEventType.STARTED_LOOKING, 'camera')
    attention = AttentionResult(0.0, looks, (), (event,))
    path = recorded(tmp_path, [made_shot(0, attention=attention)])
    assert components(path, '/attention/f0001', 'scalars') == [[0.8]]
    assert components(path, '/events', 'text') == [['f0001 started looking camera']]
    (label,) = components(path, '/camera/lens/labels', 'labels')[0]
    assert label.splitlines()[-1] == 'looks at camera'


def test_labels_say_less_the_more_and_the_closer_people_are(tmp_path):
    def labels(*heads):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return components(
            recorded(folder, [made_shot(0, heads)]), '/camera/lens/labels', 'labels'
        )[0]

    apart = [made_head('a', position=(-0.4, 0, 1.2)), made_head('b', position=(0.4, 0, 1.2))]
    assert all('az ' in label for label in labels(*apart))
    close = [made_head('a', position=(-0.1, 0, 1.2)), made_head('b', position=(0.1, 0, 1.2))]
    assert all('az ' not in label and ' m' in label for label in labels(*close))
    many = [made_head(f'p{number}', position=(0.03 * number, 0, 1.5)) for number in range(13)]
    assert labels(*many) == [head.id for head in many]


def test_the_camera_stands_where_the_fixed_frame_has_it(tmp_path):
    turn = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    place = Place(turn, np.array([1.0, 2.0, 3.0]))
    path = recorded(tmp_path, [made_shot(0, place=place)])
    assert components(path, '/camera', 'translation') == [[[1.0, 2.0, 3.0]]]
    (columns,) = components(path, '/camera', 'mat3x3')[0]
    np.testing.assert_array_equal(np.reshape(columns, (3, 3)).T, turn)


def test_ids_of_any_kind_are_shown(tmp_path):
    odd = 'robot 1/näh*'
    path = recorded(tmp_path, [made_shot(0, [made_head(odd)])])
    assert [row['id'] for _, row in poses(path)] == [odd]
