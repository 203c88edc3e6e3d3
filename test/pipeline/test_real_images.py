# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Single images of real people, some of whom wear faces on their shirts."""

from pathlib import Path

import numpy as np
import pytest

from headpose_ros import CameraModel, HeadPosePipeline, PipelineConfig, open_source

SIGNERS = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'videos' / 'signers'
EVERY = 25


@pytest.mark.skipif(not SIGNERS.is_dir(), reason=f'{SIGNERS} is not there: real videos, see docs')
def test_one_person_is_one_head():
    images = []
    for path in sorted(SIGNERS.glob('*.mkv')):
        with open_source(path) as source:
            images += [(path.stem, f.image_bgr) for f in source if f.index % EVERY == 0]
    assert len(images) > 40
    config = PipelineConfig(device='cpu', threads=1)
    found = {}
    with HeadPosePipeline(config, mode='image') as pipeline:
        for name, image in images:
            camera = CameraModel.from_fov(image.shape[1], image.shape[0], np.radians(60.0))
            found.setdefault(name, []).append(len(pipeline.process(image, camera)))
    assert {name: counts for name, counts in found.items() if set(counts) != {1}} == {}
