# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Glasses, masks, head covers, and hands and things held before the face."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_training.rendering.camera import rotation_from_vector
from headpose_training.rendering.hair_style import HEAD_CENTRE
from headpose_training.rendering.mesh import (
    Material,
    Mesh,
    box,
    ellipsoid,
    grid_triangles,
    grid_uv,
    make_mesh,
    tube,
)
from headpose_training.rendering.noise import Float, any_colour, jitter, linear_bgr

COVERS = ('beanie', 'cap', 'hat', 'turban', 'helmet', 'hood', 'headscarf')
_COVER_MEASURES: dict[
    str, tuple[float, float, float]
] = {  # the hem's elevation in front and behind, degrees; thickness, metres
    'beanie': (24, -20, 0.008),
    'cap': (27, -4, 0.008),
    'hat': (26, -2, 0.009),
    'turban': (24, -12, 0.018),
    'helmet': (28, -25, 0.022),
    'hood': (38, -58, 0.026),
    'headscarf': (30, -58, 0.008),
}
OCCLUDERS = ('hand', 'phone', 'mug', 'microphone', 'block')


def random_cover(rng: np.random.Generator) -> str:
    """Draw what is worn on the head, of `COVERS`; mostly nothing, ''."""
    if rng.random() >= 0.14:
        return ''
    return str(rng.choice(COVERS, p=[0.2, 0.28, 0.12, 0.08, 0.08, 0.10, 0.14]))


def make_glasses(rng: np.random.Generator, landmarks: Float) -> tuple[list[Mesh], str]:
    """Return glasses that sit on a nose, given the 68 landmarks, and 'clear' or 'dark'."""
    eyes = [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)]
    dark = rng.random() < 0.35
    wide, high = rng.uniform(0.023, 0.030), rng.uniform(0.014, 0.025)
    power = rng.uniform(0.45, 1.0)
    thick = rng.choice([0.0008, 0.0014, 0.0024])
    rimless = not dark and rng.random() < 0.1
    colour = jitter(
        rng, linear_bgr(*((30, 28, 28) if rng.random() < 0.6 else rng.uniform(20, 220, 3))), 0.2
    )
    material = Material.METAL if thick < 0.001 else Material.PLASTIC
    tint = jitter(rng, linear_bgr(*rng.uniform(15, 60, 3)), 0.3)
    depth = max(eyes[0][2], eyes[1][2]) + rng.uniform(0.012, 0.019)
    drop = rng.uniform(0.0, 0.006)
    meshes: list[Mesh] = []
    for side, eye in zip((-1, 1), eyes, strict=True):
        middle = np.array([eye[0] + side * 0.001, eye[1] - drop, depth])
        rim = _rim(middle, wide, high, power)
        if not rimless:
            meshes.append(tube(rim, thick, colour, material, sides=5, closed=True))
        if dark:
            meshes.append(_dark_lens(rim, tint))
        hinge = rim[np.argmax(np.abs(rim[:, 0]))] + [0, high * 0.4, 0]
        temple = _temple(hinge, side)
        meshes.append(tube(temple, max(thick, 0.0012), colour, material, sides=5))
    left, right = eyes[0][0] + wide - 0.001, eyes[1][0] - wide + 0.001
    level = (eyes[0][1] + eyes[1][1]) / 2 - drop + high * 0.35
    bridge = [[left, level, depth], [0, level + 0.003, depth + 0.002], [right, level, depth]]
    meshes.append(tube(bridge, thick, colour, material, sides=5))
    return meshes, 'dark' if dark else 'clear'


def _rim(middle: NDArray[Any], wide: float, high: float, power: float) -> NDArray[Any]:
    """Return the outline (28,3) of a lens, a superellipse that bends back towards the ear."""
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    x = middle[0] + wide * np.sign(c) * np.abs(c) ** power
    y = middle[1] + high * np.sign(s) * np.abs(s) ** power
    z = middle[2] - 4.0 * np.maximum(0, np.abs(x) - 0.02) ** 2
    return np.stack([x, y, z], -1)


def _dark_lens(rim: NDArray[Any], tint: Float) -> Mesh:
    count = len(rim)
    i = np.arange(count)
    fan = np.stack([i, (i + 1) % count, np.full(count, count)], -1)
    points = np.concatenate([rim, [rim.mean(axis=0) + [0, 0, 0.001]]])
    normals = np.concatenate([rim - rim.mean(axis=0), [[0, 0, 0]]]) * 8 + [0, 0, 1]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return make_mesh(points, fan, tint, Material.PLASTIC, normals=normals, two_sided=True)


def _temple(hinge: NDArray[Any], side: int) -> list[NDArray[Any]]:
    """Return the path from the hinge to behind the ear; `side` -1 is the subject's right."""
    ear = np.array([side * 0.078, 0.004, -0.105])
    back = ear + [-side * 0.002, -0.02, -0.018]
    return [hinge, hinge + [side * 0.004, 0, -0.012], ear, back]


def _support(
    points: Float, centre: NDArray[Any], directions: NDArray[Any], cone: float
) -> NDArray[Any]:
    """Return how far points reach in each direction (D,3), counting those within `cone` rad."""
    out = (points - centre).astype(np.float32)
    radius = np.linalg.norm(out, axis=1)
    cosine = directions.astype(np.float32) @ (out / radius[:, None]).T
    return np.max(np.where(cosine > np.cos(cone), radius * cosine, 0), axis=1)


def _directions(azimuth: NDArray[Any], elevation: NDArray[Any]) -> NDArray[Any]:
    """Return unit vectors; azimuth 0 is the front, to the left positive."""
    return np.stack(
        [
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
            np.cos(elevation) * np.cos(azimuth),
        ],
        -1,
    )


def make_mask(rng: np.random.Generator, face: Float, landmarks: Float) -> list[Mesh]:
    """Return a mouth-and-nose mask over the face's (V,3) vertices, with its loops."""
    centre = np.array([0.0, -0.05, -0.085])
    pulled = rng.random() < 0.15  # worn below the nose
    top = np.deg2rad(4 if pulled else rng.uniform(20, 30))
    rows, columns = 12, 21
    azimuth = np.linspace(-1, 1, columns) * np.deg2rad(rng.uniform(62, 76))
    side = np.abs(np.linspace(-1, 1, columns)) ** 2
    upper = top - side * np.deg2rad(14) * (0 if pulled else 1)
    lower = np.deg2rad(-52) + side * np.deg2rad(24)
    t = np.linspace(0, 1, rows)[:, None]
    elevation = upper + (lower - upper) * t
    directions = _directions(np.broadcast_to(azimuth, elevation.shape), elevation)
    flat = directions.reshape(-1, 3)
    reach = _support(face[::3], centre, flat, 0.16).reshape(rows, columns) + 0.003
    reach += rng.uniform(0, 0.008) * np.sin(np.pi * t) * (1 - side)
    points = centre + directions * reach[..., None]
    white = rng.random() < 0.7
    colour = linear_bgr(*rng.uniform(170, 240, 3)) if white else any_colour(rng)
    if rng.random() < 0.35:
        colour = jitter(rng, linear_bgr(120, 180, 215), 0.2)
    meshes = [
        make_mesh(
            points.reshape(-1, 3),
            grid_triangles(rows, columns, False),
            colour,
            Material.CLOTH,
            layer=3 if rng.random() < 0.4 else -1,
            uv=grid_uv(rows, columns),
            two_sided=True,
        )
    ]
    for column, sign in ((0, -1), (columns - 1, 1)):
        ear = np.array([sign * 0.080, 0.0, -0.115])
        for row in (1, rows - 2):
            end = points[row, column]
            loop = [end, (end + ear) / 2 + [sign * 0.006, 0, 0], ear]
            meshes.append(tube(loop, 0.0012, colour, Material.CLOTH, sides=4))
    return meshes


def make_cover(rng: np.random.Generator, kind: str, skin: Float) -> list[Mesh]:
    """Return what is worn on the head; `skin` (V,3): the head's outer vertices."""
    front, back, thick = _COVER_MEASURES[kind]
    front += float(rng.normal(0, 5))
    thick *= float(rng.uniform(0.8, 1.4))
    rows, columns = 16, 40
    azimuth = np.linspace(-np.pi, np.pi, columns + 1)
    turn = np.abs(azimuth)
    if kind in ('hood', 'headscarf'):
        window = np.deg2rad(rng.uniform(58, 68) + (8 if kind == 'hood' else 0))
        share = 1 / (1 + np.exp((window - turn) * 14))
    else:
        share = (1 - np.cos(turn)) / 2
    edge = np.deg2rad(front + (back - front) * share)
    t = np.minimum(np.linspace(0, 1 + 1 / (rows - 2), rows), 1)[:, None]  # the hem comes twice
    elevation = np.pi / 2 * 0.998 + (edge - np.pi / 2 * 0.998) * t
    directions = _directions(np.broadcast_to(azimuth, elevation.shape), elevation)
    above = skin[skin[:, 1] > -0.115]
    reach = _support(above[::4], HEAD_CENTRE, directions.reshape(-1, 3), 0.22)
    reach = reach.reshape(rows, columns + 1) + thick
    if kind in ('beanie', 'turban', 'hood', 'headscarf'):
        folds = rng.normal(0, 1, (6,))
        waves = sum(a * np.sin((k + 2) * azimuth + rng.uniform(0, 6)) for k, a in enumerate(folds))
        reach += 0.0018 * waves * np.sin(np.pi * t) + 0.02 * rng.random() * (1 - t) ** 3
    elif kind == 'hat':
        reach += 0.03 * (1 - t) ** 2
    reach[-1] -= thick + 0.004  # the hem turns in, down to the skin
    points = HEAD_CENTRE + directions * reach[..., None]
    colour = any_colour(rng)
    shiny = kind == 'helmet'
    layer = 3 if rng.random() < 0.6 else -1
    material = Material.PLASTIC if shiny else Material.CLOTH
    uv = grid_uv(rows, columns + 1) * np.array([3, 1.5], np.float32)
    meshes = [
        make_mesh(
            points.reshape(-1, 3),
            grid_triangles(rows, columns + 1, False),
            colour,
            material,
            layer=layer,
            uv=uv,
            two_sided=True,
        )
    ]
    if kind == 'cap' or kind == 'hat':
        meshes.append(_brim(rng, points[-2], azimuth, colour, kind == 'cap'))
    if kind in ('hood', 'headscarf'):
        meshes.append(_neck_wrap(rng, colour, layer))
    return meshes


def _brim(
    rng: np.random.Generator,
    hem: NDArray[Any],
    azimuth: NDArray[Any],
    colour: Float,
    front_only: bool,
) -> Mesh:
    turned = rng.random() < 0.12  # worn backwards
    angle = np.abs(
        (azimuth + np.pi) % (2 * np.pi) - np.pi if not turned else np.pi - np.abs(azimuth)
    )
    length = rng.uniform(0.05, 0.085)
    reach = (
        length * np.clip(1 - (angle / 1.0) ** 3, 0, 1)
        if front_only
        else np.full(len(azimuth), length)
    )
    out = hem - HEAD_CENTRE
    out[:, 1] = 0
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    if front_only:
        out[:, 0] *= 0.35
    drop = rng.uniform(0.1, 0.45)
    rows = np.stack([hem, hem + out * reach[:, None] * 0.5, hem + out * reach[:, None]])
    rows[1, :, 1] -= drop * 0.4 * reach
    rows[2, :, 1] -= drop * reach
    return make_mesh(
        rows.reshape(-1, 3),
        grid_triangles(3, len(azimuth), False),
        colour * 0.9,
        Material.CLOTH,
        two_sided=True,
    )


def _neck_wrap(rng: np.random.Generator, colour: Float, layer: int) -> Mesh:
    rings = np.array(
        [
            [-0.098, 0.070, 0.088, -0.085],
            [-0.125, 0.078, 0.090, -0.098],
            [-0.155, 0.092, 0.100, -0.112],
            [-0.190, 0.135, 0.120, -0.120],
            [-0.235, 0.185, 0.130, -0.125],
        ]
    )
    phi = np.linspace(-np.pi, np.pi, 29)
    points = np.stack(
        [
            rings[:, 1:2] * np.sin(phi),
            np.repeat(rings[:, :1], 29, 1),
            rings[:, 3:4] + rings[:, 2:3] * np.cos(phi),
        ],
        -1,
    )
    points += rng.normal(0, 0.002, points.shape)
    return make_mesh(
        points.reshape(-1, 3),
        grid_triangles(5, 29, False),
        colour,
        Material.CLOTH,
        layer=layer,
        uv=grid_uv(5, 29) * np.array([3, 1], np.float32),
        two_sided=True,
    )


def _turn(rng: np.random.Generator, spread: float) -> NDArray[Any]:
    """Return a random rotation of about `spread` rad."""
    return rotation_from_vector(rng.normal(0, spread, 3))


def make_occluder(rng: np.random.Generator, kind: str, skin: Float) -> list[Mesh]:
    """Return a hand or a thing before or beside the face; `skin`: albedo of the hand."""
    at = np.array([rng.normal(0, 0.055), rng.uniform(-0.13, 0.05), 0.0])
    at[2] = 0.02 - 6.0 * at[0] ** 2 + rng.uniform(0.01, 0.05)
    turn = _turn(rng, 0.6)
    if kind == 'hand':
        return _hand(rng, at, turn, skin)
    colour = any_colour(rng)
    layer = 3 if rng.random() < 0.5 else -1
    if kind == 'phone':
        meshes = [box(at, (np.diag([0.037, 0.075, 0.004]) @ turn), colour, Material.PLASTIC)]
    elif kind == 'mug':
        path = at + np.array([[0, -0.05, 0], [0, -0.02, 0], [0, 0.02, 0], [0, 0.05, 0]]) @ turn
        meshes = [tube(path, 0.04, colour, Material.PLASTIC, sides=14, layer=layer)]
    elif kind == 'microphone':
        low = np.array([rng.normal(0, 0.02), rng.uniform(-0.1, -0.065), 0.05])
        meshes = [
            ellipsoid(low, np.eye(3) * rng.uniform(0.018, 0.03), colour * 0.4, Material.METAL),
            tube(
                [low, low + [0.01, -0.1, 0.05], low + [0.02, -0.2, 0.1]],
                0.012,
                colour * 0.3,
                Material.METAL,
            ),
        ]
        return meshes + (
            _hand(rng, low + [0.015, -0.12, 0.06], turn, skin) if rng.random() < 0.5 else []
        )
    else:
        axes = np.diag(rng.uniform(0.015, 0.07, 3)) @ turn
        shape = box if rng.random() < 0.5 else ellipsoid
        return [shape(at, axes, colour, Material.CLOTH, layer=layer)]
    return meshes + (_hand(rng, at + [0, -0.03, 0.012], turn, skin) if rng.random() < 0.6 else [])


def _hand(
    rng: np.random.Generator, at: NDArray[Any], turn: NDArray[Any], skin: Float
) -> list[Mesh]:
    """Return a palm, five fingers, and a forearm that comes from below."""
    curl = rng.uniform(0.0, 0.9)
    axes = np.diag([0.042, 0.046, 0.015]) @ turn
    meshes = [ellipsoid(at, axes, skin, Material.SKIN, layer=4)]
    for i, length in enumerate((0.07, 0.08, 0.075, 0.06)):
        base = np.array([-0.03 + 0.02 * i, 0.036, 0.0])
        t = np.linspace(0, 1, 6)[:, None]
        bend = curl * t
        path = base + length * t * np.concatenate(
            [np.full_like(t, (i - 1.5) * 0.12), np.cos(bend * 1.6), -np.sin(bend * 1.6)], 1
        )
        meshes.append(
            tube(
                at + path @ turn,
                [0.010, 0.0095, 0.009, 0.009, 0.008, 0.004],
                skin,
                Material.SKIN,
                layer=4,
            )
        )
    thumb = np.array([[-0.036, -0.01, 0], [-0.055, 0.01, -0.005], [-0.065, 0.035, -0.012]])
    meshes.append(tube(at + thumb @ turn, [0.013, 0.011, 0.007], skin, Material.SKIN, layer=4))
    wrist = at + np.array([0, -0.05, 0]) @ turn
    elbow = np.array([np.sign(at[0] + 0.01) * rng.uniform(0.05, 0.3), -0.45, 0.1])
    meshes.append(
        tube(
            [wrist, wrist + 0.2 * (elbow - wrist), elbow],
            [0.026, 0.03, 0.045],
            skin,
            Material.SKIN,
            sides=10,
            layer=4,
        )
    )
    return meshes
