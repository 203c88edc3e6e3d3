# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures files, folders and patterns name."""

import cv2
import numpy as np
import pytest

from headpose_ros.media.frames import as_bgr
from headpose_ros.media.pictures import find_pictures, read_picture
from headpose_ros.media.sources import SourceError


@pytest.fixture
def tree(tmp_path):
    """Return a folder with pictures of two sizes, one of them in a folder in it."""
    (tmp_path / 'more').mkdir()
    for name, width in [('a10.png', 64), ('a9.jpg', 32), ('more/b.png', 16)]:
        cv2.imwrite(str(tmp_path / name), np.full((48, width, 3), 90, np.uint8))
    (tmp_path / 'notes.txt').write_text('no picture')
    return tmp_path


def names(inputs, tree):
    return [str(path.relative_to(tree)) for path in find_pictures(inputs)]


def test_folders_patterns_and_files(tree):
    assert names([tree], tree) == ['a9.jpg', 'a10.png']
    assert names([f'{tree}/*.png'], tree) == ['a10.png']
    assert names([f'{tree}/**/*.png'], tree) == ['a10.png', 'more/b.png']
    assert names([tree / 'more' / 'b.png', tree / 'a9.jpg'], tree) == ['more/b.png', 'a9.jpg']


def test_each_file_once(tree):
    (tree / 'same.png').symlink_to(tree / 'a10.png')
    assert names([tree / 'a10.png', tree, f'{tree}/a*'], tree) == ['a10.png', 'a9.jpg']


def test_a_file_whose_name_looks_like_a_pattern(tree):
    odd = (tree / 'a10.png').rename(tree / 'a[1].png')
    assert find_pictures([odd]) == [odd]


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('none.jpg', 'no such file or folder'),
        ('*.gif', 'no file fits this pattern'),
        ('empty', 'holds no images'),
    ],
)
def test_inputs_that_name_nothing(tree, name, said):
    (tree / 'empty').mkdir()
    with pytest.raises(SourceError, match=said):
        find_pictures([tree, tree / name])


def test_what_cannot_be_read(tree):
    (tree / 'empty.png').touch()
    with pytest.raises(SourceError, match=r'empty\.png: the file is empty'):
        read_picture(tree / 'empty.png')
    with pytest.raises(SourceError, match='cannot be read: Is a directory'):
        read_picture(tree / 'more')
    with pytest.raises(SourceError, match='is not an image'):
        read_picture(tree / 'notes.txt')


@pytest.mark.parametrize('shape', [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
def test_images_of_any_channels_become_bgr(shape):
    np.testing.assert_array_equal(
        as_bgr(np.full(shape, 90, np.uint8)), np.full((4, 5, 3), 90, np.uint8)
    )


@pytest.mark.parametrize(
    'image', [np.zeros((4, 5, 3)), np.zeros((4, 5, 2), np.uint8), np.zeros(5, np.uint8), None]
)
def test_what_is_no_image(image):
    with pytest.raises(ValueError, match=r'image: expected uint8 pixels \(H,W\) or \(H,W,3\)'):
        as_bgr(image)
