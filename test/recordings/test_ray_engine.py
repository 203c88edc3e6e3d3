# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose batch --ray`: two nodes, of which one is killed in the middle."""

import json
import os
import subprocess
import sys
import time

import pytest
import ray
from made_archive import camera_bag, frames, two_camera_bag
from ray.cluster_utils import Cluster

from headpose_ros.cli.main import main

COUNT = 60


@pytest.fixture(scope='module', autouse=True)
def no_network():
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    yield
    del os.environ['RAY_USAGE_STATS_ENABLED']


@pytest.fixture(scope='module')
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp('archive')
    images = frames(COUNT)
    for number in range(5):
        camera_bag(folder / f'run{number}', images)
    two_camera_bag(folder / 'two', images, images[::-1])
    (folder / 'broken.mcap').write_bytes(b'')
    return folder


@pytest.fixture(scope='module')
def local(archive, tmp_path_factory):
    """The results of processes on this machine."""
    folder = tmp_path_factory.mktemp('local')
    assert main(['batch', str(archive), '--out', str(folder), '--jobs', '2']) == 1
    return folder


@pytest.fixture
def cluster():
    made = Cluster(
        initialize_head=True, head_node_args={'num_cpus': 0, 'include_dashboard': False}
    )
    yield made
    ray.shutdown()
    made.shutdown()


def results(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob('*')
        if path.is_file() and path.name != 'journal.jsonl'
    }


def finished(out):
    return {path: path.stat().st_mtime_ns for path in out.glob('done/*/topic=*.json')}


def test_a_node_dies_and_all_is_done_and_nothing_twice(archive, local, cluster, tmp_path):
    nodes = [cluster.add_node(num_cpus=1, include_dashboard=False) for _ in range(2)]
    out = tmp_path / 'out'
    command = [sys.executable, '-m', 'headpose_ros.cli.main', 'batch', str(archive)]
    driver = subprocess.Popen(
        [*command, '--out', str(out), '--ray', cluster.address],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(finished(out)) < 2 and driver.poll() is None:
        time.sleep(0.05)
    before = finished(out)
    cluster.remove_node(nodes[0], allow_graceful=False)
    printed, errors = driver.communicate(timeout=250)
    assert driver.returncode == 1, errors  # broken.mcap
    assert len(before) < 7, 'the node was killed too late to test anything'
    assert '6 done, 1 failed' in printed
    assert results(out) == results(local)
    now = finished(out)
    assert all(now[path] == time_ns for path, time_ns in before.items())
    journal = [json.loads(line) for line in (out / 'journal.jsonl').read_text().splitlines()]
    done = [line['recording'] for line in journal if line['state'] == 'done']
    assert sorted(done) == ['run0', 'run1', 'run2', 'run3', 'run4', 'two']


def test_an_engine_is_made_here_where_there_is_no_cluster(archive, local, tmp_path):
    out = tmp_path / 'out'
    assert main(['batch', str(archive / 'run0'), '--out', str(out), '--ray']) == 0
    assert not ray.is_initialized()
    name = 'heads/recording=run0/topic=%2Fcamera%2Fimage_raw/part-0.parquet'
    assert (out / name).read_bytes() == (local / name).read_bytes()


def test_a_cluster_that_is_not_there_is_told(archive, tmp_path, capsys):
    out = tmp_path / 'out'
    assert main(['batch', str(archive), '--out', str(out), '--ray', '127.0.0.1:1']) == 2
    assert 'headpose batch: --ray 127.0.0.1:1: no cluster answers' in capsys.readouterr().err
