# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nobody waits for a viewer; a file gets everything."""

import os
import signal
import threading
import time

import pytest
import rerun  # noqa: F401 - skipped without
from viewer_shots import made_shot

from headpose_ros.attention import AttentionResult, HeadEvent, HeadEventType
from headpose_ros.media.files import SinkError
from headpose_ros.viewer import ViewerError
from headpose_ros.viewer.feeds import QUEUED, Feed, LiveView, RecordingFile

SHOTS = [made_shot(number * 10**8, []) for number in range(50)]


class Sink:
    """Takes shots only while `open`."""

    def __init__(self):
        self.taken = []
        self.open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, shot):
        self.reached.set()
        self.open.wait()
        self.taken.append(shot)


def test_a_file_gets_every_shot_in_order():
    sink, ended = Sink(), []
    sink.open.set()
    feed = Feed(sink, lambda: ended.append(len(sink.taken)), lossless=True)
    for shot in SHOTS:
        feed.put(shot)
    assert feed.close()
    assert sink.taken == SHOTS
    assert ended == [len(SHOTS)]
    assert feed.left_out == 0


def test_a_viewer_that_stands_still_holds_nothing_up_and_gets_the_newest():
    sink = Sink()
    feed = Feed(sink, max_rate_hz=1e9)
    feed.put(SHOTS[0])
    sink.reached.wait()
    for shot in SHOTS[1:]:
        feed.put(shot)  # returns, though the sink takes nothing
    assert feed.left_out == len(SHOTS) - 1 - QUEUED
    assert not feed.close(patience=0.01)
    sink.open.set()
    assert feed.close()
    assert sink.taken == [SHOTS[0], *SHOTS[-QUEUED:]]


def test_a_viewer_gets_no_more_images_a_second_than_asked_for(monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, 'monotonic', lambda: now)
    sink = Sink()
    sink.open.set()
    feed = Feed(sink, max_rate_hz=10.0)
    for shot in SHOTS:
        sink.reached.clear()
        taken = feed.left_out
        feed.put(shot)
        if feed.left_out == taken:
            sink.reached.wait()  # the queue is not what leaves any out
        now += 1 / 30
    feed.close()
    assert len(sink.taken) == pytest.approx(len(SHOTS) / 3, abs=2)


@pytest.mark.parametrize('lossless', [False, True])
def test_a_sink_that_fails_ends_the_feed_and_nothing_else(lossless):
    def fail(shot):
        raise OSError('no more')

    feed = Feed(fail, lossless=lossless, max_rate_hz=1e9)
    for shot in SHOTS:
        feed.put(shot)
    assert feed.close()
    assert str(feed.error) == 'no more'
    feed.put(SHOTS[0])


def test_a_file_that_cannot_be_written_is_told_at_once(tmp_path):
    with pytest.raises(SinkError, match='does not exist'):
        RecordingFile(tmp_path / 'nowhere' / 'x.rrd')
    with pytest.raises(SinkError, match='is a folder'):
        RecordingFile(tmp_path)


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    recording = RecordingFile(tmp_path / 'x.rrd')
    with monkeypatch.context() as patch:
        patch.setattr('headpose_ros.media.files.MIN_FREE_BYTES', 1 << 60)
        with pytest.raises(SinkError, match='left on its disk'):
            recording.put(SHOTS[0])
    recording.close()


def test_without_rerun_one_line_says_which_extra_brings_it(monkeypatch, tmp_path):
    import importlib.util

    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name == 'rerun' else there(name)
    )
    for start in (LiveView, lambda: RecordingFile(tmp_path / 'x.rrd')):
        with pytest.raises(ViewerError, match=r"pip install 'headpose_ros\[viewer\]'"):
            start()


def test_events_of_images_that_are_left_out_are_shown_with_the_next(monkeypatch):
    shown = []
    monkeypatch.setattr(
        'headpose_ros.viewer.scene.Scene.log', lambda self, shot, events: shown.extend(events)
    )
    events = [HeadEvent(float(n), 'a', HeadEventType.NODDED) for n in range(5)]
    with LiveView(max_rate_hz=0.001) as live:
        for number, event in enumerate(events):
            attention = AttentionResult(float(number), (), (), (event,))
            if number == 4:
                live._feed._next = 0.0  # time goes on
            live.put(made_shot(number * 10**9, [], attention=attention))
            while number == 0 and not live.taken:
                time.sleep(0.01)
    assert shown == events


def server_of(live):
    """Return the process ids of the viewer's server and of Rerun's."""
    own = live._web._process.pid
    with open(f'/proc/{own}/task/{own}/children') as children:
        return own, int(children.read().split()[0])


def is_alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def test_a_server_that_stops_or_dies_holds_nothing_up():
    # Big shots, so that what lies between this process and the server is full soon.
    noise = os.urandom(3_000_000)
    image = b'\xff\xd8\xff\xc0\x00\x11\x08\x00\xf0\x01\x40' + noise
    live = LiveView(max_rate_hz=1e9)
    own, rerun_pid = server_of(live)
    big = [made_shot(number * 10**8, []) for number in range(200)]
    for shot in big:
        object.__setattr__(shot, 'image', image)
    live.put(big[0])
    while not live.taken:
        time.sleep(0.01)
    os.kill(rerun_pid, signal.SIGSTOP)
    for shot in big[1:]:
        live.put(shot)
        time.sleep(0.002)
    live.close()
    assert not live.is_open
    assert not is_alive(own)
    assert not is_alive(rerun_pid)
    live.put(big[0])


def test_the_servers_end_with_the_one_who_started_them():
    live = LiveView()
    own, rerun_pid = server_of(live)
    os.kill(own, signal.SIGKILL)
    live._web._process.wait()
    while is_alive(rerun_pid):
        time.sleep(0.01)
    assert not live.is_open
    live.put(SHOTS[0])
    live.close()
