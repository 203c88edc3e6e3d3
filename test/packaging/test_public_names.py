# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The names at the top of the package: all there, all listed, none loaded before it is used."""

import subprocess
import sys

import pytest

import headpose_ros


@pytest.mark.parametrize('name', headpose_ros.__all__)
def test_each_public_name_is_there_and_listed(name):
    assert getattr(headpose_ros, name) is not None
    assert name in dir(headpose_ros)


def test_what_is_not_there_is_told():
    with pytest.raises(AttributeError, match="'headpose_ros' has no attribute 'Pipeline'"):
        _ = headpose_ros.Pipeline


def test_importing_the_package_loads_nothing():
    program = (
        'import sys, headpose_ros; dir(headpose_ros); '
        "print(sorted({'numpy', 'cv2', 'scipy', 'openvino', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert done.stdout.strip() == '[]', done.stderr
