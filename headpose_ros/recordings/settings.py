# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a call of `headpose batch` asks for, the same in every process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from headpose_ros.config import PipelineConfig
from headpose_ros.recordings.shots import Lenses

DEFAULT_SPLIT_S = 600.0
LEAD_S = 10.0
"""Seconds before a part in which its tracks find their way: several searches, and longer than
somebody lost is remembered."""

_LEFT_OUT = ('threads', 'device', 'weights', 'detector_weights')
"""Options that change how fast the results come, not what they are; and weights, known
by their content."""


@dataclass(frozen=True)
class Settings:
    """What to do with each recording, and where to write (`out`).

    `lens`: what the user said of it, to be compared; `lenses`: what comes of it. `split_s`: length
    of the parts of long recordings, seconds; 0: never split. `options` is what results depend on;
    which `topics` are chosen does not change what comes of each.
    """

    out: Path
    config: PipelineConfig
    lenses: Lenses
    lens_is_given: bool
    lens: dict[str, Any] = field(default_factory=dict)
    topics: tuple[str, ...] = ('*',)
    depth: str = ''
    pictures: Literal['sequence', 'single'] = 'sequence'
    split_s: float = DEFAULT_SPLIT_S
    csv: bool = False
    bags: Literal['', 'beside', 'merged'] = ''
    preview: bool = False
    events: bool = False

    @cached_property
    def options(self) -> dict[str, Any]:
        """What results depend on: version, weights, options; for the tables and to compare."""
        from headpose_ros import __version__

        pipeline = asdict(self.config)
        for name in _LEFT_OUT:
            pipeline.pop(name, None)
        names = ('depth', 'pictures', 'split_s', 'csv', 'bags', 'preview', 'events')
        return {
            'version': __version__,
            'weights': _weights(self.config, self.pictures == 'single'),
            'lens': self.lens,
            **{name: getattr(self, name) for name in names},
            'pipeline': pipeline,
        }

    def key(self, fingerprint: str) -> str:
        """Return what marks a result: another key means another input or other options."""
        text = json.dumps([fingerprint, self.options], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _weights(config: PipelineConfig, single: bool) -> dict[str, str]:
    """Return name and sha256 of the weights of detector and estimator, by what they are for."""
    from headpose_ros.inference.weights import WeightsError, resolve

    detector = config.detector
    if detector == 'auto':
        detector = 'retinaface' if single else 'one_pass'
    found = {}
    for use, kind, weights in (
        ('detector', detector, config.detector_weights),
        ('estimator', config.estimator, config.weights),
    ):
        try:
            path, sha256 = resolve(weights, kind)
        except WeightsError:  # the cascade is OpenCV's
            found[use] = kind
            continue
        sha256 = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
        found[use] = f'{path.stem} sha256:{sha256}'
    return found
