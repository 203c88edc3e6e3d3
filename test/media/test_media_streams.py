# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams from the network: what they give, and every way in which they fail."""

import functools
import http.server
import socket
import threading
import time

import cv2
import numpy as np
import pytest

from headpose_ros.media import live
from headpose_ros.media.sources import SourceError, is_live, open_source

URL = 'rtsp://somebody:secret@camera.local:554/live?token=1'


class FakeStream:
    """A camera in the network that sends `count` images, then breaks off.

    `gate` is set when the next image may come; an open gate lets all through.
    """

    count = 5
    shape = (48, 64, 3)
    opens = True
    stated = 12.5
    length = 0

    def __init__(self, url, backend=None, limits=()):
        self.sent = 0
        self.released = False
        FakeStream.last = self

    def isOpened(self):
        return self.opens

    def get(self, what):
        return {
            cv2.CAP_PROP_FPS: self.stated,
            cv2.CAP_PROP_FRAME_COUNT: self.length,
            cv2.CAP_PROP_POS_MSEC: 40.0 * self.sent,
        }[what]

    def read(self):
        self.gate.wait(5)
        if self.sent >= self.count:
            return False, None
        self.sent += 1
        return True, np.full(self.shape, self.sent % 256, np.uint8)

    def release(self):
        self.released = True


@pytest.fixture
def stream(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeStream)
    monkeypatch.setattr(FakeStream, 'gate', threading.Event(), raising=False)
    FakeStream.gate.set()
    return FakeStream


def test_a_stream_that_breaks_off_is_told_without_its_password(stream):
    source = open_source(URL)
    assert (source.width, source.height, source.rate_hz) == (64, 48, 12.5)
    assert source.frame_count is None
    assert source.name == 'rtsp://camera.local:554/live'
    frames = []
    with pytest.raises(SourceError) as failed:
        frames.extend(source)
    assert 'rtsp://camera.local:554/live: the stream broke off' in str(failed.value)
    assert f'after {len(frames)} images' in str(failed.value)
    assert 'secret' not in str(failed.value)
    assert frames[-1].image_bgr[0, 0, 0] == 5, 'the last image is not lost'
    assert frames[0].time == 0.0


def test_who_is_slow_gets_the_newest_image(stream, monkeypatch):
    monkeypatch.setattr(stream, 'count', 10**6)
    with open_source(URL) as source:
        frames = iter(source)
        first = next(frames)
        before = stream.last.sent
        while stream.last.sent < before + 20 and source._reader.is_alive():
            time.sleep(0.001)
        second = next(frames)
        assert (first.index, second.index) == (0, 1)
        assert stream.last.sent > before + 19
        assert second.time > first.time
    assert stream.last.released


def test_of_a_file_on_a_server_no_image_is_left_out(stream, monkeypatch):
    monkeypatch.setattr(stream, 'length', 5)
    with open_source('https://example.org/clip.mp4') as source:
        assert source.frame_count == 5
        frames = []
        for frame in source:
            time.sleep(0.005)
            frames.append(frame)
    assert [frame.image_bgr[0, 0, 0] for frame in frames] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose([frame.time for frame in frames], 0.04 * np.arange(5))


def test_a_file_on_a_server_that_breaks_off(stream, monkeypatch):
    monkeypatch.setattr(stream, 'length', 50)
    with (
        open_source('http://example.org/clip.mp4') as source,
        pytest.raises(SourceError, match='broke off, or ended, after 5 images'),
    ):
        list(source)


def test_a_stream_that_cannot_be_opened(stream, monkeypatch):
    monkeypatch.setattr(stream, 'opens', False)
    with pytest.raises(SourceError, match='cannot be opened; is the address right'):
        open_source(URL)


def test_a_stream_that_falls_silent(stream, monkeypatch):
    monkeypatch.setattr(stream, 'count', 10**6)
    with open_source(URL, timeout=0.2) as source:
        frames = iter(source)
        next(frames)
        stream.gate.clear()
        with pytest.raises(SourceError, match=r'no image came for 0\.2 s'):
            list(frames)
        stream.gate.set()


def test_a_stream_that_never_answers(stream):
    stream.gate.clear()
    with pytest.raises(SourceError, match=r'no image came for 0\.2 s'):
        open_source(URL, timeout=0.2)
    stream.gate.set()


def test_a_stream_whose_images_make_no_sense(stream, monkeypatch):
    monkeypatch.setattr(stream, 'shape', (48, 64, 7))
    with pytest.raises(SourceError, match='cannot be read: image: expected uint8'):
        open_source(URL)


def test_a_stream_without_a_rate(stream, monkeypatch):
    monkeypatch.setattr(stream, 'stated', 90000.0)
    assert open_source(URL).rate_hz == live.STREAM_RATE_HZ
    assert open_source(URL, rate=7.0).rate_hz == 7.0


def test_a_closed_stream(stream):
    source = open_source(URL)
    source.close()
    source.close()
    with pytest.raises(SourceError, match='is closed'):
        next(iter(source))


def test_addresses_of_other_kinds():
    with pytest.raises(SourceError, match='gopher:// cannot be read; these can: rtsp://'):
        open_source('gopher://camera.local/live')
    with pytest.raises(ValueError, match='timeout: expected a positive'):
        open_source(URL, timeout=0)


def test_what_is_live(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_live(URL)
    assert is_live('0')
    assert is_live('/dev/video3')
    assert not is_live('clip.mp4')
    (tmp_path / '7').touch()
    assert not is_live('7'), 'a file of this name comes first'


@pytest.fixture
def server(tmp_path):
    """Return the address of a server of this machine, with clip.avi, and half of it."""
    writer = cv2.VideoWriter(
        str(tmp_path / 'clip.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (64, 48)
    )
    for i in range(12):
        writer.write(np.full((48, 64, 3), 20 * i, np.uint8))
    writer.release()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{httpd.server_address[1]}'
        httpd.shutdown()


def test_a_real_server(server):
    with open_source(f'{server}/clip.avi') as source:
        frames = list(source)
    means = [frame.image_bgr.mean() for frame in frames]
    np.testing.assert_allclose(means, 20 * np.arange(12), atol=4)


def test_a_real_server_without_the_file(server, capfd):
    with pytest.raises(SourceError, match=r'none\.avi: cannot be opened'):
        open_source(f'{server}/none.avi')


def test_a_real_server_that_accepts_and_says_nothing(capfd):
    with socket.create_server(('127.0.0.1', 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(SourceError, match=f'127.0.0.1:{port}'):
            open_source(f'http://127.0.0.1:{port}/live', timeout=0.5)
