#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draw the picture of docs/attention_ros.md: who looks at what in the packaged clip.

    .venv/bin/python tools/attention_picture.py

Needs matplotlib. Three people, the camera, and a tablet of 25 by 18 cm beside it as a target.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib as mpl

mpl.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from headpose_ros import CameraModel, FrameResult, HeadPosePipeline, annotate
from headpose_ros.attention import Attention, AttentionResult, HeadEventType, Place, Target

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / 'headpose_ros' / 'demo' / 'clip.mp4'
OUT = ROOT / 'docs' / 'images' / 'attention.png'
SHOWN = 122
"""Number of the image that is shown."""
TABLET = Target('tablet', size=(0.25, 0.18))
# Its screen (its x axis) points along the camera's z axis, to the people.
TABLET_AT = Place((0.5, 0.0, 0.1), [[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
COLOURS = {'camera': '#1f6fb4', 'tablet': '#c8442b'}
MARKS = {HeadEventType.NODDED: 'nods', HeadEventType.SHOOK: 'shakes the head'}
GREY = '#777777'

Moment = tuple[float, FrameResult, AttentionResult]


def watch() -> tuple[np.ndarray, list[Moment]]:
    """Return the image that is shown, drawn on, and what is found in each: s, heads, attention."""
    video = cv2.VideoCapture(str(CLIP))
    camera = CameraModel.from_yaml(str(CLIP.with_name('clip_camera.yaml')))
    attention, moments = Attention([TABLET]), []
    with HeadPosePipeline() as pipeline:
        while (read := video.read())[0]:
            stamp = len(moments) / video.get(cv2.CAP_PROP_FPS)
            result = pipeline.process(read[1], camera, stamp)
            found = attention.update(result, {TABLET.name: TABLET_AT})
            if len(moments) == SHOWN:
                shown = annotate(read[1], result)
            moments.append((stamp, result, found))
    return shown, moments


def draw_room(ax: Axes, moment: Moment) -> None:
    """Draw camera, tablet and people from above, with arrows to what is looked at."""
    _, result, found = moment
    places = {'camera': (0.0, 0.0), TABLET.name: (0.5, 0.1)}
    ax.plot(0.0, 0.0, '^', ms=12, color=COLOURS['camera'])
    ax.text(0.0, -0.08, 'camera', ha='center', va='top', color=COLOURS['camera'])
    half = 0.5 * (TABLET.size or (0.0, 0.0))[0]
    ax.plot([0.5 - half, 0.5 + half], [0.1, 0.1], lw=5, color=COLOURS[TABLET.name])
    ax.text(0.5, 0.02, 'tablet', ha='center', va='top', color=COLOURS[TABLET.name])
    for head in result:
        x, _, z = head.position
        nose = 0.18 * head.rotation_camera_from_face[[0, 2], 0]
        ax.plot(x, z, 'o', ms=14, color=GREY)
        ax.plot([x, x + nose[0]], [z, z + nose[1]], lw=4, color=GREY)
        ax.text(x, z + 0.09, head.id, ha='center')
        for look in found.looks:
            if look.id == head.id and look.looking:
                arrow = {'arrowstyle': '-|>', 'color': COLOURS[look.target], 'lw': 2}
                ax.annotate('', places[look.target], (x, z), arrowprops=arrow)
    ax.set(xlim=(-1.0, 1.0), ylim=(-0.25, 1.5), xlabel='x, m', ylabel='z, m')
    ax.set_aspect('equal')
    ax.set_title(f'who looks at what at {moment[0]:.1f} s, from above')


def draw_times(ax: Axes, moments: Sequence[Moment]) -> None:
    """Draw for each person when which target was looked at, and what they did."""
    people = sorted({head.id for _, result, _ in moments for head in result})
    step = moments[1][0] - moments[0][0]
    for row, name in enumerate(people):
        for line, (target, colour) in enumerate(COLOURS.items()):
            spans = [
                (stamp, step) for stamp, _, found in moments if name in found.looking_at(target)
            ]
            ax.broken_barh(spans, (row + 0.12 + 0.38 * line, 0.36), color=colour, lw=0)
        for stamp, _, found in moments:
            for event in found.events:
                if event.id == name and event.type in MARKS:
                    ax.text(stamp, row + 0.5, MARKS[event.type], ha='right', fontsize=8)
    ax.axvline(moments[SHOWN][0], color=GREY, ls=':')
    ax.set(xlim=(0.0, moments[-1][0]), ylim=(len(people), 0), xlabel='s')
    ax.set_yticks(np.arange(len(people)) + 0.5, people)
    for target, colour in COLOURS.items():
        ax.plot([], [], lw=6, color=colour, label=f'looks at {target}')
    ax.legend(loc='lower center', bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)


def main() -> None:
    """Make the picture."""
    shown, moments = watch()
    figure = plt.figure(figsize=(10.0, 6.4), layout='constrained')
    grid = figure.add_gridspec(2, 2, height_ratios=[2.0, 1.0])
    image, room = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
    times = figure.add_subplot(grid[1, :])
    image.imshow(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB))
    image.axis('off')
    draw_room(room, moments[SHOWN])
    draw_times(times, moments)
    figure.savefig(OUT, dpi=100, metadata={'Software': None})
    print(f'wrote {OUT.relative_to(ROOT)}')


if __name__ == '__main__':
    main()
