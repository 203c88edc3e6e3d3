# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

if not (ROOT / 'benchmark').is_dir():
    pytest.skip('no benchmark beside these tests', allow_module_level=True)
sys.path.append(str(ROOT))
