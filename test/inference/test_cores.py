# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks leave it to the system on which core they run: several processes share a machine."""

import os
import sys
from contextlib import suppress
from threading import Thread

import numpy as np
import pytest

from headpose_ros import CameraModel, HeadPosePipeline, PipelineConfig


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='asks Linux')
def test_no_thread_is_bound_to_a_core_while_it_computes():
    """Else two processes share one core, and the others idle."""
    camera, image = CameraModel.from_fov(640, 480, 1.0), np.zeros((480, 640, 3), np.uint8)
    seen = set()
    with HeadPosePipeline(PipelineConfig(device='cpu', threads=1), mode='image') as pipeline:
        worker = Thread(target=lambda: [pipeline.process(image, camera) for _ in range(10)])
        worker.start()
        while worker.is_alive():
            with suppress(ProcessLookupError):  # it may just have ended
                seen.add(frozenset(os.sched_getaffinity(worker.native_id)))
    assert seen == {frozenset(os.sched_getaffinity(0))}
