# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Identity: who is who from image to image, by direction and size on the unit sphere.

Working with rays instead of pixels makes one rule fit all lenses. Each image goes through
`predict`, then `detect` where the whole image was searched, `observe` with what the estimator
read in the crops of `to_read` (twice, where `lost_now` made a search worth while), then `finish`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Faces
from headpose_ros.tracking import evidence
from headpose_ros.tracking.assignment import assign, distances
from headpose_ros.tracking.chest import is_on_chest
from headpose_ros.tracking.found_again import SIZE_GATE, who_came_back
from headpose_ros.tracking.motion import MAX_SPEED, READING_SIGMA, Motion
from headpose_ros.tracking.names import NameCycle
from headpose_ros.tracking.posing import Readings
from headpose_ros.tracking.separation import difference, separate
from headpose_ros.tracking.track import Track
from headpose_ros.typing import Array

# Lengths are in face radii (see `assignment.distances`), sizes are differences of logarithms.
MIN_GATE = 0.8
GATE_SIGMAS = 3.0
MAX_GATE = 6.0
"""How far from its prediction a face may be found: as far as the motion's covariance says, not
farther than people move."""

SURE_PLACE_FOR = 0.5
"""Seconds without a pose, lost or turned away, after which one that is found beyond MIN_GATE has
to be confirmed, as somebody new is, before it is taken for the same person: what looks like a face
for a moment would else take the id along."""

CAPTURE_MARGIN = 1.3
"""A reading that lies so many times the capture radius from the crop's middle is of another."""

READ_LOST_FOR = 1.0
"""Seconds for which crops are read where a lost face should be, image by image."""

SAME_HEAD_GATE = 1.0
"""A detection nearer than this to a face that is followed is no other face."""

BEGIN_PROBABILITY = 0.5
KEEP_PROBABILITY = 0.3
"""Hysteresis on the face probability: for a head to be present (again), and to stay so."""

BEGIN_CONFIDENCE = 0.7
KEEP_CONFIDENCE = 0.6
"""The same on the confidence of its pose: to be visible (again), and to stay so."""

CHEST_SHARE = 0.35
CHEST_CONFIDENCE = 0.9
CHEST_SCORE = 0.97
"""What speaks for a face on somebody's chest counts so much, unless its pose is read with this
confidence and its detector's score is so high: prints on shirts look like faces, but those of 20
real clips had 0.75 and 0.95 at most, but for single images of 0.94."""

MIN_CONFIRM_WINDOW = 0.5
CONFIRM_WINDOW_IMAGES = 3.5
"""A tentative face that is not present for so many seconds, and so many images, is forgotten."""

MAX_TURNED_AWAY = 10.0
"""Seconds that a head is held whose pose cannot be read, though it is there."""

KEEP_OUTSIDE = 0.3
"""Seconds that somebody lost keeps the id who must have left the image by now: who comes in there
next may be anybody."""

ALONE_FACTOR = 2.0
"""Who is lost is kept so much longer where nobody else is followed, who could be meant instead."""


class Tracker:
    """All tracks.

    `refines`: whether the estimator's rays and probabilities can steer them; otherwise only
    detections do, and between searches a face moves on as it moved. `capture_radius`: of it.
    `single`: for one image alone: poses count however uncertain they are, since no better follow.
    """

    def __init__(self, refines: bool, capture_radius: float, single: bool = False) -> None:
        self.tracks: list[Track] = []
        self.left_out = 0
        """Faces of the newest search that `max_heads` left no room for."""
        self._refines = refines
        self._capture_radius = capture_radius
        self._single = single
        self._keep_confidence = 0.0 if single else KEEP_CONFIDENCE
        self._begin_confidence = 0.0 if single else BEGIN_CONFIDENCE
        self._time = 0.0
        self._elapsed = 0.0
        self._searched = False
        self._read: set[int] = set()
        self._maybe_prints: set[int] = set()
        self._names = NameCycle()

    @property
    def ids(self) -> set[str]:
        """Names of everybody followed, those lost for a moment included."""
        return {track.id for track in self.tracks if track.id}

    @property
    def maybe_prints(self) -> set[int]:
        """Numbers of tracks on somebody's chest that may be prints on the shirt there."""
        return self._maybe_prints

    @property
    def turned_away(self) -> set[str]:
        """Names of those who are there, but whose pose cannot be read."""
        return {track.id for track in self.tracks if track.id and track.present} - {
            track.id for track in self.tracks if track.visible
        }

    @property
    def urgent(self) -> bool:
        """Whether searches of the whole image are wanted more often, for a while."""
        return not self.tracks or any(
            not track.visible and track.may_ask_for_searches for track in self.tracks
        )

    @property
    def all_confirmed(self) -> bool:
        """Whether everybody is visible, named and steered by the estimator: searches can wait."""
        return self._refines and bool(self.tracks) and all(t.visible and t.id for t in self.tracks)

    @property
    def lost_now(self) -> bool:
        """Whether somebody was visible in the image before and is not in this one."""
        return any(
            track.was_visible and not track.visible and track.may_ask_for_searches
            for track in self.tracks
        )

    @property
    def wants_search(self) -> bool:
        """Whether the next image should be searched, whatever the pause since the last.

        That is while somebody new is to be confirmed by the detector.
        """
        return any(
            track.is_tentative
            and track.may_ask_for_searches
            and track.evidence.log_odds > evidence.PRIOR
            for track in self.tracks
        )

    def clear(self) -> None:
        """Forget everybody. Names go on from where they were, so that none is soon reused."""
        self.tracks = []
        self.left_out = 0

    def turn(self, rotation: Array) -> None:
        """Tell that the camera turned: `rotation` (3,3), its new frame from its old one."""
        for track in self.tracks:
            track.motion = track.motion.turned(rotation)
            track.unoccluded = track.unoccluded.turned(rotation)
            track.up = rotation @ track.up
            track.smoother.turn(rotation)

    def predict(self, time: float, camera: CameraModel, config: PipelineConfig) -> None:
        """Move all tracks on to `time`, seconds, and drop those that were lost for too long."""
        self._elapsed = max(time - self._time, 0.0)
        self._time = time
        self._searched = False
        self._read = set()
        for track in self.tracks:
            track.advance(time)
        self.tracks = [
            track for track in self.tracks if track.visible or self._is_kept(track, camera, config)
        ]

    def to_read(self) -> list[Track]:
        """Return the tracks whose crops the estimator should read.

        One that refines also reads where lost faces should be, and so finds them again itself: for
        a while in each image, then in those that are searched, since who stands still may just
        look away.
        """
        if not self._refines:
            return [track for track in self.tracks if track.visible]
        return [
            track
            for track in self.tracks
            if track.was_visible
            or track.detected
            or self._searched
            or track.missing_for(self._time) <= READ_LOST_FOR
        ]

    def found_elsewhere(self) -> list[Track]:
        """Return the tracks that a second search of this image found, and no reading before."""
        return [
            track
            for track in self.tracks
            if track.detected and not (track.visible and track.number in self._read)
        ]

    def detect(self, faces: Faces, config: PipelineConfig, complete: bool = True) -> None:
        """Take what a search found; `complete`: of the whole image and faces of any size."""
        used: set[int] = set()
        if self.tracks and len(faces):
            rays, sizes = self._predicted()
            offsets, ratios = distances(rays, sizes, faces.rays, faces.angular_sizes)
            gates = np.array([self._gate(track) for track in self.tracks])
            near = np.minimum(gates, MIN_GATE)
            for i, j in assign(offsets, ratios, (near, gates), SIZE_GATE):
                used.add(j)
                self._take(self.tracks[i], faces, j)
            used |= self._already_followed(offsets)
        if complete:
            self._searched = True
            for track in self.tracks:
                track.searches += self._refines  # else only detections can confirm it
                if not track.detected:
                    self._miss(track)
        self._begin(faces, used, config)

    def place(self, tracks: Sequence[Track], readings: Readings) -> None:
        """Put `tracks`, known from detections only, where an estimator that refines saw them."""
        for i, track in enumerate(tracks):
            sure = not readings.confidences[i] < self._keep_confidence
            if sure and self._is_there(track, readings, i):
                ray, size = readings.rays[i], float(readings.angular_sizes[i])
                track.motion = track.motion.placed(ray, size, READING_SIGMA)
                track.up = readings.rotations[i][:, 2]

    def observe(self, tracks: Sequence[Track], readings: Readings) -> None:
        """Take what the estimator read in the crops of `tracks`."""
        self._read |= {track.number for track in tracks}
        for i, track in enumerate(tracks):
            track.confidence = self._confidence(track, float(readings.confidences[i]))
            if not self._refines:
                continue
            track.coarse = False
            if not self._is_there(track, readings, i):
                track.be_unread(present=False)
            elif track.confidence >= (
                self._keep_confidence if track.was_visible else self._begin_confidence
            ):
                track.read(readings.rays[i], float(readings.angular_sizes[i]))
                track.up = readings.rotations[i][:, 2]
            else:
                self._hold(track)

    def finish(self, config: PipelineConfig, up: Array) -> None:
        """End an image: each face is followed once, and who is sure to be one gets a name.

        `up` (3,): against gravity, in the camera frame. Of one image alone everybody gets a name.
        """
        for track in self.tracks:
            if self._refines and track.number not in self._read:
                track.be_unread(present=False)
        separate(self.tracks, self._elapsed)
        self._weigh(up)
        self._maybe_prints = {t.number for t in self.tracks if self._may_be_a_print(t, up)}
        self._confirm(config)

    def _is_kept(self, track: Track, camera: CameraModel, config: PipelineConfig) -> bool:
        """Return whether `track`, which is not visible, is kept."""
        time = self._time
        if track.is_tentative:
            window = max(MIN_CONFIRM_WINDOW, CONFIRM_WINDOW_IMAGES * self._elapsed)
            return track.evidence.log_odds > evidence.FLOOR and track.missing_for(time) <= window
        keep = config.keep_lost
        if all(other is track or other.is_tentative for other in self.tracks):
            keep *= ALONE_FACTOR
        if track.missing_for(time) > KEEP_OUTSIDE and not _is_inside(track.motion, camera):
            return False
        return track.missing_for(time) <= keep and track.unread_for(time) <= max(
            MAX_TURNED_AWAY, keep
        )

    def _predicted(self) -> tuple[Array, Array]:
        return (
            np.array([track.motion.ray for track in self.tracks]),
            np.array([track.motion.angular_size for track in self.tracks]),
        )

    def _gate(self, track: Track) -> float:
        """Return how far from where it is expected a detection is taken for `track`."""
        is_sure = track.is_tentative or track.unread_for(self._time) <= SURE_PLACE_FOR
        return self._reach(track) if is_sure or not self._refines else MIN_GATE

    def _reach(self, track: Track) -> float:
        """Return how far `track` may be from where it is expected."""
        plausible = MIN_GATE + MAX_SPEED * max(self._time - track.last_present, self._elapsed)
        return min(MIN_GATE + GATE_SIGMAS * track.motion.sigma, plausible, MAX_GATE)

    def _take(self, track: Track, faces: Faces, j: int) -> None:
        """Give detection `j` to `track`."""
        ray, size = faces.rays[j], float(faces.angular_sizes[j])
        track.detect(ray, size, float(faces.scores[j]))
        offset, ratio = difference(track.motion, ray, size)
        if not self._refines:
            track.see()
        elif offset > self._capture_radius / 2 or ratio > SIZE_GATE / 2:
            track.motion = track.motion.restarted(ray, size)

    def _miss(self, track: Track) -> None:
        """Note that the detector did not find `track`, which may be turned away, or be no face."""
        if not self._refines:
            track.be_unread(present=False)

    def _already_followed(self, offsets: Array) -> set[int]:
        """Return the detections that lie on a face which is followed already."""
        live = np.array([track.was_visible or track.detected for track in self.tracks])
        return {int(j) for j in np.flatnonzero((offsets[live] < SAME_HEAD_GATE).any(axis=0))}

    def _begin(self, faces: Faces, used: set[int], config: PipelineConfig) -> None:
        free = [int(j) for j in np.argsort(-faces.scores) if int(j) not in used]
        room = max(0, config.max_heads - len(self.tracks))
        self.left_out = max(0, len(free) - room)
        for j in free[:room]:
            size, score = float(faces.angular_sizes[j]), float(faces.scores[j])
            track = Track.start(faces.rays[j], size, score, self._time)
            track.may_be = who_came_back(track, self.tracks, self._reach)
            self.tracks.append(track)

    def _is_there(self, track: Track, readings: Readings, i: int) -> bool:
        """Return whether reading `i`, from a crop at `track`, is of its head."""
        kept = track.present and not track.is_tentative
        if readings.probabilities[i] < (KEEP_PROBABILITY if kept else BEGIN_PROBABILITY):
            return False
        offset, ratio = difference(
            track.motion, readings.rays[i], float(readings.angular_sizes[i])
        )
        farthest = MIN_GATE if track.coarse else CAPTURE_MARGIN * self._capture_radius
        return offset <= farthest and ratio <= SIZE_GATE

    def _confidence(self, track: Track, confidence: float) -> float:
        return track.score if np.isnan(confidence) else confidence

    def _hold(self, track: Track) -> None:
        """Hold `track` where it is: a head is there, but turned so far that it cannot be read."""
        motion = track.motion
        track.motion = motion.measured(motion.ray, self._capture_radius)
        track.be_unread(present=True)
        track.be_present()

    def _weigh(self, up: Array) -> None:
        """Add what this image says about the tentative ones."""
        for track in self.tracks:
            if track.is_tentative:
                share = CHEST_SHARE if self._may_be_a_print(track, up) else 1.0
                track.evidence.add(self._log_odds(track), self._time, share)

    def _log_odds(self, track: Track) -> float:
        if not self._refines:
            if not track.detected:
                return 0.0 if track.visible else evidence.ABSENT_ALONE
            return evidence.of_detection_alone(track.score)
        if not track.present:
            return evidence.ABSENT
        reading = evidence.of_reading(track.confidence)
        if track.detected:
            return reading + evidence.of_detection(track.score)
        if self._searched:
            return reading + evidence.CONTRADICTED
        # What the detector has had its chances to confirm is not confirmed without it.
        return reading if track.may_ask_for_searches else min(reading, 0.0)

    def _confirm(self, config: PipelineConfig) -> None:
        needed = evidence.logit(config.confirm_probability)
        for track in self.tracks:
            sure = self._single or track.evidence.log_odds >= needed
            if sure and track.visible and track.is_tentative:
                lost = [t for t in self.tracks if t.id == track.may_be and not t.visible]
                if track.may_be and lost:
                    track.id, track.distance = lost[0].id, lost[0].distance
                    self.tracks = [t for t in self.tracks if t is not lost[0]]
                else:
                    track.id = self._names.next(self.ids, config.id_prefix)

    def _may_be_a_print(self, track: Track, up: Array) -> bool:
        sure = track.confidence >= CHEST_CONFIDENCE and track.best_score >= CHEST_SCORE
        if self._refines and sure:
            return False
        return is_on_chest(track, self.tracks, up)


def _is_inside(motion: Motion, camera: CameraModel) -> bool:
    """Return whether the image shows the face at `motion`, more than half of it."""
    pixels, valid = camera.pixels(motion.ray[None])
    return bool(valid[0] and camera.contains(pixels)[0])
