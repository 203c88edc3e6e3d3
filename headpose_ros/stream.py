# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stream of images: who is followed in it, whom to attend to, when to search, what time it is.

A single picture is a stream of one image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.upright_views import UPWARDS, up_of_roll
from headpose_ros.heads import Faces, Head
from headpose_ros.inputs import Picture
from headpose_ros.result import Candidate, FrameResult
from headpose_ros.tracking.clock import IMAGE_PERIOD, Passage, StreamClock
from headpose_ros.tracking.posing import Readings, Scene, pose_heads
from headpose_ros.tracking.principal import PrincipalChoice, salience
from headpose_ros.tracking.scene_cut import SceneCuts
from headpose_ros.tracking.schedule import Part, SearchSchedule
from headpose_ros.tracking.single_judge import sure_tracks
from headpose_ros.tracking.track import Track
from headpose_ros.tracking.tracker import Tracker
from headpose_ros.typing import Array

MAX_PERIOD = 0.34
"""Seconds from image to image up to which somebody who walks is followed: in more the next image
shows them too far away, and others nearer."""


MAX_UP_HELD = 2.0
"""Seconds without the camera's rotation in a fixed frame in which upwards is taken to stay."""


class Stream:
    """The state of one stream; `refines`, `capture_radius`: as of its `Estimator`.

    For each image: `begin`, then `due` and, where that tells to search, `detect`; `place` what an
    estimator that refines reads of `coarse` tracks; `observe` what it reads of `tracks`; the same
    once more for the tracks `found_elsewhere` where `wants_second_search`; then `finish`.
    `single`: there is one image only, so that one has to be enough to be reported.
    """

    def __init__(self, refines: bool, capture_radius: float, single: bool = False) -> None:
        self._refines = refines
        self._single = single
        self._tracker = Tracker(refines, capture_radius, single)
        self._clock = StreamClock()
        self._cuts = SceneCuts()
        self._time = self._stamp = 0.0
        self._rotation: Array | None = None
        self._up = UPWARDS
        self._up_known_at = -math.inf
        self._is_upright = True
        self._read: list[tuple[list[Track], Readings]] = []
        self._forget_everybody()

    @property
    def tracks(self) -> list[Track]:
        """The tracks whose crops the estimator should read."""
        return self._upright(self._tracker.to_read())

    @property
    def up_if_turned(self) -> Array | None:
        """Against gravity, (3,) in the camera's frame; None: the camera is held upright."""
        return None if self._is_upright else self._up

    def wants_second_search(self, config: PipelineConfig) -> bool:
        """Return whether to search the image after all: somebody is not where expected."""
        return self._tracker.lost_now and self._schedule.is_due_after_all(self._every(config))

    def found_elsewhere(self) -> list[Track]:
        """Return the tracks that the second search of an image found."""
        return self._upright(self._tracker.found_elsewhere())

    def coarse(self, tracks: Sequence[Track]) -> list[Track]:
        """Return those of which only a detection is known: their crops are off by what it is.

        Empty where the estimator does not refine.
        """
        return [track for track in tracks if track.coarse] if self._refines else []

    def reset(self) -> None:
        """Forget everybody and the time, as at the start of another video."""
        self._forget_everybody()
        self._clock.reset()
        self._cuts = SceneCuts()
        self._rotation = None
        self._up_known_at = -math.inf

    def begin(
        self,
        stamp: float | None,
        picture: Picture,
        config: PipelineConfig,
        rotation_fixed_from_camera: Array | None = None,
    ) -> bool:
        """Go on to the image of `stamp`; return False for one that comes late."""
        self._time, passage = self._clock.advance(stamp, config.keep_lost)
        self._stamp = self._time if stamp is None else stamp
        if passage is Passage.LATE:
            return False
        is_cut = config.scene_cuts and self._cuts.is_cut(picture.image)
        is_cut &= rotation_fixed_from_camera is None  # else it is no film, but a robot that turns
        if passage is Passage.JUMP or is_cut:
            self._forget_everybody()
        if passage is Passage.JUMP:
            self._up_known_at = -math.inf
        self._turn(rotation_fixed_from_camera, config)
        self._tracker.predict(self._time, picture.camera, config)
        self._read = []
        return True

    def warnings(self, config: PipelineConfig) -> dict[str, str]:
        """Return what limits the following of people now, and the cure, by its subject."""
        told = {}
        if self._tracker.left_out:
            told['max_heads'] = (
                f'{self._tracker.left_out} more faces than max_heads {config.max_heads} are left '
                'out; raise max_heads'
            )
        if self._clock.period > MAX_PERIOD:
            told['rate'] = (
                f'images come at {1 / self._clock.period:.1f} Hz, too slowly to follow people who '
                f'walk; {1 / MAX_PERIOD:.0f} Hz or more are needed'
            )
        return told

    def may_reduce(self, config: PipelineConfig) -> bool:
        """Return whether the next image needs no search, and everybody's next crop is known."""
        return self._tracker.all_confirmed and self._schedule.is_idle(self._every(config))

    def due(self, parts: int, config: PipelineConfig) -> Part | None:
        """Return what to search of this image, or of `parts` parts of a search; None: nothing."""
        tracker = self._tracker
        parts = parts if tracker.all_confirmed or not tracker.tracks else 1
        return self._schedule.due(self._every(config), tracker.urgent, parts)

    @property
    def thorough(self) -> bool:
        """Whether the search that is due is a thorough one."""
        return self._schedule.thorough

    def detect(self, faces: Faces, config: PipelineConfig, complete: bool = True) -> None:
        """Take what a search of the image found; `complete`: no part of it."""
        self._tracker.detect(faces, config, complete)

    def place(self, tracks: Sequence[Track], readings: Readings) -> None:
        """Put `tracks` where an estimator that refines saw them."""
        self._tracker.place(tracks, readings)

    def observe(self, tracks: list[Track], readings: Readings) -> None:
        """Take what an estimator read of `tracks`."""
        self._tracker.observe(tracks, readings)
        self._read.append((tracks, readings))

    def finish(self, picture: Picture, config: PipelineConfig) -> FrameResult:
        """End an image; return the heads in it."""
        if len(self._read) > 1 and not self._tracker.lost_now:
            self._schedule.succeed()
        self._tracker.finish(config, self._up)
        if self._tracker.wants_search:
            self._schedule.request_search()
        tracks, readings = self._newest_readings()
        scene = Scene(picture.camera, self._time, picture.depth)
        posed = pose_heads(tracks, readings, scene, config)
        if self._single:
            sure = sure_tracks(tracks, readings, self._tracker.maybe_prints)
            posed = [(track, head) for track, head in posed if track.number in sure]
        self._choose_principal(posed)
        return self._result(posed, picture)

    def _newest_readings(self) -> tuple[list[Track], Readings]:
        """Return all tracks that were read in this image, with the last reading of each."""
        if len(self._read) == 1:
            return self._read[0]
        tracks = [track for some, _ in self._read for track in some]
        newest = {track.number: i for i, track in enumerate(tracks)}
        readings = Readings.joined([readings for _, readings in self._read])
        return [tracks[i] for i in newest.values()], readings.take(list(newest.values()))

    def dropped(self, picture: Picture) -> FrameResult:
        """Return the result of an image that is not looked at."""
        return FrameResult(
            principal_id=self._principal.id,
            stamp=self._stamp,
            camera=picture.camera,
            followed_ids=frozenset(self._tracker.ids),
            dropped=True,
        )

    def _result(self, posed: list[tuple[Track, Head]], picture: Picture) -> FrameResult:
        named = [(track, head) for track, head in posed if track.id]
        return FrameResult(
            heads=tuple(head for _, head in named),
            principal_id=self._principal.id,
            stamp=self._stamp,
            camera=picture.camera,
            followed_ids=frozenset(self._tracker.ids),
            turned_away=frozenset(self._tracker.turned_away),
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

    def _every(self, config: PipelineConfig) -> int:
        """Return every how many images to search.

        At low rates new faces would wait for long, and there is more time for each image.
        """
        # Between searches a face that the estimator cannot follow only moves on as it moved.
        # So do those who come into an empty scene, where there is time for it.
        steered = self._refines and bool(self._tracker.tracks)
        every = config.detect_every if steered else -(-config.detect_every // 2)
        share = min(1.0, IMAGE_PERIOD / self._clock.period)
        return max(1, round(every * share**1.5))

    def _turn(self, rotation: Array | None, config: PipelineConfig) -> None:
        """Note how the camera is held at this image, `rotation` of a fixed frame from its own.

        From an image without a rotation, or to one, the camera is taken to stand still: tracks
        are kept in its frame, and where they are in the image is known better than how it turned.
        """
        before, self._rotation = self._rotation, rotation
        if rotation is not None:
            self._up, self._up_known_at, self._is_upright = rotation[2], self._time, False
            if before is not None:
                self._tracker.turn(rotation.T @ before)
        elif self._time - self._up_known_at > MAX_UP_HELD:
            self._is_upright = config.camera_roll % 360.0 == 0.0
            self._up = (
                UPWARDS if self._is_upright else up_of_roll(math.radians(config.camera_roll))
            )

    def _upright(self, tracks: list[Track]) -> list[Track]:
        """Return `tracks`, those held as people mostly are of whom nothing better is known."""
        if not self._is_upright:
            for track in tracks:
                if not track.up.any():
                    track.up = self._up
        return tracks

    def _forget_everybody(self) -> None:
        self._tracker.clear()
        self._read = []
        self._schedule = SearchSchedule()
        self._principal = PrincipalChoice()
