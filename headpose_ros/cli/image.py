# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose image`: photographs in, tables of heads and annotated pictures out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from headpose_ros.cli.lens import DEFAULT_HFOV_DEG, LENSES, Lens, Lenses, add_lens_options
from headpose_ros.cli.options import add_pipeline_options, pipeline_config
from headpose_ros.cli.tables import (
    add_table_options,
    open_tables,
    require_apart,
    speak,
    stdout_is_taken,
)

if TYPE_CHECKING:
    from headpose_ros.result import FrameResult
    from headpose_ros.typing import Image

SUMMARY = 'find the heads in photographs and print where they face'

STATUS_SOME_FAILED = 1
BATCH = 8
"""Pictures that are in memory at once."""

_OPTIONS = (
    'detector', 'detector_weights', 'estimator', 'weights', 'landmark_pose', 'device', 'threads',
    'rectify', 'box_scale', 'mirror', 'min_face_px', 'max_distance', 'score_threshold',
    'max_heads',
)  # fmt: skip
"""Options of the pipeline that mean something for single pictures."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add(
        'inputs', nargs='+', metavar='FILE',
        help='pictures, folders of pictures (of any sizes), or patterns such as "photos/**/*.jpg"',
    )  # fmt: skip
    add_table_options(parser, 'picture')
    add('-o', '--output', type=Path, metavar='DIR', help='folder for annotated pictures')
    unknown = f'from EXIF, else {DEFAULT_HFOV_DEG:.0f}'
    add_lens_options(parser, unknown)
    add_pipeline_options(parser, _OPTIONS)


def run(args: argparse.Namespace) -> int:
    """Process all pictures; return 1 where some could not be read."""
    from headpose_ros.media.pictures import find_pictures
    from headpose_ros.pipeline import HeadPosePipeline

    config = pipeline_config(args, _OPTIONS)
    paths = find_pictures(args.inputs)
    require_apart(paths, {'--csv': args.csv, '--json': args.json})
    outputs = _output_paths(args.output, paths)
    with ExitStack() as stack:
        # Opened before the networks are loaded: a wrong path is told at once.
        pictures = _Pictures(paths, Lenses(args))
        job = _Job(args, paths, outputs, stack)
        pipeline = HeadPosePipeline(config, mode='image')
        for batch in pictures.batches():
            images = [picture.image_bgr for picture in batch]
            cameras = [picture.lens.camera for picture in batch]
            for picture, result in zip(
                batch, pipeline.process_batch(images, cameras), strict=True
            ):
                job.deliver(picture, result)
        job.end(len(paths), len(pictures.failed))
    return STATUS_SOME_FAILED if pictures.failed else 0


@dataclass(frozen=True)
class _Picture:
    path: Path
    image_bgr: Image
    lens: Lens


class _Pictures:
    """Reads pictures; one that cannot be read is told and left out."""

    def __init__(self, paths: Sequence[Path], lenses: Lenses) -> None:
        self.failed: list[Path] = []
        self._paths = paths
        self._lenses = lenses

    def batches(self) -> Iterator[list[_Picture]]:
        """Yield the pictures, some at a time."""
        pictures = self._read()
        while batch := list(islice(pictures, BATCH)):
            yield batch

    def _read(self) -> Iterator[_Picture]:
        from headpose_ros.media.exif import exif_hfov
        from headpose_ros.media.pictures import decode_picture, read_bytes

        for path in self._paths:
            try:
                data = read_bytes(path)
                image = decode_picture(data, path)
                height, width = image.shape[:2]
                lens = self._lenses.of(width, height, exif_hfov(data, width, height))
            except (OSError, ValueError) as error:
                self.failed.append(path)
                text = ' '.join(str(error).split())
                named = text if str(path) in text else f'{path}: {text}'
                print(f'headpose image: {named}', file=sys.stderr)
            else:
                yield _Picture(path, image, lens)


class _Job:
    """Writes what was found."""

    def __init__(
        self,
        args: argparse.Namespace,
        paths: Sequence[Path],
        outputs: dict[Path, Path],
        stack: ExitStack,
    ) -> None:
        from headpose_ros.cli.text_table import TextTable

        self._args, self._outputs = args, outputs
        self._sinks = open_tables(args, ['image'], stack)
        self._table = None
        self._short = len({path.name for path in paths}) == len(paths)
        if not stdout_is_taken(args):
            width = max(len(self._name(path)) for path in paths)
            self._table = TextTable(sys.stdout, 'picture', width, 'field of view')
        self._heads: list[int] = []
        self._assumed = 0

    def deliver(self, picture: _Picture, result: FrameResult) -> None:
        """Write the results of one picture."""
        from headpose_ros.media.levels import is_dark

        lens, heads, principal_id = picture.lens, result.heads, result.principal_id
        if is_dark(picture.image_bgr):
            print(
                f'headpose image: {picture.path}: is black: nobody can be found', file=sys.stderr
            )
        self._heads.append(len(heads))
        self._assumed += lens.source == 'assumed'
        for sink in self._sinks:
            sink.write(
                heads,
                principal_id,
                image=str(picture.path),
                width=lens.camera.width,
                height=lens.camera.height,
                hfov_deg=lens.hfov_deg,
                hfov_source=lens.source,
            )
        if self._table:
            field = f'{lens.hfov_deg:g} {lens.source}'
            self._table.write(self._name(picture.path), heads, principal_id, field)
        if picture.path in self._outputs:
            self._draw(picture, result)

    def end(self, count: int, failed: int) -> None:
        """Explain the table, and sum up."""
        if self._table:
            self._table.end()
        nobody = self._heads.count(0)
        parts = [_number(count, 'picture'), _number(sum(self._heads), 'head')]
        parts += [f'nobody found in {nobody}'] if nobody else []
        parts += [f'{failed} not readable'] if failed else []
        speak(self._args, ', '.join(parts))
        if self._assumed:
            print(
                'headpose image: a horizontal field of view of '
                f'{LENSES[self._args.lens]:g} degrees '
                f'was assumed for {_number(self._assumed, "picture")}; distances and angles off '
                'the axis are only as right as that (see --hfov and --camera-info)',
                file=sys.stderr,
            )

    def _name(self, path: Path) -> str:
        return path.name if self._short else str(path)

    def _draw(self, picture: _Picture, result: FrameResult) -> None:
        from headpose_ros.media.drawing import draw_heads
        from headpose_ros.media.sinks import write_picture

        draw_heads(picture.image_bgr, result.heads, picture.lens.camera, result.principal_id)
        write_picture(self._outputs[picture.path], picture.image_bgr)


def _number(count: int, what: str) -> str:
    return f'{count} {what}{"" if count == 1 else "s"}'


def _output_paths(folder: Path | None, paths: Sequence[Path]) -> dict[Path, Path]:
    """Return where each annotated picture goes: no two into one file, none over an input."""
    from headpose_ros.media.files import make_folder
    from headpose_ros.media.pictures import COLOUR_SUFFIXES

    if folder is None:
        return {}
    make_folder(folder)
    inputs = {path.resolve() for path in paths}
    taken: set[str] = set()
    outputs = {}
    for path in paths:
        suffix = path.suffix if path.suffix.lower() in COLOUR_SUFFIXES else '.png'
        stems = [path.stem, f'{path.resolve().parent.name}_{path.stem}']
        stems += [f'{path.stem}_{n}' for n in range(2, len(paths) + 2)]
        name = next(stem for stem in stems if (stem + suffix).lower() not in taken) + suffix
        taken.add(name.lower())
        outputs[path] = folder / name
        if outputs[path].resolve() in inputs:
            raise ValueError(
                f'-o {folder}: {name} there is one of the pictures, which would be lost; name '
                'another folder'
            )
    return outputs
