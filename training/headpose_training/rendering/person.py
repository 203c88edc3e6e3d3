# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A synthetic person: a head's shape and everything on it, and how it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headpose_ros.typing import Array
from headpose_training.head_model import ROTATION_FACE_FROM_MODEL
from headpose_training.rendering import accessories, body, hair, hair_style, skin
from headpose_training.rendering.head_parts import HeadParts
from headpose_training.rendering.mesh import Material, Mesh, join, make_mesh
from headpose_training.rendering.noise import Float, linear_bgr, mottled, pattern, strands
from headpose_training.rendering.rasterizer import vertex_normals

HELD_OUT_IDENTITIES = 1_000_000
"""Identities from this seed on are for tests, never for training."""

_MOUTH = (
    'jawOpen',
    'mouthSmile_L',
    'mouthSmile_R',
    'mouthPucker',
    'mouthFunnel',
    'mouthFrown_L',
    'mouthFrown_R',
    'mouthStretch_L',
    'mouthStretch_R',
    'jawLeft',
    'mouthUpperUp_L',
    'mouthUpperUp_R',
    'mouthLowerDown_L',
    'mouthLowerDown_R',
)


@dataclass(frozen=True, eq=False)
class Pose:
    """How a person holds the head, before a camera.

    `rotation_camera_from_face` (3,3), `sellion` (3,) metres; `rotation_camera_from_torso` (3,3)
    takes the model frame's axes of the shoulders to the camera; `expression` (E,) weights 0..1;
    `gaze` (2,): rad to the subject's left and up.
    """

    rotation_camera_from_face: Array
    sellion: Array
    rotation_camera_from_torso: Array
    expression: Float
    gaze: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Posed:
    """A person's vertices in a camera frame: what the rasteriser needs besides the `Mesh`."""

    points: Float
    normals: Float
    tangents: Float
    colours: Float
    landmarks: Float


@dataclass(frozen=True, eq=False)
class Drawn:
    """Triangles to draw, as in `Mesh`; which are of the head's skin; those that cast shadows."""

    triangles: NDArray[np.int32]
    uv_triangles: NDArray[np.int32]
    two_sided: NDArray[np.bool_]
    material: NDArray[np.int32]
    layer: NDArray[np.int32]
    is_skin: NDArray[np.bool_]
    casting: NDArray[np.int32]


@dataclass(frozen=True)
class Appearance:
    """Labels of a person, for reports: what makes the head harder to read."""

    identity: int
    head_scale: float
    skin_tone: float
    hair: str
    glasses: str
    mask: bool
    cover: str
    beard: bool
    occlusion: str


Loose = tuple[Mesh, str]
"""A mesh and what it moves with: head, torso, or neck (in between, by its place)."""


@njit(cache=True, fastmath=True)
def _attach(
    points: Float,
    normals: Float,
    tangents: Float,
    moved: Float,
    follow: NDArray[np.int32],
    neck: Float,
    head_r: Float,
    head_t: Float,
    torso_r: Float,
    torso_t: Float,
    out_p: Float,
    out_n: Float,
    out_t: Float,
) -> None:
    """Move vertices with the head, the torso, or in between, by the weight `neck`."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        if follow[i] >= 0:
            x += moved[follow[i], 0]
            y += moved[follow[i], 1]
            z += moved[follow[i], 2]
        w = neck[i]
        for k in range(3):
            a, b, c = head_r[k, 0], head_r[k, 1], head_r[k, 2]
            shift = head_t[k]
            if w > 0.0:
                a += w * (torso_r[k, 0] - a)
                b += w * (torso_r[k, 1] - b)
                c += w * (torso_r[k, 2] - c)
                shift += w * (torso_t[k] - shift)
            out_p[i, k] = a * x + b * y + c * z + shift
            out_n[i, k] = a * normals[i, 0] + b * normals[i, 1] + c * normals[i, 2]
            out_t[i, k] = a * tangents[i, 0] + b * tangents[i, 1] + c * tangents[i, 2]


class Person:
    """An identity and an appearance; `pose` gives its vertices before a camera.

    Deterministic: the same model and `seed` give the same person. The first vertices of `mesh`
    are the head model's.
    """

    def __init__(self, parts: HeadParts, seed: int, plain: bool = False) -> None:
        """Make person number `seed`; `plain`: nothing is held before the face."""
        rng = np.random.default_rng([seed, 0x48454144])
        self.parts, self.seed = parts, seed
        model = parts.model
        size = float(np.clip(rng.normal(1.0, 0.042), 0.88, 1.12))
        if rng.random() < 0.05:
            size *= rng.uniform(0.82, 0.97)  # children
        coefficients = np.clip(rng.normal(0, 0.85, len(model.identity_modes)), -2.2, 2.2)
        shape = model.identity(coefficients)
        who = model.resized(shape, size)
        self.head = who.points
        self.head_normals = vertex_normals(self.head, model.triangles)
        self._dress(rng, plain, who.scale)

    def _dress(self, rng: np.random.Generator, plain: bool, scale: float) -> None:
        hair_colour = hair_style.random_colour(rng)
        style = hair_style.random_style(rng)
        bearded = rng.random() < 0.22
        self.complexion = skin.Complexion.random(rng, hair_colour, bearded)
        cover = accessories.random_cover(rng)
        style = _under(cover, style)
        loose = self._hair(rng, style, bearded, hair_colour)
        worn, glasses, self.masked = self._worn(rng, cover)
        held, occlusion = self._held(rng) if not plain else ([], '')
        torso, clothes = body.make_torso(rng, self.complexion.albedo)
        loose += [*worn, *held, *((mesh, 'torso') for mesh in torso)]
        self._assemble(self._head_mesh(rng, hair_colour, style, cover), loose)
        self.textures = np.stack(
            [
                self.parts.chart.paint(rng, self.complexion),
                strands(),
                clothes,
                pattern(rng),
                mottled(rng, 0.06, 0.6),
            ]
        )
        self.appearance = Appearance(
            identity=self.seed,
            head_scale=scale,
            skin_tone=self.complexion.tone,
            hair=style.name if style.count else ('covered' if cover else 'bald'),
            glasses=glasses,
            mask=self.masked,
            cover=cover,
            beard=bearded,
            occlusion=occlusion,
        )

    def _hair(
        self, rng: np.random.Generator, style: hair_style.Style, bearded: bool, colour: Float
    ) -> list[Loose]:
        """Grow the hair, and the beard where it is more than stubble."""
        skin_points = self.head[self.parts.skin_vertices]
        skin_normals = self.head_normals[self.parts.skin_vertices]
        surface = hair.RadialSurface(skin_points)
        grown = hair.grow_hair(rng, style, skin_points, skin_normals, surface, colour)
        loose: list[Loose] = [(mesh, 'neck') for mesh in grown]
        stubble = self.complexion.stubble
        if bearded and stubble > 0.45:
            length = rng.choice([0.006, 0.012, 0.025, 0.06], p=[0.35, 0.35, 0.2, 0.1])
            density = self.parts.beard * stubble
            beard = hair.grow_beard(
                rng, self.head, self.head_normals, density, colour, length, surface
            )
            loose += [(mesh, 'head') for mesh in beard]
        return loose

    def _worn(self, rng: np.random.Generator, cover: str) -> tuple[list[Loose], str, bool]:
        """Put on glasses, mask and head cover; return them, the kind of glasses, and if masked."""
        model, glasses = self.parts.model, ''
        landmarks = self.head[model.landmarks68]
        loose: list[Loose] = []
        if rng.random() < 0.24:
            meshes, glasses = accessories.make_glasses(rng, landmarks)
            loose += [(mesh, 'head') for mesh in meshes]
        masked = rng.random() < 0.07
        if masked:
            face = self.head[model.part_vertices('face')]
            loose += [(mesh, 'head') for mesh in accessories.make_mask(rng, face, landmarks)]
        if cover:
            skin_points = self.head[self.parts.skin_vertices]
            loose += [(m, 'neck') for m in accessories.make_cover(rng, cover, skin_points)]
        return loose, glasses, masked

    def _held(self, rng: np.random.Generator) -> tuple[list[Loose], str]:
        """Hold something before the face, sometimes; return it and its kind."""
        if rng.random() >= 0.13:
            return [], ''
        kind = str(rng.choice(accessories.OCCLUDERS, p=[0.4, 0.1, 0.1, 0.2, 0.2]))
        meshes = accessories.make_occluder(rng, kind, self.complexion.albedo)
        return [(mesh, 'head') for mesh in meshes], kind

    def _assemble(self, base: Mesh, loose: list[Loose]) -> None:
        """Join the head and what is loose, and note how each vertex follows the neck."""
        weights = [neck_weight(base.points)]
        for mesh, kind in loose:
            rigid = np.full(len(mesh.points), float(kind == 'torso'), np.float32)
            weights.append(neck_weight(mesh.points) if kind == 'neck' else rigid)
        self.mesh = join([base, *(mesh for mesh, _ in loose)])
        self.neck = np.concatenate(weights)

    def _head_mesh(
        self, rng: np.random.Generator, hair_colour: Float, style: hair_style.Style, cover: str
    ) -> Mesh:
        model, parts = self.parts.model, self.parts
        colours = np.empty((len(self.head), 3), np.float32)
        colours[:] = self.complexion.albedo
        colours[model.part_vertices('mouth_socket')] = linear_bgr(90, 30, 28)
        colours[model.part_vertices('gums_and_tongue')] = linear_bgr(170, 80, 80)
        colours[model.part_vertices('teeth')] = linear_bgr(225, 218, 200)
        if style.name != 'bald' and cover not in ('headscarf', 'hood'):
            scalp = hair_style.scalp_mask(self.head[parts.skin_vertices], style)[:, None]
            scalp *= 0.9 if style.name != 'buzz' else rng.uniform(0.5, 0.85)
            cap = colours[parts.skin_vertices]
            cap += scalp * (hair_colour * 0.7 - cap)
        mesh = make_mesh(
            self.head,
            model.triangles,
            colours,
            Material.SKIN,
            uv=parts.uv,
            uv_triangles=model.uv_triangles,
            normals=self.head_normals,
            occlusion=parts.occlusion,
        )
        return replace(mesh, material=parts.material, layer=parts.layer)

    @cached_property
    def _drawn_closed(self) -> Drawn:
        return self._select(self.parts.closed)

    @cached_property
    def _drawn_open(self) -> Drawn:
        return self._select(self.parts.bare)

    def _select(self, of_head: NDArray[np.bool_]) -> Drawn:
        mesh, count = self.mesh, len(of_head)
        keep = np.ones(len(mesh.triangles), np.bool_)
        keep[:count] = of_head
        skin_of_all = np.zeros(len(keep), np.bool_)
        skin_of_all[:count] = self.parts.is_skin
        casting = skin_of_all & keep
        casting[count:] = True
        kept, cast = np.flatnonzero(keep), np.flatnonzero(casting)
        return Drawn(
            mesh.triangles.take(kept, axis=0),
            mesh.uv_triangles.take(kept, axis=0),
            mesh.two_sided.take(kept),
            mesh.material.take(kept),
            mesh.layer.take(kept),
            skin_of_all.take(kept),
            mesh.triangles.take(cast, axis=0),
        )

    def drawn(self, expression: Float) -> Drawn:
        """Return the triangles that can be seen; the mouth's inside only when it is open."""
        names = self.parts.model.expression_names
        opened = any(
            expression[i] > 0.02 for i, n in enumerate(names) if n.startswith(('jaw', 'mouth'))
        )
        return self._drawn_open if opened else self._drawn_closed

    def random_expression(self, rng: np.random.Generator) -> Float:
        """Draw weights of the expression shapes (E,)."""
        names = self.parts.model.expression_names
        weights = np.zeros(len(names), np.float32)
        if not self.masked and rng.random() < 0.7:
            for name in rng.choice(_MOUTH, int(rng.integers(1, 4)), replace=False):
                pair = {name, name.replace('_L', '_R'), name.replace('_R', '_L')}
                strength = rng.beta(1, 1.8) * (0.7 if name == 'jawOpen' else 0.8)
                for n in sorted(pair & set(names)):
                    weights[names.index(n)] = strength * rng.uniform(0.8, 1.1)
        blink = rng.beta(1, 3) * 0.5 if rng.random() < 0.85 else rng.uniform(0.6, 1.0)
        for n in ('eyeBlink_L', 'eyeBlink_R'):
            weights[names.index(n)] = blink
        for stem in ('browDown', 'browOuterUp', 'eyeSquint', 'cheekRaiser'):
            if rng.random() < 0.25:
                for side in ('_L', '_R'):
                    weights[names.index(stem + side)] = rng.beta(1, 1.5)
        return weights

    def pose(self, pose: Pose) -> Posed:
        """Return this person's vertices in the camera frame of `pose`."""
        model, mesh = self.parts.model, self.mesh
        count = len(self.head)
        moved = np.zeros_like(self.head)
        for e in np.flatnonzero(pose.expression):
            moved += model.expression_shapes[e] * pose.expression[e]
        points, normals = mesh.points.copy(), mesh.normals
        points[:count] += moved
        normals = normals.copy()
        normals[:count] = vertex_normals(points[:count], model.triangles)
        colours = mesh.colours.copy()
        yaw, pitch = pose.gaze
        look = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        for name in ('eyeball_left', 'eyeball_right'):
            part = model.part_vertices(name)
            colours[part] = skin.eye_colours(
                np.random.default_rng(self.seed), self.head[part], look, self.complexion.iris
            )
        head_r = pose.rotation_camera_from_face @ ROTATION_FACE_FROM_MODEL
        torso_r = pose.rotation_camera_from_torso
        joint = head_r @ body.NECK_JOINT + pose.sellion
        out = [np.empty_like(points) for _ in range(3)]
        _attach(
            points,
            normals,
            mesh.tangents,
            moved,
            mesh.follow,
            self.neck,
            head_r.astype(np.float32),
            np.asarray(pose.sellion, np.float32),
            torso_r.astype(np.float32),
            (joint - torso_r @ body.NECK_JOINT).astype(np.float32),
            *out,
        )
        return Posed(out[0], out[1], out[2], colours, out[0][model.landmarks68])


def _under(cover: str, style: hair_style.Style) -> hair_style.Style:
    """Return how hair is worn under a head cover: not at all, or pressed flat."""
    if cover in ('headscarf', 'turban', 'helmet', 'hood'):
        return replace(style, count=0)
    if not cover:
        return style
    return replace(
        style,
        layer=min(style.layer, 0.006),
        lift=min(style.lift, 0.3),
        curl=min(style.curl, 0.3),
        fringe=0.09,
        tail=None,
        recede=0.0,
    )


def neck_weight(points: Float) -> Float:
    """Return how much (V,3) points go with the shoulders, 0..1: the neck bends in between."""
    front = np.clip((points[:, 2] + 0.075) / 0.03, 0, 1)  # the chin goes with the head
    top = -0.095 - 0.055 * front
    t = np.clip((top - points[:, 1]) / 0.085, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
