# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's bookkeeping; nothing is timed."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_every_table_has_one_place_in_the_pages():
    from benchmark import report

    page = ''.join(path.read_text() for path in report.PAGES)
    for name in report._TABLES:
        assert page.count(f'<!-- table: {name} -->') == 1
    assert page.count('<!-- end of table -->') == len(report._TABLES)
    readme = (ROOT / 'README.md').read_text()
    assert readme.count('<!-- figures: speed -->') == 1
    assert report.BACK_ENDS.read_text().count('<!-- figures: back ends -->') == 1


def test_tables_are_replaced_and_nothing_else():
    from benchmark import report

    page = (
        'a <!-- table: x --> old <!-- end of table --> b <!-- table: y --> <!-- end of table -->'
    )
    once = report._between(page, '<!-- table: x -->', '<!-- end of table -->', 'new \\1')
    assert once == page.replace('--> old <', '-->\nnew \\1\n<')
    with pytest.raises(SystemExit, match='expected <!-- table: z -->'):
        report._between(page, '<!-- table: z -->', '<!-- end of table -->', '')


def test_the_table_of_back_ends_names_all_and_what_is_left_out():
    from benchmark import report

    cell = {'agreement_deg': 3.21, 'agreement_median_deg': 2.0, 'ms_per_face': 0.5}
    row = {'frames_with_a_face': 0.875, 'faces': 9, 'faces_per_frame': 1.5, 'ms_per_frame': 12.34}
    part = {
        'frames': 8,
        'detectors': [
            {'detector': 'a', **row, 'estimators': {'x': cell, 'y': {**cell, 'ms_per_face': 7}}},
            {'detector': 'b', **row, 'estimators': {'y': cell}},
        ],
        'left_out': {'c': 'no file'},
        'errors': {'faces': 40, 'x': {'mean': 4.0, 'median': 3.0}, 'y': {'mean': 9, 'median': 8}},
    }
    text = report.backends_page(part)
    assert '8 frames' in text
    assert 'not here, for want of a model file: `c`' in text
    assert '| `a` | 87.5 % | 1.50 | 12.3 |' in text
    assert '| x | 4.0, 3.0 | 3.2 |  | 0.50 |' in text
    assert '| y | 9.0, 8.0 | 3.2 | 3.2 | 0.50 |' in text


def test_what_was_not_measured_is_missed():
    from benchmark import __main__ as run

    summary, missing = run.summarise({'node': {'starts_s': [1.0, 2.0, 9.0]}})
    assert summary['node_start_s'] == 2.0
    assert set(summary) == {'node_start_s', 'machine'}
    assert set(missing) == {
        *('pose_network_ms', 'authors_network_eager_ms', 'pose_network_batch8_ms', 'pipeline_ms'),
        *('demo_loop_ratio', 'node_latency_ms', 'node_cpu_percent', 'node_drops', 'node_rss_mb'),
        *('people16_fps', 'pose_network_mirrored_ms', 'people_idf1', 'false_heads_per_minute'),
    }


def test_a_part_that_fails_says_why(tmp_path, monkeypatch):
    from benchmark import __main__ as run

    monkeypatch.setitem(run.PARTS, 'broken', ('accuracy.smoothing', '--no-such-option'))
    (tmp_path / 'broken.json').write_text('{}')
    assert '--no-such-option' in run._run('broken', tmp_path)
    assert not (tmp_path / 'broken.json').exists(), 'an old result must not pass for a new one'


def test_timing_counts_every_job():
    from benchmark import measure

    calls = []
    times = measure.alternate({name: lambda n=name: calls.append(n) for name in 'ab'}, 0.1)
    assert set(times) == {'a', 'b'}
    for name, row in times.items():
        assert 0 < row['runs'] < calls.count(name)
        assert 0 < row['best'] <= row['p50'] <= row['p95']


def test_the_table_of_a_gpu_can_be_made_on_the_cpu_and_be_printed():
    pytest.importorskip('torch')
    from benchmark import report
    from benchmark.speed import gpu_table

    assert gpu_table.BATCHES == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    table = gpu_table.gpu_table('cpu', batches=(1, 2), seconds=0.0)
    assert set(table['batches']) == {'1', '2'}
    assert 0 < table['half_apart_deg'] <= gpu_table.HALF_LIMIT_DEG
    text = report._gpu({'gpu': table})
    assert '| 2 |' in text
    assert '32 faces from a 1920x1080 image' in text
