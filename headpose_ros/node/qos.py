# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service: inputs as their publishers offer, outputs as consumers expect."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)

OUTPUT = QoSProfile(depth=10)
"""Reliable, volatile: any subscriber matches."""
NEWEST_OUTPUT = QoSProfile(depth=1)
"""The same for large messages, of which only the newest matters."""
TF = QoSProfile(depth=100)
"""What tf2_ros broadcasts with."""
DIAGNOSTICS = QoSProfile(depth=10)

_FORCED = {
    'reliable': ReliabilityPolicy.RELIABLE,
    'best_effort': ReliabilityPolicy.BEST_EFFORT,
}


def matching(offered: Sequence[QoSProfile], reliability: str = 'auto') -> QoSProfile:
    """Return the strictest profile, newest only, that every one of `offered` can serve.

    Reliable and latched only where all publishers are. `reliability` other than `auto` is taken
    as it is.
    """
    latched = bool(offered) and all(
        profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for profile in offered
    )
    reliable = bool(offered) and all(
        profile.reliability == ReliabilityPolicy.RELIABLE for profile in offered
    )
    chosen = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=_FORCED.get(reliability, chosen),
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def mismatch(offered: QoSProfile, requested: QoSProfile) -> str | None:
    """Return why a publisher cannot serve a subscription, or None where it can."""
    compatibility, reason = qos_check_compatible(offered, requested)
    if compatibility != QoSCompatibility.ERROR:
        return None
    return reason.removeprefix('ERROR: ').rstrip('; ')


def describe(profile: QoSProfile) -> str:
    """Return reliability and durability in the words of the ros2 tools."""
    return f'{profile.reliability.name.lower()}, {profile.durability.name.lower()}'
