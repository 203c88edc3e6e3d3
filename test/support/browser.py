# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium of the machine, for tests of the viewer."""

import contextlib
import io
import os
import shutil
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
OPTIONS = (
    '--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
    '--ignore-gpu-blocklist', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run', '--disable-default-apps', '--mute-audio',
)  # fmt: skip
PATIENCE = 600.0
"""Seconds: without a GPU, on a busy machine, the viewer takes minutes for its first image."""


def chromium():
    """Return the browser's path; skip where there is none, unless HEADPOSE_BROWSER asks for it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and not os.environ.get('HEADPOSE_BROWSER'):
        pytest.skip('no Chromium here (Debian: apt install chromium)')
    assert found, 'HEADPOSE_BROWSER is set, and there is no Chromium'
    return found


class Watched:
    """A page, and what it asked for and complained of."""

    def __init__(self, page):
        self.page = page
        self.requests, self.loaded, self.complaints = [], [], []
        page.on('request', lambda request: self.requests.append(request.url))
        page.on('requestfailed', lambda request: self.requests.append(request.url))
        page.on('requestfinished', lambda request: self.loaded.append(request.url))
        page.on('pageerror', lambda error: self.complaints.append(str(error)))
        page.on('console', self._hear)

    def _hear(self, message):
        if message.type == 'error':
            self.complaints.append(message.text)

    @property
    def hosts(self):
        """The hosts that the page asked for anything."""
        return {urlsplit(url).hostname for url in self.requests if not url.startswith('data:')}

    def pixels(self):
        """Return the page as (H,W,3) RGB."""
        data = self.page.screenshot(timeout=1e3 * PATIENCE)
        return np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))

    def wait_until(self, holds):
        """Wait until `holds(pixels)`; return the pixels, or fail with the last ones saved."""
        end = time.monotonic() + PATIENCE
        while True:
            pixels = self.pixels()
            if holds(pixels):
                return pixels
            if time.monotonic() > end:
                Image.fromarray(pixels).save('out/browser.png')
                pytest.fail('the page does not show it; its last state: out/browser.png')
            self.page.wait_for_timeout(1000)


@contextlib.contextmanager
def page_of(url, width=900, height=560):
    """Open a page in a browser of its own, with a profile of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        try:
            watched = Watched(browser.new_page(viewport={'width': width, 'height': height}))
            watched.page.goto(url, timeout=1e3 * PATIENCE)
            yield watched
        finally:
            browser.close()


def share_of(pixels, colour, tolerance=25):
    """Return the share of the pixels that have about this colour (R, G, B)."""
    near = np.abs(pixels.astype(int) - np.array(colour)).max(axis=2) <= tolerance
    return float(near.mean())
