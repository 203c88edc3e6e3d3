# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What pyproject.toml cannot say: which of OpenCV's distributions the package requires.

Four of them (opencv-python, -headless, opencv-contrib-python, -headless) install the same folder,
`cv2`; pip knows nothing of it and lets the last one overwrite the others. So the one that is
there already is required; where none is, the one that needs no display.
"""

import atexit
import re
import shutil
import site
import sysconfig
import tempfile
from importlib.metadata import distributions
from pathlib import Path

from setuptools import setup

DEFAULT = 'opencv-python-headless'
# With windows, or with more modules than the default: what a user must not lose.
PREFERRED = ('opencv-contrib-python', 'opencv-python', 'opencv-contrib-python-headless')


def requirements() -> list[str]:
    """Return the lines of requirements/run.txt, with the OpenCV to require."""
    text = (Path(__file__).resolve().parent / 'requirements' / 'run.txt').read_text()
    lines = [line.split('#')[0].strip() for line in text.splitlines()]
    return [opencv(line) if line.startswith(DEFAULT) else line for line in lines if line]


def opencv(default: str) -> str:
    """Return the requirement of the OpenCV that is installed, or the default one."""
    # Not sys.path: pip builds where the environment's packages are hidden.
    folders = {sysconfig.get_path('purelib'), sysconfig.get_path('platlib')}
    folders.add(site.getusersitepackages())
    found = distributions(path=sorted(folders))
    installed = {re.sub(r'[-_.]+', '-', d.metadata['Name'] or '').lower() for d in found}
    kept = next((name for name in PREFERRED if name in installed), None)
    # Without the upper bound: a newer one is no reason to replace it.
    return default.split(',')[0].replace(DEFAULT, kept) if kept else default


# Not build/ of the checkout: what an older build left there would be packed again.
work = tempfile.mkdtemp(prefix='headpose_build_')
atexit.register(shutil.rmtree, work, ignore_errors=True)
setup(install_requires=requirements(), options={'build': {'build_base': work}})
