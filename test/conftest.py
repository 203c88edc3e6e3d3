# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The run-time's tests run with what the run-time needs; files that import more are skipped."""

import importlib.util

import pytest

OPTIONAL = ('torch', 'hypothesis', 'matplotlib', 'numba', 'headpose_training', 'benchmark')


class Module(pytest.Module):
    """A test file. One that imports an optional package which is not installed is skipped."""

    def collect(self):
        try:
            return super().collect()
        except self.CollectError as error:
            package = (getattr(error.__cause__, 'name', None) or '').split('.')[0]
            if package in OPTIONAL and importlib.util.find_spec(package) is None:
                pytest.skip(f'{self.path.name} needs {package}', allow_module_level=True)
            raise


def pytest_pycollect_makemodule(module_path, parent):
    return Module.from_parent(parent, path=module_path)
