# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that have nothing to do with each other: all faces of a batch in one forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headpose_ros.config import PipelineConfig
from headpose_ros.inputs import Picture
from headpose_ros.result import FrameResult
from headpose_ros.stage_timer import StageTimer
from headpose_ros.stages import Stages
from headpose_ros.stream import Stream
from headpose_ros.tracking.posing import Readings
from headpose_ros.tracking.track import Track
from headpose_ros.upright import surest, turned_copies


def process_images(
    pictures: Sequence[Picture],
    stamps: Sequence[float | None],
    stages: Stages,
    config: PipelineConfig,
    timer: StageTimer,
) -> list[FrameResult]:
    """Return the result of each picture, all by themselves; `stamps` are noted in the results.

    Each is searched whole, and one image is enough for a face to be reported. `timings` are an
    equal share of the time that all took.
    """
    estimator = stages.estimator
    streams = [Stream(estimator.refines, estimator.capture_radius, single=True) for _ in pictures]
    for picture, stream in zip(pictures, streams, strict=True):
        stream.begin(None, picture, config)
        with timer.stage('search'):
            faces = stages.find(picture.image, picture.seen_by, config, stream.up_if_turned)
        stream.detect(faces, config)

    def read(tracks: Sequence[list[Track]]) -> list[Readings]:
        parts = [(p.image, p.seen_by, some) for p, some in zip(pictures, tracks, strict=True)]
        return stages.reader.read_batch(parts, config, timer)

    coarse = [stream.coarse(stream.tracks) for stream in streams]
    first = read(coarse)
    turned = [turned_copies(some, seen) for some, seen in zip(coarse, first, strict=True)]
    for stream, some, seen, others in zip(streams, coarse, first, read(turned), strict=True):
        stream.place(some, surest(seen, others))
    tracks = [stream.tracks for stream in streams]
    for stream, some, seen in zip(streams, tracks, read(tracks), strict=True):
        stream.observe(some, seen)
    results = [
        stream.finish(picture, config) for picture, stream in zip(pictures, streams, strict=True)
    ]
    share = {name: spent / max(1, len(pictures)) for name, spent in timer.milliseconds().items()}
    return [
        replace(result, stamp=stamp, timings=share, candidates=())
        for result, stamp in zip(results, stamps, strict=True)
    ]
