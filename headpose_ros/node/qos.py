# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""QoS profiles: inputs match their publishers, outputs match any subscriber."""

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
"""The same for large messages, queue of one."""
TF = QoSProfile(depth=100)
"""What tf2_ros broadcasts and listens with."""
TF_STATIC = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
EVENTS = QoSProfile(depth=50)
"""Reliable, volatile: what happened is told once, to those who listen."""
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Reliable; who subscribes later gets the last message."""
DIAGNOSTICS = QoSProfile(depth=10)

_FORCED = {
    'reliable': ReliabilityPolicy.RELIABLE,
    'best_effort': ReliabilityPolicy.BEST_EFFORT,
}


def matching(offered: Sequence[QoSProfile], reliability: str = 'auto') -> QoSProfile:
    """Return the strictest profile, queue of one, that is compatible with all of `offered`.

    It is reliable, or transient local, only where all publishers are. A `reliability` other than
    `auto` is used as given.
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
    """Return why publisher and subscription are incompatible, or None where they match."""
    compatibility, reason = qos_check_compatible(offered, requested)
    if compatibility != QoSCompatibility.ERROR:
        return None
    return reason.removeprefix('ERROR: ').rstrip('; ')


def describe(profile: QoSProfile) -> str:
    """Return reliability and durability in the words of the ros2 tools."""
    return f'{profile.reliability.name.lower()}, {profile.durability.name.lower()}'
