# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from drawn_faces import (
    DrawnFaceDetector,
    KnowingEstimator,
    SeekingEstimator,
    draw_faces,
    level_of,
    some_rotations,
    virtual_from_face,
    write_face,
    write_set,
)

from headpose_ros.config import PipelineConfig
from headpose_ros.evaluation import landmark_sets, posed
from headpose_ros.evaluation import run as evaluation_run
from headpose_ros.evaluation.face_crops import DetectedBoxes, Scene, TrueBoxes
from headpose_ros.evaluation.run import Options, evaluate, report, rings_off_axis
from headpose_ros.evaluation.samples import Lens, read_picture
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.face_frame import face_centre_from_sellion

LENS = Lens(400.0, 400.0, 319.5, 239.5)
SELLIONS = np.array([[0.0, 0.0, 1.2], [0.45, 0.1, 1.0], [-0.6, -0.2, 1.1]])
ROTATIONS = some_rotations(3)


@pytest.fixture
def scenes(tmp_path):
    """One picture of three people, far apart and off the axis."""
    camera = LENS.camera(640, 480)
    cv2.imwrite(str(tmp_path / 'people.png'), draw_faces(camera, SELLIONS, ROTATIONS))
    write_set(tmp_path, 'people.png', LENS, ROTATIONS, SELLIONS, head_scale=1)
    return tmp_path


def right_estimator(**changes):
    seen = [virtual_from_face(r, t) for r, t in zip(ROTATIONS, SELLIONS, strict=True)]
    return KnowingEstimator(np.array(seen), **changes)


def run(root, estimator, finder=None, **options):
    finder = finder or TrueBoxes()
    return evaluate(posed.pictures(root), estimator, finder, Options(**options))


def test_a_right_estimator_has_no_error_anywhere(scenes):
    out = report(run(scenes, right_estimator()))
    assert (out['count'], out['detected']) == (3, 3)
    assert out['mae_deg']['mean'] == pytest.approx(0, abs=1e-3)
    assert out['geodesic_deg']['p90'] == pytest.approx(0, abs=1e-3)
    assert out['position_m'] == {
        'mean': pytest.approx(0, abs=1e-6),
        'p90': pytest.approx(0, abs=1e-6),
    }
    assert sum(ring['count'] for ring in out['by_off_axis']) == 3


def test_without_rectification_the_error_is_the_view_angle(scenes):
    results = run(scenes, right_estimator(), rectify=False)
    truth = np.rad2deg([face.off_axis for face in results.faces])
    rings = rings_off_axis(results)
    assert [ring['lo'] for ring in rings] == sorted(set(10 * (truth // 10)))
    for ring in rings:
        inside = truth[(truth >= ring['lo']) & (truth < ring['hi'])]
        assert ring['geodesic_deg'] == pytest.approx(inside.mean(), abs=0.01)


def test_head_size_moves_the_position_along_the_ray(scenes):
    out = report(run(scenes, right_estimator(head_scale=1.1)))
    too_far = 0.1 * np.linalg.norm(face_centre_from_sellion(ROTATIONS, SELLIONS), axis=1)
    relative = too_far / np.linalg.norm(SELLIONS, axis=1)
    assert out['distance_relative']['mean'] == pytest.approx(relative.mean(), abs=1e-3)
    assert out['distance_relative_true_size']['mean'] == pytest.approx(0, abs=1e-6)
    assert out['position_m']['mean'] == pytest.approx(too_far.mean(), abs=1e-4)


def test_detector_boxes_count_misses_and_keep_people_apart(scenes):
    finder = DetectedBoxes(DrawnFaceDetector(blind=[1]), PipelineConfig())
    out = report(run(scenes, right_estimator(), finder))
    assert (out['count'], out['detected']) == (3, 2)
    # The drawn squares are whole pixels, so the virtual cameras look a little beside the centre.
    assert out['geodesic_deg']['p90'] < 0.5
    assert out['position_m']['mean'] < 0.05


def test_nobody_found_is_an_error(scenes):
    finder = DetectedBoxes(DrawnFaceDetector(blind=[0, 1, 2]), PipelineConfig())
    with pytest.raises(ValueError, match='none of the 3 faces was found'):
        run(scenes, right_estimator(), finder)


def test_sigma_is_judged_in_the_virtual_cameras_frame(scenes):
    assert 'rotation_sigma' not in report(run(scenes, right_estimator()))
    judged = report(run(scenes, right_estimator(sigma=0.1)))['rotation_sigma']
    assert judged['z_rms'] == pytest.approx(0, abs=1e-3)


def test_box_scale_and_shift_change_the_crop(scenes):
    plain, moved = right_estimator(), right_estimator()
    run(scenes, plain)
    run(scenes, moved, box_scale=2.0, box_shift=(0.25, 0.0))
    lit = np.array(moved.crops[0][..., 0] == level_of(0))
    # Twice as large: the square fills half of it. Moved right by a quarter of its first side.
    assert plain.crops[0][16, 16, 0] == level_of(0)
    assert lit.mean() == pytest.approx(0.25, abs=0.06)
    assert np.argwhere(lit).mean(axis=0) == pytest.approx([15.5, 15.5 - 4], abs=1.0)


def seen_share(crop):
    """Where the square lies in a crop, from its middle, and its side; in sides of the crop."""
    rows, columns = np.nonzero(crop[..., 0] > 20)
    centre = (np.array([columns.mean(), rows.mean()]) + 0.5) / crop.shape[0] - 0.5
    return (*centre, np.sqrt(len(rows)) / crop.shape[0])


@pytest.mark.parametrize('rectify', [True, False])
def test_a_second_look_is_where_the_first_saw_the_face(scenes, rectify):
    seen = [virtual_from_face(r, t) for r, t in zip(ROTATIONS, SELLIONS, strict=True)]
    estimator = SeekingEstimator(np.array(seen))
    off = {'box_scale': 1.6, 'box_shift': (0.15, -0.1), 'rectify': rectify}
    run(scenes, estimator, passes=2, **off)
    first, second = estimator.crops[:3], estimator.crops[3:]
    for before, after in zip(first, second, strict=True):
        assert np.abs(np.subtract(seen_share(before), [0, 0, 1])).max() > 0.09
        # within what a pixel of the first, wider crop is worth
        assert seen_share(after) == pytest.approx([0, 0, 1], abs=0.07)
    still = right_estimator()
    run(scenes, still, passes=2, **off)
    assert len(still.crops) == 3  # one that does not refine looks once


def test_a_second_look_is_as_upright_as_the_first_saw_the_face(scenes, monkeypatch):
    seen = [virtual_from_face(r, t) for r, t in zip(ROTATIONS, SELLIONS, strict=True)]
    ups = []
    crops_of = evaluation_run.crops_of

    def noted(scene, found, *args):
        ups.extend(one.up for one in found)
        return crops_of(scene, found, *args)

    monkeypatch.setattr(evaluation_run, 'crops_of', noted)
    run(scenes, SeekingEstimator(np.array(seen)), passes=2)
    first, second = np.array(ups).reshape(2, len(ROTATIONS), 3)
    assert (first == 0).all()
    np.testing.assert_allclose(second, np.array(ROTATIONS)[:, :, 2], atol=1e-9)


def test_a_second_look_needs_no_camera(tmp_path):
    pictures = landmark_set(tmp_path, [60.0, 120.0], [160.0, 200.0])
    estimator = SeekingEstimator(some_rotations(1))
    evaluate(
        pictures, estimator, TrueBoxes(), Options(box_scale=1.6, box_shift=(0.15, -0.1), passes=2)
    )
    before, after = estimator.crops
    assert np.abs(np.subtract(seen_share(before), [0, 0, 1])).max() > 0.09
    assert seen_share(after) == pytest.approx([0, 0, 1], abs=0.07)


def landmark_set(folder, low, high):
    points = np.random.default_rng(2).uniform(low, high, (68, 2))
    points[0], points[1] = low, high
    write_face(folder, 'x', (0, 0, 0), pt3d_68=np.vstack([points.T, np.zeros(68)]))
    image = np.zeros((450, 450, 3), np.uint8)
    centre, half = (np.array(low) + high) / 2, 0.7 * np.max(np.subtract(high, low))
    first, last = np.round(centre - half).astype(int), np.round(centre + half).astype(int)
    cv2.rectangle(image, first.tolist(), last.tolist(), (200, 200, 200), -1)
    cv2.imwrite(str(folder / 'x.jpg'), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    return landmark_sets.pictures(folder)


@pytest.mark.parametrize('hfov', [None, np.deg2rad(50)])
def test_landmark_box_is_cropped_at_the_estimators_factor(tmp_path, hfov):
    low, high = [60.0, 120.0], [160.0, 200.0]
    pictures = landmark_set(tmp_path, low, high)
    estimator = KnowingEstimator(some_rotations(1))
    evaluate(pictures, estimator, TrueBoxes(), Options(hfov=hfov))
    (crop,) = estimator.crops
    # The white square of 1.4 times the longer side fills the crop to its edges, and no more.
    assert crop[1:-1, 1:-1].min() > 180
    wider = KnowingEstimator(some_rotations(1))
    evaluate(pictures, wider, TrueBoxes(), Options(hfov=hfov, box_scale=1.25))
    white = (wider.crops[0][..., 0] > 128).mean()
    assert white == pytest.approx(1 / 1.25**2, abs=0.04)


def test_sets_without_intrinsics_are_not_rectified_and_have_no_view_angle(tmp_path):
    pictures = landmark_set(tmp_path, [60.0, 120.0], [160.0, 200.0])
    rotation = pictures[0].faces[0].rotation_camera_from_face
    out = report(evaluate(pictures, KnowingEstimator(rotation[None]), TrueBoxes(), Options()))
    assert out['geodesic_deg']['mean'] == pytest.approx(0, abs=1e-4)
    assert out['by_off_axis'] == []
    assert 'position_m' not in out


def test_unreadable_picture_is_named(scenes):
    (scenes / 'people.png').write_bytes(b'broken')
    with pytest.raises(ValueError, match=r'people\.png: is not an image'):
        run(scenes, right_estimator())
    pictures = posed.pictures(scenes)
    (scenes / 'people.png').unlink()
    with pytest.raises(ValueError, match=r'people\.png: does not exist'):
        evaluate(pictures, right_estimator(), TrueBoxes(), Options())


@pytest.mark.parametrize('sellion', [(9.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.0, -2.0, 0.1)])
def test_heads_outside_the_picture_are_left_out_and_told(scenes, sellion):
    rotations = [*ROTATIONS, ROTATIONS[0]]
    write_set(scenes, 'people.png', LENS, rotations, [*SELLIONS, sellion])
    for rectify in (True, False):
        out = report(run(scenes, right_estimator(), rectify=rectify))
        assert (out['count'], out['detected'], out['outside_image']) == (3, 3, 1)
    write_set(scenes, 'people.png', LENS, ROTATIONS[:1], [sellion])
    with pytest.raises(ValueError, match='none of the 0 faces was found; 1 more lie outside'):
        run(scenes, right_estimator())


def test_a_head_that_holds_the_camera_is_an_error_that_names_the_picture(scenes):
    write_set(scenes, 'people.png', LENS, ROTATIONS[:1], [(0.0, 0.0, 0.01)])
    with pytest.raises(ValueError, match=r'people\.png: a face centre .* m from the camera'):
        run(scenes, right_estimator())


def test_pixels_are_taken_as_they_are_stored(tmp_path):
    image = np.zeros((20, 40, 3), np.uint8)
    image[:, :20] = 255
    jpeg = cv2.imencode('.jpg', image)[1].tobytes()
    exif = b'Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0'
    block = b'\xff\xe1' + (len(exif) + 2).to_bytes(2, 'big') + exif  # orientation: on its side
    (tmp_path / 'a.jpg').write_bytes(jpeg[:2] + block + jpeg[2:])
    assert cv2.imread(str(tmp_path / 'a.jpg')).shape == (40, 20, 3)
    assert read_picture(tmp_path / 'a.jpg').shape == (20, 40, 3)


def test_scene_takes_the_sets_own_lens_before_hfov(scenes):
    (picture,) = posed.pictures(scenes)
    scene = Scene.of(picture, np.zeros((480, 640, 3), np.uint8), np.deg2rad(90))
    assert scene.known
    assert scene.camera == CameraModel.from_matrix(
        [[400, 0, 319.5], [0, 400, 239.5], [0, 0, 1]], 640, 480, 'plumb_bob')  # fmt: skip
