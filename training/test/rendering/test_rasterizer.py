# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from headpose_training.rendering import rasterizer, shading
from headpose_training.rendering.mesh import MATERIALS, Material


def brute_force(pixels, inverse_z, triangles, two_sided, size):
    """The same picture, pixel by pixel and triangle by triangle, in float64."""
    y, x = np.mgrid[:size, :size].astype(float)
    depth, owner = np.zeros((size, size)), np.full((size, size), -1)
    for t, (a, b, c) in enumerate(triangles):
        if min(inverse_z[a], inverse_z[b], inverse_z[c]) <= 0:
            continue
        corners = np.array([[*pixels[i], 1.0] for i in (a, b, c)], float).T
        area = np.linalg.det(corners)
        if area == 0 or (area > 0 and not two_sided[t]):
            continue
        weights = np.einsum('ij,jhw->ihw', np.linalg.inv(corners), np.stack([x, y, x * 0 + 1]))
        z = np.tensordot(inverse_z[[a, b, c]].astype(float), weights, 1)
        nearer = (weights >= -1e-6).all(axis=0) & (z > depth)
        depth[nearer], owner[nearer] = z[nearer], t
    return depth, owner


def test_fill_agrees_with_brute_force():
    rng = np.random.default_rng(0)
    size, count = 48, 60
    pixels = rng.uniform(-15, size + 15, (3 * count, 2)).astype(np.float32)
    inverse_z = rng.uniform(0.2, 4, 3 * count).astype(np.float32)
    inverse_z[::17] = -1  # before the near plane
    triangles = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    two_sided = rng.random(count) < 0.5
    depth = np.zeros((size, size), np.float32)
    owner = np.full((size, size), -1, np.int32)
    rasterizer.fill(pixels, inverse_z, triangles, two_sided, depth, owner)
    want_depth, want_owner = brute_force(pixels, inverse_z, triangles, two_sided, size)
    assert (owner >= 0).mean() > 0.5
    same = owner == want_owner
    assert same.mean() > 0.998  # rounding may give an edge's pixel to its neighbour
    assert np.allclose(depth[same], want_depth[same], rtol=1e-4)


def test_project_marks_what_is_behind_the_camera():
    points = np.array([[0, 0, 1], [0.1, 0.2, 2], [0, 0, -1], [0, 0, 0.001]], np.float32)
    pixels, inverse_z = np.zeros((4, 2), np.float32), np.zeros(4, np.float32)
    rasterizer.project(points, 100.0, 50.0, pixels, inverse_z)
    assert np.allclose(pixels[:2], [[50, 50], [55, 60]])
    assert np.allclose(inverse_z, [1, 0.5, -1, -1])


def shaded_plane(light, blocker=False):
    """Shade a wall 1 m ahead, perhaps with a small plate before it; return the green channel."""
    wall = [[-0.3, -0.3, 1], [0.3, -0.3, 1], [0.3, 0.3, 1], [-0.3, 0.3, 1]]
    plate = [[-0.05, -0.05, 0.85], [0.05, -0.05, 0.85], [0.05, 0.05, 0.85], [-0.05, 0.05, 0.85]]
    points = np.array(wall + plate, np.float32)
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], np.int32)
    drawn = triangles[:2]
    size, focal, centre = 64, 100.0, 31.5
    pixels, inverse_z = np.zeros((8, 2), np.float32), np.zeros(8, np.float32)
    rasterizer.project(points, focal, centre, pixels, inverse_z)
    depth, owner = np.zeros((size, size), np.float32), np.full((size, size), -1, np.int32)
    rasterizer.fill(pixels, inverse_z, drawn, np.ones(2, bool), depth, owner)
    casting = triangles if blocker else drawn
    light = np.asarray(light, np.float32) / np.linalg.norm(light)
    shadow = rasterizer.shadow_map(points, casting, light, np.array([0, 0, 1]), 0.5)
    lights = np.array([[*light, 1, 1, 1]], np.float32)
    image = np.zeros((size, size, 3), np.float32)
    flat = np.full(2, int(Material.CLOTH), np.int32)
    surface = shading.Surface(
        points, np.tile(np.float32([0, 0, -1]), (8, 1)), np.zeros((8, 3), np.float32),
        np.full((8, 3), 0.5, np.float32), np.ones(8, np.float32), np.zeros((8, 2), np.float32),
        drawn, drawn, flat, np.full(2, -1, np.int32), np.zeros((1, 8, 8, 3), np.uint8), MATERIALS,
    )  # fmt: skip
    dark = np.zeros((4, 3), np.float32)
    illumination = shading.Illumination(lights, dark, 0.5, shadow)
    shading.shade(owner, focal, centre, surface, illumination, image)
    return image[..., 1]


def test_light_falls_by_the_cosine():
    head_on = shaded_plane([0, 0, -1])[32, 32]
    slanted = shaded_plane([np.sqrt(3), 0, -1])[32, 32]  # 60 deg
    wrap = MATERIALS[int(Material.CLOTH), 3]
    expected = (0.5 + wrap) / (1 + wrap)
    assert abs(slanted / head_on - expected) < 0.03


def test_plate_casts_its_shadow_where_the_light_sends_it():
    # light from the upper left: the shadow falls to the lower right of the plate's middle
    image = shaded_plane([-0.15, -0.15, -0.15], blocker=True)
    lit = shaded_plane([-0.15, -0.15, -0.15])
    dark = np.argwhere(image < 0.3 * lit)
    middle = dark.mean(axis=0)
    assert np.allclose(middle, 31.5 + 100 * 0.15, atol=1.5)
    assert len(dark) > 0.9 * np.prod(np.ptp(dark, axis=0) + 1)  # one rectangle, edges soft
    assert abs(np.sqrt(len(dark)) - 10) < 2.5  # 0.1 m at 1 m and f = 100
