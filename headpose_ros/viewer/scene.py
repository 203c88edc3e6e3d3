# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images and heads in Rerun's terms: entities over time, and the layout to see them in.

| entity | what |
|---|---|
| `camera` | where the camera is, in the fixed frame or at the origin |
| `camera/lens` | frustum, image, boxes and axes in the image; only for lenses that are flat |
| `camera/bowl` | the image on the sphere of its rays, for all other lenses |
| `picture` | image, boxes and axes of such lenses |
| `camera/heads/...` | axes, faces, lines of sight, uncertainty, ids, in space |
| `heads` | all that is known of each head, as in the tables of poses |
| `plots/<quantity>/<id>`, `attention/<id>`, `timings/<stage>`, `rates/...`, `events` | over time |
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import rerun as rr

from headpose_ros.attention.events import HeadEvent
from headpose_ros.attention.targets import CAMERA
from headpose_ros.viewer.head_marks import HEADS, IN_IMAGE, in_image, in_numbers, in_space, rgb
from headpose_ros.viewer.layout import HELP, LayoutOptions, layout
from headpose_ros.viewer.lens_view import COLUMNS, LensView
from headpose_ros.viewer.series import Plots, clock
from headpose_ros.viewer.shot import Shot

TIMELINE = 'time'

_GREY = (150, 150, 150)
_BEFORE_HEADS = 1.5
"""Metres that the layout shows while nobody is there."""
_RATE_WINDOW = 30
_STAGES = {'search': (255, 170, 60), 'crop': (120, 200, 120), 'estimate': (110, 170, 255),
           'track': (200, 130, 255), 'total': (230, 230, 230)}  # fmt: skip


class Scene:
    """Logs one `Shot` after another to a Rerun recording."""

    def __init__(self, recording: Any) -> None:
        self._recording = recording
        self._plots = Plots(recording, TIMELINE)
        self._lens: LensView | None = None
        self._options: LayoutOptions | None = None
        self._reach: float | None = None
        self._stamps: deque[int] = deque(maxlen=_RATE_WINDOW)
        self._anybody = False
        document = rr.TextDocument(HELP, media_type=rr.MediaType.MARKDOWN)
        recording.log('help', document, static=True)

    def log(self, shot: Shot, events: Sequence[HeadEvent] | None = None) -> None:
        """Log one image, with its events; or with `events`, those since the one before."""
        kind, times = clock([shot.stamp_ns])
        self._recording.set_time(TIMELINE, **{kind: times[0]})
        self._arrange(shot)
        self._log_place(shot)
        self._log_image(shot)
        self._log_heads(shot)
        self._log_figures(shot)
        if events is None:
            events = shot.attention.events if shot.attention else ()
        for event in events:
            what = event.type.name.lower().replace('_', ' ')
            text = f'{event.id} {what} {event.target}'.rstrip()
            self._recording.log('events', rr.TextLog(text, color=rgb(event.id)))

    def finish(self) -> None:
        """Send what is still held back."""
        self._plots.send()

    def _arrange(self, shot: Shot) -> None:
        """Lay out the views, and again where people, another lens or attention come in."""
        if self._lens is None or self._lens.camera != shot.camera:
            self._lens = LensView(shot.camera)
        if self._reach is None and shot.result.heads:
            self._reach = float(np.clip(max(h.distance for h in shot.result.heads), 0.5, 20.0))
        before = self._options
        picture = shot.picture
        shown = shot.camera if picture is None else picture
        options = LayoutOptions(
            TIMELINE,
            size=(shown.width, shown.height),
            image='camera/lens' if self._lens.is_flat else 'picture',
            reach=self._reach or _BEFORE_HEADS,
            is_fixed=shot.place is not None or bool(before and before.is_fixed),
            has_attention=shot.attention is not None or bool(before and before.has_attention),
        )
        if options != before:
            self._options = options
            self._recording.send_blueprint(layout(options))
            self._log_lens(self._lens, options)

    def _log_lens(self, lens: LensView, options: LayoutOptions) -> None:
        world = rr.ViewCoordinates.FLU if options.is_fixed else rr.ViewCoordinates.RDF
        self._recording.log('/', world, static=True)
        size = self._depth
        if lens.is_flat:
            camera = lens.camera.scaled_to(*options.size)  # the image may be made smaller
            pinhole = rr.Pinhole(
                image_from_camera=camera.matrix, width=camera.width, height=camera.height,
                camera_xyz=rr.ViewCoordinates.RDF, image_plane_distance=size,
            )  # fmt: skip
            self._recording.log('camera/lens', pinhole, static=True)
            return
        rays, _, triangles = lens.grid
        bowl = rr.Mesh3D.from_fields(vertex_positions=size * rays, triangle_indices=triangles)
        self._recording.log('camera/bowl', bowl, static=True)
        lines = [size * line for line in lens.outline]
        outline = rr.LineStrips3D(lines, colors=[_GREY], radii=[rr.Radius.ui_points(1.0)])
        self._recording.log('camera/bowl/outline', outline, static=True)

    @property
    def _depth(self) -> float:
        """Metres from the camera at which its image stands: between it and the people."""
        return 0.3 * (self._reach or _BEFORE_HEADS)

    def _log_place(self, shot: Shot) -> None:
        if shot.place is not None:
            where = rr.Transform3D(
                translation=shot.place.position, mat3x3=shot.place.rotation_fixed_from_camera
            )
            self._recording.log('camera', where)

    def _log_image(self, shot: Shot) -> None:
        picture = shot.picture
        if picture is None or self._lens is None or self._options is None:
            return
        encoded = rr.EncodedImage(contents=picture.data, media_type=picture.media_type)
        self._recording.log(f'{self._options.image}/image', encoded)
        if not self._lens.is_flat:
            pixels = shot.pixels(COLUMNS)
            if pixels is not None:
                # Its shape stands already.
                seen = rr.Mesh3D.from_fields(vertex_colors=self._lens.colours(pixels))
                self._recording.log('camera/bowl', seen)

    def _log_heads(self, shot: Shot) -> None:
        heads = shot.result.heads
        if not heads:
            if self._anybody:
                for path in (*HEADS, *self._in_image()):
                    self._recording.log(path, rr.Clear(recursive=True))
            self._anybody = False
            return
        self._anybody = True
        colours = [rgb(head.id) for head in heads]
        for path, what in in_space(heads, colours).items():
            self._recording.log(path, what)
        self._recording.log('heads', in_numbers(shot))
        if self._options is not None:
            for path, what in in_image(shot, colours).items():
                self._recording.log(f'{self._options.image}/{path}', what)

    def _in_image(self) -> list[str]:
        image = self._options.image if self._options else 'picture'
        return [f'{image}/{mark}' for mark in IN_IMAGE]

    def _log_figures(self, shot: Shot) -> None:
        values: dict[str, float] = {}
        styles: dict[str, tuple[str, Any]] = {}

        def add(plot: str, name: str, colour: Any, value: float) -> None:
            path = f'{plot}/{rr.escape_entity_path_part(name)}'
            values[path] = value
            styles[path] = (name, colour)

        for head in shot.result.heads:
            azimuth, elevation, _ = head.heading
            quantities = (
                ('azimuth', math.degrees(azimuth)),
                ('elevation', math.degrees(elevation)),
                ('facing', math.degrees(head.facing_angle)),
                ('distance', head.distance),
            )
            for quantity, value in quantities:
                add(f'plots/{quantity}', head.id, rgb(head.id), value)
        for look in shot.attention.looks if shot.attention else ():
            if look.target == CAMERA.name:
                add('attention', look.id, rgb(look.id), look.probability)
        for stage, value in {**shot.result.timings, **shot.values}.items():
            add('timings', stage, _STAGES.get(stage, _GREY), value)
        self._stamps.append(shot.stamp_ns)
        span = self._stamps[-1] - self._stamps[0]
        if span > 0:
            add('rates', 'images', _GREY, 1e9 * (len(self._stamps) - 1) / span)
        self._plots.add(shot.stamp_ns, values, styles)
