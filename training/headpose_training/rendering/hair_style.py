# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How hair is worn: styles, colours, where it grows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headpose_training.rendering.noise import Float, jitter, linear_bgr

HEAD_CENTRE = np.array([0.0, 0.015, -0.105], np.float32)
"""Middle of the skull in the model frame, metres."""

COLOURS: Float = np.stack(
    [
        linear_bgr(*c)
        for c in (
            (22, 18, 16),
            (38, 28, 22),
            (62, 42, 28),
            (92, 64, 42),
            (128, 92, 58),
            (184, 146, 96),
            (214, 184, 136),
            (136, 62, 32),
            (120, 116, 112),
            (196, 194, 190),
        )
    ]
)
_COLOUR_WEIGHTS = np.array([0.22, 0.2, 0.15, 0.11, 0.08, 0.06, 0.04, 0.03, 0.06, 0.05])

# hairline: height above the sellion (m) over the azimuth from the front (rad)
_AZIMUTH = np.deg2rad([0, 25, 42, 54, 64, 75, 90, 105, 125, 150, 180])
_HEIGHT = np.array([0.069, 0.068, 0.060, 0.038, 0.010, -0.012, 0.030, 0.002, -0.05, -0.085, -0.09])


@dataclass(frozen=True)
class Style:
    """How hair is worn. Lengths in metres.

    `whorl` (3,): strands flow away from here along the scalp (or towards it, where `flow` < 0);
    `lift`: how much they stand off; `gravity`, `curl`: strengths; `part`: side of the parting, m;
    `fringe`: height below which hair ends before the face; `recede`: how far the hairline has gone
    back, m; `crown`: radius of a bald crown, m; `tail`: where a tail or a bun is tied, or None.
    """

    name: str
    length: float
    spread: float = 0.25
    whorl: tuple[float, float, float] = (0.0, 0.09, -0.16)
    flow: float = 1.0
    lift: float = 0.5
    gravity: float = 0.3
    curl: float = 0.0
    part: float = 0.0
    fringe: float = 0.03
    recede: float = 0.0
    crown: float = 0.0
    count: int = 1300
    layer: float = 0.012
    tail: tuple[float, float, float] | None = None
    bun: bool = False


_FRONT = (0.0, 0.10, -0.02)
STYLES: tuple[tuple[float, Style], ...] = (
    (0.05, Style('bald', 0.0, count=0)),
    (0.08, Style('buzz', 0.006, lift=0.6, gravity=0, count=700, layer=0.003)),
    (0.16, Style('short', 0.032, lift=0.35, gravity=0.3, layer=0.012)),
    (0.10, Style('swept_back', 0.06, whorl=_FRONT, lift=0.3, gravity=0.2, layer=0.014)),
    (0.10, Style('side_part', 0.06, lift=0.3, gravity=0.35, part=0.03, layer=0.016)),
    (0.03, Style('spiky', 0.035, lift=1.3, gravity=0.0, layer=0.008)),
    (0.06, Style('receding', 0.03, recede=0.035, crown=0.05, lift=0.3, gravity=0.4, count=800)),
    (0.08, Style('bob', 0.17, gravity=1.4, part=0.01, lift=0.35, layer=0.022, count=1700)),
    (0.12, Style('long', 0.36, gravity=1.6, part=0.01, lift=0.3, layer=0.022, count=1900)),
    (
        0.07,
        Style('wavy', 0.30, gravity=1.3, curl=0.32, part=0.02, lift=0.35, layer=0.026, count=1800),
    ),
    (0.04, Style('curly', 0.13, gravity=0.5, curl=0.9, lift=1.0, layer=0.035, count=1900)),
    (0.04, Style('afro', 0.08, gravity=0.0, curl=1.5, lift=2.2, layer=0.03, count=2200)),
    (
        0.05,
        Style(
            'ponytail',
            0.13,
            whorl=_FRONT,
            gravity=0.1,
            lift=0.1,
            layer=0.008,
            flow=1.0,
            count=1300,
            tail=(0.0, 0.05, -0.215),
        ),
    ),
    (
        0.04,
        Style(
            'bun',
            0.12,
            whorl=_FRONT,
            gravity=0.1,
            lift=0.1,
            layer=0.008,
            count=1300,
            tail=(0.0, 0.085, -0.19),
            bun=True,
        ),
    ),
)


def random_style(rng: np.random.Generator) -> Style:
    """Draw a style, and vary it."""
    weights = np.array([w for w, _ in STYLES])
    style = STYLES[rng.choice(len(STYLES), p=weights / weights.sum())][1]
    side = rng.choice([-1.0, 1.0])
    fringe = rng.uniform(0.012, 0.05) if rng.random() < 0.45 else 0.075
    return replace(
        style,
        length=style.length * rng.uniform(0.6, 1.5),
        lift=style.lift * rng.uniform(0.6, 1.5),
        gravity=style.gravity * rng.uniform(0.7, 1.3),
        layer=style.layer * rng.uniform(0.6, 1.5),
        part=side * (style.part + abs(rng.normal(0, 0.012))),
        fringe=fringe,
        recede=style.recede + max(0.0, rng.normal(0, 0.008)),
        curl=style.curl + abs(rng.normal(0, 0.05)),
    )


def random_colour(rng: np.random.Generator) -> Float:
    """Draw a hair colour, linear BGR."""
    if rng.random() < 0.02:
        return linear_bgr(*rng.uniform(20, 230, 3))
    return jitter(rng, COLOURS[rng.choice(len(COLOURS), p=_COLOUR_WEIGHTS)] * 0.8, 0.22)


def scalp_mask(points: Float, style: Style) -> Float:
    """Return how surely hair grows at (V,3) points of the head, 0..1, with a soft hairline."""
    azimuth = np.arctan2(np.abs(points[:, 0]), points[:, 2] - HEAD_CENTRE[2])
    line = np.interp(azimuth, _AZIMUTH, _HEIGHT)
    line = line + style.recede * np.exp(-((azimuth / 0.9) ** 2))
    mask = np.clip((points[:, 1] - line) / 0.008 + 0.5, 0, 1)
    if style.crown:
        top = np.hypot(points[:, 0], points[:, 2] + 0.12)
        bare = np.clip((style.crown - top) / 0.02 + 0.5, 0, 1) * (points[:, 1] > 0.06)
        mask = mask * (1 - bare)
    ear = (np.abs(points[:, 0]) > 0.068) & (points[:, 1] < 0.022) & (points[:, 2] > -0.145)
    return np.where(ear, 0, mask).astype(np.float32)
