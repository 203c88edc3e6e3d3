# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights files: safetensors whose metadata say what they are, and the registry of those shipped.

`models/weights.json` lists what is shipped: `defaults` (kind -> name) and, per name, `file`,
`architecture`, `what`, `licence`, `origin`, `sha256` and `parameters`. The checksum of a shipped
file is verified each time that it is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

MODELS = Path(__file__).resolve().parent.parent / 'models'


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
    """Tensors by name, and the file's metadata."""

    path: Path
    tensors: dict[str, NDArray[np.float32]]
    metadata: dict[str, str]


def load(weights: str | Path, kind: str, architectures: Collection[str]) -> LoadedWeights:
    """Read weights for `kind` ('cnn', 'mtcnn', …): '' for the default, a shipped name, or a file.

    Raises WeightsError where they are missing, truncated, altered, not finite, or of none of
    `architectures`.
    """
    path = _verified(*resolve(weights, kind))
    tensors, metadata = read(path)
    architecture = metadata.get('architecture', 'none named')
    if architecture not in architectures:
        raise WeightsError(
            f'weights {path}: architecture {architecture}, '
            f'but {kind} needs {" or ".join(sorted(architectures))}'
        )
    return LoadedWeights(path, tensors, metadata)


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
        raise WeightsError(f'weights: none are shipped for {kind}; name a file')
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


def read(path: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """Read tensors and metadata of a safetensors file; WeightsError where it is not sound."""
    try:
        with safe_open(path, framework='numpy') as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, TypeError) as error:  # TypeError: bfloat16 is no NumPy type
        hint = ''
        if path.suffix in ('.pkl', '.pth', '.pt'):
            hint = f'; convert it first: headpose weights import {path} --output OUT.safetensors'
        raise WeightsError(
            f'weights {path}: not a whole safetensors file ({error}){hint}'
        ) from None
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise WeightsError(f'weights {path}: {name} has values that are not finite')
    return tensors, metadata


@contextlib.contextmanager
def fitted(weights: LoadedWeights) -> Iterator[None]:
    """Turn what goes wrong while a network is made of `weights` into a WeightsError."""
    try:
        yield
    except WeightsError:
        raise
    except (KeyError, ValueError, RuntimeError) as error:
        reason = (
            f'no {error}' if isinstance(error, KeyError) else str(error).strip().split('\n')[0]
        )
        raise WeightsError(
            f'weights {weights.path}: the tensors do not fit together: {reason}'
        ) from error


def save(
    path: Path, tensors: Mapping[str, NDArray[np.float32]], metadata: Mapping[str, str]
) -> WeightsFile:
    """Write a weights file in one step, so that no reader sees half of it.

    Tensors are stored as float32, or as float16 where they come so. Raises WeightsError where the
    file cannot be written.
    """
    unfinished = path.with_name(f'.{path.name}.{os.getpid()}')
    contiguous = {
        name: np.ascontiguousarray(t, np.float16 if t.dtype == np.float16 else np.float32)
        for name, t in tensors.items()
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(contiguous, unfinished, dict(metadata))
        unfinished.chmod(0o644)  # safetensors lets only the owner read
        unfinished.replace(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f'weights {path}: cannot be written: {error}') from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return describe(path)


def describe(path: Path, name: str = '') -> WeightsFile:
    """Read what a weights file says of itself."""
    tensors, metadata = read(path)
    return WeightsFile(
        name,
        path,
        metadata.get('architecture', ''),
        metadata.get('what', ''),
        metadata.get('licence', ''),
        metadata.get('origin', ''),
        file_sha256(path),
        sum(t.size for t in tensors.values()),
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
    registry: dict[str, Any] = json.loads((MODELS / 'weights.json').read_text())
    return registry
