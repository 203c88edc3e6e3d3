# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import argparse
import csv
import json

import cv2
import made_head
import numpy as np
import pytest

from headpose_ros.evaluation.posed_files import COLUMNS, pose_row
from headpose_ros.geometry import CameraModel
from headpose_training.commands import synthesize as command
from headpose_training.rendering.clip import CAMERA
from headpose_training.rendering.person import HELD_OUT_IDENTITIES
from headpose_training.scenes import SceneSet, scene_camera, synthesize_scenes
from headpose_training.synthesis import CropSet, synthesize_crops


@pytest.fixture(scope='module')
def head_file(tmp_path_factory):
    return str(made_head.save(tmp_path_factory.mktemp('model') / 'head.npz'))


def crop_set(head_file, **options):
    given = {
        'count': 15,
        'shard_crops': 6,
        'size': 32,
        'views': 3,
        'negatives': 0.3,
        'head_model': head_file,
    }
    return CropSet(**(given | options))


def read(folder):
    return [dict(np.load(p)) for p in sorted(folder.glob('shard_*.npz'))]


def same(a, b):
    return a.keys() == b.keys() and all(
        np.array_equal(a[k], b[k], equal_nan=a[k].dtype.kind == 'f') for k in a
    )


def test_crops_depend_on_the_seed_alone(tmp_path, head_file):
    for name, seed in (('a', 3), ('b', 3), ('c', 4)):
        synthesize_crops(tmp_path / name, crop_set(head_file, seed=seed), progress=False)
    a, b, c = (read(tmp_path / name) for name in 'abc')
    assert [len(s['images']) for s in a] == [6, 6, 3]
    assert all(same(x, y) for x, y in zip(a, b, strict=True))
    assert not any(np.array_equal(x['images'], y['images']) for x, y in zip(a, c, strict=True))


def test_shards_hold_what_training_needs(tmp_path, head_file):
    synthesize_crops(tmp_path, crop_set(head_file, count=12), progress=False)
    shard = read(tmp_path)[0]
    n = 6
    shapes = {
        'images': (n, 32, 32, 3), 'face': (n,), 'rotation': (n, 3, 3), 'sellion': (n, 3),
        'angular_size': (n,), 'crop_angle': (n,), 'face_centre_px': (n, 2),
        'landmarks68': (n, 68, 2), 'landmark_visible': (n, 68), 'head_scale': (n,),
        'identity': (n,), 'skin_tone': (n,), 'light': (n,), 'occlusion': (n,), 'glasses': (n,),
        'mask': (n,), 'hair': (n,), 'cover': (n,), 'beard': (n,),
    }  # fmt: skip
    assert {k: v.shape for k, v in shard.items()} == shapes
    face = shard['face']
    assert np.isfinite(shard['rotation'][face]).all()
    assert np.isnan(shard['rotation'][~face]).all()
    assert shard['images'].std() > 10


def test_a_stopped_run_goes_on(tmp_path, head_file):
    what = crop_set(head_file)
    assert synthesize_crops(tmp_path, what, progress=False) == 3
    before = read(tmp_path)
    (tmp_path / 'shard_00001.npz').unlink()
    (tmp_path / 'shard_00001.partial').write_bytes(b'half')
    kept = (tmp_path / 'shard_00002.npz').stat().st_mtime_ns
    assert synthesize_crops(tmp_path, what, progress=False) == 1
    assert all(same(x, y) for x, y in zip(before, read(tmp_path), strict=True))
    assert (tmp_path / 'shard_00002.npz').stat().st_mtime_ns == kept
    assert not list(tmp_path.glob('*.partial'))


def test_what_fails_leaves_no_shard(tmp_path, head_file, monkeypatch):
    def fail(*_, **__):
        raise OSError('disk full')

    monkeypatch.setattr(np, 'savez', fail)
    with pytest.raises(OSError, match='disk full'):
        synthesize_crops(tmp_path, crop_set(head_file), progress=False)
    assert not list(tmp_path.glob('shard_*.npz'))


def test_another_set_is_not_mixed_in(tmp_path, head_file):
    synthesize_crops(tmp_path, crop_set(head_file, count=6), progress=False)
    with pytest.raises(ValueError, match=r'holds another set \(differs in size\)'):
        synthesize_crops(tmp_path, crop_set(head_file, size=40), progress=False)
    # more of the same is no other set
    assert synthesize_crops(tmp_path, crop_set(head_file, count=12), progress=False) == 1


def test_a_set_grows_by_what_its_last_shard_lacks(tmp_path, head_file):
    grown, whole = tmp_path / 'grown', tmp_path / 'whole'
    synthesize_crops(grown, crop_set(head_file, count=8), progress=False)
    assert [len(s['face']) for s in read(grown)] == [6, 2]
    assert synthesize_crops(grown, crop_set(head_file, count=12), progress=False) == 1
    synthesize_crops(whole, crop_set(head_file, count=12), progress=False)
    assert all(same(x, y) for x, y in zip(read(grown), read(whole), strict=True))


def test_held_out_identities_are_never_trained_on(tmp_path, head_file):
    for held_out in (False, True):
        what = crop_set(head_file, held_out=held_out, negatives=0.0)
        synthesize_crops(tmp_path / str(held_out), what, progress=False)
    train = np.concatenate([s['identity'] for s in read(tmp_path / 'False')])
    test = np.concatenate([s['identity'] for s in read(tmp_path / 'True')])
    assert train.max() < HELD_OUT_IDENTITIES <= test.min()
    assert len(np.unique(train)) == 5  # three views of each


def test_workers_make_the_same(tmp_path, head_file):
    what = crop_set(head_file)
    synthesize_crops(tmp_path / 'one', what, workers=1, progress=False)
    synthesize_crops(tmp_path / 'two', what, workers=2, progress=False)
    one, two = read(tmp_path / 'one'), read(tmp_path / 'two')
    assert all(same(x, y) for x, y in zip(one, two, strict=True))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'count': 0}, 'count, views and shard_crops must be'),
        ({'size': 4}, 'size must be 16 to 1024'),
        ({'negatives': 1.0}, 'share below 1'),
        ({'seed': 1000}, 'seed must be 0 to 999'),
    ],
)
def test_wrong_options(head_file, options, message):
    with pytest.raises(ValueError, match=message):
        crop_set(head_file, **options)


def test_empty_background_folder(tmp_path, head_file):
    with pytest.raises(ValueError, match=r'no \.jpg'):
        synthesize_crops(tmp_path / 'out', crop_set(head_file, backgrounds=str(tmp_path)),
                         progress=False)  # fmt: skip


def camera_of(row, image):
    count = 4 if row['distortion_model'] == 'equidistant' else 5
    return CameraModel(
        image.shape[1], image.shape[0], *(float(row[k]) for k in ('fx', 'fy', 'cx', 'cy')),
        distortion_model=row['distortion_model'],
        distortion=tuple(float(row[f'd{i}']) for i in range(count)),
    )  # fmt: skip


@pytest.mark.parametrize('camera', ['pinhole', 'fisheye'])
def test_scenes_are_in_the_posed_format(tmp_path, head_file, camera):
    what = SceneSet(3, people=3, camera=camera, head_model=head_file, held_out=True)
    assert synthesize_scenes(tmp_path, what, progress=False) == 3
    with (tmp_path / 'poses.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0])[: len(COLUMNS)] == COLUMNS
    assert {r['file'] for r in rows} <= {p.name for p in tmp_path.glob('*.png')}
    for row in rows:
        image = cv2.imread(str(tmp_path / row['file']))
        model = camera_of(row, image)
        assert model.fx == pytest.approx(scene_camera(camera).fx)
        R = np.array([float(row[f'r{i}{j}']) for i in range(3) for j in range(3)]).reshape(3, 3)
        assert np.allclose(R @ R.T, np.eye(3), atol=1e-6)
        centre = R @ [-0.03, 0, -0.035] + [float(row[k]) for k in ('tx', 'ty', 'tz')]
        off_axis = np.degrees(np.arccos(centre[2] / np.linalg.norm(centre)))
        assert float(row['off_axis_deg']) == pytest.approx(off_axis, abs=1e-4)
        pixel, valid = model.pixels(centre[None])
        assert valid[0]
        assert model.contains(pixel)[0]
    # a stopped run goes on, and gives the same
    first = (tmp_path / '000001.png').read_bytes()
    (tmp_path / '000001.png').unlink()
    assert synthesize_scenes(tmp_path, what, progress=False) == 1
    assert (tmp_path / '000001.png').read_bytes() == first


def test_fisheye_reaches_75_degrees():
    camera = scene_camera('fisheye')
    middle = (camera.height - 1) / 2
    ray = camera.rays([[0.0, middle]])[0]
    assert np.degrees(np.arccos(ray[2])) > 75


def test_lens_that_the_format_cannot_hold():
    camera = CameraModel(64, 48, 40, 40, 31.5, 23.5, distortion_model='rational_polynomial',
                         distortion=(0.1, 0, 0, 0, 0, 0, 0, 0))  # fmt: skip
    with pytest.raises(ValueError, match='at most 5'):
        pose_row('a.png', camera, np.eye(3), np.ones(3))


def run(*words):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(words))


def test_commands(tmp_path, head_file, capsys):
    out = tmp_path / 'crops'
    assert run('crops', '--out', str(out), '--count', '4', '--size', '16',
               '--head-model', head_file) == 0  # fmt: skip
    assert '4 crops in 1 shards, 1 of them new' in capsys.readouterr().out
    assert json.loads((out / 'set.json').read_text())['size'] == 16
    assert run('scenes', '--out', str(tmp_path / 's'), '--count', '1', '--people', '1',
               '--head-model', head_file) == 0  # fmt: skip
    assert (tmp_path / 's' / 'poses.csv').exists()


def test_crops_in_the_posed_format(tmp_path, head_file):
    run('crops', '--out', str(tmp_path / 'c'), '--count', '8', '--size', '32', '--negatives',
        '0.5', '--head-model', head_file, '--posed', str(tmp_path / 'p'))  # fmt: skip
    shard = read(tmp_path / 'c')[0]
    faces = np.flatnonzero(shard['face'])
    assert 0 < len(faces) < 8
    with (tmp_path / 'p' / 'poses.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(faces)
    for row, i in zip(rows, faces, strict=True):
        image = cv2.imread(str(tmp_path / 'p' / row['file']))
        assert np.array_equal(image, shard['images'][i])
        sellion = np.array([float(row[k]) for k in ('tx', 'ty', 'tz')])
        at, _ = camera_of(row, image).pixels(sellion[None])
        # the 28th landmark is the sellion; the brows may pull it by a hair
        assert np.allclose(at[0], shard['landmarks68'][i, 27], atol=1.0)


def test_posed_without_shards(tmp_path):
    from headpose_training.posed_crops import export_posed

    with pytest.raises(ValueError, match=r'no shard_\*\.npz'):
        export_posed(tmp_path, tmp_path / 'out')


def test_missing_numba_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(command.importlib.util, 'find_spec', lambda _: None)
    with pytest.raises(ValueError, match='pip install numba'):
        run('clip', '--out', str(tmp_path))


def test_command_with_a_camera_file(tmp_path, head_file):
    from headpose_training.rendering.clip import write_camera

    write_camera(tmp_path / 'camera.yaml')
    run('scenes', '--out', str(tmp_path / 's'), '--count', '1', '--head-model', head_file,
        '--camera', str(tmp_path / 'camera.yaml'))  # fmt: skip
    image = cv2.imread(str(tmp_path / 's' / '000000.png'))
    assert image.shape[:2] == (CAMERA.height, CAMERA.width)
