# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Kills, mutated bags and full disks: the benchmarks of reliability, some of each."""

import signal
import subprocess
import time
from concurrent.futures import Future

import pytest
from made_archive import camera_bag, frames, small_bags

from benchmark.reliability import archive_kills, mutated_bags
from headpose_ros.cli.main import main
from headpose_ros.config import PipelineConfig
from headpose_ros.media.files import SinkError
from headpose_ros.recordings import conductor, store, workers
from headpose_ros.recordings.finding import find_recordings
from headpose_ros.recordings.jobs import Job, Outcome
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.store import Store


def test_mutated_bags_are_read_or_told(tmp_path):
    previous = signal.getsignal(signal.SIGALRM)
    try:
        ends, wrong = mutated_bags.run(small_bags(tmp_path), times=120, seed=7)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert wrong == []
    assert ends['read, damage told'] > 0
    assert ends['told why it cannot be read'] > 0


def test_killed_and_begun_again_it_ends_with_the_same_files(tmp_path):
    archive, alone, killed = (tmp_path / name for name in ('archive', 'alone', 'killed'))
    images = frames(12)
    for number in range(4):
        camera_bag(archive / f'run{number}', images)
    archive_kills.start(archive, alone, '--jobs', '1').wait()
    deadline = time.monotonic() + 200
    whole = {}
    for wanted in (1, 2, 3):  # cameras that are finished when the next kill comes
        process = archive_kills.start(archive, killed, '--jobs', '1')
        while len(list(killed.glob('done/*/topic=*.json'))) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        archive_kills.kill(process, whole_group=wanted != 2)
        assert archive_kills.touched(whole, archive_kills.finished(killed)) == []
        whole |= archive_kills.finished(killed)
    time.sleep(1.0)
    assert archive_kills.start(archive, killed, '--jobs', '1').wait() == 0
    assert archive_kills.touched(whole, archive_kills.finished(killed)) == []
    assert archive_kills.files_in(killed) == archive_kills.files_in(alone)


def test_killed_after_the_bag_and_before_the_marker_no_camera_is_done_again(tmp_path, monkeypatch):
    camera_bag(tmp_path / 'run', frames(3))
    out = tmp_path / 'out'
    words = ['batch', str(tmp_path / 'run'), '--out', str(out), '--bags', '--jobs', '1']
    with monkeypatch.context() as patched:
        patched.setattr(conductor.Conductor, '_close', lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            main(words)
    assert list(out.glob('bags/*/*/*.mcap'))
    whole = archive_kills.finished(out)
    assert main(words) == 0
    assert archive_kills.touched(whole, archive_kills.finished(out)) == []
    assert not (out / 'work').exists()


def test_processes_end_with_the_program_that_began_them(tmp_path):
    camera_bag(tmp_path / 'run', frames(20) * 10)
    process = archive_kills.start(tmp_path / 'run', tmp_path / 'out', '--jobs', '1')
    deadline = time.monotonic() + 60
    while not list((tmp_path / 'out').rglob('*.part')):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    archive_kills.kill(process, whole_group=False)
    while _members(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _members(group):
    """Return the processes of a group."""
    listed = subprocess.run(['ps', '-eo', 'pgid,stat'], capture_output=True, text=True).stdout
    rows = [line.split() for line in listed.splitlines()[1:]]
    return [row for row in rows if row[0] == str(group) and not row[1].startswith('Z')]


def test_a_full_disk_is_told_and_nothing_looks_finished(tmp_path, monkeypatch, capsys):
    def full(path):
        raise SinkError(f'{path}: only 0.0 MB are left on its disk')

    camera_bag(tmp_path / 'run', frames(3))
    # Jobs run in this process, so that the disk can be full for them.
    monkeypatch.setattr(workers, '_Slot', _HereSlot)
    monkeypatch.setattr(store, 'require_room', full)
    out = tmp_path / 'out'
    assert main(['batch', str(tmp_path / 'run'), '--out', str(out), '--jobs', '1']) == 1
    assert 'MB are left' in capsys.readouterr().out
    left = [path for path in out.rglob('*') if path.is_file()]
    assert [path.name for path in left] == ['journal.jsonl']


class _HereSlot:
    """Does jobs where it is."""

    def __init__(self, settings, timeout):
        self._settings = settings
        self.job = self.future = None

    def begin(self, job):
        self.job, self.future = job, Future()
        self.future.set_result(workers.execute(job, self._settings, lambda images: None))

    def take(self):
        if self.job is None:
            return None
        done = self.job, self.future.result()
        self.job = self.future = None
        return done

    def images(self):
        return 0

    def end(self):
        pass


@pytest.fixture
def slot(tmp_path, lenses, monkeypatch):
    """A process for jobs."""
    monkeypatch.setattr(workers, 'REPORT_SECONDS', 0.05)
    settings = Settings(tmp_path / 'out', PipelineConfig(), lenses, False)
    slot = workers._Slot(settings, timeout=100.0)
    yield slot
    slot.end()


def outcome_of(slot, function, monkeypatch, recording):
    monkeypatch.setattr(workers, '_run', function)
    slot.begin(Job('plan', recording))
    deadline = time.monotonic() + 60
    while (done := slot.take()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return done[1]


def test_a_process_that_dies_is_told_and_the_next_job_has_another(slot, tmp_path, monkeypatch):
    camera_bag(tmp_path / 'run', frames(2))
    (recording,) = find_recordings([tmp_path / 'run'])
    assert 'died 2 times' in outcome_of(slot, die, monkeypatch, recording).failure
    assert outcome_of(slot, succeed, monkeypatch, recording).failure == 'none'


def test_a_process_that_dies_once_is_given_the_job_again(slot, tmp_path, monkeypatch):
    camera_bag(tmp_path / 'run', frames(2))
    (recording,) = find_recordings([tmp_path / 'run'])
    assert outcome_of(slot, die_once, monkeypatch, recording).failure == 'none'


def test_a_job_that_gives_no_image_is_given_up(slot, tmp_path, monkeypatch):
    camera_bag(tmp_path / 'run', frames(2))
    (recording,) = find_recordings([tmp_path / 'run'])
    slot._timeout = 1.0
    outcome = outcome_of(slot, hang, monkeypatch, recording)
    assert 'no image came for 1 s' in outcome.failure


def die(job):
    import os

    os.kill(os.getpid(), signal.SIGKILL)


def die_once(job):
    mark = job.recording.path / 'was_here'
    if not mark.exists():
        mark.touch()
        die(job)
    return succeed(job)


def hang(job):
    time.sleep(100)


def succeed(job):
    return Outcome('none')


def test_long_names_and_strange_ones_make_paths(tmp_path):
    place = Store(tmp_path).path('heads', 'ä' * 300 + '/x=y%', '/a b', 'part-0.parquet')
    assert all(len(part.encode()) <= 255 for part in place.parts)
    with Store(tmp_path).replacing(place) as aside:
        aside.write_text('x')
    assert place.read_text() == 'x'
    other = Store(tmp_path).path('heads', 'ä' * 300 + '/x=z%', '/a b', 'part-0.parquet')
    assert other != place
