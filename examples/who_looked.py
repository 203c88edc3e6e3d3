# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who looked at the robot, how long: the tables of `headpose batch` in pandas, polars and DuckDB.

headpose batch archive/ --out poses/
python who_looked.py poses
"""

# %% The tables: recording and topic are columns, from the names of the folders.
import sys

import duckdb
import pandas
import polars

POSES = sys.argv[1] if len(sys.argv) > 1 else 'poses'
LOOKS_DEG = 15
"""Somebody whose face is turned less than this past the camera looks at the robot."""

# %% pandas: seconds that each person looked at the robot, by recording.
heads = pandas.read_parquet(f'{POSES}/heads')
images = pandas.read_parquet(f'{POSES}/images')
# An image stands for the time to the next one; long gaps are none.
camera = ['recording', 'topic']
images = images.sort_values([*camera, 'stamp_ns'])
images['seconds'] = -images.groupby(camera).stamp_ns.diff(-1).clip(lower=-0.5e9) * 1e-9
looks = heads[heads.facing_deg < LOOKS_DEG].merge(
    images[[*camera, 'stamp_ns', 'seconds']], on=[*camera, 'stamp_ns']
)
by_person = looks.groupby([*camera, 'id']).seconds.sum()
print('pandas: seconds of looking, by person\n', by_person.round(2), sep='')

# %% polars: the share of all images in which anybody looks, lazily, without reading all columns.
everything = polars.scan_parquet(f'{POSES}/images/**/*.parquet', hive_partitioning=True)
looked_at = (
    polars.scan_parquet(f'{POSES}/heads/**/*.parquet', hive_partitioning=True)
    .filter(polars.col('facing_deg') < LOOKS_DEG)
    .select('recording', 'topic', 'stamp_ns')
    .unique()
    .with_columns(looked=True)
)
share = (
    everything.join(looked_at, on=['recording', 'topic', 'stamp_ns'], how='left')
    .group_by('recording')
    .agg(share=polars.col('looked').fill_null(False).mean())
    .sort('recording')
    .collect()
)
print('polars: share of the images in which somebody looks', share, sep='\n')

# %% DuckDB: the nearest that anybody came, and the longest anybody was followed.
print('DuckDB: by recording')
print(
    duckdb.sql(
        """
        SELECT recording, count(DISTINCT topic || id) AS people, min(distance) AS nearest_m,
               max(seconds) AS longest_s
        FROM (
            SELECT recording, topic, id, distance,
                   (max(stamp_ns) OVER person - min(stamp_ns) OVER person) / 1e9 AS seconds
            FROM read_parquet($1, hive_partitioning = true)
            WINDOW person AS (PARTITION BY recording, topic, id)
        )
        GROUP BY recording ORDER BY recording
        """,
        params=[f'{POSES}/heads/**/*.parquet'],
    )
)
