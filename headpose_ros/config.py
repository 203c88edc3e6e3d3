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

DETECTORS = ('auto', 'one_pass', 'mtcnn', 'retinaface', 'yunet', 'cascade')
ESTIMATORS = ('cnn', 'landmarks')
DEVICE_PATTERN = r'auto|cpu|cuda(:\d+)?'
LANDMARK_POSES = ('linear', 'linear_authors', 'pnp')
SMALLEST_FACE = 12.0
"""Pixels across: the smallest face that `min_face_px` may ask for; what detectors find at all."""

NEAREST_FACE = 0.3
"""Smallest `max_distance`, metres."""


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
        'auto',
        'Face detector: auto (one_pass for streams, with some searches by retinaface; retinaface '
        'for single pictures), one_pass (our proposal network and the last two stages of MTCNN), '
        'mtcnn (as published), retinaface (finds most), yunet or cascade.',
        choices=DETECTORS,
    )
    detector_weights: str = option(
        '',
        'Weights file of the detector; empty: the shipped file (cascade: that of OpenCV; yunet '
        'needs a file).',
    )
    estimator: str = option(
        'cnn',
        'Head pose estimator: cnn (from the pixels) or landmarks (from facial landmarks).',
        choices=ESTIMATORS,
    )
    weights: str = option(
        '', 'Weights of the estimator: empty (default), the name of a shipped model, or a file.'
    )
    landmark_pose: str = option(
        'linear',
        'Method of estimator landmarks: linear (fitted linear model), linear_authors (published '
        'coefficients) or pnp.',
        choices=LANDMARK_POSES,
    )
    device: str = option(
        'auto',
        'Inference device: auto, cpu, cuda or cuda:N.',
        pattern=DEVICE_PATTERN,
    )
    threads: int = option(
        0, 'Number of CPU threads for inference; 0: chosen by the runtime.', low=0, high=256
    )
    rectify: bool = option(
        True, 'Rotate a virtual camera towards each face; false only for comparison.', live=True
    )
    box_scale: float = option(
        1.0,
        'Crop size relative to the size used in training.',
        low=0.5,
        high=2.0,
        live=True,
    )
    mirror: bool = option(
        True,
        'Test-time augmentation: also evaluate the horizontally flipped crop and average (8 % '
        'less error, up to twice the time).',
    )
    detect_every: int = option(
        10,
        'Run the detector every N images (N/2 for estimators without box refinement).',
        low=1,
        high=1000,
        live=True,
    )
    min_face_px: float = option(
        0.0,
        'Minimum face width, px of the image as it comes, 12 or more. 0: 24 px in 640x480, more '
        'in larger images so that they take no longer; 12 px in single pictures up to 1280x960.',
        low=0.0,
        high=1000.0,
    )
    max_distance: float = option(
        0.0,
        'Maximum distance of a face, m: 0 (limited by min_face_px only), or at least '
        f'{NEAREST_FACE}.',
        low=0.0,
        high=50.0,
    )
    camera_roll: float = option(
        0.0,
        'Rotation of the mounted camera about its optical axis, degrees: clockwise as seen from '
        'behind the camera.',
        low=-360.0,
        high=360.0,
        live=True,
    )
    score_threshold: float = option(
        0.7,
        'Minimum detection score, 0.2 less in single pictures; at run time it cannot go below '
        'min(0.5, initial value).',
        low=0.0,
        high=1.0,
        live=True,
    )
    max_heads: int = option(
        32, 'Maximum number of heads tracked at the same time.', low=1, high=256
    )
    confirm_probability: float = option(
        0.98,
        'Probability of being a living head above which a new face is published. It grows with '
        'each image that shows the face: the default takes 2 or 3 images, at least 0.03 s.',
        low=0.01,
        high=0.9995,
        live=True,
    )
    keep_lost: float = option(
        2.0,
        'Time for which a lost face keeps its id, s; doubled while nobody else is tracked.',
        low=0.0,
        high=60.0,
        live=True,
    )
    id_prefix: str = option(
        '',
        'Prefix of all ids, where other cameras have heads as well: letters, digits, underscores, '
        'not starting with a digit; a slash becomes an underscore. left_: id left_f0001, TF frame '
        'face_left_f0001.',
    )
    scene_cuts: bool = option(
        True, 'Reset all tracks where a film cuts to another scene.', live=True
    )
    smoothing: bool = option(True, 'Filter poses over time (One-Euro filter).', live=True)
    smoothing_min_cutoff: float = option(
        1.5,
        'Minimum cut-off frequency of the filter, Hz; lower: less jitter, more lag.',
        low=0.01,
        high=100.0,
        live=True,
    )
    smoothing_beta: float = option(
        3.0,
        'Speed coefficient of the filter; higher: less lag in fast motion, more jitter.',
        low=0.0,
        high=1000.0,
        live=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, 'id_prefix', _id_prefix(self.id_prefix))
        if 0 < self.min_face_px < SMALLEST_FACE:
            raise ValueError(
                f'min_face_px: expected 0, or {SMALLEST_FACE:g} or more, got {self.min_face_px}'
            )
        if 0 < self.max_distance < NEAREST_FACE:
            raise ValueError(
                f'max_distance: expected 0, or {NEAREST_FACE} m or more, got {self.max_distance}'
            )


def _id_prefix(given: str) -> str:
    """Return a prefix with which ids can be parts of topic names (REP-155)."""
    prefix = re.sub('[/_]+', '_', given.lstrip('/'))
    if not re.fullmatch('([A-Za-z][A-Za-z0-9_]*)?', prefix):
        raise ValueError(
            'id_prefix: expected letters, digits and underscores, not starting with a digit, '
            f'got {given!r}'
        )
    return prefix


def _converted(name: str, value: Any, kind: type) -> Any:
    """Return `value` as `kind`, if it means one without loss: bool, int, float, str, or tuple.

    A tuple is one of texts, without the empty ones.
    """
    if kind is tuple:
        return _texts(name, value)
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


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(text, str) for text in value):
        return tuple(text.strip() for text in value if text.strip())
    raise ValueError(f'{name}: expected a list of texts, got {value!r}')


def _check_range(name: str, value: Any, about: Mapping[str, Any]) -> None:
    if about['choices'] and value not in about['choices']:
        raise ValueError(f'{name}: expected one of {", ".join(about["choices"])}, got {value!r}')
    if about['pattern'] and not re.fullmatch(about['pattern'], value):
        expected = about['text'].rpartition(': ')[2].rstrip('.')
        raise ValueError(f'{name}: expected {expected}, got {value!r}')
    low, high = about['low'], about['high']
    if low is not None and not low <= value <= high:  # also refuses NaN
        raise ValueError(f'{name}: expected {low} to {high}, got {value!r}')
