# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from headpose_ros.detection.pieces import OVERLAP, Piece, pieces


def test_a_small_image_is_one_piece():
    assert pieces(200, 150, 20.0, 9.0) == (Piece(0, 0, 200, 150, 20.0),)


@pytest.mark.parametrize('size', [(640, 480), (1921, 1080), (3000, 200), (90, 2000)])
@pytest.mark.parametrize('smallest', [24.0, 31.4])
def test_every_face_is_whole_in_a_piece_for_its_size(size, smallest):
    """Squares of all sizes, anywhere, fit into a piece that is for faces of at most that size."""
    found = pieces(*size, smallest, 9.0)
    generator = np.random.default_rng(0)
    for _ in range(500):
        side = float(np.exp(generator.uniform(np.log(smallest), np.log(min(size)))))
        x, y = generator.uniform(0, np.array(size) - side)
        fitting = [
            piece
            for piece in found
            if piece.smallest <= side
            and piece.x0 <= x
            and piece.y0 <= y
            and piece.x1 >= x + side
            and piece.y1 >= y + side
        ]
        assert fitting, (x, y, side)
        # At least half as large there as faces of its piece may be: networks see large ones too.
        assert max(piece.smallest for piece in fitting) * 4 * OVERLAP > min(side, 9 * smallest)


def test_pieces_are_small_and_of_few_sizes():
    found = pieces(640, 480, 24.0, 9.0)
    for piece in found:
        width, height = piece.x1 - piece.x0, piece.y1 - piece.y0
        assert width * height <= (9.1 * piece.smallest) ** 2
    sizes = {(p.x1 - p.x0, p.y1 - p.y0, p.smallest) for p in found}
    assert len(sizes) == len({p.smallest for p in found})


def test_only_the_borders_of_a_piece_inside_the_image_cut():
    corners = np.array([[0, 30, 40, 70], [30, 0, 70, 40], [60, 30, 99, 70], [30, 60, 70, 99.0]])
    assert Piece(0, 0, 100, 100, 12.0).is_cut(corners, 100, 100).tolist() == [False] * 4
    assert Piece(50, 50, 150, 150, 12.0).is_cut(corners, 200, 200).tolist() == [True] * 4
    assert Piece(0, 50, 100, 150, 12.0).is_cut(corners, 200, 150).tolist() == [
        False, True, True, False]  # fmt: skip
