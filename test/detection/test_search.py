# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_face import drawn_face

from headpose_ros.config import NEAREST_FACE, PipelineConfig
from headpose_ros.detection import FaceSearch, create_detector, search
from headpose_ros.detection.detector import BoxToFace
from headpose_ros.detection.search import detect_scaled, face_squares, smallest_face_px
from headpose_ros.geometry import CameraModel, squares_of_spheres
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.geometry.near_views import NearView, NearViews
from headpose_ros.heads import Boxes
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.stages import _create_search

FISHEYE = CameraModel.from_matrix(
    np.array([[300.0, 0, 639.5], [0, 300, 479.5], [0, 0, 1]]), 1280, 960, 'equidistant', [0] * 4
)


class PaintedFaces:
    """Finds white squares, 24 px or more; remembers what it was asked."""

    name = 'painted'
    box_to_face = BoxToFace(scale=1.0)

    def __init__(self, score=0.9):
        self.score = score
        self.calls = []

    def detect(self, image_bgr, min_face_px):
        self.calls.append((image_bgr.shape[:2], min_face_px))
        rows, columns = np.nonzero(image_bgr[..., 0] > 127)
        if len(rows) == 0:
            return Boxes(np.empty((0, 4)), np.empty(0))
        box = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5]
        return Boxes(np.array([box]), np.array([self.score]), np.full((1, 5, 2), 1.0))


def painted(camera, ray, angle):
    """What `camera` sees of a white disc of that full angle along `ray`."""
    grid = np.stack(np.meshgrid(np.arange(camera.width), np.arange(camera.height)), -1)
    rays, valid = camera.rays_and_validity(grid.reshape(-1, 2))
    white = valid & (rays @ (ray / np.linalg.norm(ray)) > np.cos(angle / 2))
    return np.repeat(np.uint8(255) * white.reshape(camera.height, camera.width, 1), 3, axis=2)


@pytest.mark.parametrize('ray', [(0, 0, 1), (0.3, -0.2, 1), (-0.4, 0.25, 1)])
def test_finds_the_ray_and_the_size_of_a_sphere(ray):
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    faces = FaceSearch(PaintedFaces(), PipelineConfig()).find(painted(camera, ray, 0.2), camera)
    assert len(faces) == 1
    np.testing.assert_allclose(faces.rays[0], ray / np.linalg.norm(ray), atol=0.003)
    assert faces.angular_sizes[0] == pytest.approx(0.2, rel=0.03)
    assert faces.scores[0] == 0.9


@pytest.mark.parametrize('ray', [(0, 0, 1), (1.5, 0.2, 1), (0.7, -0.6, 1)])
def test_a_zooming_fisheye_tells_the_rays_of_the_newest_lens(ray):
    views = NearViews()
    search = FaceSearch(PaintedFaces(), PipelineConfig(), views)
    for longer in (1.0, 1.01, 1.02, 1.03, 0.98):
        camera = replace(FISHEYE, fx=FISHEYE.fx * longer, fy=FISHEYE.fy * longer)
        faces = search.find(painted(camera, ray, 0.2), camera)
        assert all(isinstance(view, NearView) == (longer != 1.0) for view in views(camera))
        assert len(faces) == 1
        np.testing.assert_allclose(faces.rays[0], ray / np.linalg.norm(ray), atol=0.005)
        assert faces.angular_sizes[0] == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize('mode', ['image', 'video'])
def test_only_streams_keep_views_from_image_to_image(mode):
    config = PipelineConfig(device='cpu', detector='mtcnn')
    search = _create_search(config, create_runtime('cpu', 1), single=mode == 'image')
    assert isinstance(search._views, NearViews) == (mode == 'video')


@pytest.mark.parametrize('ray', [(0, 0, 1), (1.5, 0.2, 1), (-3, 0.1, 1), (0.7, -0.6, 1)])
def test_finds_a_face_once_anywhere_in_a_fisheye(ray):
    search = FaceSearch(PaintedFaces(), PipelineConfig())
    faces = search.find(painted(FISHEYE, ray, 0.3), FISHEYE)
    assert len(search.detector.calls) > 1
    assert len(faces) == 1
    unit = ray / np.linalg.norm(ray)
    assert np.degrees(np.arccos(np.clip(faces.rays[0] @ unit, -1, 1))) < 1.5
    assert faces.angular_sizes[0] == pytest.approx(0.3, rel=0.08)


class FacesOfAllSizes(PaintedFaces):
    """Finds every white square for itself, if it is large enough, as a detector does."""

    def detect(self, image_bgr, min_face_px):
        self.calls.append((image_bgr.shape[:2], min_face_px))
        grey = np.ascontiguousarray(image_bgr[..., 0])
        _, _, stats, _ = cv2.connectedComponentsWithStats((grey > 127).astype(np.uint8))
        x, y, w, h, _ = stats[1:].T.astype(float)
        large = np.maximum(w, h) >= 0.9 * min_face_px
        boxes = np.column_stack([x, y, x + w, y + h])[large] - 0.5
        return Boxes(boxes, np.full(len(boxes), self.score))


def squares_image(width, height, squares):
    image = np.zeros((height, width, 3), np.uint8)
    for x, y, side in squares:
        image[y : y + side, x : x + side] = 255
    return image


@pytest.mark.parametrize('width', [640, 1920])
def test_all_parts_together_find_what_one_search_does(width):
    unit = width // 640
    squares = [(10, 10, 14), (300, 200, 18), (608, 440, 24), (150, 60, 70), (420, 20, 130)]
    squares += [(60, 260, 200), (228, 10, 13), (250, 100, 13), (100, 205, 14)]
    image = squares_image(width, 480 * unit, [tuple(unit * v for v in s) for s in squares])
    camera = CameraModel.from_fov(width, 480 * unit, np.radians(60))
    search = FaceSearch(FacesOfAllSizes(), PipelineConfig(min_face_px=12 * unit))
    whole = search.find(image, camera)
    assert len(whole) == len(squares)
    assert search.parts > 2
    search.detector.calls.clear()
    found = [search.find_part(image, camera, part) for part in range(search.parts)]
    rays = np.concatenate([faces.rays for faces in found])
    for ray in whole.rays:
        assert np.degrees(np.arccos((rays @ ray).clip(-1, 1))).min() < 0.3
    for ray in rays:  # and nothing that a tile's border cuts
        assert np.degrees(np.arccos((whole.rays @ ray).clip(-1, 1))).min() < 0.3
    work = [h * w / smallest**2 for (h, w), smallest in search.detector.calls]
    assert max(work) < 0.3 * 640 * 480 / 12**2
    with pytest.raises(ValueError, match=r'part: expected 0 to \d, got 10'):
        search.find_part(image, camera, 10)


def test_a_search_that_does_not_take_long_has_one_part():
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    image = painted(camera, (0, 0, 1), 0.2)
    search = FaceSearch(PaintedFaces(), PipelineConfig())
    assert search.parts == 1
    assert len(search.find(image, camera)) == 1
    assert search.parts == 1
    assert len(search.find_part(image, camera, 0)) == 1


def test_each_view_of_a_wide_lens_is_a_part():
    image = painted(FISHEYE, (1.5, 0.2, 1), 0.3)
    search = FaceSearch(PaintedFaces(), PipelineConfig())
    assert len(search.find(image, FISHEYE)) == 1
    views = len(search.detector.calls)
    assert search.parts == views > 1
    found = [len(search.find_part(image, FISHEYE, part)) for part in range(views)]
    assert len(search.detector.calls) == 2 * views
    assert max(found) == 1


def test_small_faces_in_a_large_image_take_several_rounds_of_parts():
    squares = [(100 + 400 * i, 60 + 210 * i, 40) for i in range(9)]
    image = squares_image(3840, 2160, squares)
    camera = CameraModel.from_fov(3840, 2160, np.radians(60))
    search = FaceSearch(FacesOfAllSizes(), PipelineConfig(min_face_px=32))
    assert len(search.find(image, camera)) == 9
    assert search.parts == 10
    rays = []
    for _ in range(4):  # rounds
        for part in range(search.parts):
            search.detector.calls.clear()
            rays.append(search.find_part(image, camera, part).rays)
            assert len(search.detector.calls) <= 2
    pixels = np.unique(camera.pixels(np.concatenate(rays))[0].round(), axis=0)
    assert len({tuple(p) for p in (pixels // 60).tolist()}) == 9


def test_low_scores_are_dropped_and_the_threshold_may_change():
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    image = painted(camera, (0, 0, 1), 0.2)
    search = FaceSearch(PaintedFaces(score=0.6), PipelineConfig(score_threshold=0.7))
    assert len(search.find(image, camera)) == 0
    assert len(search.find(image, camera, PipelineConfig(score_threshold=0.5))) == 1
    assert len(search.find(image, camera)) == 0


@pytest.mark.parametrize(
    ('score', 'single', 'found'), [(0.6, True, 1), (0.6, False, 0), (0.4, True, 0)]
)
def test_pictures_by_themselves_may_score_less(score, single, found):
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    search = FaceSearch(PaintedFaces(score), PipelineConfig(), single=single)
    assert len(search.find(painted(camera, (0, 0, 1), 0.2), camera)) == found


def test_faces_centred_outside_the_image_are_left_out():
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    image = np.zeros((480, 640, 3), np.uint8)
    image[200:300, :40] = 255
    assert len(FaceSearch(PaintedFaces(), PipelineConfig()).find(image, camera)) == 1

    class HalfOutside(PaintedFaces):
        def detect(self, image_bgr, min_face_px):
            return Boxes(np.array([[-70, 200, 30, 300], [-30, 200, 70, 300.0]]), np.full(2, 0.9))

    faces = FaceSearch(HalfOutside(), PipelineConfig()).find(image, camera)
    assert len(faces) == 1
    assert camera.pixels(faces.rays)[0][0, 0] == pytest.approx(20, abs=4)


def test_a_face_seen_whole_counts_more_than_a_surer_one_that_is_cut():
    ray = np.array([-0.75, 0.0, 1.0])

    class SureOfParts(PaintedFaces):
        def detect(self, image_bgr, min_face_px):
            boxes = super().detect(image_bgr, min_face_px)
            x0, y0, x1, y1 = boxes.corners.T
            height, width = image_bgr.shape[:2]
            cut = (x0 < 1) | (y0 < 1) | (x1 > width - 2) | (y1 > height - 2)
            return Boxes(boxes.corners, np.where(cut, 0.99, 0.95))

    faces = FaceSearch(SureOfParts(), PipelineConfig()).find(painted(FISHEYE, ray, 0.3), FISHEYE)
    np.testing.assert_allclose(faces.rays, [ray / np.linalg.norm(ray)], atol=0.01)
    assert faces.scores.tolist() == [0.95]


def test_a_face_that_the_image_itself_cuts_stays_beside_another():
    camera = CameraModel.from_fov(640, 480, np.radians(70))

    class Neighbours(PaintedFaces):
        def detect(self, image_bgr, min_face_px):
            return Boxes(np.array([[-10, 200, 80, 290], [70, 200, 160, 290.0]]), np.full(2, 0.9))

    image = np.zeros((480, 640, 3), np.uint8)
    assert len(FaceSearch(Neighbours(), PipelineConfig()).find(image, camera)) == 2


def test_image_and_camera_must_agree():
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    with pytest.raises(ValueError, match='expected 640x480 as its camera, got 320x240'):
        FaceSearch(PaintedFaces(), PipelineConfig()).find(
            np.zeros((240, 320, 3), np.uint8), camera
        )


def test_smallest_face():
    vga, uhd = (CameraModel.from_fov(w, w * 3 // 4, np.radians(60)) for w in (640, 3840))
    relation = BoxToFace(scale=1.5)
    assert smallest_face_px(PipelineConfig(), vga, relation) == 24
    assert smallest_face_px(PipelineConfig(), uhd, relation) == 144
    assert smallest_face_px(PipelineConfig(), vga, relation, single=True) == 12
    assert smallest_face_px(PipelineConfig(), uhd, relation, single=True) == 36
    for camera in (vga, uhd):  # pixels of the image as it comes
        assert smallest_face_px(PipelineConfig(min_face_px=24), camera, relation) == 24
    with pytest.raises(ValueError, match='min_face_px: expected 0, or 12 or more, got 5'):
        PipelineConfig(min_face_px=5)
    distance = 3.0
    config = PipelineConfig(max_distance=distance)
    size = 2 * np.arcsin(FACE_SPHERE_RADIUS / distance)
    _, side, _ = squares_of_spheres(vga, np.array([[0, 0, 1.0]]), np.array([size]))
    assert smallest_face_px(config, vga, relation) == pytest.approx(side[0] / 1.5, rel=0.01)
    assert smallest_face_px(PipelineConfig(max_distance=40.0), vga, relation) == 12
    assert smallest_face_px(PipelineConfig(max_distance=NEAREST_FACE), vga, relation) > 100
    with pytest.raises(ValueError, match=r'max_distance: expected 0, or 0\.3 m or more'):
        PipelineConfig(max_distance=0.1)


def test_large_images_are_shrunk_before_they_are_searched():
    image = np.zeros((2160, 3841, 3), np.uint8)
    image[400:800, 1200:1600] = 255
    detector = PaintedFaces()
    found = detect_scaled(detector, image, 144.0)
    assert detector.calls == [((540, 960), 36.0)]
    np.testing.assert_allclose(found.corners, [[1199.5, 399.5, 1599.5, 799.5]])
    np.testing.assert_allclose(found.landmarks, 5.5)
    assert detect_scaled(PaintedFaces(), image[:, :640], 24.0).corners.shape == (0, 4)


def test_squares_from_boxes():
    boxes = Boxes(np.array([[10, 20, 50, 110.0]]), np.array([0.9]))
    centres, sides = face_squares(boxes, BoxToFace(scale=1.5, dx=0.1, dy=-0.2))
    np.testing.assert_allclose(sides, [90])
    np.testing.assert_allclose(centres, [[30 + 6, 65 - 12]])


@pytest.mark.parametrize('kind', ['retinaface', 'mtcnn', 'cascade'])
def test_real_detectors_find_a_drawn_face_where_it_is(kind):
    config = PipelineConfig(detector=kind)
    camera = CameraModel.from_fov(640, 480, np.radians(60))
    image = drawn_face(100, (480, 640), at=(450, 300))
    search = FaceSearch(create_detector(config, create_runtime('cpu')), config)
    faces = search.find(image, camera)
    assert len(faces) == 1
    assert np.linalg.norm(camera.pixels(faces.rays)[0][0] - [450, 307]) < 10
    distance = FACE_SPHERE_RADIUS / np.sin(faces.angular_sizes[0] / 2)
    assert 0.8 < distance < 1.5  # the cartoon's face is 72 px wide: 0.15 m at 1.15 m


def test_large_images_are_shrunk_by_means_of_pixels():
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    blocks = image.reshape(16, 2, 24, 2, 3).astype(float)
    assert np.abs(search._shrunk(image, 1) - blocks.mean(axis=(1, 3))).max() <= 0.5
    blocks = image.reshape(8, 4, 12, 4, 3).astype(float)
    by_four = blocks[:, 1:3, :, 1:3].mean(axis=(1, 3))
    assert np.abs(search._shrunk(image, 2) - by_four).max() <= 0.5
    by_eight = by_four.reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))
    assert np.abs(search._shrunk(image, 3) - by_eight).max() <= 1.0


@pytest.mark.parametrize('thorough', [False, True])
def test_a_thorough_search_asks_the_other_detector(thorough):
    """Whose boxes may be of another size around the same face."""
    camera, ray = CameraModel.from_fov(640, 480, np.radians(70)), np.array([0.2, 0.1, 1])
    usual, other = PaintedFaces(0.7), PaintedFaces(0.8)
    other.box_to_face = BoxToFace(scale=2.0)
    search = FaceSearch(usual, PipelineConfig(), thorough=other)
    image = painted(camera, ray, 0.2)
    for faces in (
        search.find(image, camera, thorough=thorough),
        search.find_part(image, camera, 0, thorough=thorough),
    ):
        assert faces.scores.tolist() == [0.8 if thorough else 0.7]
        assert faces.angular_sizes[0] == pytest.approx(0.4 if thorough else 0.2, rel=0.05)


def test_the_thorough_detector_is_ready_after_the_first_search():
    """What it takes to make a graph for a size of images is not spent amid a stream."""
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    usual, other = PaintedFaces(), PaintedFaces()
    search = FaceSearch(usual, PipelineConfig(), thorough=other)
    for _ in range(3):
        search.find(painted(camera, (0, 0, 1), 0.2), camera)
    assert other.calls == usual.calls[:1]


def test_without_another_detector_a_thorough_search_is_as_any():
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    search = FaceSearch(PaintedFaces(), PipelineConfig())
    assert len(search.find(painted(camera, (0, 0, 1), 0.2), camera, thorough=True)) == 1
