# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The viewer's layout: image and space above, angles over time below, and how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rerun.blueprint as rrb

WINDOW_SECONDS = 20.0
"""What the plots show: the time before the moment that is looked at."""

HELP = """\
**One colour is one person**, here and in every picture.

**Image** - where each head was found. Its axes: red out of the face, green to the person's left, \
blue up. Thick box: the person to attend to.

**Space** - the camera and what it sees, to scale (metres). Each disc is a face; the line from it \
shows where the face points. One that ends at the camera faces the camera. Thin circle and bar: \
one standard deviation of direction and distance.

**Plots** - azimuth: right (+) and left; elevation: up (+) and down, both as the camera sees \
it; facing: angle between the face and the direction to the camera, 0 is straight at it.

**Time** - drag the mark in the bar below to go back. Drag with the mouse in *Space* to turn, \
scroll to zoom, double-click to reset.
"""

QUANTITIES = {
    'azimuth': 'azimuth (degrees)',
    'elevation': 'elevation (degrees)',
    'facing': 'facing (degrees)',
    'distance': 'distance (metres)',
}
"""Entity under `plots/` and title of each plot."""


@dataclass(frozen=True)
class LayoutOptions:
    """What the layout depends on.

    `timeline`: name of the timeline. `image`: entity of the image;
    `size`: its width and height as shown, pixels. `reach`: metres, how far from
    the camera people are. `is_fixed`: the world is the fixed frame (z up), not the camera's.
    """

    timeline: str
    image: str
    size: tuple[int, int]
    reach: float = 1.5
    is_fixed: bool = False
    has_attention: bool = False


def layout(options: LayoutOptions) -> Any:
    """Return the blueprint."""
    tabs: list[Any] = [rrb.TextDocumentView(origin='help', name='How to read this')]
    if options.has_attention:
        tabs.append(
            rrb.Vertical(
                _plot('attention', 'looks at the camera (probability)', (-0.05, 1.05)),
                rrb.TextLogView(origin='events', name='events'),
                name='Attention',
            )
        )
    tabs.append(
        rrb.Vertical(
            _plot('timings', 'time for an image (ms)'),
            _plot('rates', 'images a second'),
            name='Speed',
        )
    )
    # Else the view would follow the labels that stand out of the image.
    width, height = options.size
    bounds = rrb.VisualBounds2D(x_range=(0.0, width), y_range=(0.0, height))
    above = rrb.Horizontal(
        rrb.Spatial2DView(origin=options.image, name='Image', visual_bounds=bounds),
        _space(options),
        column_shares=[1, 1],
    )
    below = rrb.Horizontal(
        *(_plot(f'plots/{name}', title) for name, title in QUANTITIES.items()),
        rrb.Tabs(*tabs, active_tab=0),
        column_shares=[1, 1, 1, 1, 1.2],
    )
    return rrb.Blueprint(
        rrb.Vertical(above, below, row_shares=[3, 2]),
        rrb.BlueprintPanel(state='hidden'),
        rrb.SelectionPanel(state='hidden'),
        rrb.TimePanel(state='collapsed', timeline=options.timeline, play_state='following'),
    )


def _space(options: LayoutOptions) -> Any:
    """Return the view in space, from behind the camera and above it, to its right."""
    # Labels stand in the image; in space there are ids at the heads themselves.
    contents = ['/**', '- /picture/**', '- /camera/lens/labels']
    name = 'Space'
    grid = rrb.LineGrid3D(visible=False)
    if options.is_fixed:
        return rrb.Spatial3DView(origin='/', contents=contents, name=name)
    far = options.reach
    eye = rrb.EyeControls3D(
        position=(0.65 * far, -0.5 * far, -0.65 * far),
        look_target=(0.0, 0.05 * far, 0.5 * far),
        eye_up=(0.0, -1.0, 0.0),
    )
    return rrb.Spatial3DView(
        origin='/', contents=contents, name=name, line_grid=grid, eye_controls=eye
    )


def _plot(origin: str, name: str, values: tuple[float, float] | None = None) -> Any:
    window = rrb.VisibleTimeRanges(
        timeline='time',
        start=rrb.TimeRangeBoundary.cursor_relative(seconds=-WINDOW_SECONDS),
        end=rrb.TimeRangeBoundary.cursor_relative(seconds=0.0),
    )
    more = {} if values is None else {'axis_y': rrb.ScalarAxis(range=values)}
    return rrb.TimeSeriesView(
        origin=origin, name=name, time_ranges=window,
        plot_legend=rrb.PlotLegend(visible=False), **more,
    )  # fmt: skip
