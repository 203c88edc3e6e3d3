# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turns weights that others publish into ours: `headpose weights import`.

An importer is a module with `import_weights(path) -> Imported | None`, None where the file is not
of its kind, WeightsError where it is but is damaged. Add one by adding its line to `IMPORTERS`.
"""

from __future__ import annotations

import importlib
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.weights import WeightsError, WeightsFile, file_sha256, save

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Imported:
    """Tensors as our network functions name them, and the metadata to store with them.

    The metadata holds at least `architecture`, `what`, `licence` and `origin`.
    """

    tensors: Arrays
    metadata: dict[str, str]


class Importer(NamedTuple):
    """What it reads, under which file names, and the module that does it."""

    what: str
    suffixes: tuple[str, ...]
    module: str


IMPORTERS = (
    Importer(
        'Lightweight Head Pose Estimation (model-b66.pkl)',
        ('.pkl', '.pth', '.pt'),
        'headpose_ros.estimation.lightweight_hpe',
    ),
    Importer(
        'RetinaFace MobileNet-0.25 (PyTorch checkpoint)',
        ('.pth', '.pt', '.pkl'),
        'headpose_ros.detection.retinaface_network',
    ),
)

USED_AS_THEY_ARE = {
    '.onnx': '--estimator landmarks --weights FILE (or --detector yunet --detector-weights FILE)',
    '.caffemodel': '--detector retinaface --detector-weights FILE, its .prototxt beside it',
    '.prototxt': '--detector retinaface --detector-weights FILE.caffemodel',
    '.xml': '--detector cascade --detector-weights FILE',
}
"""Files that need no import, and what takes them."""


def import_file(source: Path, output: Path, half: bool = False) -> WeightsFile:
    """Convert `source` to a safetensors file at `output`, and return what was written.

    `half` stores float16: half the size, computed in float32 all the same.
    Raises WeightsError where `source` is missing, damaged, or of no kind that is known.
    """
    if not source.is_file():
        raise WeightsError(f'weights {source}: no such file')
    if output.suffix != '.safetensors':
        raise WeightsError(f'output {output}: expected a name that ends in .safetensors')
    for importer in IMPORTERS:
        if source.suffix.lower() not in importer.suffixes:
            continue
        imported = importlib.import_module(importer.module).import_weights(source)
        if imported is not None:
            about = {'source': source.name, 'source_sha256': file_sha256(source)}
            kind = np.float16 if half else np.float32
            tensors = {name: tensor.astype(kind) for name, tensor in imported.tensors.items()}
            return save(output, tensors, imported.metadata | about)
    if use := USED_AS_THEY_ARE.get(source.suffix.lower()):
        raise WeightsError(f'weights {source}: needs no import; use it as it is: {use}')
    known = '; '.join(f'{i.what}: {", ".join(i.suffixes)}' for i in IMPORTERS)
    raise WeightsError(f'weights {source}: of no kind that can be imported. Known: {known}')


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


def check_state_dict(
    state: Mapping[str, NDArray[np.float32]], shapes: Mapping[str, tuple[int, ...]], path: Path
) -> None:
    """Raise WeightsError unless `state` has just the tensors of `shapes`, all finite.

    Counters of batch normalisation are passed over.
    """
    names = {name for name in state if not name.endswith('num_batches_tracked')}
    if missing := sorted(shapes.keys() - names):
        raise WeightsError(f'weights {path}: {len(missing)} tensors are missing: {missing[0]}, …')
    if extra := sorted(names - shapes.keys()):
        raise WeightsError(f'weights {path}: {len(extra)} tensors are unknown: {extra[0]}, …')
    for name, shape in shapes.items():
        if state[name].shape != shape:
            raise WeightsError(f'weights {path}: {name} is {state[name].shape}, expected {shape}')
        if not np.isfinite(state[name]).all():
            raise WeightsError(f'weights {path}: {name} has values that are not finite')


def fold(
    state: Mapping[str, NDArray[np.float32]], conv: str, norm: str, name: str, eps: float = 1e-5
) -> Arrays:
    """Return convolution `conv` with batch normalisation `norm` folded in, as layer `name`."""
    weight = state[f'{conv}.weight'].astype(np.float64)
    bias = state[f'{conv}.bias'] if f'{conv}.bias' in state else np.zeros(len(weight))
    gain = state[f'{norm}.weight'] / np.sqrt(state[f'{norm}.running_var'].astype(np.float64) + eps)
    shift = state[f'{norm}.bias'] + gain * (bias - state[f'{norm}.running_mean'])
    return {
        f'{name}.weight': (weight * gain[:, None, None, None]).astype(np.float32),
        f'{name}.bias': shift.astype(np.float32),
    }
