# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of poses: the columns that are promised, in every format."""

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.heads import Head, Roi
from headpose_ros.media.files import SinkError, make_folder
from headpose_ros.media.table_files import CsvSink, JsonSink
from headpose_ros.media.tables import COLUMNS, column_names, pose_rows

DOCS = Path(__file__).resolve().parents[2] / 'docs' / 'tables.md'
PROMISED = [
    'recording', 'topic', 'frame_id', 'image', 'stamp_ns', 'id', 'principal', 'confidence',
    'x', 'y', 'z', 'qx', 'qy', 'qz', 'qw', 'yaw_deg', 'pitch_deg', 'roll_deg', 'azimuth_deg',
    'elevation_deg', 'tilt_deg', 'distance', 'facing_deg', 'off_axis_deg', 'sigma_deg',
    'roi_x', 'roi_y', 'roi_width', 'roi_height',
]  # fmt: skip


def a_head(name='f0001'):
    rotation = matrix_from_euler(np.radians(30), np.radians(-10), np.radians(5))
    covariance = np.diag([1, 1, 1, 0.04, 0.04, 0.04])
    position = np.array([0.1, 0.2, 1.5])
    return Head(name, rotation, position, covariance, 0.9, Roi(20, 10, 21, 22), 0.15, 0.2)


def test_the_columns_are_those_that_are_promised():
    assert [column.name for column in COLUMNS] == PROMISED
    assert column_names(['stamp_ns', 'image']) == PROMISED[3:]
    assert column_names() == PROMISED[5:]
    with pytest.raises(ValueError, match='place: expected columns of PLACE, got weather'):
        column_names(['weather'])


def test_the_docs_list_them():
    rows = [line.split('|') for line in DOCS.read_text().splitlines() if line.startswith('| `')]
    listed = {row[1].strip(' `'): (row[2].strip(), row[3].strip()) for row in rows}
    assert listed == {column.name: (column.unit, column.text) for column in COLUMNS}


def test_a_row_holds_what_the_head_is():
    (row,) = pose_rows([a_head()], 'f0001', image='a.png')
    assert list(row) == column_names(['image'])
    assert (row['image'], row['id'], row['principal'], row['confidence']) == (
        'a.png', 'f0001', True, 0.9,
    )  # fmt: skip
    assert [row[name] for name in 'xyz'] == [0.1, 0.2, 1.5]
    angles = [row[f'{name}_deg'] for name in ('yaw', 'pitch', 'roll')]
    np.testing.assert_allclose(angles, [30, -10, 5])
    assert row['azimuth_deg'] == pytest.approx(math.degrees(a_head().heading.azimuth))
    assert row['distance'] == pytest.approx(math.sqrt(0.01 + 0.04 + 2.25))
    assert row['facing_deg'] == pytest.approx(math.degrees(0.2))
    assert row['off_axis_deg'] == pytest.approx(math.degrees(0.15))
    assert row['sigma_deg'] == pytest.approx(math.degrees(0.2))
    assert [row[f'roi_{name}'] for name in ('x', 'y', 'width', 'height')] == [20, 10, 21, 22]


@pytest.mark.parametrize('principal_id', [None, 'f0009'])
def test_nobody_in_the_image_is_the_principal(principal_id):
    (row,) = pose_rows([a_head()], principal_id)
    assert row['principal'] is False


def test_csv_and_json_say_the_same(tmp_path):
    with (
        CsvSink(tmp_path / 'a.csv', ['image', 'stamp_ns']) as table,
        JsonSink(tmp_path / 'a.json', ['image', 'stamp_ns']) as lines,
    ):
        for sink in (table, lines):
            sink.write([], None, image='a.png', stamp_ns=0)
            sink.write([a_head(), a_head('f0002')], 'f0002', image='b.png', stamp_ns=10**8)
            # Rows are on disk before the end, for the case that it never comes.
            assert len(sink.path.read_text().splitlines()) == (3 if sink is table else 2)
    with (tmp_path / 'a.csv').open(newline='') as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == PROMISED[3:]
    nobody, image = map(json.loads, (tmp_path / 'a.json').read_text().splitlines())
    assert nobody == {'image': 'a.png', 'stamp_ns': 0, 'heads': []}
    assert (image['image'], image['stamp_ns']) == ('b.png', 10**8)
    assert [row['principal'] for row in rows] == ['false', 'true']
    for row, head in zip(rows, image['heads'], strict=True):
        assert (row['image'], row['stamp_ns']) == ('b.png', '100000000')
        assert list(head) == PROMISED[5:]
        assert row['id'] == head['id']
        for name in PROMISED[7:]:
            assert float(row[name]) == head[name]


def test_json_holds_more_of_the_image_than_csv(tmp_path):
    with (
        CsvSink(tmp_path / 'a.csv', ['image']) as table,
        JsonSink(tmp_path / 'a.json', ['image']) as lines,
    ):
        for sink in (table, lines):
            sink.write([a_head()], None, image='a.png', width=640)
    assert json.loads((tmp_path / 'a.json').read_text())['width'] == 640
    assert 'width' not in (tmp_path / 'a.csv').read_text().splitlines()[0].split(',')


def test_what_is_not_a_number_is_null_in_json(tmp_path):
    with JsonSink(tmp_path / 'a.json', []) as sink:
        sink.write([replace(a_head(), confidence=float('nan'))], None)
    assert json.loads((tmp_path / 'a.json').read_text())['heads'][0]['confidence'] is None


@pytest.mark.parametrize('kind', [CsvSink, JsonSink])
def test_standard_output(kind, capsys):
    with kind('-', ['image']) as sink:
        sink.write([a_head()], None, image='a.png')
    text = capsys.readouterr().out
    assert 'f0001' in text
    print('still open')
    assert capsys.readouterr().out == 'still open\n'


@pytest.mark.parametrize('kind', [CsvSink, JsonSink])
def test_what_was_there_stays_until_the_first_image(kind, tmp_path):
    path = tmp_path / 'out'
    path.write_text('of yesterday')
    with pytest.raises(KeyboardInterrupt), kind(path, []):
        raise KeyboardInterrupt
    assert path.read_text() == 'of yesterday'


@pytest.mark.parametrize('kind', [CsvSink, JsonSink])
def test_a_finished_table_is_not_begun_anew(kind, tmp_path):
    sink = kind(tmp_path / 'out', [])
    sink.write([a_head()], None)
    sink.close()
    sink.close()
    with pytest.raises(SinkError, match='is closed and finished'):
        sink.write([a_head()], None)


def test_a_table_on_a_full_disk_is_told_by_its_name():
    with (
        pytest.raises(SinkError, match='/dev/full: cannot be written: No space left'),
        CsvSink('/dev/full', []) as sink,
    ):
        sink.write([a_head()], None)


def test_a_reader_that_has_enough_is_no_fault_of_ours(monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr('sys.stdout', Closed())
    with CsvSink('-', []) as sink, pytest.raises(BrokenPipeError):
        sink.write([a_head()], None)


def test_impossible_outputs_are_told_at_once(tmp_path):
    with pytest.raises(SinkError, match='does not exist'):
        CsvSink(tmp_path / 'nowhere' / 'out.csv', [])
    with pytest.raises(SinkError, match='is a folder'):
        CsvSink(tmp_path, [])
    (tmp_path / 'file').touch()
    with pytest.raises(SinkError, match='is a file; name a folder'):
        make_folder(tmp_path / 'file')
    with pytest.raises(SinkError, match='cannot be made: Not a directory'):
        make_folder(tmp_path / 'file' / 'more')
