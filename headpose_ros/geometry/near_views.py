# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Views that outlive small changes of the lens, as those of a zoom lens at work.

To lay out the views of a wide lens and their maps takes some 0.2 s, too long for each image. Those
made for a camera show the same pixels of the next one: only how long and wide a face is in them
changes, by as much as the camera. So they serve while its rays turn by little; what is found goes
back to the pixels of the image, and from there along the rays of the camera that took it, so that
no direction is off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.coverage import WIDEST_PLAIN, View, covering_views, how_held
from headpose_ros.geometry.rays import angle_between, off_axis_angle
from headpose_ros.geometry.sphere_projection import pixels_per_radian
from headpose_ros.geometry.upright_views import TurnedView
from headpose_ros.typing import Array, Image

MAX_TURN, MAX_STRETCH = math.radians(1.0), 0.05
"""By which the rays of a camera may differ from those of the one that its views were made for: an
angle, rad, and in addition a share of their angle off the axis."""
_KEPT = 4
_GRID = (9, 7)


@dataclass(frozen=True, eq=False)
class NearView:
    """A view made for one camera, of an image that another one took, nearly the same.

    As `coverage.View`; `view` was made for `made_for`, the image is that of `lens`.
    """

    view: View
    made_for: CameraModel
    lens: CameraModel
    is_whole_image: bool = False

    @property
    def camera(self) -> CameraModel:
        """A pinhole, see `View`."""
        return self.view.camera

    @property
    def rotation_view_from_camera(self) -> Array:
        """See `View`."""
        return self.view.rotation_view_from_camera

    def render(self, image: Image) -> Image:
        """Return the view of an image (H,W,3) or (H,W)."""
        return self.view.render(image)

    def faces_from_squares(
        self, centres_px: ArrayLike, sides_px: ArrayLike
    ) -> tuple[Array, Array]:
        """Return rays (M,3) in the frame of `lens` and angular sizes (M,), rad, of squares."""
        seen, sizes = self.view.faces_from_squares(centres_px, sides_px)
        pixels, _ = self.made_for.pixels(seen)
        rays = self.lens.rays(pixels)
        growth = pixels_per_radian(self.made_for, seen) / pixels_per_radian(self.lens, rays)
        return rays, 2 * np.arctan(np.tan(sizes / 2) * growth)


AnyView = View | TurnedView | NearView


class NearViews:
    """`covering_views` for one stream: of a camera that changes little, those of before.

    A camera that never changes has its own.
    """

    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self._newest: _Kept | None = None

    def __call__(self, camera: CameraModel, up: Array | None = None) -> Sequence[AnyView]:
        """Return the views of `camera`; `up`: see `covering_views`."""
        if up is None and max(camera.field_of_view) <= WIDEST_PLAIN:
            return covering_views(camera)
        held = None if up is None else how_held(up)
        newest = self._newest
        if newest is None or newest.camera != camera or newest.held != held:
            newest = self._newest = _Kept(camera, held, self._views(camera, up, held))
        return newest.views

    def _views(self, camera: CameraModel, up: Array | None, held: object) -> Sequence[AnyView]:
        for kept in reversed(self._kept):
            if kept.held == held and _is_near(kept.camera, camera):
                return _borrowed(kept, camera)
        views = covering_views(camera, up=up)
        if not any(view.is_whole_image for view in views):
            self._kept = [*self._kept[1 - _KEPT :], _Kept(camera, held, views)]
        return views


class _Kept(NamedTuple):
    camera: CameraModel
    held: object
    views: Sequence[AnyView]


def _borrowed(kept: _Kept, camera: CameraModel) -> Sequence[AnyView]:
    if kept.camera == camera:
        return kept.views
    return [NearView(view, kept.camera, camera) for view in kept.views if isinstance(view, View)]


def _is_near(one: CameraModel, other: CameraModel) -> bool:
    """Tell whether two cameras see the same pixels along nearly the same rays."""
    size, model = (one.width, one.height), one.distortion_model
    same = size == (other.width, other.height) and model == other.distortion_model
    if not same or one.wraps != other.wraps:
        return False
    u, v = (np.linspace(-0.5, n - 0.5, k) for n, k in zip(size, _GRID, strict=True))
    pixels = np.stack(np.meshgrid(u, v), -1).reshape(-1, 2)
    rays = one.rays(pixels)
    turned = angle_between(rays, other.rays(pixels))
    return bool((turned <= MAX_TURN + MAX_STRETCH * off_axis_angle(rays)).all())
