# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packages that only archives need, imported when they are asked for."""

from __future__ import annotations

import importlib.util


class MissingExtraError(RuntimeError):
    """A package is missing that an extra installs; the text says which."""


def require(extra: str, *packages: str) -> None:
    """Raise MissingExtraError where one of `packages` is not installed."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{', '.join(missing)}: not installed; pip install 'headpose_ros[{extra}]'"
        )
