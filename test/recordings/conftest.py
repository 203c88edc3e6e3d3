# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small archives, made once for all tests of recordings."""

import pytest


@pytest.fixture
def lenses():
    from made_archive import OneLens

    return OneLens()


@pytest.fixture(scope='session')
def images():
    from made_archive import frames

    return frames(6, size=(64, 48))
