# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What sources and sinks have in common: `with` closes them."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

Self = TypeVar('Self', bound='Closing')


class Closing:
    """Something that holds a file or a device until it is closed, or `with` is left."""

    def close(self) -> None:
        """Release what is held; harmless when done twice."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except Exception:
            if error is None:  # else the first error says more
                raise
