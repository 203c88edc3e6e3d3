# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When to search the whole image for faces, which costs more than everything else together."""

from __future__ import annotations


class SearchSchedule:
    """Search every N images, at once when it is urgent, and ever less often while that is in vain.

    Urgent means: nobody is followed, or somebody was lost and is not found again yet.
    The first search of an urgent spell is at once; while the spell lasts the pause doubles until
    it is the ordinary one, so that an empty scene costs no more than a populated one.
    """

    def __init__(self) -> None:
        self._since_last = 0
        self._pause = 0
        self._was_urgent = False

    def reset(self) -> None:
        """Forget the past: the next image is searched."""
        self._since_last = self._pause = 0
        self._was_urgent = False

    def urge(self) -> None:
        """Make the next image one to search, whatever the spell."""
        self._pause = 0

    def due(self, every: int, urgent: bool) -> bool:
        """Count one image; return whether to search it."""
        if urgent and not self._was_urgent:
            self._pause = 0
        self._was_urgent = urgent
        self._since_last += 1
        if self._since_last <= min(self._pause, every - 1):
            return False
        self._since_last = 0
        self._pause = min(2 * self._pause + 1, every - 1) if urgent else every - 1
        return True
