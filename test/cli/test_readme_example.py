# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The README's Python program does what it says, as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parents[2]


def test_the_python_example_prints_the_heads_of_one_image(tmp_path):
    blocks = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.DOTALL)
    (program,) = [block for block in blocks if 'people.jpg' in block]
    clip = cv2.VideoCapture(str(ROOT / 'headpose_ros' / 'demo' / 'clip.mp4'))
    _, image = clip.read()
    cv2.imwrite(str(tmp_path / 'people.jpg'), image)
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = re.findall(r'^f\d{4}(?= \[)', done.stdout, re.MULTILINE)
    assert names == ['f0001', 'f0002', 'f0003']  # three people, one line each
