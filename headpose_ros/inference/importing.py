# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turns weights that others publish into model files of ours: `headpose weights import`.

PyTorch is needed for it. To add a kind of file, write what reads it, and add a line to
`_IMPORTERS`.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.networks import LIGHTWEIGHT_HPE, RETINAFACE
from headpose_ros.inference.weights import WeightsError, WeightsFile, file_sha256

if TYPE_CHECKING:
    from headpose_ros.inference.networks.layers import Network

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Imported:
    """Tensors as our modules name them, and the metadata to store with them.

    The metadata holds at least `architecture`, `what`, `licence` and `origin`.
    """

    tensors: Arrays
    metadata: dict[str, str]


def import_file(source: Path, output: Path, half: bool = False) -> WeightsFile:
    """Convert `source` to an ONNX file at `output`, and return what was written.

    `half` stores float16: half the size, computed in float32 all the same. Raises WeightsError
    where `source` is missing, damaged, or of no kind that is known, or PyTorch is not installed.
    """
    if not source.is_file():
        raise WeightsError(f'weights {source}: no such file')
    if output.suffix != '.onnx':
        raise WeightsError(f'output {output}: expected a name that ends in .onnx')
    suffix = source.suffix.lower()
    if not any(suffix in importer.suffixes for importer in _IMPORTERS):
        _refuse(source)
    try:
        from headpose_ros.inference.networks.export import write
    except ImportError:
        raise WeightsError(
            f'weights {source}: to import weights needs PyTorch: pip install torch'
        ) from None
    for importer in _IMPORTERS:
        if suffix in importer.suffixes and (imported := importer.read(source)):
            about = {'source': source.name, 'source_sha256': file_sha256(source)}
            return write(output, imported.tensors, about | imported.metadata, half)
    raise _unknown(source)


def read_state_dict(path: Path) -> Arrays:
    """Read a PyTorch state dict as float32 arrays, without running code that it may carry.

    A dict under the key 'state_dict' is looked into, a leading 'module.' dropped from the names.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of pickle protocols
            state = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError:  # torch's own words advise to run what the file carries
        raise WeightsError(
            f'weights {path}: damaged, or holds more than tensors, which is not read: that could '
            'run any program'
        ) from None
    except Exception as error:  # torch documents no base class for what it raises here
        reason = str(error).strip().split('\n')[0] or type(error).__name__
        raise WeightsError(
            f'weights {path}: not a readable PyTorch state dict: {reason}'
        ) from None
    if isinstance(state, Mapping) and isinstance(state.get('state_dict'), Mapping):
        state = state['state_dict']
    if not isinstance(state, Mapping):
        raise WeightsError(f'weights {path}: expected a state dict, got {type(state).__name__}')
    return {
        str(name).removeprefix('module.'): value.float().numpy()
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }


def folded_state(
    state: Arrays,
    network: Network,
    theirs: Callable[[str], str],
    path: Path,
) -> Arrays:
    """Return the tensors of `network`, its batch normalisations folded, from a state dict.

    `theirs` gives the name in `state` of one of the network's parameters. Raises WeightsError
    unless `state` has just these, all finite. Counters of batch normalisation are passed over.
    """
    import torch

    from headpose_ros.inference.networks.layers import folded_tensors

    def is_counter(name: str) -> bool:
        return name.endswith('num_batches_tracked')

    own = {n: t for n, t in network.state_dict().items() if not is_counter(n)}
    names = {theirs(name): name for name in own}
    there = {name for name in state if not is_counter(name)}
    if missing := sorted(names.keys() - there):
        raise WeightsError(f'weights {path}: {len(missing)} tensors are missing: {missing[0]}, …')
    if extra := sorted(there - names.keys()):
        raise WeightsError(f'weights {path}: {len(extra)} tensors are unknown: {extra[0]}, …')
    for name, ours in names.items():
        _check(state, name, tuple(own[ours].shape), path)
    loaded = {ours: torch.from_numpy(state[name].copy()) for name, ours in names.items()}
    network.load_state_dict(loaded, strict=False)  # the counters are missing
    return folded_tensors(network)


def _check(state: Arrays, name: str, shape: tuple[int, ...], path: Path) -> None:
    """Raise WeightsError unless the tensor has that shape and is finite."""
    if state[name].shape != shape:
        raise WeightsError(f'weights {path}: {name} is {state[name].shape}, expected {shape}')
    if not np.isfinite(state[name]).all():
        raise WeightsError(f'weights {path}: {name} has values that are not finite')


def _read_retinaface(path: Path) -> Imported | None:
    """Read the public PyTorch checkpoint; None where the file is something else."""
    from headpose_ros.inference.networks.retinaface_net import RetinaFaceNet

    def theirs(name: str) -> str:  # x.0.norm.weight is x.1.weight there
        conv, is_norm, rest = name.partition('.norm.')
        block, _, index = conv.rpartition('.')
        return f'{block}.{int(index) + 1}.{rest}' if is_norm else name

    state = read_state_dict(path)
    if 'body.stage1.0.0.weight' not in state or 'LandmarkHead.0.conv1x1.weight' not in state:
        return None
    return Imported(
        folded_state(state, RetinaFaceNet(norm=True), theirs, path),
        {
            'architecture': RETINAFACE,
            'what': 'face detector, RetinaFace MobileNet-0.25',
            'licence': 'MIT',
            'origin': 'https://github.com/biubug6/Pytorch_Retinaface; trained by its author on '
            'WIDER FACE, whose images are for research use',
        },
    )


def _read_lightweight_hpe(path: Path) -> Imported | None:
    """Read the authors' state dict (`model-b66.pkl`); None where the file is something else."""
    from headpose_ros.inference.networks.lightweight_hpe_net import LightweightHpeNet

    parts = {'expand': 'exp_conv', 'depthwise': 'dw_conv', 'project': 'pw_conv'}
    angles = ('yaw', 'pitch', 'roll')

    def theirs(name: str) -> str:
        name = re.sub(r'^stem\.', 'features.0.', name)
        block = re.match(r'blocks\.(\d)\.(\w+)\.', name)
        if block:
            start = f'features.{int(block[1]) + 1}.{parts[block[2]]}.'
            name = start + name.removeprefix(block[0])
        return re.sub(r'norm\.', '1.', name) if '.norm.' in name else _first(name)

    def _first(name: str) -> str:
        return name if name.startswith('angles') else name.replace('.weight', '.0.weight')

    state = read_state_dict(path)
    if 'fc_yaw.weight' not in state or 'features.1.exp_conv.0.weight' not in state:
        return None
    for part, shape in (('weight', (66, 128)), ('bias', (66,))):  # three heads there, one here
        names = [f'fc_{angle}.{part}' for angle in angles]
        if all(name in state for name in names):
            for name in names:
                _check(state, name, shape, path)
            state[f'angles.{part}'] = np.concatenate([state.pop(name) for name in names])
    # They take RGB, we BGR.
    state['features.0.0.weight'] = state['features.0.0.weight'][:, ::-1]
    return Imported(
        folded_state(state, LightweightHpeNet(norm=True), theirs, path),
        {
            'architecture': LIGHTWEIGHT_HPE,
            'what': 'head pose, Lightweight Head Pose Estimation',
            'licence': 'MIT',
            'origin': 'https://github.com/Shaw-git/Lightweight-Head-Pose-Estimation; trained '
            'by its authors on 300W-LP, whose images are for research use',
        },
    )


def _read_safetensors(path: Path) -> Imported:
    """Read a weights file of version 0.1 of this package."""
    try:
        data = path.read_bytes()
        length = int.from_bytes(data[:8], 'little')
        header: dict[str, Any] = json.loads(data[8 : 8 + length])
        metadata = header.pop('__metadata__', {})
        kinds: dict[str, Any] = {'F32': '<f4', 'F16': '<f2'}
        tensors: Arrays = {}
        for name, entry in header.items():
            first, end = (8 + length + at for at in entry['data_offsets'])
            values = np.frombuffer(data[first:end], kinds[entry['dtype']])
            tensors[name] = values.reshape(entry['shape']).astype(np.float32)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise WeightsError(f'weights {path}: not a whole safetensors file ({error})') from None
    if metadata.get('architecture') == 'mtcnn':
        raise WeightsError(f'weights {path}: MTCNN is in three files now, shipped as mtcnn_*')
    return Imported(tensors, metadata)


class _Importer(NamedTuple):
    """What it reads, under which file names; `read` gives None where a file is something else."""

    what: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], Imported | None]


_IMPORTERS = (
    _Importer(
        'Lightweight Head Pose Estimation (model-b66.pkl)',
        ('.pkl', '.pth', '.pt'),
        _read_lightweight_hpe,
    ),
    _Importer(
        'RetinaFace MobileNet-0.25 (PyTorch checkpoint)',
        ('.pth', '.pt', '.pkl'),
        _read_retinaface,
    ),
    _Importer('weights of headpose_ros 0.1', ('.safetensors',), _read_safetensors),
)

_USED_AS_THEY_ARE = {
    '.onnx': '--estimator landmarks --weights FILE (or --detector yunet --detector-weights FILE)',
    '.caffemodel': '--detector retinaface --detector-weights FILE, its .prototxt beside it',
    '.prototxt': '--detector retinaface --detector-weights FILE.caffemodel',
    '.xml': '--detector cascade --detector-weights FILE',
}
"""Files that need no import, and what takes them."""


def _refuse(source: Path) -> None:
    if use := _USED_AS_THEY_ARE.get(source.suffix.lower()):
        raise WeightsError(f'weights {source}: needs no import; use it as it is: {use}')
    raise _unknown(source)


def _unknown(source: Path) -> WeightsError:
    known = '; '.join(f'{i.what}: {", ".join(i.suffixes)}' for i in _IMPORTERS)
    return WeightsError(f'weights {source}: of no kind that can be imported. Known: {known}')
