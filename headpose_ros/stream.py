# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stream of images: who is followed in it, whom to attend to, when to search, what time it is.

A single picture is a stream of one image.
"""

from __future__ import annotations

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.heads import Faces, Head
from headpose_ros.inputs import Picture
from headpose_ros.result import Candidate, FrameResult
from headpose_ros.tracking.clock import Passage, StreamClock
from headpose_ros.tracking.posing import Readings, Scene, pose_heads
from headpose_ros.tracking.principal import PrincipalChoice, salience
from headpose_ros.tracking.schedule import Part, SearchSchedule
from headpose_ros.tracking.track import Track
from headpose_ros.tracking.tracker import Tracker


class Stream:
    """The state of one stream; `refines`: as of its `Estimator`.

    For each image: `begin`, then `due` and, where that tells to search, `detect`; `place` what an
    estimator that refines reads of `new_tracks`; then `finish` with what it reads of `tracks`.
    """

    def __init__(self, refines: bool) -> None:
        self._refines = refines
        self._tracker = Tracker(refines)
        self._clock = StreamClock()
        self._time = 0.0
        self._forget_everybody()

    @property
    def tracks(self) -> list[Track]:
        """The tracks whose crops the estimator should read."""
        return self._tracker.followed()

    @property
    def new_tracks(self) -> list[Track]:
        """Those of which only a detector's box is known: their first crops are off by what it is.

        Empty where the estimator does not refine.
        """
        return [track for track in self.tracks if track.is_new] if self._refines else []

    def reset(self) -> None:
        """Forget everybody and the time, as at the start of another video."""
        self._forget_everybody()
        self._clock.reset()

    def begin(self, stamp: float | None, config: PipelineConfig) -> bool:
        """Go on to the image of `stamp`; return False for one that comes late."""
        self._time, passage = self._clock.advance(stamp, config.keep_lost)
        if passage is Passage.LATE:
            return False
        if passage is Passage.JUMP:
            self._forget_everybody()
        self._tracker.predict(self._time, config)
        return True

    def may_reduce(self, config: PipelineConfig) -> bool:
        """Return whether the next image needs no search, and everybody's next crop is known."""
        return self._tracker.settled and self._schedule.rests(self._every(config))

    def due(self, parts: int, config: PipelineConfig) -> Part | None:
        """Return what to search of this image, or of `parts` parts of a search; None: nothing."""
        tracker = self._tracker
        parts = parts if tracker.settled else 1
        return self._schedule.due(self._every(config), tracker.urgent, parts)

    def detect(self, faces: Faces, config: PipelineConfig) -> None:
        """Take what a search of the image found."""
        self._tracker.detect(faces, self._time, config)

    def place(self, tracks: list[Track], readings: Readings) -> None:
        """Put `tracks` where an estimator that refines saw them."""
        self._tracker.place(
            tracks, readings.rays, readings.angular_sizes, readings.probabilities, self._time
        )
        self._hold_upright(tracks, readings)

    def finish(
        self, picture: Picture, readings: Readings, config: PipelineConfig, single: bool = False
    ) -> FrameResult:
        """Take what was read of `tracks` in this image; return the heads in it.

        `single`: no other image follows, so that one has to be enough to be reported.
        """
        tracks, time = self.tracks, self._time
        rays, sizes, chances = readings.rays, readings.angular_sizes, readings.probabilities
        self._tracker.observe(tracks, rays, sizes, chances, time, config, single)
        if self._refines:
            self._hold_upright(tracks, readings)
        if self._tracker.wants_search:
            self._schedule.urge()
        posed = pose_heads(tracks, readings, Scene(picture.camera, time, picture.depth), config)
        self._choose_principal(posed)
        return self._result(posed, picture)

    def dropped(self, picture: Picture) -> FrameResult:
        """Return the result of an image that is not looked at."""
        return FrameResult(
            principal_id=self._principal.id,
            stamp=self._time,
            camera=picture.camera,
            followed_ids=frozenset(self._tracker.ids),
            dropped=True,
        )

    def _result(self, posed: list[tuple[Track, Head]], picture: Picture) -> FrameResult:
        named = [(track, head) for track, head in posed if track.id]
        return FrameResult(
            heads=tuple(head for _, head in named),
            principal_id=self._principal.id,
            stamp=self._time,
            camera=picture.camera,
            followed_ids=frozenset(self._tracker.ids),
            candidates=tuple(
                Candidate(track.number, head) for track, head in posed if not track.id
            ),
            tracks=tuple(track.number for track, _ in named),
        )

    def _choose_principal(self, posed: list[tuple[Track, Head]]) -> None:
        saliences = [
            (head.id, salience(head, track.motion.angular_size))
            for track, head in posed
            if track.id
        ]
        self._principal.update(saliences, self._tracker.ids, self._time)

    def _hold_upright(self, tracks: list[Track], readings: Readings) -> None:
        """Note how heads are held, so that their next crops show them upright."""
        for track, rotation in zip(tracks, readings.rotations, strict=True):
            track.up = rotation[:, 2] if track.seen else np.zeros(3)

    def _every(self, config: PipelineConfig) -> int:
        # Between searches a face that the estimator cannot follow only moves on as it moved.
        return config.detect_every if self._refines else -(-config.detect_every // 2)

    def _forget_everybody(self) -> None:
        self._tracker.clear()
        self._schedule = SearchSchedule()
        self._principal = PrincipalChoice()
