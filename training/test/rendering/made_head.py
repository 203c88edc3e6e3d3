# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A head model of a few hundred vertices, in the layout of the packed one, made of ellipsoids."""

import numpy as np

from headpose_training.head_model import HeadModel

PARTS = (
    'face', 'head_and_neck', 'mouth_socket', 'eye_socket_left', 'eye_socket_right',
    'gums_and_tongue', 'teeth', 'eyeball_left', 'eyeball_right', 'lashes_left',
)  # fmt: skip
EXPRESSIONS = (
    'jawOpen', 'mouthSmile_L', 'mouthSmile_R', 'mouthPucker', 'mouthFunnel', 'mouthFrown_L',
    'mouthFrown_R', 'mouthStretch_L', 'mouthStretch_R', 'jawLeft', 'mouthUpperUp_L',
    'mouthUpperUp_R', 'mouthLowerDown_L', 'mouthLowerDown_R', 'eyeBlink_L', 'eyeBlink_R',
    *(f'{stem}_{side}' for stem in ('browDown', 'browOuterUp', 'eyeSquint', 'cheekRaiser')
      for side in 'LR'),
)  # fmt: skip


def patch(centre, axes, azimuth, elevation, rows, columns):
    """Return the part of an ellipsoid (cm) between angles, and its outward triangles."""
    a, e = np.meshgrid(np.linspace(*azimuth, columns), np.linspace(*elevation, rows))
    unit = np.stack([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)], -1)
    points = (np.array(centre) + unit * axes).reshape(-1, 3)
    r, c = (x.ravel() for x in np.mgrid[: rows - 1, : columns - 1])
    k = r * columns + c  # elevation grows with the row, azimuth with the column
    triangles = np.concatenate(
        [
            np.stack([k, k + 1, k + columns], -1),
            np.stack([k + 1, k + columns + 1, k + columns], -1),
        ]
    )
    return points, triangles


def landmark_targets():
    """Return where the 68 landmarks of a face lie, roughly, cm."""
    jaw = np.linspace(-1.35, 1.35, 17)
    rows = [[7.4 * np.sin(a), 3 - 10.5 * np.cos(a), 8] for a in jaw]
    rows += [[x, 6.2, 10] for x in (*np.linspace(-5.8, -1.2, 5), *np.linspace(1.2, 5.8, 5))]
    rows += [[0, y, 11] for y in (3.74, 2.6, 1.6, 0.4)]
    rows += [[x, -1.1, 11] for x in np.linspace(-1.2, 1.2, 5)]
    for side in (-1, 1):
        x = 3.1 + 1.4 * np.cos(np.arange(6) / 6 * 2 * np.pi)
        y = 3.4 + 0.5 * np.sin(np.arange(6) / 6 * 2 * np.pi)
        rows += [[side * u, v, 9.5] for u, v in zip(x, y, strict=True)]
    for count, radius in ((12, 2.5), (8, 1.8)):
        a = np.pi - np.arange(count) / count * 2 * np.pi
        rows += [[radius * np.cos(t), -3.4 + 0.9 * np.sin(t), 10.5] for t in a]
    return np.array(rows, float)


def packed_arrays(seed=0):
    """Return the arrays of a packed head model, units and axes as ICT-FaceKit has them."""
    half = np.pi / 2
    pieces = [
        patch((0, 3.5, 0), (7.8, 11.5, 10.7), (-half, half), (-1.45, 1.5), 30, 41),
        patch((0, 3.5, 0), (7.8, 11.5, 9.0), (half, 3 * half), (-1.45, 1.5), 16, 25),
    ]
    neck = patch((0, -10, -1.5), (6.0, 6.0, 6.0), (-np.pi, np.pi), (-0.9, 0.9), 6, 17)
    pieces[1] = (
        np.concatenate([pieces[1][0], neck[0]]),
        np.concatenate([pieces[1][1], neck[1] + len(pieces[1][0])]),
    )
    inner = [(0, -3.4, 6)] + [(3.1, 3.4, 6), (-3.1, 3.4, 6)] + [(0, -3.4, 5)] * 2
    for centre in inner:
        pieces.append(patch(centre, (0.8, 0.8, 0.8), (-np.pi, np.pi), (-1.4, 1.4), 4, 7))
    for side in (1, -1):
        pieces.append(patch((side * 3.1, 3.4, 8.1), (1.2, 1.2, 1.2), (-np.pi, np.pi),
                            (-1.5, 1.5), 9, 13))  # fmt: skip
    pieces.append((np.array([[3, 4, 11], [4, 4, 11], [3, 5, 11.0]]), np.array([[0, 1, 2]])))
    counts = np.array([len(p) for p, _ in pieces])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    points = np.concatenate([p for p, _ in pieces]).astype(np.float32)
    triangles = np.concatenate([t + f for (_, t), f in zip(pieces, first, strict=True)])
    tile = np.repeat(np.minimum(np.arange(len(pieces)), 1), counts)
    uv = np.stack([tile + np.clip(0.5 + points[:, 0] / 22, 0.01, 0.99),
                   np.clip(0.5 + (points[:, 1] - 3.5) / 30, 0.01, 0.99)], -1)  # fmt: skip
    face = points[: counts[0]]
    marks = [int(np.argmin(np.sum((face - t) ** 2, -1))) for t in landmark_targets()]
    rng = np.random.default_rng(seed)
    smooth = np.stack([np.sin(points * k * 0.2) * 0.15 for k in (1, 2, 3)])
    expressions = rng.normal(0, 0.02, (len(EXPRESSIONS), len(points), 3))
    expressions[0] -= np.array([0, 1.0, 0]) * (points[:, 1:2] < -3)
    return {
        'neutral': points, 'uv': uv.astype(np.float32), 'triangles': triangles.astype(np.int32),
        'uv_triangles': triangles.astype(np.int32), 'identity_modes': smooth.astype(np.float16),
        'expression_shapes': expressions.astype(np.float16),
        'expression_names': np.array(EXPRESSIONS), 'landmarks68': np.array(marks, np.int32),
        'part_names': np.array(PARTS),
        'part_last_vertex': (first + counts - 1).astype(np.int32),
    }  # fmt: skip


def save(path):
    """Write the packed model and return its path."""
    np.savez(path, **packed_arrays())
    return path


def load(folder):
    """Write the packed model into a folder and load it."""
    return HeadModel.load(save(folder / 'head.npz'))
