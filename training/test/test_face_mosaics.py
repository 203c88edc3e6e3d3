# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_faces import discs

from headpose_ros.detection.detector import BoxToFace
from headpose_training.batches import Source
from headpose_training.face_mosaics import MosaicLimits, MosaicMaker
from headpose_training.photometry import PhotometryChances

PLAIN = {'roll_sigma_deg': 0.0, 'photometry': PhotometryChances(none=1.0)}


def mosaics(count, limits, crops=None, relation=None):
    maker = MosaicMaker([Source(crops or discs(), 1.0)], relation or BoxToFace(1.0), limits)
    return [maker.draw(np.random.default_rng(i)) for i in range(count)]


def found_discs(image):
    """Centres and diameters of the bright discs."""
    bright = (image.min(axis=2) > 160).astype(np.uint8)
    _, _, stats, centres = cv2.connectedComponentsWithStats(bright)
    return np.column_stack([centres[1:], 2 * np.sqrt(stats[1:, cv2.CC_STAT_AREA] / np.pi)])


@pytest.mark.parametrize('divide', [(0.0,), (1.0, 0.0), (1.0, 1.0)])
def test_boxes_are_where_faces_are(divide):
    """Whatever the window, its roll and its mirror."""
    limits = MosaicLimits(divide=divide, empty=0.0, share=(0.2, 0.3), **PLAIN)
    limits = replace(limits, roll_sigma_deg=30.0)
    faces = found = 0
    for mosaic in mosaics(12, limits):
        seen = found_discs(mosaic.image)
        for x, y, side in mosaic.boxes[mosaic.sure]:
            apart = np.hypot(seen[:, 0] - x, seen[:, 1] - y)
            same = np.abs(seen[:, 2] - side) < 0.12 * side
            faces += 1
            found += np.any((apart < 0.06 * side + 0.5) & same)
    assert faces >= 8
    assert found >= 0.75 * faces  # the others are cut by their square, or touch another disc


def test_the_relation_of_boxes_to_faces_is_kept():
    limits = MosaicLimits(divide=(0.0,), empty=0.0, share=(0.22, 0.22), **PLAIN)
    relation = BoxToFace(scale=2.0, dx=0.1, dy=-0.2)
    whole = 0
    for mosaic in mosaics(20, limits, relation=relation):
        ((x, y, side),) = mosaic.boxes
        (disc,) = found_discs(mosaic.image)
        if abs(disc[2] / (2 * side) - 1) < 0.04:  # else its square cuts it
            # dx is towards the right before the mirror, so only its size is known
            assert abs(disc[0] - x) == pytest.approx(0.1 * side, abs=1.5)
            assert disc[1] - y == pytest.approx(-0.2 * side, abs=1.5)
            whole += 1
    assert whole >= 5


def test_nothing_is_asked_about_hidden_faces_and_nothing_told_of_crops_without():
    limits = MosaicLimits(empty=0.0, **PLAIN)
    hidden = mosaics(4, limits, discs(spread=np.deg2rad(10)))
    assert sum(len(m.boxes) for m in hidden) > 4
    assert not any(m.sure.any() for m in hidden)
    assert sum(len(m.boxes) for m in mosaics(4, MosaicLimits(empty=1.0, **PLAIN))) == 0


def test_faces_cut_by_their_square_are_not_sure():
    limits = MosaicLimits(divide=(1.0,), empty=0.0, share=(0.7, 0.75), **PLAIN)
    for mosaic in mosaics(8, limits):
        for (x, y, side), sure in zip(mosaic.boxes, mosaic.sure, strict=True):
            inside = 1.0
            for at in (x % 144, y % 144):
                inside *= (min(at + side / 2, 143.5) - max(at - side / 2, -0.5)) / side
            if abs(inside - 0.7) > 0.02:
                assert sure == (inside > 0.7)


def test_a_mosaic_depends_on_its_generator_alone():
    one, other = mosaics(1, MosaicLimits())[0], mosaics(1, MosaicLimits())[0]
    assert np.array_equal(one.image, other.image)
    assert np.array_equal(one.boxes, other.boxes)
    with pytest.raises(ValueError, match='expected crops in every source'):
        MosaicMaker([], BoxToFace(1.0))
