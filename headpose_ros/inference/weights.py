# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Model files: ONNX whose metadata say what they are, and the registry of those shipped.

`models/weights.json` lists what is shipped: `defaults` (kind -> name) and, per name, `file`,
`architecture`, `what`, `licence`, `origin`, `sha256` and `parameters`. The checksum of a shipped
file is verified each time that it is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.onnx_file import OnnxFile, TensorType, with_outputs

MODELS = Path(__file__).resolve().parent.parent / 'models'
_TO_IMPORT = ('.safetensors', '.pkl', '.pth', '.pt')


class WeightsError(ValueError):
    """Weights are missing, damaged, or of another architecture than needed."""


@dataclass(frozen=True)
class WeightsFile:
    """What is known of a weights file without reading its tensors; `name` '' where not shipped."""

    name: str
    path: Path
    architecture: str
    what: str
    licence: str
    origin: str
    sha256: str
    parameters: int


@dataclass(frozen=True)
class LoadedWeights:
    """A model file that has been read.

    `data`: the ONNX file itself. `tensors`: its weights by name, float32. `image` and `outputs`:
    names, types and shapes of its one input and its outputs.
    """

    path: Path
    data: bytes
    metadata: dict[str, str]
    tensors: dict[str, NDArray[np.float32]]
    image: TensorType
    outputs: tuple[TensorType, ...]

    def with_outputs(self, count: int) -> LoadedWeights:
        """Return the same with the first `count` outputs only, so that no others are computed.

        A runtime that does not run the file itself may give the others all the same, after them.
        """
        outputs = self.outputs[:count]
        data = with_outputs(self.data, [output.name for output in outputs])
        return replace(self, data=data, outputs=outputs)


def load(weights: str | Path, kind: str, architectures: Collection[str]) -> LoadedWeights:
    """Read weights for `kind` ('cnn', 'mtcnn', …): '' for the default, a shipped name, or a file.

    Raises WeightsError where they are missing, truncated, altered, not finite, or of none of
    `architectures`.
    """
    loaded = load_any(weights, kind)
    architecture = loaded.metadata.get('architecture', 'none named')
    if architecture not in architectures:
        raise WeightsError(
            f'weights {loaded.path}: architecture {architecture}, '
            f'but {kind} needs {" or ".join(sorted(architectures))}'
        )
    return loaded


def load_any(weights: str | Path, kind: str) -> LoadedWeights:
    """Read weights as `load` does, of whatever architecture they are."""
    return read(_verified(*resolve(weights, kind)))


def check(weights: str | Path) -> WeightsFile:
    """Verify a shipped name or a file, and return what it is; WeightsError says what is wrong."""
    path = _verified(*resolve(weights, kind=''))
    found = describe(path, str(weights))
    if not found.architecture:
        raise WeightsError(f'weights {path}: the metadata name no architecture')
    return found


def resolve(weights: str | Path, kind: str) -> tuple[Path, str]:
    """Return the file that `weights` means, and its sha256 where it is a shipped one, else ''."""
    registry = _registry()
    name = str(weights) or registry['defaults'].get(kind, '')
    if not name:
        raise WeightsError(
            f'weights: none is the default for {kind}; name a file, or one of those shipped '
            f'({", ".join(sorted(registry["weights"]))}); headpose weights list has their licences'
        )
    if name in registry['weights']:
        entry = registry['weights'][name]
        path = MODELS / entry['file']
        if not path.is_file():
            raise WeightsError(
                f'weights {name}: shipped file {path} is missing: install the package again'
            )
        return path, entry['sha256']
    path = Path(name).expanduser()
    if not path.is_file():
        raise WeightsError(
            f'weights {name}: neither a file nor one of the shipped '
            f'({", ".join(sorted(registry["weights"]))})'
        )
    return path, ''


def read(path: Path) -> LoadedWeights:
    """Read a model file; WeightsError where it is not sound, or its weights are not finite."""
    if path.suffix.lower() in _TO_IMPORT:
        raise WeightsError(
            f'weights {path}: not an ONNX file; convert it first: headpose weights import '
            f'{path} --output {path.stem}.onnx'
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f'weights {path}: cannot be read ({error.strerror})') from None
    return from_bytes(data, path)


def from_bytes(data: bytes, path: Path) -> LoadedWeights:
    """Read the content of a model file; `path` is what errors name. See `read`."""
    try:
        file = OnnxFile(data)
        tensors = file.tensors
    except ValueError as error:
        raise WeightsError(f'weights {path}: not a whole ONNX file ({error})') from None
    if len(file.inputs) != 1:
        raise WeightsError(f'weights {path}: expected one input, got {len(file.inputs)}')
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise WeightsError(f'weights {path}: {name} has values that are not finite')
    return LoadedWeights(path, data, file.metadata, tensors, file.inputs[0], tuple(file.outputs))


@contextlib.contextmanager
def fitted(weights: LoadedWeights) -> Iterator[None]:
    """Turn what goes wrong while a network is made of `weights` into a WeightsError."""
    try:
        yield
    except WeightsError:
        raise
    except (KeyError, IndexError, ValueError, RuntimeError, ArithmeticError) as error:
        reason = (
            f'no {error}' if isinstance(error, KeyError) else str(error).strip().split('\n')[0]
        )
        raise WeightsError(
            f'weights {weights.path}: the tensors do not fit together: {reason}'
        ) from error


def save(path: Path, data: bytes) -> WeightsFile:
    """Write a model file in one step, so that no reader sees half of it.

    Raises WeightsError where the file cannot be written, or could not be read again.
    """
    unfinished = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as error:
        raise WeightsError(f'weights {path}: cannot be written: {error}') from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return describe(path)


def describe(path: Path, name: str = '') -> WeightsFile:
    """Read what a weights file says of itself."""
    loaded = read(path)
    return WeightsFile(
        name,
        path,
        loaded.metadata.get('architecture', ''),
        loaded.metadata.get('what', ''),
        loaded.metadata.get('licence', ''),
        loaded.metadata.get('origin', ''),
        file_sha256(path),
        sum(t.size for t in loaded.tensors.values()),
    )


def shipped() -> list[WeightsFile]:
    """Return what the registry says is shipped, in its order; reads no weights file."""
    return [
        WeightsFile(
            name,
            MODELS / entry['file'],
            entry['architecture'],
            entry['what'],
            entry['licence'],
            entry['origin'],
            entry['sha256'],
            entry['parameters'],
        )
        for name, entry in _registry()['weights'].items()
    ]


def file_sha256(path: Path) -> str:
    """Return the file's sha256 as hex digits."""
    with path.open('rb') as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def _verified(path: Path, sha256: str) -> Path:
    if sha256 and file_sha256(path) != sha256:
        raise WeightsError(
            f'weights {path}: checksum differs from the registry; '
            'the file is damaged or was changed: install the package again'
        )
    return path


@cache
def _registry() -> dict[str, Any]:
    registry: dict[str, Any] = json.loads((MODELS / 'weights.json').read_text('utf-8'))
    return registry
