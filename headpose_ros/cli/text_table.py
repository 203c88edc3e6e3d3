# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of heads that people read, on standard output."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from headpose_ros.heads import Head

LEGEND = (
    'Angles in degrees. azimuth > 0: the nose points to the left of the image; elevation > 0: up; '
    'tilt > 0: the head leans\n'
    'clockwise; facing 0: towards the camera. * marks the head to attend to.'
)
MAX_NAME = 40


class TextTable:
    """Prints a line for each head as it comes.

    `title` heads the first column, which says what image it is and is `width` characters wide, or
    less where the terminal is narrow. `notes`: whether a last column of remarks, such as the field
    of view, is shown under that heading.
    """

    def __init__(self, out: TextIO, title: str, width: int, notes: str = '') -> None:
        self._out = out
        self._title, self._notes = title, notes
        self._width = max(
            len(title), min(width, MAX_NAME, shutil.get_terminal_size().columns // 3)
        )
        self._begun = False

    def write(
        self, place: str, heads: Sequence[Head], principal_id: str | None, note: str = ''
    ) -> None:
        """Print the heads of one image; also that there are none."""
        self._begin()
        if not heads:
            self._line(place, f'nobody found{_nobody_gap(note)}{note}')
        for head in heads:
            self._line(
                place, _cells(head, head.id == principal_id) + (f'  {note}' if note else '')
            )
            place = note = ''

    def end(self) -> None:
        """Explain what was printed."""
        if self._begun:
            print(LEGEND, file=self._out)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            names = 'head      distance  azimuth  elevation  tilt  facing  confidence'
            self._line(self._title, f'{names}  {self._notes}'.rstrip())

    def _line(self, place: str, text: str) -> None:
        if len(place) > self._width:
            place = '…' + place[1 - self._width :]
        print(f'{place:<{self._width}}  {text}'.rstrip(), file=self._out, flush=True)


def _cells(head: Head, principal: bool) -> str:
    azimuth, elevation, tilt = (round(math.degrees(angle)) for angle in head.heading)
    who = head.id + (' *' if principal else '')
    facing = round(math.degrees(head.facing_angle))
    return (
        f'{who:<8}  {head.distance:>6.2f} m  {azimuth:>+7d}  {elevation:>+9d}  {tilt:>+4d}  '
        f'{facing:>6d}  {head.confidence:>10.2f}'
    )


def _nobody_gap(note: str) -> str:
    """Return the space that puts `note` under its heading, in a line without a head."""
    return ' ' * 54 if note else ''
