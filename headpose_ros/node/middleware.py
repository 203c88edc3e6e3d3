# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What to change in the middleware (RMW) so that large images arrive."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
"""Names of the variable for FastDDS's profile: until Jazzy, and since Kilted."""
_OLD_NAME_DISTROS = ('humble', 'iron', 'jazzy')


def dds_profile() -> Path:
    """Return the FastDDS profile for whole images: in the source tree, or installed.

    Raises LookupError where the file is not installed.
    """
    inside = Path('config') / 'fastdds_images.xml'
    source, pip = Path(__file__).parents[2], Path(sys.prefix) / 'share' / 'headpose_ros'
    for folder in (source, pip):
        if (folder / inside).exists():
            return folder / inside
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory('headpose_ros')) / inside


def large_image_advice(rmw: str | None = None) -> str:
    """Return what to set so that large images arrive, for the RMW in use (or `rmw`)."""
    if rmw is None:
        from rclpy.utilities import get_rmw_implementation_identifier

        rmw = get_rmw_implementation_identifier()
    if 'fastrtps' in rmw:
        new = os.environ.get('ROS_DISTRO', 'jazzy') not in _OLD_NAME_DISTROS
        return f'set {PROFILE_VARIABLES[new]}={_profile_text()} for camera and node'
    if 'cyclonedds' in rmw:
        return (
            'raise net.core.rmem_max (sysctl), and SocketReceiveBufferSize in CYCLONEDDS_URI, for '
            'camera and node'
        )
    if 'zenoh' in rmw:
        return (
            'enable transport/shared_memory in ZENOH_SESSION_CONFIG_URI for camera and node, and '
            'check that a router runs'
        )
    return f'raise the receive buffers of {rmw}'


def _profile_text() -> str:
    try:
        return str(dds_profile())
    except LookupError:
        return 'fastdds_images.xml of headpose_ros'
