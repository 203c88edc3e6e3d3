# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether another processor gives the same poses.

    python -m benchmark.reliability.processors compute here.json      # on each processor
    python -m benchmark.reliability.processors compare here.json there.json

`compute` takes pictures and a stream of the packaged clip, on each runtime that is installed,
and gives every shipped network the same random images. `compare` prints the differences and fails
where they are larger than BOUNDS.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry import CameraModel
from headpose_ros.inference import runtime as runtimes
from headpose_ros.inference import weights
from headpose_ros.pipeline import HeadPosePipeline
from headpose_ros.result import FrameResult
from headpose_ros.typing import Image

DEMO = Path(__file__).resolve().parents[2] / 'headpose_ros' / 'demo'
PICTURES, STREAM, EVERY = 3, 12, 45
BOUNDS = {'heads': 0, 'rotation_deg': 1.0, 'position': 0.02, 'networks': 1e-4}
"""Largest: heads on one side only; degrees; metres for each metre of distance; outputs, for each
of the largest output."""


def images() -> list[Image]:
    """Return the clip's first images, and after them the ones that stand by themselves."""
    clip = cv2.VideoCapture(str(DEMO / 'clip.mp4'))
    read = [clip.read()[1] for _ in range(EVERY * (PICTURES - 1) + 1)]
    return [*read[:STREAM], *read[::EVERY]]


def rows(result: FrameResult) -> list[dict[str, Any]]:
    """Return what is compared of the heads of an image."""
    return [
        {
            'position': head.position.tolist(),
            'rotation': head.rotation_camera_from_face.tolist(),
            'confidence': float(head.confidence),
        }
        for head in result
    ]


def poses(given: list[Image]) -> dict[str, Any]:
    """Return the heads of the stream and of the pictures, and the seconds that an image took."""
    camera = CameraModel.from_yaml(DEMO / 'clip_camera.yaml')
    found: dict[str, Any] = {}
    for mode, some in (('video', given[:STREAM]), ('image', given[STREAM:])):
        with HeadPosePipeline(PipelineConfig(threads=1), mode=mode) as pipeline:  # type: ignore[arg-type]
            start = time.perf_counter()
            heads = [rows(pipeline.process(x, camera, i / 30)) for i, x in enumerate(some)]
            found[mode] = heads
            found[f'{mode}_seconds'] = (time.perf_counter() - start) / len(some)
    return found


def outputs(runtime: Any) -> dict[str, Any]:
    """Return the first values of all outputs of each shipped network, for the same images."""
    found = {}
    for file in weights.shipped():
        model = weights.read(Path(weights.__file__).parents[1] / 'models' / f'{file.name}.onnx')
        height, width = (n or px for n, px in zip(model.image.shape[1:3], (96, 160), strict=True))
        given = np.random.default_rng(2).integers(0, 256, (2, height, width, 3))
        computed = runtime.compile(model)(given.astype(model.image.dtype))
        found[file.name] = [np.ravel(y)[:2000].astype(float).tolist() for y in computed]
    return found


def compute() -> dict[str, Any]:
    """Return all that `compare` wants of this processor."""
    names = ('numpy', 'scipy', 'opencv-python-headless', 'openvino', 'onnxruntime')
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = ''
    given = images()
    found: dict[str, Any] = {'machine': platform.machine(), 'versions': versions, 'runtimes': {}}
    makers = runtimes._CPU_RUNTIMES
    for name in list(makers):
        if not runtimes._has_module(name):
            continue
        only = {name: makers[name]}
        runtimes._CPU_RUNTIMES = only
        print(f'{name} ...', file=sys.stderr, flush=True)
        found['runtimes'][name] = {**poses(given), 'networks': outputs(makers[name](1))}
        runtimes._CPU_RUNTIMES = makers
    return found


def apart(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[float, float]:
    """Return the degrees between two heads, and the metres for each metre of distance."""
    relative = np.array(ours['rotation']).T @ np.array(theirs['rotation'])
    # The arcsine of the half of the chord: exact for small angles, where the trace is not.
    chord = np.linalg.norm(relative - np.eye(3)) / np.sqrt(8)
    moved = np.subtract(ours['position'], theirs['position'])
    return (
        float(np.degrees(2 * np.arcsin(min(chord, 1.0)))),
        float(np.linalg.norm(moved) / np.linalg.norm(ours['position'])),
    )


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float]:
    """Return the largest differences between two runs of one runtime; names as in BOUNDS."""
    angles, moves, alone, heads = [0.0], [0.0], 0, 0
    for mode in ('video', 'image'):
        for here, there in zip(ours[mode], theirs[mode], strict=True):
            heads += len(here)
            left = list(there)
            for head in here:
                near = [x for x in left if apart(head, x)[1] < 0.1]
                if not near:
                    alone += 1
                    continue
                same = min(near, key=lambda x: apart(head, x)[1])
                left.remove(same)
                angle, moved = apart(head, same)
                angles.append(angle)
                moves.append(moved)
            alone += len(left)
    networks = max(
        np.abs(np.subtract(y, z)).max() / max(np.abs(y).max(), 1)
        for name, model in ours['networks'].items()
        for y, z in zip(model, theirs['networks'][name], strict=True)
    )
    return {
        'of_heads': heads, 'heads': alone, 'rotation_median_deg': float(np.median(angles)),
        'rotation_deg': max(angles), 'position': max(moves), 'networks': float(networks),
    }  # fmt: skip


def compare(here: dict[str, Any], there: dict[str, Any]) -> bool:
    """Print a row for each runtime; return whether all are within the bounds."""
    print('| runtime | heads | on one side | rotation, median, largest | position | outputs | s |')
    print('| --- | --- | --- | --- | --- | --- | --- |')
    within = True
    for name, theirs in there['runtimes'].items():
        found = differences(here['runtimes'][name], theirs)
        within &= all(found[key] <= bound for key, bound in BOUNDS.items())
        print(
            f'| {name} | {found["of_heads"]} | {found["heads"]} '
            f'| {found["rotation_median_deg"]:.4f}°, {found["rotation_deg"]:.3f}° '
            f'| {100 * found["position"]:.3f} % | {found["networks"]:.0e} '
            f'| {theirs["video_seconds"]:.2f} |'
        )
    return within


def main() -> int:
    """Return 0, or 1 where results differ by more than BOUNDS."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('compute').add_argument('target', type=Path)
    both = commands.add_parser('compare')
    both.add_argument('here', type=Path)
    both.add_argument('there', type=Path)
    given = parser.parse_args()
    if given.command == 'compute':
        given.target.write_text(json.dumps(compute()))
        return 0
    here, there = (json.loads(path.read_text()) for path in (given.here, given.there))
    if compare(here, there):
        return 0
    print(f'processors: differences are larger than {BOUNDS}', file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main())
