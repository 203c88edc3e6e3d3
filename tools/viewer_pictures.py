#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make the pictures of the viewer in the documentation, and the film at the top of the README.

`tools/viewer_pictures.py [film demo real ...]`: a headless Chromium (Debian: apt install chromium)
shows recordings, and is photographed. `real` needs ../shared/data (HEADPOSE_DATA). Minutes each.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'test' / 'support')]

from browser import page_of  # noqa: E402

from headpose_ros.cli.main import main as headpose  # noqa: E402
from headpose_ros.viewer.web_viewer import WebViewer  # noqa: E402

IMAGES = ROOT / 'docs' / 'images'
DATA = Path(os.environ.get('HEADPOSE_DATA', ROOT.parent / 'shared' / 'data'))
CLIP = ROOT / 'headpose_ros' / 'demo' / 'clip.mp4'
CLIP_OPTIONS = ['--camera-info', str(CLIP.with_name('clip_camera.yaml'))]
CLASSROOM = DATA / 'videos' / 'classroom'  # Intel sample-videos, CC BY 4.0
SIZE = (1280, 760)
FILM_SIZE, FILM_STEPS, FILM_STEP, FILM_STEP_MS, FILM_QUALITY = (1280, 760), 40, 6, 150, 45

TOP_BAR = 36
"""Pixels that the film leaves out above."""


def main() -> int:
    """Make the pictures that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = {'film': film, 'demo': demo, 'real': real}
    parser.add_argument('names', nargs='*', metavar='NAME', help=', '.join(known))
    parser.add_argument('--show', nargs=2, metavar=('FILE.rrd', 'OUT.png'), help='only this')
    options = parser.parse_args()
    if options.show:
        picture(Path(options.show[0]), Path(options.show[1]))
        return 0
    for name in options.names or known:
        known[name]()
    return 0


def demo() -> None:
    """Photograph the packaged clip."""
    with recording(CLIP, *CLIP_OPTIONS, '--frames', '200') as path:
        picture(path, IMAGES / 'viewer_demo.png')


def real() -> None:
    """Photograph a real one: a classroom, by a camera that is not calibrated."""
    with recording(CLASSROOM, '--rate', '12.5', '--hfov', '60') as path:
        picture(path, IMAGES / 'viewer_real.png')


def film() -> None:
    """Film the packaged clip."""
    with recording(CLIP, *CLIP_OPTIONS) as path, shown(path, FILM_SIZE) as watched:
        shots = []
        go_to_start(watched)
        for _ in range(FILM_STEPS):
            step_on(watched, FILM_STEP)
            shots.append(Image.fromarray(watched.pixels()[TOP_BAR:]))
    out = IMAGES / 'viewer.webp'
    shots[0].save(
        out, save_all=True, append_images=shots[1:], duration=FILM_STEP_MS, loop=0,
        quality=FILM_QUALITY, method=6,
    )  # fmt: skip
    print(f'{out}: {out.stat().st_size / 1e6:.2f} MB')


@contextmanager
def recording(source: Path, *options: str) -> Iterator[Path]:
    """Record an input for the viewer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'pictures.rrd')
        if headpose(['video', str(source), *options, '--rerun', str(path)]):
            raise SystemExit(f'{source}: failed')
        yield path


def picture(path: Path, out: Path) -> None:
    """Photograph the end of a recording."""
    with shown(path, SIZE) as watched:
        Image.fromarray(watched.pixels()).quantize(256, dither=Image.Dither.NONE).save(
            out, optimize=True
        )
    print(f'{out}: {out.stat().st_size / 1e6:.2f} MB')


@contextmanager
def shown(path: Path, size: tuple[int, int]) -> Iterator[Any]:
    """Show a recording in the browser, all of it loaded."""
    viewer = WebViewer('localhost', 0, path)
    try:
        with page_of(viewer.url, *size) as watched:
            watched.wait_until(lambda pixels: is_loaded(watched) and is_drawn(pixels))
            settle(watched)  # it plays to its end, and waits there
            yield watched
    finally:
        viewer.close()


def is_loaded(watched: Any) -> bool:
    """Whether the browser has got the whole recording."""
    return any(url.endswith('.rrd') for url in watched.loaded)


def is_drawn(pixels: np.ndarray) -> bool:
    """Whether the image is there: its part of the page is no longer dark and of one colour."""
    height, width = pixels.shape[:2]
    part = pixels[height // 6 : height // 2, width // 8 : 3 * width // 8]
    return bool(part.std() > 12.0)


def settle(watched: Any) -> None:
    """Wait until two photographs are the same."""
    before = watched.pixels()
    while True:
        watched.page.wait_for_timeout(700)
        after = watched.pixels()
        if difference(before, after) < 0.02:
            return
        before = after


def difference(before: np.ndarray, after: np.ndarray) -> float:
    """Return by how much the pixels of two photographs differ, 0 to 255."""
    return float(np.abs(after.astype(int) - before).max(axis=2).mean())


def go_to_start(watched: Any) -> None:
    """Go back to the first image."""
    press(watched, 'Home', 1)


def step_on(watched: Any, images: int) -> None:
    """Go on by some images."""
    press(watched, 'ArrowRight', images)


def press(watched: Any, key: str, times: int) -> None:
    """Press a key, and wait until the page has answered."""
    before = watched.pixels()
    for _ in range(times):
        watched.page.keyboard.press(key)
        watched.page.wait_for_timeout(30)
    watched.wait_until(lambda pixels: difference(pixels, before) > 0.5)
    settle(watched)


if __name__ == '__main__':
    sys.exit(main())
