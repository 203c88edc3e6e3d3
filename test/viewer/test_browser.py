# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The viewer in a real browser: what it draws, what it asks of the network, going back in time."""

import time

import pytest
import rerun  # noqa: F401 - skipped without
from browser import chromium, page_of, share_of
from viewer_shots import made_head, made_shot

from headpose_ros.viewer.feeds import LiveView
from headpose_ros.viewer.head_marks import rgb

RED, BLUE = (30, 30, 200), (200, 60, 30)  # B, G, R
SECOND = 1_000_000_000
PEOPLE = ('f0001', 'f0002')


def parts(pixels):
    """Return image, space and plots of the layout."""
    height, width = pixels.shape[:2]
    top, middle, bottom = round(0.14 * height), round(0.56 * height), round(0.95 * height)
    above = pixels[top:middle]
    half = width // 2
    return above[:, : half - 4], above[:, half + 4 :], pixels[middle:bottom]


def shows(pixels, colour):
    return share_of(parts(pixels)[0], colour[::-1]) > 0.2


@pytest.mark.timeout(1500)
def test_the_browser_shows_the_scene_and_goes_back_in_time():
    chromium()
    with LiveView(max_rate_hz=1e9) as live:
        for number in range(40):
            heads = [
                made_head(PEOPLE[0], 0.02 * number, (-0.25, 0.0, 1.2)),
                made_head(PEOPLE[1], -0.02 * number, (0.25, 0.1, 1.5)),
            ]
            shot = made_shot(number * SECOND // 10, heads, RED if number < 20 else BLUE)
            while live.taken < number:  # so that none is left out
                time.sleep(0.005)
            live.put(shot)
        live.finish()
        with page_of(live.url) as watched:
            pixels = watched.wait_until(lambda pixels: shows(pixels, BLUE))
            pixels = watched.wait_until(
                lambda pixels: all(share_of(parts(pixels)[2], rgb(id_)) > 5e-4 for id_ in PEOPLE)
            )
            image, space, plots = parts(pixels)
            for id_ in PEOPLE:
                assert share_of(image, rgb(id_)) > 5e-4, 'the box'
                assert share_of(space, rgb(id_)) > 5e-4, 'the face and its line of sight'
                assert share_of(plots, rgb(id_)) > 5e-4, 'the lines of the plots'
            for axis in ((255, 60, 60), (60, 220, 60), (60, 140, 255)):
                assert share_of(image, axis, 40) > 1e-5
            assert share_of(space, BLUE[::-1], 40) > 0.005, "the camera's image in space"
            height, width = pixels.shape[:2]
            watched.page.mouse.click(0.36 * width, height - 14)
            watched.wait_until(lambda pixels: shows(pixels, RED))
            assert watched.hosts == {'localhost'}
            assert watched.complaints == []
