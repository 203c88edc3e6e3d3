# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our network for 68 facial landmarks, in place of PFLD: the same 112 px crop, size and use.

PFLD: Guo et al., A Practical Facial Landmark Detector, 2019. The network itself:
`inference/networks/landmark_net.py`. Unlike PFLD, ours has no matrix from features to coordinates,
which would be most of its parameters.

Outputs: landmarks (N,136) as x, y pairs in half crops from the crop's centre, x right and y down;
face logits (N,1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headpose_ros.inference.networks import LANDMARKS as ARCHITECTURE

LANDMARKS = 68


@dataclass(frozen=True)
class Pfld:
    """What one model file says of its network; ValueError where that makes no sense."""

    crop_px: int = 112
    crop_scale: float = 0.875
    landmark_box_scale: float = 1.55

    def __post_init__(self) -> None:
        scales = (self.crop_scale, self.landmark_box_scale)
        if self.crop_px < 16 or not all(0.1 <= scale <= 10 for scale in scales):  # nan is neither
            raise ValueError(
                'landmark network: expected crop_px of 16 or more, crop_scale and '
                f'landmark_box_scale from 0.1 to 10, got {self}'
            )

    @staticmethod
    def from_metadata(metadata: Mapping[str, str]) -> Pfld:
        """Read the metadata of a weights file; ValueError where they are incomplete."""
        try:
            return Pfld(
                int(metadata['crop_px']),
                float(metadata['crop_scale']),
                float(metadata['landmark_box_scale']),
            )
        except KeyError as missing:
            raise ValueError(f'landmark network: metadata has no {missing}') from None

    def metadata(self) -> dict[str, str]:
        """Return what `from_metadata` reads."""
        return {
            'architecture': ARCHITECTURE,
            'crop_px': str(self.crop_px),
            'crop_scale': repr(self.crop_scale),
            'landmark_box_scale': repr(self.landmark_box_scale),
        }
