# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When to search the whole image for faces, which costs more than everything else together."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """Part `number` of `total` equal ones of a search; (0, 1) is all of it."""

    number: int
    total: int


WHOLE = Part(0, 1)

THOROUGH_EVERY = 8
THOROUGH_EVERY_URGENT = 2
"""One in so many ordinary and urgent searches is thorough: it takes twice as long."""

_SHORT = 3  # images: at rates so low, new faces wait for long enough as it is


class SearchSchedule:
    """Search every N images, at once when it is urgent, then less and less often.

    It is urgent while nobody is followed, and while somebody who was lost is not found again. The
    first search of an urgent time is at once. Then the pause doubles until it is the ordinary one,
    so that an empty scene costs no more than a populated one. In an ordinary time, and in an empty
    scene from then on, a search may be spread over the N images, so that none takes long.
    Pauses are odd and even by turns: in light that comes and goes with the images, searches would
    else all meet the dark.

    Some searches are thorough, by a detector that finds more and takes longer: one in
    THOROUGH_EVERY, and of urgent ones one in THOROUGH_EVERY_URGENT. Who is to be confirmed is
    searched for as they were found.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next image is searched."""
        self._since_last = self._pause = self._extra = self._next = 0
        self._was_urgent = self._was_late = self._is_odd = self._is_in_vain = False
        self._since_late = self._backoff = 0
        self._ordinary_searches = self._urgent_searches = 0
        self._same_again = False
        self.thorough = False
        """Whether the search that was due last is a thorough one."""

    def request_search(self) -> None:
        """Make the next image one to search as the last was, whatever the pause."""
        self._same_again = True
        self._search_next()

    def _search_next(self) -> None:
        self._pause = self._extra = 0
        self._was_late = self._is_in_vain = False

    def is_idle(self, every: int) -> bool:
        """Return whether `due` will say None to the next image, unless that is urgent."""
        return self._since_last + 1 <= min(self._pause, every - 1) + self._extra

    def is_due_after_all(self, every: int) -> bool:
        """Return whether to search all of the image for which `due` said None; counts it as done.

        That is for when somebody turns out not to be where they were expected. The more such
        searches were in vain, the more images must lie between them.
        """
        if self._since_last == 0 or self._since_late < self._backoff:
            return False
        self._was_urgent = True
        self._since_last, self._pause, self._extra = 0, 1, 0
        self._since_late, self._backoff = 0, min(2 * self._backoff + 1, every)
        self._urgent_searches, self.thorough = 1, False
        self._was_late = True
        return True

    def succeed(self) -> None:
        """Note that the search after all was not in vain."""
        self._backoff = 0

    def due(self, every: int, urgent: bool, parts: int = 1) -> Part | None:
        """Count one image; return what to search of it: None, all, or one of `parts`."""
        if urgent and not self._was_urgent:
            self._urgent_searches = 0
            self._search_next()
        elif self._was_late and not urgent:
            self._pause = every - 1  # found again
        self._was_urgent, self._was_late = urgent, False
        idle = self.is_idle(every)
        self._since_last += 1
        self._since_late += 1
        if idle:
            return None
        self._since_last = 0
        if (urgent or parts > every) and not self._is_in_vain:
            parts = 1
        part = Part(self._next % parts, parts)
        if part.number == 0:
            self._choose(urgent)
        self._next = (part.number + 1) % parts
        if urgent and part.total == 1:
            self._pause = min(2 * self._pause + 1, every - 1)
            self._is_in_vain = self._pause == every - 1
        else:
            self._pause = (part.number + 1) * every // parts - part.number * every // parts - 1
        self._extra = self._alternating(every) if part.number == 0 else 0
        return part

    def _choose(self, urgent: bool) -> None:
        """Decide whether a search that begins is thorough."""
        if self._same_again:
            self._same_again = False
        elif urgent:
            self._urgent_searches += 1
            self.thorough = self._urgent_searches % THOROUGH_EVERY_URGENT == 0
        else:
            self._ordinary_searches += 1
            self.thorough = self._ordinary_searches % THOROUGH_EVERY == 0

    def _alternating(self, every: int) -> int:
        """Return what to add to the pause, so that not all are odd or even."""
        self._is_odd = not self._is_odd
        if not self._is_odd or every == 1:
            return 0
        return 1 if every > _SHORT else -1
