# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When to search the whole image for faces, which costs more than everything else together."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """Part `number` of `total` equal ones of a search; (0, 1) is all of it."""

    number: int
    total: int


class SearchSchedule:
    """Search every N images, at once when it is urgent, and ever less often while that is in vain.

    Urgent means: nobody is followed, or somebody was lost and is not found again yet.
    The first search of an urgent spell is at once; while the spell lasts the pause doubles until
    it is the ordinary one, so that an empty scene costs no more than a populated one.
    Where nothing hangs on it, a search may be spread over the N images, so that none takes long.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next image is searched."""
        self._since_last = self._pause = self._next = 0
        self._was_urgent = False

    def urge(self) -> None:
        """Make the next image one to search, whatever the spell."""
        self._pause = 0

    def rests(self, every: int) -> bool:
        """Return whether `due` will say None to the next image, unless that is urgent."""
        return self._since_last + 1 <= min(self._pause, every - 1)

    def due(self, every: int, urgent: bool, parts: int = 1) -> Part | None:
        """Count one image; return what to search of it: None, all, or one of `parts`."""
        if urgent and not self._was_urgent:
            self._pause = 0
        self._was_urgent = urgent
        rests = self.rests(every)
        self._since_last += 1
        if rests:
            return None
        self._since_last = 0
        if urgent or parts > every:
            parts = 1
        part = Part(self._next % parts, parts)
        self._next = (part.number + 1) % parts
        if urgent:
            self._pause = min(2 * self._pause + 1, every - 1)
        else:
            self._pause = (part.number + 1) * every // parts - part.number * every // parts - 1
        return part
