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
    streams = [Stream(stages.estimator.refines) for _ in pictures]
    for picture, stream in zip(pictures, streams, strict=True):
        stream.begin(None, config)
        with timer.stage('search'):
            faces = stages.search.find(picture.image, picture.seen_by, config)
        stream.detect(faces, config)

    views = [(picture.image, picture.seen_by) for picture in pictures]
    new = [stream.new_tracks for stream in streams]
    parts = [(*view, tracks) for view, tracks in zip(views, new, strict=True)]
    for stream, tracks, readings in zip(
        streams, new, stages.reader.read_batch(parts, config, timer), strict=True
    ):
        stream.place(tracks, readings)

    parts = [(*view, stream.tracks) for view, stream in zip(views, streams, strict=True)]
    results = [
        stream.finish(picture, readings, config, single=True)
        for picture, stream, readings in zip(
            pictures, streams, stages.reader.read_batch(parts, config, timer), strict=True
        )
    ]
    share = {name: spent / max(1, len(pictures)) for name, spent in timer.milliseconds().items()}
    return [
        replace(result, stamp=stamp, timings=share, candidates=())
        for result, stamp in zip(results, stamps, strict=True)
    ]
