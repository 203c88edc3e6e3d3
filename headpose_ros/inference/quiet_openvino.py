# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Imports OpenVINO, and keeps it from reporting its use over the network.

`import openvino` looks for the package `openvino_telemetry`, which pip installs with it. Where it
finds that, each import forks a process that connects to an analytics service, and writes files to
~/intel. Nothing that looks at people through a robot's camera may do so unasked. Where the package
is missing OpenVINO uses a stub of its own, so the package is made to look missing. A program that
has imported OpenVINO before has decided by itself.
"""

from __future__ import annotations

import sys

sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]  # its import fails

import openvino as ov  # noqa: E402
from openvino import opset13 as op  # noqa: E402

__all__ = ['op', 'ov']
