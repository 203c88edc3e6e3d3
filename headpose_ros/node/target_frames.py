# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What people may look at, and where it is in an image: TF frames at the image's stamp."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from std_msgs.msg import Header

from headpose_ros.attention.targets import CAMERA, Place, Target
from headpose_ros.node.depth import nanoseconds
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.tf_reader import Lasting, TfReader
from headpose_ros.node.transform_buffer import TransformError

PROBLEM = 'attention_targets'
"""Key of the problems reported here."""

_CURES = {
    'unknown': 'start what publishes it, or correct the parameter attention_targets',
    'apart': 'start what publishes the transforms between them (robot_state_publisher, odometry)',
    'late': 'publish it at 20 Hz or more, or on /tf_static, and synchronise the clocks (chrony)',
    'old': 'synchronise the clocks of the machines (chrony), or process images sooner',
}


@lru_cache(maxsize=8)
def parsed_targets(texts: tuple[str, ...]) -> tuple[Target, ...]:
    """Return the targets that the texts of the parameter tell. Raises ValueError."""
    try:
        targets = tuple(map(Target.from_text, texts))
    except ValueError as error:
        raise ValueError(f'{PROBLEM}: {error}') from None
    names = [target.name for target in targets]
    for name in names:
        if not re.fullmatch(r'[^/\s]\S*', name):
            raise ValueError(
                f'{PROBLEM}: expected a TF frame with no / at the start (tf2 refuses it) and no '
                f'spaces, got {name!r}'
            )
        if names.count(name) > 1:
            raise ValueError(f'{PROBLEM}: {name} is there twice; give each target once')
    return targets


class Targets:
    """Looks up the places of targets; one that is missing is told, and left out meanwhile.

    `clock`: for tests.
    """

    def __init__(
        self,
        tf: TfReader,
        problems: ProblemLog,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tf = tf
        self._problems = problems
        self._clock = clock
        self._missing: dict[str, Lasting] = {}
        self._known: dict[str, bool] = {}

    @property
    def state(self) -> str:
        """The targets of the last image, for diagnostics."""
        known = dict(self._known)
        told = [name if there else f'{name} (not known from TF)' for name, there in known.items()]
        return ', '.join([CAMERA.name, *told])

    def places(self, targets: Sequence[Target], header: Header) -> dict[str, Place]:
        """Return where the targets are in the frame of `header`, at its stamp, by name.

        It waits for no transform. The camera needs no place.
        """
        wanted = [target.name for target in targets if target.name != CAMERA.name]
        for name in set(self._known) - set(wanted):
            self._problems.forget(f'{PROBLEM}.{name}')
            self._missing.pop(name, None)
        found = {name: self._place(name, header) for name in wanted}
        self._known = {name: place is not None for name, place in found.items()}
        return {name: place for name, place in found.items() if place is not None}

    def _place(self, name: str, header: Header) -> Place | None:
        key = f'{PROBLEM}.{name}'
        missing = self._missing.setdefault(name, Lasting(self._clock))
        try:
            found = self._tf.transform(header.frame_id, name, nanoseconds(header))
        except TransformError as error:
            if missing.lasts((error.kind, self._tf.generation)):
                self._problems.report(
                    key,
                    f'{PROBLEM}: where {name!r} is in {header.frame_id!r} is not known from TF '
                    f'({error}), so nothing is said about who looks at it; {_CURES[error.kind]}',
                )
            return None
        if found is None:
            return None
        missing.over()
        self._problems.resolve(key)
        return Place(found.translation, found.rotation)
