# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import made_faces
import pytest

from headpose_ros.cli.main import main

RECIPE = """
name: tiny
what: test
licence: none
training: [{files: 'faces.npz', share: 1.0}]
validation: [faces.npz]
network: {crop_px: 48, stem: 8, widths: [8, 16], depths: [1, 1], strides: [2, 2, 2]}
steps: 4
batch_size: 8
bfloat16: false
log_every: 2
validate_every: 4
"""


@pytest.fixture
def folder(tmp_path):
    made_faces.made_crops(40, negatives=4).save(tmp_path / 'faces.npz')
    (tmp_path / 'tiny.yaml').write_text(RECIPE)
    return tmp_path


def test_train_export_and_check(folder, capsys):
    recipe = ['--recipe', str(folder / 'tiny.yaml'), '--data', str(folder)]
    run = str(folder / 'run')
    assert main(['train', 'pose', *recipe, '--out', run, '--workers', '0', '--threads', '1']) == 0
    assert (folder / 'run' / 'log.png').stat().st_size > 1000
    weights = str(folder / 'tiny.onnx')
    assert main(['train', 'export', *recipe, '--training', run, '--out', weights]) == 0
    figures = folder / 'figures.json'
    faces = str(folder / 'faces.npz')
    assert main(['train', 'check', weights, faces, '--json', str(figures)]) == 0
    found = json.loads(figures.read_text())['faces']
    assert found['count'] == 36
    assert set(found['boxes_mae']) == {'exact', 'smaller', 'larger', 'right', 'left', 'down', 'up'}
    assert 'MAE by box' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['pose', '--recipe', 'none', '--out', 'x'], "recipe 'none'"),
        (['pose', '--recipe', 'best', '--out', 'x', '--data', 'nowhere'], 'no such training data'),
        (['export', '--recipe', 'best', '--training', 'nowhere', '--out', 'x'], 'no checkpoint'),
        (['check', 'absent.onnx', 'x.npz'], 'absent.onnx'),
        (['label', 'nowhere', '--out', 'x.npz', '--teacher', 'absent.bin'], 'absent.bin'),
    ],
)
def test_what_is_missing_is_said_in_one_line(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(['train', *words]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_landmarks_is_labelled_alone(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
    (tmp_path / 'b' / 'landmarks68.csv').touch()
    command = ['label', 'a', 'b', '--out', 'x.npz', '--teacher', 'pose_clean']
    assert main(['train', *command]) == 2
    assert 'b/landmarks68.csv: expected a folder with landmarks alone' in capsys.readouterr().err
    assert not (tmp_path / 'x.npz').exists()
