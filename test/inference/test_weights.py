# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import argparse
import contextlib
import json
import stat
from pathlib import Path

import numpy as np
import pytest
from made_networks import METADATA as POSE_METADATA
from made_networks import pose_weights

from headpose_ros.cli import weights as command
from headpose_ros.inference import onnx_file
from headpose_ros.inference import weights as files
from headpose_ros.inference.importing import import_file
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import (
    WeightsError,
    check,
    describe,
    file_sha256,
    from_bytes,
    load,
    read,
    save,
    shipped,
)

TENSORS = {
    'a.weight': np.arange(6, dtype=np.float32).reshape(2, 3), 'a.bias': np.ones(2, np.float16),
}  # fmt: skip
METADATA = {'architecture': 'made', 'what': 'nothing', 'licence': 'MIT', 'origin': 'a test'}


def made(tensors=TENSORS, metadata=METADATA, inputs=1):
    """A file that holds these tensors and does nothing with them."""
    images = [
        onnx_file.tensor_type(f'images_{i}', 'uint8', ('n', 4, 'w', 3)) for i in range(inputs)
    ]
    nodes = [onnx_file.node('Identity', ['a.bias'], 'out')]
    out = [onnx_file.tensor_type('out', 'float32', (2,))]
    return onnx_file.model(onnx_file.graph(nodes, tensors, images, out), metadata)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A registry of its own with one shipped file, the default of kind 'made'."""
    monkeypatch.setattr(files, 'MODELS', tmp_path)
    written = save(tmp_path / 'first.onnx', made())
    entry = {'file': 'first.onnx', 'sha256': written.sha256, 'parameters': 8, **METADATA}
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


def test_every_default_is_shipped_and_one_that_a_company_may_use():
    registry = files._registry()
    for name in registry['defaults'].values():
        assert not registry['weights'][name]['licence'].startswith('research')


@pytest.mark.parametrize('name', ['', 'first', 'first.onnx'])
def test_weights_are_found_by_default_name_and_path(models, monkeypatch, name):
    monkeypatch.chdir(models)
    loaded = load(name, 'made', {'made'})
    np.testing.assert_array_equal(loaded.tensors['a.weight'], TENSORS['a.weight'])
    assert loaded.tensors['a.bias'].dtype == np.float32
    assert loaded.metadata == METADATA


def test_an_altered_shipped_file_is_refused(models):
    data = bytearray((models / 'first.onnx').read_bytes())
    data[-1] ^= 1
    (models / 'first.onnx').write_bytes(data)
    with pytest.raises(WeightsError, match='checksum differs from the registry'):
        load('', 'made', {'made'})


def test_a_missing_shipped_file_is_told(models):
    (models / 'first.onnx').unlink()
    with pytest.raises(WeightsError, match='is missing: install the package again'):
        load('first', 'made', {'made'})


def test_unknown_names_list_what_is_shipped(models):
    with pytest.raises(WeightsError, match=r'second: neither a file nor .* \(first\)'):
        load('second', 'made', {'made'})
    with pytest.raises(WeightsError, match=r'none is the default for other; name .* \(first\)'):
        load('', 'other', {'made'})


def test_another_architecture_is_refused(models):
    with pytest.raises(WeightsError, match='architecture made, but cnn needs a or b'):
        load('first', 'cnn', {'b', 'a'})


@pytest.mark.parametrize('keep', [0, 7, 60, 0.5, -1])
def test_truncated_files_are_refused(tmp_path, keep):
    save(tmp_path / 'a.onnx', made())
    data = (tmp_path / 'a.onnx').read_bytes()
    (tmp_path / 'a.onnx').write_bytes(data[: int(len(data) * 0.5) if keep == 0.5 else keep])
    with pytest.raises(WeightsError, match='not a whole ONNX file'):
        read(tmp_path / 'a.onnx')


def test_any_byte_may_be_wrong_and_that_is_one_error_or_none(tmp_path):
    data = made()
    rng = np.random.default_rng(0)
    for _ in range(500):
        other = bytearray(data)
        other[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        with contextlib.suppress(WeightsError):
            from_bytes(bytes(other), tmp_path / 'a.onnx')


def test_tensors_that_lie_elsewhere_are_refused(tmp_path):
    entry = onnx_file._message((1, 'location'), (2, '/etc/passwd'))
    tensor = onnx_file._message((1, 2), (2, 1), (8, 'a'), (13, entry), (14, 1))
    data = onnx_file.model(onnx_file._message((5, tensor)), {})
    with pytest.raises(WeightsError, match="tensor 'a' lies in another file"):
        from_bytes(data, tmp_path / 'a.onnx')


@pytest.mark.parametrize('inputs', [0, 2])
def test_other_than_one_input_is_refused(tmp_path, inputs):
    with pytest.raises(WeightsError, match=f'expected one input, got {inputs}'):
        from_bytes(made(inputs=inputs), tmp_path / 'a.onnx')


@pytest.mark.parametrize('name', ['model.pkl', 'old.safetensors'])
def test_other_formats_are_pointed_to_the_import(tmp_path, name):
    (tmp_path / name).write_bytes(b'\x80\x04N.')
    with pytest.raises(WeightsError, match=f'convert it first: headpose weights import .*{name}'):
        load(tmp_path / name, 'cnn', {'made'})


def old_file(path, tensors, metadata):
    """Write safetensors, as version 0.1 did."""
    header, data = {'__metadata__': metadata}, b''
    for name, tensor in tensors.items():
        kind = {'f4': 'F32', 'f2': 'F16', 'i4': 'I32'}[tensor.dtype.str[1:]]
        offsets = [len(data), len(data) + tensor.nbytes]
        header[name] = {'dtype': kind, 'shape': tensor.shape, 'data_offsets': offsets}
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, 'little') + text + data)


@pytest.mark.parametrize('kind', [np.float32, np.float16])
def test_files_of_version_0_1_are_imported(tmp_path, kind, capsys):
    tensors = {n: t.astype(kind) for n, t in pose_weights().items()}
    old_file(tmp_path / 'old.safetensors', tensors, POSE_METADATA)
    new = str(tmp_path / 'new.onnx')
    assert headpose_weights('import', str(tmp_path / 'old.safetensors'), '--output', new) == 0
    assert 'made up (headpose-pose-network' in capsys.readouterr().out
    written = load(new, 'cnn', {'headpose-pose-network'})
    assert POSE_METADATA.items() <= written.metadata.items()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(written.tensors[name], tensor.astype(np.float32))


def test_damaged_files_of_version_0_1_are_refused(tmp_path):
    path, new = tmp_path / 'old.safetensors', tmp_path / 'new.onnx'
    old_file(path, pose_weights(), POSE_METADATA)
    whole = path.read_bytes()
    for data in (b'', whole[:100], whole[:-8]):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match='not a whole safetensors file'):
            import_file(path, new)
    old_file(path, {'a': np.zeros(2, np.int32)}, {})
    with pytest.raises(WeightsError, match='not a whole safetensors file'):
        import_file(path, new)
    old_file(path, {}, {'architecture': 'mtcnn'})
    with pytest.raises(WeightsError, match='three files now'):
        import_file(path, new)
    assert not new.exists()


def test_an_export_fixes_what_is_open(models, tmp_path, capsys):
    out = tmp_path / 'out.onnx'
    assert headpose_weights('export', 'first', '--onnx', str(out)) == 0
    assert 'licence  MIT' in capsys.readouterr().out
    assert out.read_bytes() == (models / 'first.onnx').read_bytes()
    headpose_weights('export', 'first', '--onnx', str(out), '--batch', '2')
    assert read(out).image.shape == (2, 4, None, 3)
    headpose_weights('export', 'first', '--onnx', str(out), '--size', '8x4')
    exported = read(out)
    assert exported.image.shape == (None, 4, 8, 3)
    assert exported.metadata == METADATA
    assert exported.tensors.keys() == TENSORS.keys()


@pytest.mark.parametrize(('options', 'words'), [
    (['--onnx', 'out.bin'], 'ends in .onnx'), (['--batch', '0'], 'batch: expected 1 or more'),
    (['--size', '8x8'], 'axis 1 cannot be 8'), (['--size', '8'], 'WIDTHxHEIGHT'),
])  # fmt: skip
def test_an_export_that_cannot_be_is_told(models, monkeypatch, options, words):
    monkeypatch.chdir(models)
    with pytest.raises(WeightsError, match=words):
        headpose_weights('export', 'first', '--onnx', 'out.onnx', *options)


@pytest.mark.parametrize('name', ['pose_clean', 'proposals_clean', 'mtcnn_onet'])
def test_shipped_models_exported_give_the_same_elsewhere(name, tmp_path):
    ort = pytest.importorskip('onnxruntime')
    options = [] if name != 'proposals_clean' else ['--size', '96x64']
    out = tmp_path / 'out.onnx'
    headpose_weights('export', name, '--onnx', str(out), '--batch', '2', *options)
    exported = read(out)
    images = np.random.default_rng(0).integers(0, 256, exported.image.shape)
    images = images.astype(exported.image.dtype)
    session = ort.InferenceSession(out, providers=['CPUExecutionProvider'])
    ours = create_runtime('cpu', 1).compile(exported)(images)
    for theirs, output in zip(session.run(None, {'images': images}), ours, strict=True):
        np.testing.assert_allclose(theirs, output, atol=1e-4)


def test_values_that_are_not_finite_are_refused(tmp_path):
    with pytest.raises(WeightsError, match=r'a\.bias has values that are not finite'):
        from_bytes(made({**TENSORS, 'a.bias': np.float32([1, np.nan])}), tmp_path / 'a.onnx')


def test_saving_leaves_one_readable_file(tmp_path):
    written = save(tmp_path / 'new' / 'a.onnx', made())
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['a.onnx']
    assert written == describe(tmp_path / 'new' / 'a.onnx')
    assert (written.parameters, written.sha256) == (8, file_sha256(written.path))
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o644


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / 'file').touch()
    for path in (Path('/proc/a.onnx'), tmp_path / 'file' / 'a.onnx'):
        with pytest.raises(WeightsError, match=rf'weights {path}: cannot be written'):
            save(path, made())


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
    (models / 'first.onnx').write_bytes(b'')
    assert headpose_weights('check') == 1
