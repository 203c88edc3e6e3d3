# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of every kind give what they hold; damaged ones as far as it goes, and say so."""

import re
import shutil
import sqlite3
import struct
from contextlib import closing

import numpy as np
import pytest
from made_archive import (
    JAZZY,
    START_NS,
    camera_bag,
    frames,
    small_bags,
    truncate,
)
from rosbags import rosbag1
from rosbags.rosbag2 import CompressionMode, StoragePlugin

from headpose_ros.media.frames import SourceError
from headpose_ros.media.image_messages import to_bgr
from headpose_ros.recordings.bag import Bag
from headpose_ros.recordings.finding import bag_recording

TOPIC = '/camera/image_raw'


def read(path, topics=(TOPIC,), **limits):
    """Return the images and what was told of damage."""
    with Bag(bag_recording(path, path.name)) as bag:
        found = [to_bgr(bag.decode(message)) for message in bag.messages(topics, **limits)]
        return found, bag.damage


def same(found, expected):
    return len(found) == len(expected) and all(map(np.array_equal, found, expected))


@pytest.fixture(
    params=['mcap', 'mcap_zstd', 'sqlite', 'sqlite_message', 'mcap_file', 'noetic.bag']
)
def any_bag(request, tmp_path):
    small_bags(tmp_path)
    return tmp_path / request.param


def test_every_kind_gives_its_images(any_bag):
    found, damage = read(any_bag, ['/a/image_raw'])
    assert same(found, frames(4, size=(64, 48)))
    assert damage == []


def test_time_limits_hold(any_bag):
    second, last = START_NS + 40_000_000, START_NS + 120_000_000
    found, _ = read(any_bag, ['/a/image_raw'], start_ns=second, stop_ns=last)
    assert same(found, frames(4, size=(64, 48))[1:3])


@pytest.mark.parametrize('share', [0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize('storage', ['mcap', 'sqlite', 'ros1'])
def test_a_file_that_is_cut_off_gives_what_it_holds(tmp_path, storage, share):
    images = frames(20, size=(320, 240))
    path = tmp_path / ('bag.bag' if storage == 'ros1' else 'bag')
    plugin = StoragePlugin.SQLITE3 if storage == 'sqlite' else StoragePlugin.MCAP
    camera_bag(path, images, storage=plugin)
    file = path if storage == 'ros1' else next(p for p in path.iterdir() if p.suffix != '.yaml')
    truncate(file, share)
    found, damage = read(path)
    # chunks of a megabyte hold four images
    assert share * len(images) - 5 <= len(found) <= len(images)
    assert same(found, images[: len(found)])
    assert damage


def test_a_bag_of_ros_1_whose_recorder_died(tmp_path, images):
    camera_bag(tmp_path / 'run.bag', images)
    data = bytearray((tmp_path / 'run.bag').read_bytes())
    at = data.index(b'index_pos=') + len(b'index_pos=')
    index = struct.unpack('<Q', data[at : at + 8])[0]
    data[at : at + 8] = bytes(8)
    path = tmp_path / 'run.bag.active'
    path.write_bytes(data[:index])
    found, damage = read(path)
    assert same(found, images)
    assert damage == []  # nothing is lost: it only has no index


@pytest.mark.parametrize('kind', ['BZ2', 'LZ4'])
def test_a_compressed_bag_of_ros_1_that_is_cut_off(tmp_path, kind):
    images = frames(12, size=(320, 240))
    path = tmp_path / 'run.bag'
    camera_bag(path, images, compression=rosbag1.Writer.CompressionFormat[kind])
    assert same(read(path)[0], images)
    truncate(path, 0.8)
    found, damage = read(path)
    assert 4 <= len(found) < 12
    assert same(found, images[: len(found)])
    assert damage


def test_a_folder_without_metadata_and_with_a_lost_file(tmp_path, images):
    camera_bag(tmp_path / 'run', images)
    camera_bag(tmp_path / 'more', images[::-1], start_ns=START_NS + 10**9)
    run = tmp_path / 'run'
    (run / 'run.mcap').rename(run / 'run_0.mcap')
    shutil.copy(tmp_path / 'more' / 'more.mcap', run / 'run_1.mcap')
    text = (run / 'metadata.yaml').read_text()
    (run / 'metadata.yaml').unlink()
    found, damage = read(run)
    assert same(found, images + images[::-1])
    assert damage == ['metadata.yaml is missing: all storage files are read']
    listed = re.sub('  - run.mcap', '  - run_0.mcap\n  - run_2.mcap\n  - run_1.mcap', text)
    (run / 'metadata.yaml').write_text(listed)
    found, damage = read(run)
    assert same(found, images + images[::-1])
    assert damage == ['run_2.mcap is missing']
    (run / 'metadata.yaml').write_text('rosbag2_bagfile_information: [')
    found, damage = read(run)
    assert len(found) == 12
    assert 'cannot be used' in damage[0]


def test_a_damaged_chunk_costs_only_itself(tmp_path):
    images = frames(20, size=(320, 240))
    camera_bag(tmp_path / 'run', images, compression=CompressionMode.STORAGE)
    file = tmp_path / 'run' / 'run.mcap'
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    found, damage = read(tmp_path / 'run')
    assert 12 <= len(found) < 20
    assert any('damaged' in note for note in damage)


def test_a_damaged_page_costs_only_some_messages(tmp_path):
    images = frames(20, size=(320, 240))
    camera_bag(tmp_path / 'run', images, storage=StoragePlugin.SQLITE3)
    file = tmp_path / 'run' / 'run.db3'
    size = 4096
    with sqlite3.connect(file) as database:
        (pages,) = database.execute('PRAGMA page_count').fetchone()
    data = bytearray(file.read_bytes())
    # leaves of the table, which hold the first bytes of messages, among pages of pixels
    leaves = [i for i in range(3, pages) if data[i * size] == 0x0D and data[i * size + 1] == 0]
    victim = leaves[len(leaves) // 2]
    data[victim * size : victim * size + 8] = b'\xff' * 8
    file.write_bytes(data)
    found, damage = read(tmp_path / 'run')
    assert len(found) >= 5
    assert damage


def test_an_mcap_of_another_program_is_read(tmp_path, images):
    camera_bag(tmp_path / 'run', images)
    file = tmp_path / 'run' / 'run.mcap'
    data = file.read_bytes().replace(b'\x04\0\0\0ros2', b'\x04\0\0\0rosx', 1)
    loose = tmp_path / 'loose.mcap'
    loose.write_bytes(data)
    found, damage = read(loose)
    assert same(found, images)
    assert damage == []


@pytest.mark.parametrize('content', [b'', b'\0' * 100, b'#ROSBAG V2.0\n', b'\x89MCAP0\r\n'])
@pytest.mark.parametrize('suffix', ['.mcap', '.db3', '.bag'])
def test_what_is_no_bag_is_told(tmp_path, suffix, content):
    path = tmp_path / f'x{suffix}'
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f'x{suffix}: cannot be read'):
        Bag(bag_recording(path, 'x'))


def test_what_a_file_says_of_its_types_is_not_executed(tmp_path, images):
    # The definitions in a file are text of whoever wrote it; ours are used.
    store = JAZZY
    camera_bag(tmp_path / 'run', images)
    file = tmp_path / 'run' / 'run.mcap'
    text, _ = store.generate_msgdef('sensor_msgs/msg/Image', ros_version=2)
    harm = text.replace('uint32 height', 'evil_ height!')
    data = file.read_bytes().replace(text.encode(), harm.encode())
    assert data.count(harm.encode()) == 2
    file.write_bytes(data)
    assert same(read(tmp_path / 'run')[0], images)


def test_a_database_whose_log_is_not_merged_yet(tmp_path, images):
    camera_bag(tmp_path / 'run', images, storage=StoragePlugin.SQLITE3)
    source = tmp_path / 'run' / 'run.db3'
    with closing(sqlite3.connect(source)) as database:
        database.execute('PRAGMA journal_mode=WAL')
        database.execute('PRAGMA wal_autocheckpoint=0')
        database.execute(
            'INSERT INTO messages (topic_id, timestamp, data) '
            'SELECT topic_id, timestamp + 1000000000, data FROM messages'
        )
        database.commit()
        # as a recorder that was killed leaves them
        killed = tmp_path / 'killed'
        killed.mkdir()
        for file in ('run.db3', 'run.db3-wal'):
            shutil.copy(tmp_path / 'run' / file, killed / file)
    found, damage = read(killed / 'run.db3')
    assert len(found) == 2 * len(images)
    assert 'log' in damage[0]
