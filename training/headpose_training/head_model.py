# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The morphable head that synthetic people are made from: ICT-FaceKit Light (MIT licence).

Its *model frame*: origin at the sellion, x to the subject's left, y up, z out of the face, metres.
`HeadModel.load` reads the packed file that `convert` makes from an ICT-FaceKit checkout.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from headpose_ros.geometry.face_frame import rotation_face_from_ict
from headpose_ros.typing import Array
from headpose_training.arrays import arrays_of

Float = NDArray[np.float32]
Int = NDArray[np.int32]

_AXES = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""The model's axes named as REP-155 names them: x out of the face, y left, z up."""

ROTATION_FACE_FROM_MODEL: Array = rotation_face_from_ict @ _AXES
"""Takes vectors of the model frame to the face frame of `docs/architecture.md`. Read-only."""
ROTATION_FACE_FROM_MODEL.setflags(write=False)

SELLION_LANDMARK = 27
SKIN_PARTS = ('face', 'head_and_neck')
DRAWN_PARTS = (
    'face',
    'head_and_neck',
    'mouth_socket',
    'eye_socket_left',
    'eye_socket_right',
    'gums_and_tongue',
    'teeth',
    'eyeball_left',
    'eyeball_right',
)
_ARRAYS = (
    'neutral',
    'uv',
    'triangles',
    'uv_triangles',
    'identity_modes',
    'expression_shapes',
    'expression_names',
    'landmarks68',
    'part_names',
    'part_last_vertex',
)
_ICT_LAST_VERTEX = {
    'face': 9408,
    'head_and_neck': 11247,
    'mouth_socket': 13293,
    'eye_socket_left': 13677,
    'eye_socket_right': 14061,
    'gums_and_tongue': 17038,
    'teeth': 21450,
    'eyeball_left': 23020,
    'eyeball_right': 24590,
    'lacrimal_left': 24794,
    'lacrimal_right': 24998,
    'eye_blend_left': 25022,
    'eye_blend_right': 25046,
    'eye_occlusion_left': 25198,
    'eye_occlusion_right': 25350,
    'lashes_left': 26034,
    'lashes_right': 26718,
}


class HeadModelError(ValueError):
    """The head model's file is missing, or is not what `convert` writes."""


def default_path() -> Path:
    """Return where the packed model is looked for: $HEADPOSE_DATA, else ../shared/data."""
    root = os.environ.get('HEADPOSE_DATA')
    data = Path(root) if root else Path(__file__).resolve().parents[3] / 'shared' / 'data'
    return data / 'heads' / 'ict_facekit.npz'


@dataclass(frozen=True, eq=False)
class Identity:
    """One person's head at rest.

    `points` (V,3) in the model frame; `scale`: size over that of the mean adult, the root mean
    square distance of the 68 landmarks from their mean, compared.
    """

    points: Float
    scale: float


@dataclass(frozen=True, eq=False)
class HeadModel:
    """Shapes of a head over V vertices, metres, in the model frame.

    `neutral` (V,3); `identity_modes` (I,V,3), each one standard deviation; `expression_shapes`
    (E,V,3) for weights 0..1; `triangles`, `uv_triangles` (T,3), counter-clockwise from outside;
    `uv` (M,2), v up, whole numbers tell the tile; `landmarks68` (68,), iBUG order; `part_last`
    gives each part's last vertex, in order.
    """

    neutral: Float
    uv: Float
    triangles: Int
    uv_triangles: Int
    identity_modes: Float
    expression_shapes: Float
    expression_names: tuple[str, ...]
    landmarks68: Int
    part_last: dict[str, int]

    @classmethod
    def load(cls, path: str | Path | None = None) -> HeadModel:
        """Read a packed model; raises HeadModelError where it is missing or malformed."""
        path = Path(path) if path else default_path()
        if not path.is_file():
            raise HeadModelError(
                f'head model not found: {path}; make it from a checkout of '
                'github.com/ICT-VGL/ICT-FaceKit with "headpose synthesize head-model", and give '
                'it with --head-model or under $HEADPOSE_DATA/heads'
            )
        try:
            with arrays_of(path, 'a packed head model') as arrays:
                raw = {name: arrays[name] for name in _ARRAYS}
        except ValueError as error:
            raise HeadModelError(str(error)) from None
        return cls._from_arrays(raw)

    @classmethod
    def _from_arrays(cls, raw: dict[str, NDArray[Any]]) -> HeadModel:
        parts = dict(
            zip(
                (str(n) for n in raw['part_names']),
                (int(v) for v in raw['part_last_vertex']),
                strict=True,
            )
        )
        count = parts[DRAWN_PARTS[-1]] + 1  # what follows are transparent layers
        keep = np.all(raw['triangles'] < count, axis=1)
        sellion = raw['neutral'][raw['landmarks68'][SELLION_LANDMARK]]
        return cls(
            neutral=((raw['neutral'][:count] - sellion) * 0.01).astype(np.float32),
            uv=raw['uv'].astype(np.float32),
            triangles=np.ascontiguousarray(raw['triangles'][keep], np.int32),
            uv_triangles=np.ascontiguousarray(raw['uv_triangles'][keep], np.int32),
            identity_modes=raw['identity_modes'][:, :count].astype(np.float32) * np.float32(0.01),
            expression_shapes=(
                raw['expression_shapes'][:, :count].astype(np.float32) * np.float32(0.01)
            ),
            expression_names=tuple(str(n) for n in raw['expression_names']),
            landmarks68=raw['landmarks68'].astype(np.int32),
            part_last={name: parts[name] for name in DRAWN_PARTS},
        )

    def part_vertices(self, name: str) -> slice:
        """Return the vertices of a part."""
        names = list(self.part_last)
        first = 0 if name == names[0] else self.part_last[names[names.index(name) - 1]] + 1
        return slice(first, self.part_last[name] + 1)

    @cached_property
    def triangle_parts(self) -> Int:
        """The part that each triangle belongs to, as an index into `part_last`."""
        last = np.array(list(self.part_last.values()))
        return np.searchsorted(last, self.triangles.max(axis=1)).astype(np.int32)

    def identity(self, coefficients: Array) -> Identity:
        """Return the head with these weights of the identity modes, its own sellion the origin.

        It is turned so that its 68 landmarks lie as the mean head's do (Kabsch): the modes alone
        pitch heads by 1.4 degrees (one standard deviation), which nobody could see in a picture.
        `coefficients` (I,), standard deviations.
        """
        if np.shape(coefficients) != (len(self.identity_modes),):
            raise ValueError(
                f'coefficients: expected ({len(self.identity_modes)},), '
                f'got {np.shape(coefficients)}'
            )
        # not by BLAS, whose sums depend on its threads: the same seed shall give the same pixels
        weights = np.asarray(coefficients, np.float32)
        points = np.einsum('i,ivk->vk', weights, self.identity_modes) + self.neutral
        points -= points[self.landmarks68[SELLION_LANDMARK]].copy()
        landmarks, mean_landmarks = points[self.landmarks68], self.neutral[self.landmarks68]
        turn, _ = Rotation.align_vectors(
            mean_landmarks - mean_landmarks.mean(axis=0), landmarks - landmarks.mean(axis=0)
        )
        scale = _spread(landmarks) / _spread(mean_landmarks)
        turned = np.einsum('ij,vj->vi', turn.as_matrix().astype(np.float32), points)
        return Identity(turned, scale)

    def resized(self, head: Identity, scale: float) -> Identity:
        """Return a head of the same shape, `scale` times the size of the mean adult's."""
        return Identity(head.points * np.float32(scale / head.scale), scale)


def _spread(points: Float) -> float:
    return float(np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1))))


def _read_obj(
    path: Path, faces: bool
) -> tuple[NDArray[Any], NDArray[Any], list[list[tuple[int, int]]]]:
    """Read vertices, texture coordinates and (vertex, texture) polygons of a Wavefront file."""
    points: list[list[float]] = []
    uv: list[list[float]] = []
    polygons: list[list[tuple[int, int]]] = []
    with path.open(encoding='utf-8') as file:
        for line in file:
            words = line.split()
            if not words:
                continue
            if words[0] == 'v':
                points.append([float(w) for w in words[1:4]])
            elif faces and words[0] == 'vt':
                uv.append([float(w) for w in words[1:3]])
            elif faces and words[0] == 'f':
                corners = [word.split('/') for word in words[1:]]
                polygons.append([(int(c[0]) - 1, int(c[1]) - 1) for c in corners])
    return np.array(points), np.array(uv), polygons


def _landmarks68(text: str) -> list[int]:
    """Read `idx_to_landmark_verts` from ICT-FaceKit's `vertex_indices.json`."""
    import json

    found = json.loads(text)['idx_to_landmark_verts']
    if len(found) < 68:
        raise ValueError(f'expected 68 landmarks, got {len(found)}')
    return [int(v) for v in found[:68]]


def convert(checkout: str | Path, out: str | Path) -> Path:
    """Pack an ICT-FaceKit checkout (its `FaceXModel` folder) into the file `HeadModel` reads.

    Raises HeadModelError where the checkout lacks a file or is of another topology.
    """
    folder = Path(checkout)
    folder = folder / 'FaceXModel' if (folder / 'FaceXModel').is_dir() else folder
    neutral_path = folder / 'generic_neutral_mesh.obj'
    indices_path = folder / 'vertex_indices.json'
    for path in (neutral_path, indices_path):
        if not path.is_file():
            raise HeadModelError(f'{path} not found: expected a checkout of ICT-FaceKit')
    neutral, uv, polygons = _read_obj(neutral_path, faces=True)
    count = max(_ICT_LAST_VERTEX.values()) + 1
    if len(neutral) < count:
        raise HeadModelError(f'{neutral_path}: expected {count} vertices, got {len(neutral)}')
    corners = [(p[0], p[i], p[i + 1]) for p in polygons for i in range(1, len(p) - 1)]
    table = np.array(corners)
    identities = sorted(folder.glob('identity[0-9][0-9][0-9].obj'))
    others = sorted(p for p in folder.glob('*.obj') if p not in identities and p != neutral_path)
    if not identities or not others:
        raise HeadModelError(f'{folder}: identity and expression shapes not found')
    out = Path(out)
    partial = out.with_name(out.name + '.partial.npz')
    np.savez_compressed(
        partial,
        neutral=neutral[:count].astype(np.float32),
        uv=uv.astype(np.float32),
        triangles=table[..., 0].astype(np.int32),
        uv_triangles=table[..., 1].astype(np.int32),
        identity_modes=_offsets(identities, neutral, count),
        expression_shapes=_offsets(others, neutral, count),
        expression_names=np.array([p.stem for p in others]),
        landmarks68=np.array(_landmarks68(indices_path.read_text()), np.int32),
        part_names=np.array(list(_ICT_LAST_VERTEX)),
        part_last_vertex=np.array(list(_ICT_LAST_VERTEX.values()), np.int32),
    )
    partial.replace(out)
    return out


def _offsets(paths: list[Path], neutral: NDArray[Any], count: int) -> NDArray[np.float16]:
    shapes = [_read_obj(path, faces=False)[0][:count] - neutral[:count] for path in paths]
    return np.stack(shapes).astype(np.float16)
