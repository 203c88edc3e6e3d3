# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pinhole views that cover a wide lens, so that a detector sees every face undistorted.

An ordinary lens needs one view, the image itself. Wider ones get a few virtual cameras, panned
and tilted but not rolled, so that people stay upright in them, that together see everything the
image shows; each face fits into at least one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.equirectangular_lens import EquirectangularLens
from headpose_ros.geometry.rays import angle_between, off_axis_angle
from headpose_ros.geometry.reduction import reduce_region
from headpose_ros.geometry.sphere_projection import (
    pixels_per_radian,
    spheres_of_squares,
)
from headpose_ros.geometry.upright_views import (
    RING_ANGLE,
    TurnedView,
    ring_pans_and_tilts,
    roll_of,
    rotation_level_from_camera,
    up_of_roll,
)
from headpose_ros.geometry.view_layout import lay_out, pan_and_tilt
from headpose_ros.geometry.virtual_camera import VirtualCameras, pixel_lines, square_grid
from headpose_ros.typing import Array, Image

_KNOT_PX = 4
WIDEST_PLAIN = math.radians(100.0)
"""Lenses up to this angle, rad, horizontally and vertically, are searched as they are."""


@dataclass(frozen=True, eq=False)
class ViewSampler:
    """The part of the image that a view shows, averaged in blocks, and the maps into it.

    `box`, `block`, `wraps`: as `reduce_region` takes them. `maps`: fixed-point, as cv2.remap
    likes them.
    """

    box: Array
    block: int
    wraps: bool
    maps: tuple[NDArray[np.int16], NDArray[np.uint16]]

    def sample(self, image: Image) -> Image:
        """Return the view of `image`; black where the lens sees nothing."""
        pixels, _ = reduce_region(image, self.box, self.block, self.wraps)
        return cv2.remap(pixels, *self.maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


@dataclass(frozen=True, eq=False)
class View:
    """An image to search for faces: `camera` (a pinhole, or the lens itself), how it is turned.

    `rotation_view_from_camera` (3,3). `is_whole_image`: the view is the image itself. `sampler`:
    what `render` reads from the image where it is not.
    """

    camera: CameraModel
    rotation_view_from_camera: Array
    is_whole_image: bool
    sampler: ViewSampler | None = None

    def render(self, image: Image) -> Image:
        """Return the view of an image (H,W,3) or (H,W): a new one, or `image` itself."""
        return image if self.sampler is None else self.sampler.sample(image)

    def faces_from_squares(
        self, centres_px: ArrayLike, sides_px: ArrayLike
    ) -> tuple[Array, Array]:
        """Return rays (M,3) in the camera frame and angular sizes (M,), rad, of squares here.

        `centres_px` (M,2), `sides_px` (M,): see `sphere_projection.py` for the square of a sphere.
        """
        rays, sizes = spheres_of_squares(self.camera, centres_px, sides_px)
        return rays @ self.rotation_view_from_camera, sizes


def covering_views(
    camera: CameraModel,
    *,
    up: ArrayLike | None = None,
    view_angle: float = math.radians(100.0),
    margin: float = math.radians(10.0),
    max_off_axis: float = math.radians(100.0),
    max_side_px: int = 1024,
) -> tuple[View | TurnedView, ...]:
    """Return the views that cover what `camera` sees, the straightest first; made once a camera.

    `up` (3,): against gravity, in the camera's frame, so that people stand upright in the views;
    None: it is held upright. Directions are told apart by some degrees only.
    `view_angle`: rad, that each may span both ways; they span no more than they have to.
    `margin`: rad, by which a direction must lie inside a view to count as covered; half the
    angular size of the largest face to find. `max_off_axis`: rad; the black corners around a
    fisheye's circle are not searched; it does not limit panoramas. `max_side_px`: views have the
    resolution of the image where they look, not above that of its middle, but at most this size.
    """
    roll = 0.0 if up is None else roll_of(up)
    if max(camera.field_of_view) <= WIDEST_PLAIN:
        return _whole_image(camera, roll or 0.0)
    if roll is None:
        return _ring(camera, *_coarse(up), max_side_px)
    return _covering_views(camera, roll, view_angle, margin, max_off_axis, max_side_px)


def how_held(up: ArrayLike) -> tuple[float, ...]:
    """Return what the views take of `up`: cameras that are held alike have the same."""
    roll = roll_of(up)
    return _coarse(up) if roll is None else (roll,)


def _coarse(up: ArrayLike | None) -> tuple[float, ...]:
    """Return `up`, a unit vector, to some degrees."""
    unit = np.asarray(up, np.float64) / np.linalg.norm(np.asarray(up, np.float64))
    return tuple(np.round(unit * 10).tolist())


@lru_cache(maxsize=8)
def _whole_image(camera: CameraModel, roll: float) -> tuple[View | TurnedView, ...]:
    if roll == 0.0:
        return (View(camera, np.eye(3), True),)
    return (TurnedView.of(camera, roll),)


@lru_cache(maxsize=4)
def _ring(camera: CameraModel, x: float, y: float, z: float, max_side_px: int) -> tuple[View, ...]:
    """Return views all around for a wide lens that looks straight down or up."""
    level = rotation_level_from_camera((x, y, z))
    rotations = pan_and_tilt(*ring_pans_and_tilts((x, y, z))) @ level
    finest = float(pixels_per_radian(camera, [[0.0, 0.0, 1.0]])[0])
    views = (_view(camera, turn, RING_ANGLE, finest, max_side_px) for turn in rotations)
    return tuple(view for view in views if view) or (View(camera, np.eye(3), True),)


@lru_cache(maxsize=8)
def _covering_views(
    camera: CameraModel,
    roll: float,
    view_angle: float,
    margin: float,
    max_off_axis: float,
    max_side_px: int,
) -> tuple[View, ...]:
    if not 2 * margin < view_angle < math.pi:
        raise ValueError(f'view_angle: expected twice the margin to pi rad, got {view_angle}')
    panorama = isinstance(camera.lens, EquirectangularLens)
    level = rotation_level_from_camera(up_of_roll(roll))
    rays = _seen_rays(camera, math.pi if panorama else max_off_axis) @ level.T
    if len(rays) == 0:
        return (View(camera, np.eye(3), True),)
    layout = lay_out(rays, math.tan(view_angle / 2 - margin), all_around=panorama)
    angle = 2 * (math.atan(layout.reach) + margin)
    finest = float(pixels_per_radian(camera, [[0.0, 0.0, 1.0]])[0])
    views = (_view(camera, turn, angle, finest, max_side_px) for turn in layout.rotations @ level)
    return tuple(view for view in views if view) or (View(camera, np.eye(3), True),)


def _seen_rays(camera: CameraModel, max_off_axis: float) -> Array:
    """Return the rays (N,3) of a grid of image pixels, those the lens model describes."""
    u = np.linspace(-0.5, camera.width - 0.5, 33)
    v = np.linspace(-0.5, camera.height - 0.5, 25)
    rays, valid = camera.rays_and_validity(np.stack(np.meshgrid(u, v), -1).reshape(-1, 2))
    seen: Array = rays[valid & (off_axis_angle(rays) <= max_off_axis)]
    return seen


def _view(
    camera: CameraModel, rotation: Array, angle: float, finest: float, max_side_px: int
) -> View | None:
    """Make the view that spans `angle`, rad, less what of it lies outside the image.

    None where that is all of it: the image may be a few pixels of so coarse a view.
    """
    scale = min(float(pixels_per_radian(camera, rotation[2:])[0]), finest)
    side = max(2, min(max_side_px, math.ceil(2 * scale * math.tan(angle / 2))))
    look = VirtualCameras(rotation[None], np.array([angle]), side)
    pixels, valid = _dense(look, camera)
    shown = valid & camera.contains(np.moveaxis(pixels, 0, -1))
    if not shown.any():
        return None
    x0, x1 = _ends(shown.any(axis=0))
    y0, y1 = _ends(shown.any(axis=1))
    pixels, shown = pixels[:, y0:y1, x0:x1], shown[y0:y1, x0:x1]
    seen = pixels[:, shown]
    box = np.concatenate([seen.min(axis=1), seen.max(axis=1)])
    focal, centre = float(look.focal_lengths[0]), (side - 1) / 2
    pinhole = CameraModel(x1 - x0, y1 - y0, focal, focal, centre - x0, centre - y0)
    block = 1 << max(0, int(scale / focal).bit_length() - 1)
    _, region = reduce_region(
        np.empty((camera.height, camera.width), np.uint8), box, block, camera.wraps
    )
    placed = region.place(pixels).astype(np.float32)
    placed[:, ~shown] = -10.0  # out of the image: black
    maps = cv2.convertMaps(placed[0], placed[1], cv2.CV_16SC2)
    return View(pinhole, rotation, False, ViewSampler(box, block, camera.wraps, maps))


def _dense(look: VirtualCameras, camera: CameraModel) -> tuple[Array, NDArray[np.bool_]]:
    """Return where the view's pixels are seen, columns and rows (2,S,S), and whether (S,S).

    Every 4th is projected and the rest interpolated, which is some 0.03 pixels off; but all of a
    panorama's, whose columns meet at its poles.
    """
    lines = pixel_lines(look.size_px)
    if isinstance(camera.lens, EquirectangularLens):
        pixels, seen = look.image_pixels(camera, square_grid(lines))
        return pixels[:, 0], seen[0]
    knots = np.linspace(lines[0], lines[-1], len(lines) // _KNOT_PX + 2)
    nodes, valid = look.image_pixels(camera, square_grid(knots))
    place = (lines - knots[0]) / (knots[1] - knots[0])
    pixels = _interpolated(nodes[:, 0], place)
    if valid.all():
        return pixels, np.ones(pixels.shape[1:], bool)
    return pixels, _interpolated(valid.astype(np.float64), place)[0] > 1 - 1e-6


def _interpolated(nodes: Array, place: Array) -> Array:
    """Return (C,S,S) between nodes (C,K,K), linearly, at `place` (S,) in nodes, both ways."""
    first = np.minimum(place.astype(np.intp), nodes.shape[1] - 2)
    after = (place - first)[:, None]
    rows = nodes[:, first] * (1 - after) + nodes[:, first + 1] * after
    # columns as rows: to gather whole rows is three times as fast
    rows = np.ascontiguousarray(rows.transpose(0, 2, 1))
    both: Array = rows[:, first] * (1 - after) + rows[:, first + 1] * after
    return both.transpose(0, 2, 1)


def _ends(some: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first index that holds, and the last + 1."""
    where = np.flatnonzero(some)
    return int(where[0]), int(where[-1]) + 1


def merge_on_sphere(
    rays: ArrayLike, angular_sizes: ArrayLike, scores: ArrayLike, overlap: float = 0.35
) -> NDArray[np.intp]:
    """Return the indices (K,) of the faces to keep, best score first.

    Faces are discs on the sphere, rays (N,3) and full angles (N,), rad. Of two that share more
    than `overlap` of the area of both together, or of which one holds most of the other, the one
    with the higher score stays.
    """
    v = np.asarray(rays, np.float64).reshape(-1, 3)
    half = np.asarray(angular_sizes, np.float64).reshape(-1) / 2
    order = np.argsort(-np.asarray(scores, np.float64).reshape(-1), kind='stable')
    kept: list[int] = []
    for i in order.tolist():
        if not kept or not _same_face(v[i], half[i], v[kept], half[kept], overlap).any():
            kept.append(i)
    return np.array(kept, np.intp)


def _same_face(ray: Array, half: float, rays: Array, halves: Array, overlap: float) -> Array:
    """Tell which discs (K,) show the same face as one disc: by shared area, as if flat."""
    apart = angle_between(rays, ray)
    small, large = np.minimum(half, halves), np.maximum(half, halves)
    # The lens that two circles share; the circles' distance is kept where they do intersect.
    d = np.clip(apart, large - small + 1e-12, large + small)
    a = np.arccos(np.clip((d**2 + small**2 - large**2) / (2 * d * small), -1, 1))
    b = np.arccos(np.clip((d**2 + large**2 - small**2) / (2 * d * large), -1, 1))
    shared = small**2 * (a - np.sin(2 * a) / 2) + large**2 * (b - np.sin(2 * b) / 2)
    areas = np.pi * (small**2 + large**2)
    same: Array = (shared > overlap * (areas - shared)) | (shared > 0.75 * np.pi * small**2)
    return same
