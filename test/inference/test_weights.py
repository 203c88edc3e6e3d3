# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import argparse
import json
import stat
from pathlib import Path

import numpy as np
import pytest

from headpose_ros.cli import weights as command
from headpose_ros.inference import weights as files
from headpose_ros.inference.weights import (
    WeightsError,
    check,
    describe,
    file_sha256,
    load,
    read,
    save,
    shipped,
)

TENSORS = {'a.weight': np.arange(6, dtype=np.float32).reshape(2, 3), 'a.bias': np.ones(2)}
METADATA = {'architecture': 'made', 'what': 'nothing', 'licence': 'MIT', 'origin': 'a test'}


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A registry of its own with one shipped file, the default of kind 'made'."""
    monkeypatch.setattr(files, 'MODELS', tmp_path)
    written = save(tmp_path / 'first.safetensors', TENSORS, METADATA)
    entry = {'file': 'first.safetensors', 'sha256': written.sha256, 'parameters': 8, **METADATA}
    registry = {'defaults': {'made': 'first'}, 'weights': {'first': entry}}
    (tmp_path / 'weights.json').write_text(json.dumps(registry))
    files._registry.cache_clear()
    yield tmp_path
    files._registry.cache_clear()


def headpose_weights(*argv):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(argv))


@pytest.mark.parametrize('weights', shipped(), ids=lambda weights: weights.name)
def test_what_is_shipped_is_whole_and_as_registered(weights):
    assert check(weights.name) == weights
    assert weights.what
    assert weights.licence
    assert weights.origin


def test_defaults_are_shipped():
    registry = files._registry()
    assert set(registry['defaults'].values()) <= set(registry['weights'])


@pytest.mark.parametrize('name', ['', 'first', 'first.safetensors'])
def test_weights_are_found_by_default_name_and_path(models, monkeypatch, name):
    monkeypatch.chdir(models)
    loaded = load(name, 'made', {'made'})
    np.testing.assert_array_equal(loaded.tensors['a.weight'], TENSORS['a.weight'])
    assert loaded.tensors['a.bias'].dtype == np.float32
    assert loaded.metadata == METADATA


def test_an_altered_shipped_file_is_refused(models):
    data = bytearray((models / 'first.safetensors').read_bytes())
    data[-1] ^= 1
    (models / 'first.safetensors').write_bytes(data)
    with pytest.raises(WeightsError, match='checksum differs from the registry'):
        load('', 'made', {'made'})


def test_a_missing_shipped_file_is_told(models):
    (models / 'first.safetensors').unlink()
    with pytest.raises(WeightsError, match='is missing: install the package again'):
        load('first', 'made', {'made'})


def test_unknown_names_list_what_is_shipped(models):
    with pytest.raises(WeightsError, match=r'second: neither a file nor .* \(first\)'):
        load('second', 'made', {'made'})
    with pytest.raises(WeightsError, match='none are shipped for other'):
        load('', 'other', {'made'})


def test_another_architecture_is_refused(models):
    with pytest.raises(WeightsError, match='architecture made, but cnn needs a or b'):
        load('first', 'cnn', {'b', 'a'})


@pytest.mark.parametrize('keep', [0, 7, 60, 0.5, -1])
def test_truncated_files_are_refused(tmp_path, keep):
    save(tmp_path / 'a.safetensors', TENSORS, METADATA)
    data = (tmp_path / 'a.safetensors').read_bytes()
    (tmp_path / 'a.safetensors').write_bytes(data[: int(len(data) * 0.5) if keep == 0.5 else keep])
    with pytest.raises(WeightsError, match='not a whole safetensors file'):
        read(tmp_path / 'a.safetensors')


def test_types_that_numpy_lacks_are_refused(tmp_path):
    about = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    (tmp_path / 'a.safetensors').write_bytes(len(about).to_bytes(8, 'little') + about + b'\0' * 4)
    with pytest.raises(WeightsError, match=r'not a whole safetensors file .*bfloat16'):
        read(tmp_path / 'a.safetensors')


def test_pickles_are_pointed_to_the_import(tmp_path):
    (tmp_path / 'model.pkl').write_bytes(b'\x80\x04N.')
    with pytest.raises(WeightsError, match=r'convert it first: headpose weights import .*\.pkl'):
        load(tmp_path / 'model.pkl', 'cnn', {'made'})


def test_values_that_are_not_finite_are_refused(tmp_path):
    with pytest.raises(WeightsError, match=r'a\.bias has values that are not finite'):
        save(tmp_path / 'a.safetensors', {**TENSORS, 'a.bias': np.array([1, np.nan])}, METADATA)


def test_saving_leaves_one_readable_file(tmp_path):
    written = save(tmp_path / 'new' / 'a.safetensors', TENSORS, METADATA)
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['a.safetensors']
    assert written == describe(tmp_path / 'new' / 'a.safetensors')
    assert (written.parameters, written.sha256) == (8, file_sha256(written.path))
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o644


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / 'file').touch()
    for path in (Path('/proc/a.safetensors'), tmp_path / 'file' / 'a.safetensors'):
        with pytest.raises(WeightsError, match=rf'weights {path}: cannot be written'):
            save(path, TENSORS, METADATA)


def test_list_tells_what_licence_origin_and_checksum(models, capsys):
    assert headpose_weights('list') == 0
    out = capsys.readouterr().out
    for text in ('first: nothing (made, 8 parameters)', 'MIT', 'a test', 'sha256'):
        assert text in out


def test_check_tells_good_from_bad(models, capsys):
    assert headpose_weights('check') == 0
    assert 'ok   first: made, 8 parameters' in capsys.readouterr().out
    assert headpose_weights('check', 'first', str(models / 'weights.json')) == 1
    out = capsys.readouterr().out
    assert 'ok   first' in out
    assert 'BAD  weights ' in out
    (models / 'first.safetensors').write_bytes(b'')
    assert headpose_weights('check') == 1
