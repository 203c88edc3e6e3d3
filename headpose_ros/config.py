# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every option of the pipeline: its default, meaning and range, stated here and nowhere else.

The ROS parameters, the command line and the tables of the README are made from, or tested against,
these fields.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from os import PathLike
from types import MappingProxyType
from typing import Any

import numpy as np

DETECTORS = ('one_pass', 'mtcnn', 'retinaface', 'yunet', 'cascade')
ESTIMATORS = ('cnn', 'landmarks')
LANDMARK_POSES = ('linear', 'linear_authors', 'pnp')
NEAREST_FACE = 0.3
"""Metres to the nearest face that `max_distance` may be about."""


def option(
    default: Any,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    pattern: str = '',
    live: bool = False,
) -> Any:
    """Describe a field; `live` ones may change while the pipeline runs.

    `pattern`: regular expression that its text must match as a whole; `text` says what that is.
    """
    about: Mapping[str, Any] = {
        'text': text,
        'low': low,
        'high': high,
        'choices': choices,
        'pattern': pattern,
        'live': live,
    }
    return field(default=default, metadata=MappingProxyType(dict(about)))


@dataclass(frozen=True, kw_only=True)
class Options:
    """Fields made by `option`; numbers of NumPy and paths become Python's own.

    Raises ValueError where a value is of another type or out of its range.
    """

    def __post_init__(self) -> None:
        for item in fields(self):
            value = _converted(item.name, getattr(self, item.name), type(item.default))
            _check_range(item.name, value, item.metadata)
            object.__setattr__(self, item.name, value)


@dataclass(frozen=True, kw_only=True)
class PipelineConfig(Options):
    """Options of `HeadPosePipeline`."""

    detector: str = option(
        'one_pass',
        'Face detector. one_pass: a network of ours proposes, the last two stages of MTCNN '
        'decide; mtcnn: as published.',
        choices=DETECTORS,
    )
    detector_weights: str = option(
        '',
        "File for the detector; empty takes the shipped one (cascade: OpenCV's). yunet needs one.",
    )
    estimator: str = option(
        'cnn', 'Head pose from a CNN, or from facial landmarks.', choices=ESTIMATORS
    )
    weights: str = option(
        '', 'Weights of the estimator: empty (shipped default), a shipped name, or a file.'
    )
    landmark_pose: str = option(
        'linear',
        'How estimator "landmarks" gets the pose: fitted linear model, its authors\' one, or PnP.',
        choices=LANDMARK_POSES,
    )
    device: str = option('auto', 'auto, cpu, cuda or cuda:N.', pattern=r'auto|cpu|cuda(:\d+)?')
    threads: int = option(
        0, 'CPU threads for inference; 0 lets the runtime choose.', low=0, high=256
    )
    rectify: bool = option(
        True, 'Turn a virtual camera towards each face; false only to compare.', live=True
    )
    box_scale: float = option(
        1.0,
        'Look at a square this many times as large around each face as the network was made for.',
        low=0.5,
        high=2.0,
        live=True,
    )
    mirror: bool = option(
        True,
        'Our networks look at each face mirrored as well and take the mean: 8 % less error, '
        'up to twice their time.',
    )
    detect_every: int = option(
        10,
        'Search the whole image for new faces every this many images; twice as often for '
        'estimators that cannot follow a face by themselves.',
        low=1,
        high=1000,
        live=True,
    )
    min_face_px: float = option(
        24.0,
        'Smallest face searched for, pixels across in an image 640 wide; wider ones are '
        'searched as if scaled to that.',
        low=12.0,
        high=1000.0,
    )
    max_distance: float = option(
        0.0,
        f'Farthest face searched for, metres, {NEAREST_FACE} or more; 0 leaves it to min_face_px.',
        low=0.0,
        high=50.0,
    )
    score_threshold: float = option(
        0.7,
        'Detections that score less are dropped. Changed while it runs, it has an effect down to '
        '0.5, or to what it was at the start.',
        low=0.0,
        high=1.0,
        live=True,
    )
    max_heads: int = option(32, 'Most heads followed at once.', low=1, high=256)
    confirm_images: int = option(
        3,
        'Images in which a face must be seen before it is published.',
        low=1,
        high=100,
        live=True,
    )
    keep_lost: float = option(
        0.6,
        'Seconds a lost face keeps its id, waiting to be found again.',
        low=0.0,
        high=60.0,
        live=True,
    )
    smoothing: bool = option(True, 'Filter poses over time (One-Euro).', live=True)
    smoothing_min_cutoff: float = option(
        1.5, 'Cut-off of the filter at rest, Hz: lower is calmer.', low=0.01, high=100.0, live=True
    )
    smoothing_beta: float = option(
        3.0, 'How much speed opens the filter: higher lags less.', low=0.0, high=1000.0, live=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.max_distance < NEAREST_FACE:
            raise ValueError(
                f'max_distance: expected 0, or {NEAREST_FACE} m or more, got {self.max_distance}'
            )


def _converted(name: str, value: Any, kind: type) -> Any:
    """Return `value` as `kind`: bool, int, float or str, if it means one without loss."""
    if kind is bool:
        fits = isinstance(value, (bool, np.bool_))
    elif kind is int:
        fits = isinstance(value, Integral) and not isinstance(value, bool)
    elif kind is float:
        fits = isinstance(value, Real) and not isinstance(value, bool)
    else:
        fits = isinstance(value, (str, PathLike))
        value = os.fspath(value) if fits else value
        fits = isinstance(value, str)
    if not fits:
        raise ValueError(f'{name}: expected {kind.__name__}, got {value!r}')
    try:
        return kind(value)
    except OverflowError:
        raise ValueError(f'{name}: expected {kind.__name__}, got a larger number') from None


def _check_range(name: str, value: Any, about: Mapping[str, Any]) -> None:
    if about['choices'] and value not in about['choices']:
        raise ValueError(f'{name}: expected one of {", ".join(about["choices"])}, got {value!r}')
    if about['pattern'] and not re.fullmatch(about['pattern'], value):
        raise ValueError(f'{name}: expected {about["text"].rstrip(".")}, got {value!r}')
    low, high = about['low'], about['high']
    if low is not None and not low <= value <= high:  # also refuses NaN
        raise ValueError(f'{name}: expected {low} to {high}, got {value!r}')
