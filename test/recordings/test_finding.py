# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which recordings are found, and how they are called."""

import os
import shutil

import pytest
from made_archive import camera_bag, pictures, video

from headpose_ros.media.frames import SourceError
from headpose_ros.recordings.finding import find_recordings, is_bag


@pytest.fixture
def archive(tmp_path, images):
    """Bags, a video and pictures, in folders and folders of folders."""
    root = tmp_path / 'archive'
    (root / 'a' / 'deep').mkdir(parents=True)
    camera_bag(root / 'a' / 'run2', images)
    camera_bag(root / 'a' / 'run10', images)
    video(root / 'a' / 'deep' / 'film.mkv', images)
    pictures(root / 'b', images)
    (root / 'b' / 'readme.txt').write_text('nothing')
    return root


def names(*inputs, **options):
    return [(one.name, one.kind) for one in find_recordings(inputs, **options)]


def test_each_recording_is_found_once_and_called_by_its_path(archive):
    expected = [
        ('a/deep/film.mkv', 'video'), ('a/run2', 'bag'), ('a/run10', 'bag'), ('b', 'pictures'),
    ]  # fmt: skip
    assert names(archive) == expected
    assert names(archive, archive) == expected
    assert names(archive / 'a' / 'run2', archive / 'a' / 'deep') == [
        ('film.mkv', 'video'), ('run2', 'bag'),
    ]  # fmt: skip
    assert names(archive / 'a' / 'run2', root=archive) == [('a/run2', 'bag')]


def test_patterns_and_files_by_name(archive):
    assert names(archive / 'a' / 'run*') == [('run2', 'bag'), ('run10', 'bag')]
    assert names(archive / 'a' / 'deep' / 'film.mkv') == [('film.mkv', 'video')]
    mcap = archive / 'a' / 'run2' / 'run2.mcap'
    assert names(mcap) == [('run2.mcap', 'bag')]
    with pytest.raises(SourceError, match='nothing fits'):
        names(archive / 'x*')
    with pytest.raises(SourceError, match='no such file'):
        names(archive / 'x')


def test_two_of_one_name_are_told_with_the_cure(archive, images):
    camera_bag(archive / 'c' / 'run2', images)
    with pytest.raises(ValueError, match='--root'):
        names(archive / 'a' / 'run2', archive / 'c' / 'run2')
    both = names(archive / 'a' / 'run2', archive / 'c' / 'run2', root=archive)
    assert both == [('a/run2', 'bag'), ('c/run2', 'bag')]
    with pytest.raises(ValueError, match='is not in it'):
        names(archive / 'a' / 'run2', root=archive / 'c')


def test_the_results_hidden_files_and_circles_of_links_are_left_out(archive, images):
    pictures(archive / 'out' / 'previews', images)
    pictures(archive / '.cache', images)
    (archive / 'a' / 'deep' / 'up').symlink_to(archive)
    assert len(names(archive, without=archive / 'out')) == 4


def test_a_folder_whose_recorder_died_is_one_bag(archive):
    shutil.move(archive / 'a' / 'run2', archive / 'a' / 'bag')
    bag = archive / 'a' / 'bag'
    (bag / 'metadata.yaml').unlink()
    (bag / 'run2.mcap').rename(bag / 'bag_0.mcap')
    shutil.copy(bag / 'bag_0.mcap', bag / 'bag_1.mcap')
    assert is_bag(bag)
    assert names(bag) == [('bag', 'bag')]
    # names that rosbag2 does not give: recordings that lie in a folder
    (bag / 'bag_1.mcap').rename(bag / 'other.mcap')
    assert names(bag) == [('bag_0.mcap', 'bag'), ('other.mcap', 'bag')]


def test_another_metadata_yaml_makes_no_bag(tmp_path, images):
    pictures(tmp_path / 'p', images)
    (tmp_path / 'p' / 'metadata.yaml').write_text('author: me\n')
    assert names(tmp_path / 'p') == [('p', 'pictures')]


def test_the_fingerprint_tells_another_input(archive):
    (recording,) = find_recordings([archive / 'a' / 'run2'])
    before = recording.fingerprint()
    assert recording.fingerprint() == before
    os.utime(recording.files[-1], ns=(0, 0))
    assert recording.fingerprint() != before
    recording.files[-1].unlink()
    with pytest.raises(SourceError, match='cannot be read'):
        recording.fingerprint()
