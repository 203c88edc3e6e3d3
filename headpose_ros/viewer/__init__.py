# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the pipeline sees, shown in a browser: the scene in space, the image, angles over time.

It needs the extra `viewer` (rerun-sdk), whose modules are imported only when something is shown.
`require_rerun` is to be called first. `feeds` takes images and results without holding anything
up, `scene` turns them into Rerun's terms, `web_server` serves the page.
"""

from __future__ import annotations

import importlib.util
import os


class ViewerError(RuntimeError):
    """The viewer cannot be had or started; the text gives the cause and the cure."""


def require_rerun() -> None:
    """Prepare for importing Rerun. Raises ViewerError where rerun-sdk is not installed."""
    if importlib.util.find_spec('rerun') is None or importlib.util.find_spec('rerun_cli') is None:
        raise ViewerError(
            'the viewer needs rerun-sdk, which is not installed: '
            "pip install 'headpose_ros[viewer]'"
        )
    # What goes wrong is told by us: that a viewer was closed is no error. Read when it is loaded.
    os.environ.setdefault('RUST_LOG', 'off')
