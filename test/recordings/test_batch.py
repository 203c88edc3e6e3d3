# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose batch` on an archive of twelve recordings of every kind."""

import csv
import json
import os
import shutil

import cv2
import numpy as np
import pandas
import pytest
from made_archive import (
    PERIOD_NS,
    START_NS,
    BagMaker,
    camera_bag,
    frames,
    make_archive,
    pictures,
    truncate,
    two_camera_bag,
)
from rosbags.highlevel import AnyReader
from rosbags.typesys import get_types_from_msg

from headpose_ros.cli.main import main
from headpose_ros.geometry.rotations import matrix_from_quaternion
from headpose_ros.recordings.definitions import DEFINITIONS
from headpose_ros.recordings.pose_tables import read_about

COUNT = 16
OUTPUTS = ('--csv', '--bags', '--preview', '--events')
POSE = ('x', 'y', 'z', 'qx', 'qy', 'qz', 'qw', 'confidence', 'facing_deg', 'roi_x', 'roi_width')


def batch(*arguments):
    return main(['batch', *map(str, arguments)])


@pytest.fixture(scope='module')
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp('archive')
    make_archive(folder, COUNT)
    return folder


@pytest.fixture(scope='module')
def out(archive, tmp_path_factory):
    """The results of one call for the whole archive."""
    folder = tmp_path_factory.mktemp('results')
    assert batch(archive, '--out', folder, *OUTPUTS, '--jobs', 2) == 1
    return folder


def table(out, what='heads'):
    return pandas.read_parquet(out / what)


def test_one_call_does_all_and_tells_what_failed(archive, out, capsys):
    # Begun again: nothing is left to do but what failed.
    assert batch(archive, '--out', out, *OUTPUTS) == 1
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line for line in printed.splitlines()}
    assert len([line for line in lines.values() if 'done before' in line]) == 12  # and the sums
    assert 'FAILED' in lines['robot/09_empty.mcap']
    assert 'empty' in lines['robot/09_empty.mcap']
    assert 'no index to use' in lines['robot/07_truncated']
    assert 'nothing says the lens' in lines['robot/08_no_camera_info']
    assert printed.splitlines()[-1].startswith('12 recordings: 11 done before, 1 failed;')
    journal = [json.loads(line) for line in (out / 'journal.jsonl').read_text().splitlines()]
    done = [line['recording'] for line in journal if line['state'] == 'done']
    assert len(done) == len(set(done)) == 11


def test_the_tables_hold_every_recording_and_camera(out):
    heads, images = table(out), table(out, 'images')
    assert heads.recording.nunique() == images.recording.nunique() == 11
    two = heads[heads.recording == 'robot/06_two_cameras']
    assert set(two.topic) == {'/left/image_raw', '/right/image_raw/compressed'}
    counted = heads.groupby(['recording', 'topic']).size()
    stated = images.groupby(['recording', 'topic']).heads.sum()
    assert (counted == stated).all()
    whole = images[~images.recording.str.contains('truncated')]
    assert (whole.groupby(['recording', 'topic']).size() == COUNT).all()
    assert not (out / 'work').exists()


@pytest.mark.parametrize(
    'name', ['robot/01_mcap', 'robot/02_sqlite', 'robot/04_zstd_file', 'robot/05_zstd_message',
             'robot/10_ros1.bag'],
)  # fmt: skip
def test_all_ways_of_storing_the_same_images_give_the_same_heads(out, name):
    heads = table(out)
    reference = heads[heads.recording == 'robot/01_mcap']
    found = heads[heads.recording == name]
    assert np.array_equal(found[[*POSE]].to_numpy(), reference[[*POSE]].to_numpy())
    assert list(found.id) == list(reference.id)
    assert list(found.stamp_ns) == list(reference.stamp_ns)


@pytest.mark.parametrize('name', ['11_video.mkv', '12_pictures', 'robot/01_mcap', 'robot/03_jpeg'])
def test_the_heads_are_those_of_headpose_video(archive, out, tmp_path, name):
    assert main(['video', str(archive / name), '--csv', str(tmp_path / 'v.csv')]) == 0
    video = pandas.read_csv(tmp_path / 'v.csv')
    heads = table(out)
    found = heads[heads.recording == name]
    assert len(found) == len(video) > 0
    assert list(found.id) == list(video.id)
    assert list(found.stamp_ns) == list(video.stamp_ns)
    # the CSV file has six decimals of metres
    assert (
        np.abs(found[['x', 'y', 'z']].to_numpy() - video[['x', 'y', 'z']].to_numpy()).max() < 1e-5
    )
    assert np.abs(found.facing_deg.to_numpy() - video.facing_deg.to_numpy()).max() < 2e-3


def test_the_metadata_say_how_a_table_was_made(out):
    (path,) = out.glob('heads/recording=robot%2F01_mcap/topic=*/part-0.parquet')
    about = read_about(path)
    assert about['recording'] == 'robot/01_mcap'
    assert about['camera']['fx'] == 280.0
    assert about['lens_from'] == ['camera_info']
    assert 'sha256:' in about['weights']['estimator']
    assert about['pipeline']['detect_every'] == 10
    assert about['version']


def test_csv_holds_the_same_rows(out):
    (path,) = out.glob('csv/recording=robot%2F01_mcap/topic=*/heads.csv')
    with path.open(newline='') as file:
        rows = list(csv.DictReader(file))
    heads = table(out)
    found = heads[heads.recording == 'robot/01_mcap']
    assert [row['id'] for row in rows] == list(found.id)
    assert rows[0]['topic'] == '/camera/image_raw'
    assert float(rows[-1]['x']) == pytest.approx(found.x.iloc[-1], abs=1e-6)


def test_events_are_told_once_with_the_stamps_of_images(out):
    events, images = table(out, 'events'), table(out, 'images')
    assert events.recording.nunique() == 11
    one = events[events.recording == 'robot/01_mcap']
    assert list(one[one.event == 'ENTERED'].id) == ['f0001', 'f0002', 'f0003']
    assert list(one[one.event == 'LEFT'].id) == ['f0001', 'f0002', 'f0003']
    assert set(one.stamp_ns) <= set(images[images.recording == 'robot/01_mcap'].stamp_ns)
    (path,) = out.glob('csv/recording=robot%2F01_mcap/topic=*/events.csv')
    assert len(pandas.read_csv(path)) == len(one)


def test_previews_show_each_camera(out):
    sheets = list(out.glob('previews/recording=*/topic=*/sheet.jpg'))
    assert len(sheets) == 12
    (sheet,) = out.glob('previews/recording=robot%2F01_mcap/topic=*/sheet.jpg')
    sheet = cv2.imread(str(sheet))
    assert sheet.shape == (2 * 240, 4 * 320, 3)  # every second of 16 images


def test_bags_hold_the_heads_with_their_definitions(out):
    (folder,) = out.glob('bags/recording=robot%2F06_two_cameras/*')
    with AnyReader([folder]) as reader:
        topics = {connection.topic: connection for connection in reader.connections}
        assert set(topics) == {
            '/left/headpose/heads', '/right/headpose/heads', '/left/headpose/events',
            '/right/headpose/events', '/tf',
        }  # fmt: skip
        messages = [
            (connection.topic, time_ns, reader.deserialize(data, connection.msgtype))
            for connection, time_ns, data in reader.messages()
        ]
    heads = table(out)
    heads = heads[(heads.recording == 'robot/06_two_cameras') & (heads.topic == '/left/image_raw')]
    left = [message for topic, _, message in messages if topic == '/left/headpose/heads']
    assert len(left) == COUNT
    assert [head.id for message in left for head in message.heads] == list(heads.id)
    head, row = left[-1].heads[-1], heads.iloc[-1]
    assert head.pose.pose.position.x == row.x
    assert head.pose.covariance.reshape(6, 6)[0, 0] > 0
    assert head.facing_angle == pytest.approx(np.radians(row.facing_deg), rel=1e-6)
    assert left[-1].principal_id in set(heads.id)
    assert left[0].header.frame_id == 'left'
    frames_seen = {
        t.child_frame_id for topic, _, m in messages if topic == '/tf' for t in m.transforms
    }
    assert {'left_image_raw/face_f0001', 'right_image_raw/gaze_f0001'} <= frames_seen
    transforms = [t for topic, _, m in messages if topic == '/tf' for t in m.transforms]
    face, gaze = transforms[0].transform.rotation, transforms[1].transform.rotation
    turn = [matrix_from_quaternion([q.x, q.y, q.z, q.w]) for q in (face, gaze)]
    assert turn[1][:, 2] == pytest.approx(turn[0][:, 0])  # the gaze's z is out of the face
    assert turn[1][:, 0] == pytest.approx(-turn[0][:, 1])
    told = [message for topic, _, message in messages if topic == '/left/headpose/events']
    events = table(out, 'events')
    own = events[
        (events.recording == 'robot/06_two_cameras') & (events.topic == '/left/image_raw')
    ]
    assert [message.id for message in told] == list(own.id)
    assert told[0].type == told[0].ENTERED
    assert told[0].header.frame_id == 'left'


def test_the_definitions_are_those_of_the_messages():
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2] / 'msg'
    for name, text in DEFINITIONS.items():
        own = get_types_from_msg(text, name)
        assert own == get_types_from_msg(
            (folder / f'{name.rpartition("/")[2]}.msg').read_text(), name
        )


def test_merged_bags_hold_the_original_too(tmp_path):
    images = frames(6)
    two_camera_bag(tmp_path / 'run', images, images)
    out = tmp_path / 'out'
    assert batch(tmp_path / 'run', '--out', out, '--bags', 'merged', '--jobs', 1) == 0
    (folder,) = out.glob('bags/recording=run/run')
    with AnyReader([tmp_path / 'run']) as reader:
        original = {(c.topic, t, bytes(d)) for c, t, d in reader.messages()}
    with AnyReader([folder]) as reader:
        merged = [(c.topic, t, bytes(d)) for c, t, d in reader.messages()]
    assert original <= set(merged)
    added = [topic for topic, _, _ in merged if (topic.endswith('heads'))]
    assert len(added) == 12
    assert [t for _, t, _ in merged] == sorted(t for _, t, _ in merged)


def test_a_bag_of_ros_1_is_not_merged(tmp_path, capsys):
    camera_bag(tmp_path / 'run.bag', frames(3))
    assert batch(tmp_path / 'run.bag', '--out', tmp_path / 'out', '--bags', 'merged') == 1
    assert '--bags beside' in capsys.readouterr().out


@pytest.fixture
def small(tmp_path):
    """An archive of two short recordings."""
    folder = tmp_path / 'small'
    camera_bag(folder / 'a', frames(4))
    camera_bag(folder / 'b', frames(4, skip=8))
    return folder


def markers(out):
    return {path: path.stat().st_mtime_ns for path in out.glob('done/*/topic=*.json')}


def test_changed_options_and_inputs_are_told_and_done_again(small, tmp_path, capsys):
    out = tmp_path / 'out'
    assert batch(small, '--out', out, '--jobs', 1) == 0
    first = markers(out)
    assert len(first) == 2
    assert batch(small, '--out', out, '--jobs', 1, '--topics', '/camera/*') == 0
    assert markers(out) == first  # which topics are chosen changes nothing of their results
    capsys.readouterr()
    shutil.rmtree(small / 'b')
    camera_bag(small / 'b', frames(5, skip=8))
    assert batch(small, '--out', out, '--jobs', 1) == 0
    told = capsys.readouterr()
    assert 'b: the input or the options changed' in told.err
    assert 'a: ' not in told.err
    assert len(table(out, 'images')) == 9
    assert batch(small, '--out', out, '--jobs', 1, '--detect-every', '5') == 0
    assert 'a: the input or the options changed' in capsys.readouterr().err
    about = read_about(next(out.glob('heads/recording=a/topic=*/part-0.parquet')))
    assert about['pipeline']['detect_every'] == 5


def test_results_that_are_gone_are_made_again(small, tmp_path):
    out = tmp_path / 'out'
    assert batch(small, '--out', out, '--jobs', 1) == 0
    first = markers(out)
    next(out.glob('heads/recording=a/topic=*/part-0.parquet')).unlink()
    assert batch(small, '--out', out, '--jobs', 1) == 0
    assert len(table(out)) > 0
    assert len([path for path, time in markers(out).items() if first[path] == time]) == 1


def test_a_recording_that_cannot_be_read_any_more_leaves_nothing_that_looks_finished(
    small, tmp_path
):
    out = tmp_path / 'out'
    assert batch(small, '--out', out, '--jobs', 1) == 0
    (small / 'a' / 'a.mcap').write_bytes(b'')
    assert batch(small, '--out', out, '--jobs', 1) == 1
    assert list(out.rglob('recording=a/**/*.parquet')) == []
    assert list(out.rglob('done/recording=a/*')) == []
    assert set(table(out).recording) == {'b'}


def test_a_dry_run_tells_and_does_nothing(archive, tmp_path, capsys):
    assert batch(archive, '--out', tmp_path / 'none', '--dry-run') == 1
    printed = capsys.readouterr().out
    assert '/left/image_raw: 16 images, lens: /left/camera_info' in printed
    assert 'robot/09_empty.mcap: cannot be read' in printed
    assert '12 recordings' in printed.splitlines()[-1]
    assert not (tmp_path / 'none').exists()


def test_shards_share_the_work(small, tmp_path):
    out = tmp_path / 'out'
    for shard in ('1/2', '2/2'):
        before = markers(out)
        assert batch(small, '--out', out, '--jobs', 1, '--shard', shard) == 0
        assert len(markers(out)) == len(before) + 1


def test_pictures_by_themselves_may_have_any_size(tmp_path, capsys):
    pictures(tmp_path / 'p', [*frames(2), *frames(2, size=(200, 150))])
    out = tmp_path / 'out'
    assert batch(tmp_path / 'p', '--out', out, '--jobs', 1) == 0
    assert '--pictures single' in capsys.readouterr().out
    assert list(table(out, 'images').problem.isna()) == [True, True, False, False]
    assert batch(tmp_path / 'p', '--out', out, '--jobs', 1, '--pictures', 'single') == 0
    assert (table(out, 'images').heads > 0).all()


def test_long_recordings_are_split_and_joined(tmp_path):
    images = frames(40)
    # 40 images over 4 minutes, in parts of one: far apart in time, so that nobody is followed
    camera_bag(tmp_path / 'slow', images[:4])
    out = tmp_path / 'out'
    long = tmp_path / 'long'
    camera_bag_at(long, images * 5, period_ns=1_000_000_000)
    assert batch(long, '--out', out, '--jobs', 2, '--split', 60) == 0
    split = table(out, 'images')
    assert len(split) == 200
    assert split.stamp_ns.is_monotonic_increasing
    marker = json.loads(next(out.glob('done/recording=long/topic=*.json')).read_text())
    assert marker['images'] == 200
    assert not (out / 'work').exists()


def camera_bag_at(path, images, period_ns):
    from made_archive import START_NS, BagMaker

    with BagMaker(path) as bag:
        for index, image in enumerate(images):
            bag.image('/a/image', image, START_NS + index * period_ns)


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['--jobs', '0'], '--jobs'),
        (['--shard', '3/2'], '--shard'),
        (['--split', '3'], '--split'),
        (['--timeout', '0'], '--timeout'),
        (['--hfov', '190'], '--hfov'),
        (['--events', '--pictures', 'single'], '--events'),
    ],
)
def test_wrong_arguments_are_told(small, tmp_path, capsys, arguments, reason):
    assert batch(small, '--out', tmp_path / 'out', *arguments) == 2
    assert reason in capsys.readouterr().err


def test_a_missing_package_is_told_with_the_extra(small, tmp_path, capsys, monkeypatch):
    from headpose_ros.recordings import extras

    monkeypatch.setattr(extras.importlib.util, 'find_spec', lambda name: None)
    assert batch(small, '--out', tmp_path / 'out') == 2
    assert "pip install 'headpose_ros[batch]'" in capsys.readouterr().err


def test_images_of_more_than_8_bits_are_shown_as_a_stream(tmp_path):
    images = [
        (frame[..., 1].astype(np.uint16) * (3 + index)) for index, frame in enumerate(frames(6))
    ]
    with BagMaker(tmp_path / 'run') as bag:
        for index, image in enumerate(images):
            bag.image('/ir/image', image, START_NS + index * PERIOD_NS, encoding='mono16')
    out = tmp_path / 'out'
    assert batch(tmp_path / 'run', '--out', out, '--jobs', 1, '--hfov', 60) == 0
    csv_file = tmp_path / 'v.csv'
    assert main(['video', str(tmp_path / 'run'), '--hfov', '60', '--csv', str(csv_file)]) == 0
    video, heads = pandas.read_csv(csv_file), table(out)
    assert len(heads) == len(video) > 0
    assert np.abs(heads.x.to_numpy() - video.x.to_numpy()).max() < 1e-5


def test_names_that_are_no_utf_8(tmp_path):
    folder = os.fsencode(tmp_path) + b'/caf\xe9'
    pictures(tmp_path / 'plain', frames(2))  # OpenCV writes to no other
    os.rename(tmp_path / 'plain', folder)
    os.rename(folder + b'/0000.png', folder + b'/\xff0.png')
    out = tmp_path / 'out'
    assert batch(os.fsdecode(folder), '--out', out, '--jobs', 1, '--csv') == 0
    assert set(table(out, 'images').image) == {'\\udcff0.png', '0001.png'}


def test_one_image_is_a_picture_by_itself(tmp_path):
    camera_bag(tmp_path / 'run', frames(1))
    out = tmp_path / 'out'
    assert batch(tmp_path / 'run', '--out', out, '--jobs', 1, '--events') == 0
    assert len(table(out)) > 0
    assert len(table(out, 'events')) == 0


def test_a_truncated_video_gives_what_it_holds(tmp_path, capsys):
    from made_archive import video

    video(tmp_path / 'v.avi', frames(20))
    truncate(tmp_path / 'v.avi', 0.5)
    assert batch(tmp_path / 'v.avi', '--out', tmp_path / 'out', '--jobs', 1) == 0
    assert 'breaks off' in capsys.readouterr().out
    assert 5 <= len(table(tmp_path / 'out', 'images')) <= 12
