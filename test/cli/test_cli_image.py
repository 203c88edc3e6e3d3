# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose image`, from the words on the command line to what it prints and leaves."""

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from exif_pictures import jpeg_with_exif

import headpose_ros.pipeline
from headpose_ros.cli import image as command
from headpose_ros.cli.main import main
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Head, Roi
from headpose_ros.media.sources import open_source
from headpose_ros.result import FrameResult

FRONTAL = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
CALIBRATION = """
image_width: 320
image_height: 240
camera_name: test
camera_matrix: {rows: 3, cols: 3, data: [300, 0, 160, 0, 301, 120, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, 0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [300, 0, 160, 0, 0, 301, 120, 0, 0, 0, 1, 0]}
"""


class FakePipeline:
    """Two heads in every picture, and nobody in black ones; remembers how it was called."""

    made = ()

    def __init__(self, config, mode):
        assert mode == 'image'
        FakePipeline.made = (*FakePipeline.made, self)
        self.config = config
        self.batches = []
        self.cameras = []

    def process_batch(self, images, cameras):
        self.batches.append(len(images))
        self.cameras += cameras
        return [self.result(image) for image in images]

    def result(self, image):
        if not image.any():
            return FrameResult()
        near, far = (
            Head(f'f000{n}', FRONTAL, [0.1, 0.0, n], np.eye(6), 0.9, Roi(20, 20, 30, 30), 0.1, 0.1)
            for n in (1, 2)
        )
        return FrameResult((near, far), 'f0001')


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(headpose_ros.pipeline, 'HeadPosePipeline', FakePipeline)
    monkeypatch.setattr(FakePipeline, 'made', ())
    return FakePipeline


@pytest.fixture
def photos(tmp_path):
    """Return a folder with pictures of three sizes."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name, width, height in [('a1.png', 160, 120), ('a2.jpg', 90, 120), ('a10.png', 300, 200)]:
        cv2.imwrite(str(folder / name), np.full((height, width, 3), 90, np.uint8))
    return folder


def lines_of(text):
    """Return the lines of a table in words."""
    return [line.split() for line in text.splitlines()]


def test_a_folder_of_many_sizes_is_printed_in_one_start_up(fake, photos, capsys):
    assert main(['image', str(photos), '--hfov', '60']) == 0
    lines = lines_of(capsys.readouterr().out)
    assert lines[0][:4] == ['picture', 'head', 'distance', 'azimuth']
    assert [line[0] for line in lines[1:6:2]] == ['a1.png', 'a2.jpg', 'a10.png']
    assert lines[1][1:5] == ['f0001', '*', '1.00', 'm']
    assert lines[2][:3] == ['f0002', '2.00', 'm']
    assert lines[1][-2:] == ['60', 'given']
    assert lines[-1] == ['3', 'pictures,', '6', 'heads']
    (pipeline,) = fake.made
    assert pipeline.batches == [3]
    assert [(camera.width, camera.height) for camera in pipeline.cameras] == [
        (160, 120), (90, 120), (300, 200),
    ]  # fmt: skip


def test_no_more_pictures_are_in_memory_than_a_batch_holds(fake, photos, monkeypatch):
    monkeypatch.setattr(command, 'BATCH', 2)
    assert main(['image', str(photos)]) == 0
    assert fake.made[0].batches == [2, 1]


def test_a_damaged_picture_costs_itself_alone(fake, photos, capsys):
    (photos / 'a5.jpg').write_bytes(bytes(range(256)))
    (photos / 'a6.png').touch()
    assert main(['image', f'{photos}/*', '--hfov', '60']) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == '5 pictures, 6 heads, 2 not readable'
    assert 'a5.jpg: is not an image that OpenCV can read, or is damaged' in printed.err
    assert 'a6.png: the file is empty' in printed.err
    assert len(printed.err.splitlines()) == 2


def test_that_nobody_was_found_is_said(fake, photos, capsys):
    cv2.imwrite(str(photos / 'black.png'), np.zeros((120, 160, 3), np.uint8))
    assert main(['image', str(photos), '--hfov', '60', '--json', str(photos.parent / 'j')]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.startswith('black.png'))
    assert 'nobody found' in row
    assert row.index('60 given') == lines[0].index('field of view')
    assert lines[-1] == '4 pictures, 6 heads, nobody found in 1'
    last = json.loads((photos.parent / 'j').read_text().splitlines()[-1])
    assert (last['image'], last['heads']) == (str(photos / 'black.png'), [])


def test_what_is_guessed_of_the_lens_is_said(fake, photos, capsys):
    (photos / 'b.jpg').write_bytes(jpeg_with_exif({0xA405: 28, 0xA002: 48, 0xA003: 32}))
    assert main(['image', str(photos)]) == 0
    printed = capsys.readouterr()
    fields = [line[-2:] for line in lines_of(printed.out)[1:9:2]]
    assert fields == [['60', 'assumed']] * 3 + [['65.5', 'exif']]
    assert '60 degrees was assumed for 3 pictures' in printed.err
    focal = fake.made[0].cameras[-1].fx
    assert focal == pytest.approx(24 / math.tan(math.atan(36 / 2 / 28)))
    assert main(['image', str(photos / 'b.jpg'), '--hfov', '50']) == 0
    assert lines_of(capsys.readouterr().out)[1][-2:] == ['50', 'given'], 'options come first'


def test_a_calibration_is_of_pictures_of_its_shape(fake, photos, tmp_path, capsys):
    (tmp_path / 'c.yaml').write_text(CALIBRATION)
    assert main(['image', str(photos), '--camera-info', str(tmp_path / 'c.yaml')]) == 1
    printed = capsys.readouterr()
    assert [camera.fx for camera in fake.made[0].cameras] == [pytest.approx(150)]
    assert f'{photos}/a2.jpg: ' in printed.err
    assert '320x240' in printed.err
    assert lines_of(printed.out)[1][-2:] == ['54.9', 'given'], (
        'between the edges, through the lens'
    )


def test_tables_for_programs(fake, photos, tmp_path):
    table, lines = tmp_path / 't.csv', tmp_path / 't.json'
    assert main(['image', str(photos), '--csv', str(table), '--json', str(lines)]) == 0
    with table.open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[0]['image'] == str(photos / 'a1.png')
    assert 'stamp_ns' not in rows[0]
    assert (rows[0]['principal'], rows[1]['principal']) == ('true', 'false')
    first = json.loads(lines.read_text().splitlines()[0])
    assert {key: first[key] for key in first if key != 'heads'} == {
        'image': str(photos / 'a1.png'), 'width': 160, 'height': 120, 'hfov_deg': 60.0,
        'hfov_source': 'assumed',
    }  # fmt: skip
    assert [head['id'] for head in first['heads']] == ['f0001', 'f0002']


@pytest.mark.parametrize('option', ['--csv', '--json'])
def test_nothing_else_goes_to_standard_output(fake, photos, capsys, option):
    assert main(['image', str(photos), option, '-']) == 0
    printed = capsys.readouterr()
    if option == '--csv':
        assert len(list(csv.DictReader(printed.out.splitlines()))) == 6
    else:
        assert len([json.loads(line) for line in printed.out.splitlines()]) == 3
    assert '3 pictures, 6 heads' in printed.err


def test_annotated_pictures(fake, photos, tmp_path):
    assert main(['image', str(photos), '-o', str(tmp_path / 'new' / 'out')]) == 0
    for path in photos.iterdir():
        before = cv2.imread(str(path))
        after = cv2.imread(str(tmp_path / 'new' / 'out' / path.name))
        assert after.shape == before.shape
        assert (after != before).mean() > 0.01


def test_pictures_of_one_name_do_not_overwrite_each_other(fake, photos, tmp_path, capsys):
    for name in ('x', 'y'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'a1.png').write_bytes((photos / 'a1.png').read_bytes())
    (photos / 'a1.pgm').write_bytes(b'P5 160 120 255 ' + bytes([90]) * 160 * 120)
    inputs = [photos / 'a1.png', tmp_path / 'x', tmp_path / 'y', photos / 'a1.pgm']
    assert main(['image', *map(str, inputs), '-o', str(tmp_path / 'out')]) == 0
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['a1.png', 'photos_a1.png', 'x_a1.png', 'y_a1.png']
    assert str(tmp_path / 'x' / 'a1.png')[-20:] in capsys.readouterr().out, 'the whole path'


@pytest.mark.parametrize('option', ['-o', '--csv', '--json'])
def test_no_input_is_written_over(fake, photos, capsys, option):
    target = photos if option == '-o' else photos / 'a1.png'
    before = (photos / 'a1.png').read_bytes()
    assert main(['image', str(photos), option, str(target)]) == 2
    assert 'which would be lost' in capsys.readouterr().err
    assert (photos / 'a1.png').read_bytes() == before
    assert fake.made == ()


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['{dir}/none.jpg'], 'none.jpg: no such file or folder'),
        (['{dir}/*.gif'], 'no file fits this pattern'),
        (['{dir}', '--hfov', '200'], 'name the lens: --lens equidistant (fisheye)'),
        (['{dir}', '--hfov', '400', '--lens', 'equidistant'], 'expected degrees up to 360'),
        (['{dir}', '--hfov', 'nan'], 'expected degrees between 0 and 180'),
        (['{dir}', '--csv', '-', '--json', '-'], 'cannot both go there'),
        (['{dir}', '--csv', '{dir}/../t', '--json', '{dir}/../t'], '--csv and --json: both name'),
        (['{dir}', '--csv', '{dir}/none/t.csv'], 'does not exist'),
        (['{dir}', '-o', '{dir}/a1.png/x'], 'this folder cannot be made'),
        (['{dir}', '--camera-info', '{dir}/none.yaml'], 'none.yaml'),
    ],
)
def test_what_cannot_work_is_told_in_one_line_before_the_networks_are_loaded(
    fake, photos, capsys, words, said
):
    assert main(['image', *(word.format(dir=photos) for word in words)]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert fake.made == ()


def test_options_reach_the_pipeline(fake, photos):
    words = ['--detector', 'retinaface', '--min-face-px', '12', '--no-mirror']
    assert main(['image', str(photos), *words]) == 0
    config = fake.made[0].config
    assert (config.detector, config.min_face_px, config.mirror) == ('retinaface', 12.0, False)


ENDLESS = """
import sys
import headpose_ros.pipeline
from headpose_ros.cli.main import main
from headpose_ros.result import FrameResult

class Fake:
    def __init__(self, config, mode): pass
    def process_batch(self, images, cameras): return [FrameResult() for _ in images]

headpose_ros.pipeline.HeadPosePipeline = Fake
sys.exit(main(sys.argv[1:]))
"""


def test_a_reader_that_has_enough_ends_it_quietly(photos):
    words = [sys.executable, '-c', ENDLESS, 'image', str(photos), '--json', '-']
    pipe = ['bash', '-c', 'set -o pipefail; (sleep 0.5; "$@") | true', '-']
    done = subprocess.run([*pipe, *words], capture_output=True, text=True, check=False)
    assert done.stderr == ''
    assert done.returncode == 141


def test_a_field_of_view_of_more_than_180_degrees():
    from headpose_ros.cli.lens import Lens

    camera = CameraModel.from_matrix(
        [[100, 0, 159.5], [0, 100, 119.5], [0, 0, 1]], 320, 240, 'equidistant', [0, 0, 0, 0]
    )
    assert Lens(camera, 'given').hfov_deg == pytest.approx(math.degrees(3.2), abs=0.1)


@pytest.mark.parametrize(
    ('words', 'model', 'said'),
    [
        (['--lens', 'equidistant'], 'equidistant', ['180', 'assumed']),
        (['--lens', 'equirectangular'], 'equirectangular', ['360', 'assumed']),
        (['--lens', 'equidistant', '--hfov', '220'], 'equidistant', ['220', 'given']),
        (['--lens', 'pinhole', '--hfov', '90'], '', ['90', 'given']),
    ],
)
def test_fisheyes_and_panoramas(fake, photos, capsys, words, model, said):
    (photos / 'a1.png').write_bytes(jpeg_with_exif({0xA405: 28, 0xA002: 48, 0xA003: 32}))
    assert main(['image', str(photos / 'a1.png'), *words]) == 0
    printed = capsys.readouterr()
    assert lines_of(printed.out)[1][-2:] == said
    assert (f'{said[0]} degrees was assumed' in printed.err) == (said[1] == 'assumed')
    assert fake.made[0].cameras[0].distortion_model == model


def test_three_people_with_the_shipped_networks(tmp_path, capsys):
    demo = Path(headpose_ros.__file__).parent / 'demo'
    with open_source(demo / 'clip.mp4') as source:
        cv2.imwrite(str(tmp_path / 'a.png'), next(iter(source)).image_bgr)
    words = ['image', str(tmp_path / 'a.png'), '--device', 'cpu']
    assert main([*words, '--camera-info', str(demo / 'clip_camera.yaml')]) == 0
    lines = lines_of(capsys.readouterr().out)
    assert sum('m' in line and line[0] != 'Angles' for line in lines) == 3
    assert lines[-1] == ['1', 'picture,', '3', 'heads']
