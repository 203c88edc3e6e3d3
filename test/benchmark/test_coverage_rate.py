# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""People far off the axis of a fisheye are found in covering views.

This guards against views that do not work, with 14 faces at 800x600; a rate is measured by
benchmark/accuracy/coverage.py, which also defines who counts.
"""

import pytest

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import create_detector
from headpose_ros.inference.runtime import create_runtime
from headpose_training.head_model import default_path

DETECTOR = 'one_pass'


@pytest.fixture(scope='module')
def result(tmp_path_factory):
    pytest.importorskip('numba', reason='the renderer needs numba')
    if not default_path().is_file():
        pytest.skip(f'no head model at {default_path()}')
    from benchmark.accuracy import coverage, wide_scenes

    folder = tmp_path_factory.mktemp('scenes')
    camera = wide_scenes.fisheye(800, 600)
    wide_scenes.write_scenes(folder, wide_scenes.SceneMaker(camera, people=5, seed=3), 5)
    detector = create_detector(PipelineConfig(detector=DETECTOR), create_runtime('cpu'))
    return coverage.measure(folder, [detector], coverage.Countable())


def test_people_far_off_axis_are_found(result):
    assert len(result.off_axis) >= 12
    assert result.off_axis.max() > 60
    found = result.found[f'{DETECTOR}, views']
    straight = result.found[f'{DETECTOR}, straight']
    # All 14 when written, as a camera that looks straight at each face; one may differ.
    assert found.sum() >= straight.sum() - 1
    assert straight.sum() >= 12, 'the measure works'
    assert found[result.off_axis > 50].mean() >= 0.75
    assert result.wrong[f'{DETECTOR}, views'] <= 3
