# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events of recordings that were processed in parts."""

import numpy as np
import pandas
import pytest
from made_archive import START_NS, BagMaker, OneLens, frames

from headpose_ros.config import PipelineConfig
from headpose_ros.recordings.finding import find_recordings
from headpose_ros.recordings.finishing import finish_camera
from headpose_ros.recordings.parts import process_part
from headpose_ros.recordings.planning import plan_recording
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.store import Store

PERIOD_NS = 200_000_000


def events_of(bag, out, split_s):
    """Process a bag in parts of `split_s` seconds; return how many those were, and its events."""
    lenses = OneLens()
    settings = Settings(
        out, PipelineConfig(), lenses, lens_is_given=False, split_s=split_s, events=True
    )
    Store(out).prepare()
    (recording,) = find_recordings([bag])
    (parts,) = plan_recording(recording, settings).cameras
    for part in parts:
        process_part(part, settings, lambda images: None)
    finish_camera(parts, settings)
    return len(parts), pandas.read_parquet(out / 'events').sort_values(['stamp_ns', 'id'])


@pytest.mark.parametrize('leaving', [66, 74])
def test_a_cut_makes_no_event_and_hides_none(tmp_path, leaving):
    """The cut is at image 76, two seconds after 65: rounding decides who is given up when."""
    there = frames(leaving)
    nobody = np.full_like(there[0], 90)
    images = [*there, *[nobody] * 14]
    images += (2 * there)[: 153 - len(images)]
    with BagMaker(tmp_path / 'run') as bag:
        for index, image in enumerate(images):
            bag.image('/a/image', image, START_NS + index * PERIOD_NS)
    one, whole = events_of(tmp_path / 'run', tmp_path / 'whole', 0.0)
    two, cut = events_of(tmp_path / 'run', tmp_path / 'cut', 15.0)
    assert (one, two) == (1, 2)
    assert {'ENTERED', 'LEFT', 'STARTED_LOOKING'} <= set(whole.event)
    told = ['id', 'event', 'target']
    assert sorted(map(tuple, cut[told].to_numpy())) == sorted(map(tuple, whole[told].to_numpy()))
    for event in ('ENTERED', 'LEFT'):
        moments = [table[table.event == event].stamp_ns.to_numpy() for table in (whole, cut)]
        assert np.abs(moments[0] - moments[1]).max() <= PERIOD_NS
