# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from headpose_ros.detection.detector import BoxToFace
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE, FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import geodesic_distance, matrix_from_vector
from headpose_ros.heads import Boxes, Estimates
from headpose_training import labelling
from headpose_training.face_fit import MeanFace
from headpose_training.teacher import Teacher

RNG = np.random.default_rng(0)
FACE = MeanFace(np.random.default_rng(3).uniform(-0.06, 0.06, (68, 3)))


OFFSETS = np.array([[-30.0, 0.0], [30.0, 0.0], [0.0, -25.0]])
COLOURS = ((255, 60, 60), (60, 255, 60), (60, 60, 255))


class MarkReader:
    """Knows one head's pose, and reads off three marks how the crop is turned."""

    name, crop_px, crop_scale, landmark_box_scale, refines = 'marks', 128, 0.8, 1.4, False

    def __init__(self, rotation, noise=0.0):
        self.rotation, self.noise = rotation, noise
        self.rng, self.asked, self.mirrored = np.random.default_rng(1), 0, 0

    def estimate(self, crops, crop_angles):
        self.asked += len(crops)
        rotations = np.stack([self._read(c) for c in crops])
        n = len(crops)
        turn = matrix_from_vector(self.rng.normal(0, self.noise, (n, 3)))
        return Estimates(
            turn @ rotations,
            np.ones((n, 3)),
            np.tile([0.0, 0, 1], (n, 1)),
            np.asarray(crop_angles),
            np.ones(n),
            np.full(n, np.nan),
        )

    def _read(self, crop):
        pixels = []
        for colour in COLOURS:
            y, x = np.nonzero(np.abs(crop.astype(int) - np.array(colour)).sum(2) < 60)
            assert len(x) > 5, 'a mark is out of the crop'
            pixels.append([x.mean(), y.mean()])
        pixels = np.array(pixels)
        turn, *_ = np.linalg.lstsq(OFFSETS - OFFSETS.mean(0), pixels - pixels.mean(0), rcond=None)
        u, _, vt = np.linalg.svd(turn.T)
        seen = np.eye(3)
        seen[:2, :2] = u @ vt
        if np.linalg.det(seen) > 0:
            return seen @ self.rotation
        self.mirrored += 1
        return seen @ self.rotation @ np.diag([1.0, -1.0, 1.0])


def scene(rotation):
    """A picture with one head, its 68 landmarks by weak perspective, and its sphere."""
    image = np.full((240, 320, 3), 60, np.uint8)
    centre, radius = np.array([160.0, 120.0]), 60.0
    for offset, colour in zip(OFFSETS, COLOURS, strict=True):
        cv2.circle(image, (centre + offset).astype(int).tolist(), 6, colour, -1)
    scale = radius / FACE_SPHERE_RADIUS
    landmarks = centre + scale * (FACE.points68 - FACE_CENTRE_IN_FACE) @ rotation[:2].T
    return labelling.Annotated(image, [landmarks], [(centre, 1.6 * radius)]), centre, radius


def test_the_sphere_is_found_from_landmarks_and_rotation():
    rotation = matrix_from_euler(0.4, -0.2, 0.1)
    picture, centre, radius = scene(rotation)
    fitted = FACE.fit(picture.landmarks[0], rotation)
    np.testing.assert_allclose(fitted.centre, centre, atol=1e-9)
    assert fitted.radius == pytest.approx(radius)
    assert fitted.residual == pytest.approx(0, abs=1e-9)
    off = FACE.fit(picture.landmarks[0] + RNG.normal(0, 3, (68, 2)), rotation)
    assert off.residual * radius / FACE_SPHERE_RADIUS == pytest.approx(3 * np.sqrt(2), rel=0.25)
    with pytest.raises(ValueError, match='68 or 5, got 7'):
        FACE.fit(np.zeros((7, 2)), rotation)


@pytest.mark.parametrize('angles', [(0.0, 0.0, 0.0), (0.35, 0.1, -0.2), (-1.2, -0.2, 0.5)])
def test_the_turns_of_all_looks_are_undone(angles):
    rotation = matrix_from_euler(*angles)
    picture, centre, radius = scene(rotation)
    reader = MarkReader(rotation)
    opinion = Teacher(reader).ask(picture.image, centre, 1.6 * radius, np.random.default_rng(0))
    assert (reader.asked, reader.mirrored) == (24, 12)
    assert np.rad2deg(geodesic_distance(opinion.rotation, rotation)) < 0.3
    assert np.rad2deg(opinion.spread) < 1.0


def test_the_mean_of_many_looks_is_better_than_one_and_the_spread_is_their_error():
    rotation = matrix_from_euler(0.2, 0.1, 0.0)
    picture, centre, radius = scene(rotation)
    errors, spreads = [], []
    teacher = Teacher(MarkReader(rotation, noise=0.05))
    for seed in range(10):
        opinion = teacher.ask(picture.image, centre, 1.6 * radius, np.random.default_rng(seed))
        errors.append(geodesic_distance(opinion.rotation, rotation))
        spreads.append(opinion.spread)
    one = 0.05 * np.sqrt(3)
    assert np.mean(spreads) == pytest.approx(one, rel=0.15)
    assert np.mean(errors) < 0.4 * one


def test_labelled_crops_show_the_face_where_they_say():
    rotation = matrix_from_euler(0.2, 0.0, 0.1)
    picture, centre, radius = scene(rotation)
    crops, dropped = labelling.label(
        [picture], Teacher(MarkReader(rotation)), FACE, 0.8, pieces=True
    )
    assert dropped == 0
    assert crops.is_face.tolist() == [True, False]
    scale = labelling.CROP_PX / (2 * radius * labelling.MARGIN)
    for offset, colour in zip(OFFSETS, COLOURS, strict=True):
        y, x = np.nonzero(np.abs(crops.images[0].astype(int) - np.array(colour)).sum(2) < 60)
        expected = (labelling.CROP_PX - 1) / 2 + offset * scale
        np.testing.assert_allclose([x.mean(), y.mean()], expected, atol=0.3)
    assert (crops.images[1] == 60).all()  # background alone
    (marks,) = picture.landmarks
    np.testing.assert_allclose(
        crops.landmarks[0, 17:], (marks[17:] - centre) / (radius * labelling.MARGIN), atol=1e-3
    )
    assert np.isnan(crops.landmarks[0, :17]).all()  # cheeks, drawn along what is seen of them
    assert np.isnan(crops.landmarks[1]).all()


def test_an_unsure_teacher_or_landmarks_that_do_not_fit_drop_the_face():
    rotation = matrix_from_euler(0.0, 0.0, 0.0)
    good, _, _ = scene(rotation)
    with pytest.raises(ValueError, match='no face was found'):
        labelling.label([good], Teacher(MarkReader(rotation, noise=0.3)), FACE, 0.8)
    wrong = labelling.Annotated(
        good.image, [good.landmarks[0] + RNG.normal(0, 12, (68, 2))], good.squares
    )
    crops, dropped = labelling.label([good, wrong], Teacher(MarkReader(rotation)), FACE, 0.8)
    assert (len(crops), dropped) == (1, 1)


def test_photographs_with_landmarks_are_read(tmp_path):
    (tmp_path / 'images' / 'training').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'images/training/a.png'), np.full((50, 60, 3), 9, np.uint8))
    header = 'file,' + ','.join(f'x{i},y{i}' for i in range(68))
    points = ','.join(f'{10 + i % 17},{20 + i // 17}' for i in range(68))
    table = tmp_path / 'landmarks68.csv'
    table.write_text(f'{header}\nimages/training/a.png,{points}\nimages/test/b.png,{points}\n')
    (picture,) = labelling.annotated_photographs(tmp_path, 'training')
    assert picture.image.shape == (50, 60, 3)
    centre, side = picture.squares[0]
    np.testing.assert_allclose(centre, [18, 21.5])
    assert side == pytest.approx(1.4 * 16)
    with pytest.raises(ValueError, match='no rows whose file is in /other/'):
        list(labelling.annotated_photographs(tmp_path, 'other'))
    table.write_text(f'{header}\nimages/training/a.png,1,2,3\n')
    with pytest.raises(ValueError, match=r'a\.png: expected 136 numbers'):
        list(labelling.annotated_photographs(tmp_path, 'training'))
    with pytest.raises(ValueError, match='not found; it lists'):
        list(labelling.annotated_photographs(tmp_path / 'images', 'training'))


def test_detected_faces_are_framed_as_the_detector_means_them():
    class Detector:
        name = 'fake'
        box_to_face = BoxToFace(1.5, dx=0.1, dy=-0.2)

        def detect(self, image, min_face_px):
            return Boxes(
                np.array([[10.0, 20, 50, 60], [0, 0, 9, 9]]),
                np.array([0.99, 0.3]),
                np.zeros((2, 5, 2)),
            )

    (found,) = labelling.detected_faces([np.zeros((90, 90, 3), np.uint8)], Detector(), 0.8)
    assert len(found.landmarks) == 1
    centre, side = found.squares[0]
    np.testing.assert_allclose(centre, [34, 32])
    assert side == pytest.approx(40 * 1.5 * 0.8)


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match='neither videos nor images'):
        list(labelling.video_frames(tmp_path))
    (tmp_path / 'broken.jpg').write_bytes(b'no')
    with pytest.raises(ValueError, match=r'broken\.jpg'):
        list(labelling.video_frames(tmp_path))
