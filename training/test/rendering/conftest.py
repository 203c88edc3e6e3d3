# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import made_head
import pytest

from headpose_training.head_model import HeadModel, default_path
from headpose_training.rendering.head_parts import HeadParts


@pytest.fixture(scope='session')
def made_model(tmp_path_factory):
    return made_head.load(tmp_path_factory.mktemp('head'))


@pytest.fixture(scope='session', params=['made', 'real'])
def parts(request, made_model):
    """People's shared parts: of the made head, and of the real one where the data are."""
    if request.param == 'made':
        return HeadParts(made_model)
    if not default_path().is_file():
        pytest.skip(f'no head model at {default_path()}')
    return HeadParts(HeadModel.load())


@pytest.fixture(scope='session')
def made_parts(made_model):
    return HeadParts(made_model)
