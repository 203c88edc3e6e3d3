# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person photographed by one square pinhole camera: light in, linear picture and truth out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_training.rendering import rasterizer, shading
from headpose_training.rendering.camera import SquareCamera
from headpose_training.rendering.lighting import Lighting
from headpose_training.rendering.mesh import MATERIALS
from headpose_training.rendering.noise import Float
from headpose_training.rendering.person import Person, Pose

SHADOW_REACH = 0.32
LANDMARK_DEPTH = 0.008
"""Metres: a landmark that lies deeper than this behind what is drawn there is hidden."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What a camera of S px sees of a person, `samples` x `samples` samples a pixel.

    `light` (S,S,3) BGR linear, times coverage; `coverage` (S,S) 0..1; `skin` (S,S) bool: mostly
    the head itself; `depth` (S,S): metres to what is nearest, inf where nothing is;
    `landmarks` (68,2): pixels; `visible` (68,) bool: drawn, and inside the image.
    """

    light: Float
    coverage: Float
    skin: NDArray[np.bool_]
    depth: Float
    landmarks: Float
    visible: NDArray[np.bool_]


def photograph(
    person: Person, pose: Pose, camera: SquareCamera, lighting: Lighting, samples: int = 2
) -> Picture:
    """Render a person in the frame of `camera`; the background is left to the caller."""
    fine = camera.times(samples)
    posed, mesh = person.pose(pose), person.mesh
    drawn = person.drawn(pose.expression)
    triangles = drawn.triangles
    pixels = np.empty((len(posed.points), 2), np.float32)
    inverse_z = np.empty(len(posed.points), np.float32)
    rasterizer.project(posed.points, fine.focal, fine.centre, pixels, inverse_z)
    depth = np.zeros((fine.size, fine.size), np.float32)
    owner = np.full((fine.size, fine.size), -1, np.int32)
    rasterizer.fill(pixels, inverse_z, triangles, drawn.two_sided, depth, owner)
    middle = posed.landmarks.mean(axis=0)
    shadow = rasterizer.shadow_map(
        posed.points, drawn.casting, lighting.lights[0, :3], middle, SHADOW_REACH
    )
    image = np.zeros((fine.size, fine.size, 3), np.float32)
    surface = shading.Surface(
        posed.points,
        posed.normals,
        posed.tangents,
        posed.colours,
        mesh.occlusion,
        mesh.uv,
        triangles,
        drawn.uv_triangles,
        drawn.material,
        drawn.layer,
        person.textures,
        MATERIALS,
    )
    light = shading.Illumination(lighting.lights, lighting.ambient, lighting.softness, shadow)
    shading.shade(owner, fine.focal, fine.centre, surface, light, image)
    covered = owner >= 0
    is_skin = covered & drawn.is_skin[np.maximum(owner, 0)]
    landmarks = camera.pixels(posed.landmarks).astype(np.float32)
    return Picture(
        light=_average(image, samples),
        coverage=_average(covered.astype(np.float32), samples),
        skin=_average(is_skin.astype(np.float32), samples) > 0.5,
        depth=np.float32(1) / np.maximum(_nearest(depth, samples), np.float32(1e-9)),
        landmarks=landmarks,
        visible=_visible(posed.landmarks, fine, depth),
    )


def _average(image: Float, n: int) -> Float:
    size = (image.shape[1] // n, image.shape[0] // n)
    return image if n == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _nearest(inverse_z: Float, n: int) -> Float:
    return np.maximum.reduce([inverse_z[i::n, j::n] for i in range(n) for j in range(n)])


def _visible(points: Float, camera: SquareCamera, inverse_z: Float) -> NDArray[np.bool_]:
    z = points[:, 2]
    before = z > rasterizer.NEAR_PLANE
    at = camera.pixels(np.where(before[:, None], points, [0, 0, 1]))
    inside = before & np.all((at >= -0.5) & (at < camera.size - 0.5), axis=1)
    x, y = np.clip(np.rint(at).astype(int), 0, camera.size - 1).T
    return inside & (z < 1 / np.maximum(inverse_z[y, x], 1e-9) + LANDMARK_DEPTH)
