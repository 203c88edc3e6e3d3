# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The example of what to do with the tables, run as it stands, with pandas, polars and DuckDB."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pandas
import polars
from made_archive import camera_bag, frames

from headpose_ros.cli.main import main

EXAMPLE = Path(__file__).resolve().parents[2] / 'examples' / 'who_looked.py'


def test_the_example_answers_by_recording(tmp_path):
    camera_bag(tmp_path / 'archive' / 'one day' / 'run=1', frames(10))
    camera_bag(tmp_path / 'archive' / 'run 2', frames(6, skip=10))
    out = tmp_path / 'out'
    assert main(['batch', str(tmp_path / 'archive'), '--out', str(out), '--jobs', '1']) == 0
    done = subprocess.run([sys.executable, str(EXAMPLE), str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('one day/run=1') == 3
    assert done.stdout.count('run 2') == 3
    # all of them see the same rows, and names as they are
    names = {'one day/run=1', 'run 2'}
    by_pandas = pandas.read_parquet(out / 'heads')
    by_polars = polars.read_parquet(f'{out}/heads/**/*.parquet', hive_partitioning=True)
    by_duckdb = duckdb.sql(
        f"SELECT * FROM read_parquet('{out}/heads/**/*.parquet', hive_partitioning = true)"
    ).df()
    assert set(by_pandas.recording) == set(by_polars['recording']) == names
    assert set(by_duckdb.recording) == names
    assert set(by_pandas.topic) == set(by_duckdb.topic) == {'/camera/image_raw'}
    assert len(by_pandas) == len(by_polars) == len(by_duckdb) > 0
