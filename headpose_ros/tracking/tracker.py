# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Identity: who is who from image to image, by direction and size on the unit sphere.

Working with rays instead of pixels makes one rule fit all lenses. Each image goes through
`predict`, then `detect` where the whole image was searched, then `observe` with what the estimator
saw in the crops of `followed`.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.rays import angle_of_pair
from headpose_ros.heads import Faces
from headpose_ros.tracking import sphere
from headpose_ros.tracking.assignment import SIZE_WEIGHT, assign, distances
from headpose_ros.tracking.names import NameCycle
from headpose_ros.tracking.track import Motion, Track
from headpose_ros.typing import Array

# Lengths are in face radii (see `assignment.distances`), sizes are differences of logarithms.
OFFSET_GATE = 0.8
OFFSET_GATE_PER_SECOND = 6.0
OFFSET_GATE_MOST = 4.0
SIZE_GATE = 0.6
"""How far from its prediction a face may be found, growing with the time since it was seen."""

DRIFT_OFFSET = 0.6
DRIFT_SIZE = 0.4
"""A detection this far from a track that steers itself corrects the track."""

SAME_FACE = 0.5
"""Two tracks whose faces are nearer than this follow one face."""

EXPLAINED = 1.0
"""A detection nearer than this to a face that is followed is no other face."""

TOUCHING = 2.4
"""Two faces nearer than this may soon hide each other."""

BEGIN_PROBABILITY = 0.5
KEEP_PROBABILITY = 0.3
"""Hysteresis on the estimator's face probability: to be found (again), and to be kept."""

DOUBTFUL_FACTOR = 4
"""A doubtful face must be seen in this many times as many further images after the first as
`confirm_images` asks for. Doubtful are faces whose detections never score more than half way from
the threshold to 1, and faces on somebody's chest, which the detector may also miss this many times
less often: prints on shirts look like faces now and then, to detectors and estimators alike."""

CHEST_BEGINS, CHEST_ENDS = 1.2, 4.0
CHEST_HALF_WIDTH = 1.5
"""Where a chest is: below the centre of its owner's face and beside it, in radii of that face."""

MOST_FORGIVEN = 2.0
"""Seconds that a face may be hidden behind another, on top of keep_lost."""


class Tracker:
    """All tracks.

    `refines`: whether the estimator's rays and probabilities can steer them; otherwise only
    detections do, and between searches a face moves on as it moved.
    """

    def __init__(self, refines: bool) -> None:
        self.tracks: list[Track] = []
        self._refines = refines
        self._elapsed = 0.0
        self._seen_before: list[Track] = []
        self._names = NameCycle()

    @property
    def ids(self) -> set[str]:
        """Names of everybody followed, those lost for a moment included."""
        return {track.id for track in self.tracks if track.id}

    @property
    def urgent(self) -> bool:
        """Whether searches of the whole image are wanted more often, for a while."""
        return not all(track.seen for track in self.tracks) or not self.tracks

    @property
    def settled(self) -> bool:
        """Whether everybody is seen, named and steered by the estimator: searches can wait."""
        return self._refines and bool(self.tracks) and all(t.seen and t.id for t in self.tracks)

    @property
    def wants_search(self) -> bool:
        """Whether the next image should be searched, whatever the pause since the last.

        Either somebody was just lost, or somebody new is to be confirmed by the detector.
        """
        return any(not track.seen for track in self._seen_before) or not all(
            track.id for track in self.tracks
        )

    def clear(self) -> None:
        """Forget everybody. Names go on from where they were, so that none is soon reused."""
        self.tracks = []
        self._seen_before = []

    def predict(self, time: float, config: PipelineConfig) -> None:
        """Move all tracks on to `time`, seconds, and drop those that were lost for too long."""
        for track in self.tracks:
            self._elapsed = time - track.motion.time
            track.motion = track.motion.at(time)
        self.tracks = [
            track
            for track in self.tracks
            if track.seen or (track.id and track.missing_for(time) <= config.keep_lost)
        ]
        self._seen_before = [track for track in self.tracks if track.seen]

    def followed(self) -> list[Track]:
        """Return the tracks whose crops the estimator should look at.

        One that refines also looks where lost faces should be, and so finds them again itself.
        """
        return [track for track in self.tracks if track.seen or self._refines]

    def detect(self, faces: Faces, time: float, config: PipelineConfig) -> None:
        """Take what a search of the whole image found at `time`."""
        used: set[int] = set()
        matched: set[int] = set()
        if self.tracks and len(faces):
            rays, sizes = self._predicted()
            offsets, ratios = distances(rays, sizes, faces.rays, faces.angular_sizes)
            gates = np.array([self._gate(track, time) for track in self.tracks])
            near = np.minimum(gates, OFFSET_GATE)
            for i, j in assign(offsets, ratios, (near, gates), SIZE_GATE):
                matched.add(i)
                used.add(j)
                self._take(self.tracks[i], faces, j, (offsets[i, j], ratios[i, j]), time)
            used |= self._explained(offsets)
        for i, track in enumerate(self.tracks):
            if i not in matched:
                self._miss(track)
        self._drop_false_starts()
        self._begin(faces, used, time, config)

    def place(
        self, tracks: list[Track], rays: Array, sizes: Array, probabilities: Array, time: float
    ) -> None:
        """Put `tracks` where an estimator that refines saw them at `time`; others are not `seen`.

        `observe` does so too; before it, for tracks whose crops are only a detector's boxes.
        """
        for track, ray, size, probability in zip(
            tracks, rays, sizes.tolist(), probabilities.tolist(), strict=True
        ):
            least = KEEP_PROBABILITY if track.seen and track.id else BEGIN_PROBABILITY
            offset, ratio = _error(track.motion.ray, track.motion.angular_size, ray, size)
            found = offset <= self._gate(track, time) and ratio <= SIZE_GATE
            if probability >= least and found:
                track.see(ray, size, time)
            else:
                track.seen = False

    def observe(
        self,
        tracks: list[Track],
        rays: Array,
        angular_sizes: Array,
        probabilities: Array,
        time: float,
        config: PipelineConfig,
        single: bool = False,
    ) -> None:
        """Take what the estimator saw at `time` in the crops of `tracks` (from `followed`).

        `rays` (N,3) and `angular_sizes` (N,) as refined by it, `probabilities` (N,) of a face.
        `single`: no other image follows; then all faces are confirmed but those on the chest of a
        surer one. Afterwards `seen` says who is there, and confirmed tracks have an `id`.
        """
        if self._refines and tracks:
            self.place(tracks, rays, angular_sizes, probabilities, time)
        self._separate(time)
        self._drop_false_starts()
        if single:
            self._confirm_at_once()
        else:
            self._confirm(config)

    def _predicted(self) -> tuple[Array, Array]:
        return (
            np.array([track.motion.ray for track in self.tracks]),
            np.array([track.motion.angular_size for track in self.tracks]),
        )

    def _gate(self, track: Track, time: float) -> float:
        grown = OFFSET_GATE + OFFSET_GATE_PER_SECOND * max(0.0, time - track.last_seen)
        return min(grown, OFFSET_GATE_MOST)

    def _take(
        self, track: Track, faces: Faces, j: int, error: tuple[float, float], time: float
    ) -> None:
        """Give detection `j` to `track`, from which it differs by `error` (offset, size)."""
        track.score = float(faces.scores[j])
        track.best_score = max(track.best_score, track.score)
        track.detections += 1
        drifted = error[0] > DRIFT_OFFSET or error[1] > DRIFT_SIZE
        if not self._refines or not track.seen or drifted:
            track.see(faces.rays[j], float(faces.angular_sizes[j]), time)

    def _miss(self, track: Track) -> None:
        """Note that the detector did not find `track`, which may be turned away, or be no face."""
        track.misses += 1
        if not self._refines or (not track.id and track.misses > self._most_misses(track)):
            track.seen = False

    def _most_misses(self, track: Track) -> float:
        """Return how often the detector may miss a face that is still to be confirmed."""
        return track.detections / (DOUBTFUL_FACTOR if self._on_a_chest(track) else 1)

    def _explained(self, offsets: Array) -> set[int]:
        """Return the detections that lie on a face which is followed already."""
        live = np.array([track.seen for track in self.tracks])
        return {int(j) for j in np.flatnonzero((offsets[live] < EXPLAINED).any(axis=0))}

    def _begin(self, faces: Faces, used: set[int], time: float, config: PipelineConfig) -> None:
        free = [int(j) for j in np.argsort(-faces.scores) if int(j) not in used]
        for j in free[: max(0, config.max_heads - len(self.tracks))]:
            size, score = float(faces.angular_sizes[j]), float(faces.scores[j])
            self.tracks.append(Track.start(faces.rays[j], size, score, time))

    def _separate(self, time: float) -> None:
        """Let each face be followed once, by the track it fits, and note who is hidden."""
        near: set[int] = set()
        for a, b in combinations(self.tracks, 2):
            if not (a.seen or b.seen):
                continue
            apart, _ = _error(
                a.motion.ray, a.motion.angular_size, b.motion.ray, b.motion.angular_size
            )
            if apart < TOUCHING:
                near |= {id(a), id(b)}
            if apart < SAME_FACE and a.seen and b.seen:
                max(a, b, key=lambda track: self._strangeness(track, time)).hide(time)
        for track in self.tracks:
            if track.seen and id(track) not in near:
                track.clear = track.motion
            elif not track.seen and id(track) in near:
                track.forgiven = min(MOST_FORGIVEN, track.forgiven + self._elapsed)

    def _strangeness(self, track: Track, time: float) -> tuple[bool, bool, float]:
        """Return a key that is larger for the track that a face fits less.

        New ones give way, then those just found again, then the one farther from where its motion
        before the two touched would have taken it.
        """
        expected = track.clear.at(time)
        offset, ratio = _error(
            expected.ray, expected.angular_size, track.motion.ray, track.motion.angular_size
        )
        just_found = all(track is not other for other in self._seen_before)
        return not track.id, just_found, offset**2 + (SIZE_WEIGHT * ratio) ** 2

    def _drop_false_starts(self) -> None:
        self.tracks = [track for track in self.tracks if track.seen or track.id]

    def _confirm(self, config: PipelineConfig) -> None:
        strong = 0.5 * (1.0 + config.score_threshold)
        for track in self.tracks:
            if track.id:
                continue
            further = config.confirm_images - 1
            if track.best_score < strong or self._on_a_chest(track):
                further *= DOUBTFUL_FACTOR
            if track.detections > further:
                track.id = self._names.next(self.ids)

    def _confirm_at_once(self) -> None:
        for track in [track for track in self.tracks if not self._on_a_chest(track)]:
            track.id = track.id or self._names.next(self.ids)

    def _on_a_chest(self, track: Track) -> bool:
        """Return whether `track` is where somebody known, or surer to be a face, has the chest."""
        return any(
            other.seen
            and (other.id or other.best_score > track.best_score)
            and _is_on_chest(track.motion.ray, other.motion)
            for other in self.tracks
            if other is not track
        )


def _is_on_chest(ray: Array, owner: Motion) -> bool:
    """Return whether `ray` meets the chest below the face `owner`, in a camera held upright."""
    offset = sphere.difference(owner.ray, ray) / (0.5 * owner.angular_size)
    below = float(offset.dot(sphere.down(owner.ray)))
    if not CHEST_BEGINS <= below <= CHEST_ENDS:
        return False
    return float(offset.dot(offset)) - below**2 <= CHEST_HALF_WIDTH**2


def _error(ray_a: Array, size_a: float, ray_b: Array, size_b: float) -> tuple[float, float]:
    """Return `assignment.distances` of one pair."""
    radius = 0.25 * (size_a + size_b)
    return angle_of_pair(ray_a, ray_b) / radius, abs(math.log(size_a / size_b))
