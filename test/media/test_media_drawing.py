# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotations: where they must be, at any resolution, and nowhere outside."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Head, Roi
from headpose_ros.media.drawing import AXIS_LENGTH, draw_heads, id_colour, label_lines
from headpose_ros.media.labels import Style

FRONTAL = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
CAMERA = CameraModel.from_fov(640, 480, 1.0)
SIZES = [(320, 240), (640, 480), (1920, 1080), (3840, 2160)]


def head_at(position, roi, rotation=FRONTAL):
    return Head('f0001', rotation, np.array(position, float), np.eye(6), 0.9, roi, 0.0, 0.0)


def drawn(width, height, position=(0.0, 0.0, 1.0), rotation=FRONTAL):
    camera = CameraModel.from_fov(width, height, np.radians(60))
    (x, y), *_ = camera.pixels(np.array([position]))[0]
    half = round(0.125 * camera.fx / position[2])
    image = np.full((height, width, 3), 128, np.uint8)
    head = head_at(position, Roi(round(x) - half, round(y) - half, 2 * half, 2 * half), rotation)
    draw_heads(image, [head], camera)
    return image, camera, head


@pytest.mark.parametrize(('width', 'height'), SIZES)
def test_axes_end_where_the_camera_sees_their_ends(width, height):
    turn = Rotation.from_euler('y', 40, degrees=True).as_matrix() @ FRONTAL
    image, camera, head = drawn(width, height, rotation=turn)
    strongest = [2, 1, 0]  # red x, green y, blue z in BGR
    for k in range(3):
        tip = head.position + 0.93 * AXIS_LENGTH * head.rotation_camera_from_face[:, k]
        x, y = np.round(camera.pixels(tip[None])[0][0]).astype(int)
        assert image[y, x].argmax() == strongest[k]
        assert image[y, x].max() > 150


@pytest.mark.parametrize(('width', 'height'), SIZES)
def test_what_is_drawn_grows_with_the_image(width, height):
    image, _, head = drawn(width, height)
    changed = (image != 128).any(axis=2)
    assert 0.005 < changed.mean() < 0.12
    row = changed[head.roi.y + head.roi.height * 9 // 10]
    thickness = np.flatnonzero(np.diff(np.flatnonzero(row)) > 1)[0] + 1
    assert thickness >= max(2, 0.005 * height)


def test_lines_are_thin_where_a_face_is_small():
    def share(distance):
        """Return how much of the face itself is covered, without the label."""
        image, _, head = drawn(1920, 1080, (0.0, 0.0, distance))
        roi = head.roi
        inside = image[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width]
        return (inside != 128).any(axis=2).mean()

    near, far = share(1.0), share(8.0)
    assert far < 0.3, 'a face of 52 px can still be seen'
    assert near < 0.1


@pytest.mark.parametrize('corner', [(0, 0), (600, 0), (0, 440), (600, 440)])
def test_labels_stay_in_the_image(corner):
    def text_at(x, y):
        image = np.full((480, 640, 3), 128, np.uint8)
        draw_heads(image, [head_at((0, 0, -1), Roi(x, y, 40, 40))], CAMERA)
        image[max(0, y - 2) : y + 42, max(0, x - 2) : x + 42] = 128  # without the box
        return np.count_nonzero((image < 100).all(axis=2))

    assert text_at(*corner) == pytest.approx(text_at(300, 200), rel=0.1)


def test_heads_beside_and_behind_the_camera_do_no_harm():
    image = np.zeros((480, 640, 3), np.uint8)
    for position in [(0, 0, -1), (50, 0, 0.001), (0, 0, 0.05), (-3, 0, 0.1)]:
        draw_heads(image, [head_at(position, Roi(0, 0, 1, 1))], CAMERA)


def test_the_text():
    turn = Rotation.from_euler('y', 30, degrees=True).as_matrix() @ FRONTAL
    first, second = label_lines(head_at((0, 0.3, 0.4), Roi(0, 0, 1, 1), turn))
    assert first == 'f0001  0.50 m'
    assert second == 'az +30°  el +0°  tilt +0°'


def test_the_text_of_a_profile_is_calm():
    for angle in (85, 90, 95):
        turn = Rotation.from_euler('y', angle, degrees=True).as_matrix() @ FRONTAL
        _, text = label_lines(head_at((0, 0, 1), Roi(0, 0, 1, 1), turn))
        assert text == f'az +{angle}°  el +0°  tilt +0°'


def test_the_principal_head_has_a_closed_box():
    head = head_at((0, 0, -1), Roi(200, 200, 100, 100))
    plain, principal = np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640, 3), np.uint8)
    draw_heads(plain, [head], CAMERA)
    draw_heads(principal, [head], CAMERA, principal_id='f0001')
    assert (plain[250, 200] == 0).all()
    np.testing.assert_allclose(principal[250, 200], id_colour('f0001'), atol=40)
    np.testing.assert_allclose(plain[205, 200], id_colour('f0001'), atol=40)  # a corner


def test_colours_stay_with_the_id_and_differ():
    assert id_colour('f0007') == id_colour('f0007')
    assert id_colour('robot1/anna') == id_colour('robot1/anna')
    colours = np.array([id_colour(f'f{n:04d}') for n in range(1, 9)], float)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert apart[~np.eye(8, dtype=bool)].min() > 25
    assert (colours.max(axis=1) == 255).all()


def crowd(rows, columns, side, step, width, height):
    """Return heads in rows, whose faces are `side` px and `step` px apart."""
    heads = []
    for n in range(rows * columns):
        x = (width - columns * step) // 2 + step * (n % columns)
        y = (height - rows * step) // 2 + step * (n // columns)
        roi = Roi(x, y, side, side)
        head = head_at((0, 0, -1 - 0.1 * n), roi)  # behind the camera: no axes
        heads.append(Head(f'f{n + 1:04d}', *list(vars(head).values())[1:]))
    return heads


@pytest.mark.parametrize(
    ('rows', 'columns', 'side', 'step', 'width', 'height'),
    [
        (5, 6, 70, 130, 1280, 720),
        (2, 5, 30, 80, 480, 270),
        (1, 2, 60, 62, 480, 270),
        (1, 6, 30, 36, 480, 270),
    ],
)
def test_no_label_covers_a_face_or_another_label(
    monkeypatch, rows, columns, side, step, width, height
):
    from headpose_ros.media import labels

    placed = []
    draw = labels._draw

    def note(image, label, lines, corner, style):
        placed.append((label.face, np.array([*corner, *np.add(corner, style.size(lines))]), lines))
        draw(image, label, lines, corner, style)

    monkeypatch.setattr(labels, '_draw', note)
    heads = crowd(rows, columns, side, step, width, height)
    image = np.full((height, width, 3), 128, np.uint8)
    draw_heads(image, heads, CameraModel.from_fov(width, height, 1.0))
    assert len(placed) == len(heads), 'everybody has an id'
    faces = [face for face, *_ in placed]
    boxes = [box for _, box, _ in placed]
    for n, box in enumerate(boxes):
        assert (box[:2] >= 0).all()
        assert (box[2:] <= [width, height]).all()
        for other in [*faces, *boxes[:n]]:
            shared = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
            assert shared.min() <= 0, (placed[n][2], other)


def test_where_there_is_no_room_the_text_is_shorter_and_the_id_remains(monkeypatch):
    from headpose_ros.media import labels

    lines = []
    monkeypatch.setattr(labels, '_draw', lambda image, label, text, *rest: lines.append(text))
    image = np.full((480, 640, 3), 128, np.uint8)
    draw_heads(image, crowd(6, 8, 70, 72, 640, 480), CAMERA)
    assert len(lines) == 48
    assert sum(text == (f'f{n + 1:04d}',) for n, text in enumerate(lines)) > 24
    lines.clear()
    draw_heads(image, crowd(1, 2, 70, 300, 640, 480), CAMERA)
    assert [len(text) for text in lines] == [2, 2], 'all of it where there is room'


def test_faces_too_small_and_close_for_text_have_none_but_the_principal(monkeypatch):
    from headpose_ros.media import labels

    drawn_ids = []
    monkeypatch.setattr(labels, '_draw', lambda image, label, text, *rest: drawn_ids.append(text))
    image = np.full((240, 320, 3), 128, np.uint8)
    camera = CameraModel.from_fov(320, 240, 1.0)
    draw_heads(image, crowd(16, 22, 12, 13, 320, 240), camera, principal_id='f0100')
    assert ('f0100',) in drawn_ids
    assert len(drawn_ids) < 60


def test_a_label_beside_a_face_has_its_mark_at_the_face():
    image = np.full((120, 640, 3), 128, np.uint8)
    camera = CameraModel.from_fov(640, 120, 1.0)
    draw_heads(image, [head_at((0, 0, -1), Roi(510, 0, 120, 120))], camera)
    marked = (np.abs(image.astype(int) - id_colour('f0001')) < 20).all(axis=2)
    columns = np.flatnonzero(marked[:, :505].any(axis=0))
    assert columns.min() > 490, 'the right end of the label'


@pytest.mark.parametrize(('width', 'height'), [(480, 270), (640, 480), (1920, 1080), (3840, 2160)])
@pytest.mark.parametrize('share', [0.03, 0.1, 0.5])
def test_letters_are_legible(width, height, share):
    side = share * height
    style = Style.suited_to(np.array([[0, 0, side, side]]), width, height)
    assert style.cap >= 8
    assert style.cap >= 0.009 * height, 'also where the image is shown smaller'
    assert style.cap <= max(8, 0.02 * height)


@pytest.mark.parametrize('order', ['view', 'reversed', 'fortran', 'transposed'])
def test_images_in_any_order_in_memory(order):
    plain = np.full((480, 640, 3), 128, np.uint8)
    other = {
        'view': np.full((500, 700, 3), 128, np.uint8)[10:490, 30:670],
        'reversed': np.full((480, 640, 3), 128, np.uint8)[:, :, ::-1],
        'fortran': np.asfortranarray(plain),
        'transposed': np.full((640, 480, 3), 128, np.uint8).transpose(1, 0, 2),
    }[order]
    head = head_at((0, 0, 1), Roi(280, 200, 80, 80))
    draw_heads(plain, [head], CAMERA)
    draw_heads(other, [head], CAMERA)
    np.testing.assert_array_equal(other, plain)


@pytest.mark.parametrize(
    ('image', 'said'),
    [
        (np.zeros((480, 640), np.uint8), r'expected shape \(H,W,3\), got \(480, 640\)'),
        (np.zeros((480, 640, 3)), r'expected a uint8 array \(H,W,3\), got float64'),
        (None, 'got NoneType'),
    ],
)
def test_what_cannot_be_drawn_into(image, said):
    with pytest.raises(ValueError, match=said):
        draw_heads(image, [], CAMERA)


def test_a_read_only_image():
    image = np.zeros((480, 640, 3), np.uint8)
    image.setflags(write=False)
    with pytest.raises(ValueError, match='is read-only; draw into a copy'):
        draw_heads(image, [], CAMERA)


def test_a_distorted_lens_bends_the_axes_with_the_picture():
    camera = CameraModel.from_matrix(
        [[250, 0, 320], [0, 250, 240], [0, 0, 1]], 640, 480, 'equidistant', [0, 0, 0, 0]
    )
    position = np.array([1.5, 0.0, 0.6])
    image = np.full((480, 640, 3), 128, np.uint8)
    draw_heads(image, [head_at(position, Roi(0, 0, 1, 1))], camera)
    tip = position + 0.9 * AXIS_LENGTH * FRONTAL[:, 2]
    x, y = np.round(camera.pixels(tip[None])[0][0]).astype(int)
    assert image[y, x].argmax() == 0
