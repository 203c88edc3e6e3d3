# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files as people have them, through the commands, with the shipped networks."""

import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_streams import h264, jpeg, matroska, mjpeg

import headpose_ros
import headpose_ros.pipeline
from headpose_ros.cli.main import main
from headpose_ros.media.sinks import VideoSink
from headpose_ros.media.sources import open_source

DEMO = Path(headpose_ros.__file__).parent / 'demo'
OPTIONS = ['--device', 'cpu', '--camera-info', str(DEMO / 'clip_camera.yaml')]


@pytest.fixture(scope='module')
def pipelines():
    """By mode: the networks are loaded once."""
    config = headpose_ros.PipelineConfig(device='cpu')
    return {mode: headpose_ros.HeadPosePipeline(config, mode=mode) for mode in ('image', 'video')}


@pytest.fixture(autouse=True)
def _loaded(monkeypatch, pipelines):
    def make(config, mode='video'):
        pipelines[mode].reset()
        return pipelines[mode]

    monkeypatch.setattr(headpose_ros.pipeline, 'HeadPosePipeline', make)


@pytest.fixture(scope='module')
def scene():
    """A picture of three people, (480,640,3)."""
    with open_source(DEMO / 'clip.mp4') as source:
        return next(iter(source)).image_bgr


def grey(scene):
    return cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY).astype(np.uint16)


def png(image):
    return cv2.imencode('.png', image)[1].tobytes()


def heads_in(command, path, capsys):
    """Return how many people are found, and what else was said."""
    assert main([command, str(path), *OPTIONS]) == 0
    printed = capsys.readouterr()
    pattern = r'(\d+) people' if command == 'video' else r'(\d+) heads'
    return int(re.findall(pattern, printed.out)[-1]), printed.err


PICTURES = {
    'a.jpg': jpeg,
    'a.jfif': jpeg,
    'a.jpe': jpeg,
    'a.heic': jpeg,
    'a': jpeg,
    'a.txt': jpeg,
    'a.mp4': jpeg,
    'png.jpg': png,
    'padded.jpg': lambda scene: jpeg(scene).ljust(600_000, b'\0'),
    'second.jpg': lambda scene: 2 * jpeg(scene),
    'unended.jpg': lambda scene: jpeg(scene)[:-2],
    '10 bits.png': lambda scene: png(4 * grey(scene)),
    '12 bits.png': lambda scene: png(16 * grey(scene)),
    '14 bits.png': lambda scene: png(64 * grey(scene)),
    '16 bits.png': lambda scene: png(257 * grey(scene)),
    'thermal.png': lambda scene: png(7000 + 6 * grey(scene)),
    '10 bits.tiff': lambda scene: cv2.imencode('.tiff', 4 * grey(scene))[1].tobytes(),
    'float.tiff': lambda scene: cv2.imencode('.tiff', grey(scene) / np.float32(255))[1].tobytes(),
    'colour of 12 bits.png': lambda scene: png(16 * scene.astype(np.uint16)),
}


@pytest.mark.parametrize('name', PICTURES)
def test_three_people_in_a_picture(tmp_path, capsys, scene, name):
    (tmp_path / name).write_bytes(PICTURES[name](scene))
    for command in ('video', 'image'):
        assert heads_in(command, tmp_path / name, capsys) == (3, '')


def mp4(images, path):
    with VideoSink(path, 640, 480, 30.0) as sink:
        for image in images:
            sink.write(image)


@pytest.mark.parametrize('count', [1, 2])
@pytest.mark.parametrize('kind', ['h264', 'mjpeg', 'webm', 'mp4', 'avi', 'pictures'])
def test_three_people_in_one_and_two_images(tmp_path, capsys, scene, kind, count):
    path, images = tmp_path / f'a.{kind}', [scene] * count
    if kind in ('mp4', 'avi'):
        mp4(images, path)
    elif kind == 'pictures':
        path.mkdir()
        for i, image in enumerate(images):
            (path / f'{i}.jpg').write_bytes(jpeg(image))
    else:
        makers = {'h264': h264, 'mjpeg': mjpeg}
        maker = makers.get(kind, lambda images: matroska(images, [0.0, 0.033][:count]))
        path.write_bytes(maker(images))
    assert main(['video', str(path), *OPTIONS]) == 0
    images = f'{count} image{"s" if count > 1 else ""}'
    assert f'{images}, heads in {count} of them (100.0 %), 3 people' in capsys.readouterr().out


@pytest.mark.parametrize('place', [0, 2, 4])
@pytest.mark.parametrize('damage', ['cut off', 'no picture', 'empty'])
def test_a_damaged_picture_of_a_folder_costs_itself_alone(
    tmp_path, capsys, caplog, scene, damage, place
):
    data = jpeg(scene)
    bad = {'cut off': data[: len(data) // 2], 'no picture': b'none', 'empty': b''}[damage]
    for i in range(5):
        (tmp_path / f'{i}.jpg').write_bytes(bad if i == place else data)
    assert main(['video', str(tmp_path), '--csv', str(tmp_path / 'a.csv'), *OPTIONS]) == 1
    assert '4 images, heads in 4 of them (100.0 %), 3 people' in capsys.readouterr().out
    (line,) = caplog.messages
    assert f'{place}.jpg' in line
    rows = (tmp_path / 'a.csv').read_text().splitlines()[1:]
    assert {row.split(',')[0] for row in rows} == {f'{i}.jpg' for i in range(5) if i != place}


def test_a_folder_whose_pictures_are_all_damaged(tmp_path, capsys):
    for i in range(3):
        (tmp_path / f'{i}.jpg').write_bytes(b'none')
    assert main(['video', str(tmp_path), *OPTIONS]) == 2
    assert 'none of its 3 pictures can be read' in capsys.readouterr().err


@pytest.mark.parametrize('command', ['video', 'image'])
def test_pictures_that_are_left_out_of_a_folder_are_named(
    tmp_path, capsys, caplog, scene, command
):
    for name in ('a.jpg', 'b.jfif', 'c'):
        (tmp_path / name).write_bytes(jpeg(scene))
    for name in ('d.heic', 'e.CR2', 'f.jxl'):
        (tmp_path / name).write_bytes(b'\0\0\0\x18ftypheic' + bytes(200))
    (tmp_path / 'notes.txt').write_text('no picture')
    assert main([command, str(tmp_path), *OPTIONS]) == 0
    assert re.search(r'3 (images|pictures)', capsys.readouterr().out)
    (line,) = caplog.messages
    assert line.endswith('cannot read them: d.heic, e.CR2, f.jxl')


def test_a_folder_with_nothing_else_names_them_too(tmp_path, capsys):
    (tmp_path / 'd.heic').write_bytes(b'\0\0\0\x18ftypheic' + bytes(200))
    assert main(['image', str(tmp_path)]) == 2
    assert 'holds no images' in (said := capsys.readouterr().err)
    assert 'OpenCV cannot read d.heic' in said


def test_a_real_heic_says_what_to_do(tmp_path, capsys):
    (tmp_path / 'd.heic').write_bytes(b'\0\0\0\x18ftypheic' + bytes(200))
    assert main(['image', str(tmp_path / 'd.heic')]) == 1
    assert 'convert it to JPEG' in capsys.readouterr().err


def test_what_is_black_is_told(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((48, 64), 9, np.uint16))
    mp4([np.zeros((480, 640, 3), np.uint8)] * 3, tmp_path / 'a.mp4')
    assert main(['image', str(tmp_path / 'a.png')]) == 0
    assert 'a.png: is black: nobody can be found' in capsys.readouterr().err
    assert main(['video', str(tmp_path / 'a.mp4')]) == 0
    assert '3 of 3 images are black: nobody can be found' in capsys.readouterr().err


def test_a_header_that_no_memory_holds_is_one_line(tmp_path, capsys):
    (tmp_path / 'a.pgm').write_bytes(b'P5 60000 60000 255\n' + bytes(99))
    for command, status in (('image', 1), ('video', 2)):
        assert main([command, str(tmp_path / 'a.pgm')]) == status
        lines = capsys.readouterr().err.splitlines()
        assert len([line for line in lines if '60000x60000' in line]) == 1
        assert not any('Traceback' in line for line in lines)


@pytest.mark.parametrize('suffix', ['mp4', 'avi'])
def test_a_recording_with_a_pause_plays_as_it_was(tmp_path, scene, suffix):
    times = np.r_[np.arange(5) / 30, 8 + np.arange(5) / 30]
    (tmp_path / 'in.webm').write_bytes(matroska([scene[::4, ::4]] * 10, times))
    out = tmp_path / f'out.{suffix}'
    assert main(['video', str(tmp_path / 'in.webm'), '-o', str(out), '--hfov', '60']) == 0
    with open_source(out) as source:
        frames = list(source)
    # A video of one rate shows an image early, by less than the time between two.
    early = 0.01 if suffix == 'mp4' else 1 / 30
    assert frames[-1].time == pytest.approx(times[-1], abs=early)
    assert len(frames) == (10 if suffix == 'mp4' else 5 + 8 * 30)


VARIANTS = {
    'colours swapped': lambda scene: scene[..., ::-1].copy(),
    'negative strides': lambda scene: scene[::-1, ::-1][::-1, ::-1],
    'columns first': np.asfortranarray,
    'a view of more': lambda scene: np.pad(scene, ((3, 5), (7, 9), (0, 0)))[3:-5, 7:-9],
    'rows with padding': lambda scene: np.pad(scene, ((0, 0), (0, 16), (0, 0)))[:, :640],
    'read only': lambda scene: np.frombuffer(scene.tobytes(), np.uint8).reshape(scene.shape),
}


@pytest.mark.parametrize('name', VARIANTS)
def test_arrays_of_any_layout(scene, pipelines, name):
    camera = headpose_ros.CameraModel.from_yaml(DEMO / 'clip_camera.yaml')
    assert len(pipelines['image'].process(VARIANTS[name](scene), camera)) == 3


@pytest.mark.parametrize('size', [(1, 1), (80, 60), (160, 120), (5760, 270), (4000, 3000)])
def test_images_of_any_size(tmp_path, scene, size, capsys):
    cv2.imwrite(str(tmp_path / 'a.jpg'), cv2.resize(scene, size))
    assert main(['image', str(tmp_path / 'a.jpg'), '--device', 'cpu', '--hfov', '60']) == 0
    if size == (4000, 3000):
        assert '3 heads' in capsys.readouterr().out


def test_after_a_fork_both_go_on(scene):
    """As servers fork their workers: with the parent's pipeline and with a new one."""
    camera = headpose_ros.CameraModel.from_yaml(DEMO / 'clip_camera.yaml')
    config = headpose_ros.PipelineConfig(device='cpu', threads=1)
    pipeline = headpose_ros.HeadPosePipeline(config, mode='image')
    assert len(pipeline.process(scene, camera)) == 3
    child = os.fork()
    if child == 0:
        again = headpose_ros.HeadPosePipeline(config, mode='image')
        found = [len(p.process(scene, camera)) for p in (pipeline, again)]
        os._exit(0 if found == [3, 3] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(pipeline.process(scene, camera)) == 3
