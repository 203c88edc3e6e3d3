# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small archives, made once for all tests of recordings."""

import pytest


class OneLens:
    """The same ideal lens for every image."""

    def of(self, width, height):
        from headpose_ros.cli.lens import Lens
        from headpose_ros.geometry import CameraModel

        return Lens(CameraModel.from_fov(width, height, 1.0), 'assumed')


@pytest.fixture
def lenses():
    return OneLens()


@pytest.fixture(scope='session')
def images():
    from made_archive import frames

    return frames(6, size=(64, 48))
