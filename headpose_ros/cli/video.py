# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose video`: a file, a folder or a webcam in, annotated video and poses out."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headpose_ros.cli.options import add_pipeline_options, pipeline_config

if TYPE_CHECKING:
    from headpose_ros.geometry.camera import CameraModel
    from headpose_ros.hindsight import Hindsight
    from headpose_ros.media.sources import Frame, FrameSource
    from headpose_ros.pipeline import HeadPosePipeline
    from headpose_ros.result import FrameResult

SUMMARY = 'annotate a video, image, folder of images or webcam, and write the poses'

DEFAULT_HFOV_DEG = 60.0
_WINDOW = 'headpose'
_QUIT_KEYS = (27, ord('q'))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add('input', metavar='INPUT', help='video, image, folder of images, 0, 1, … or /dev/videoN')
    add('-o', '--output', type=Path, metavar='OUT.mp4', help='annotated video (or image)')
    add('--csv', type=Path, metavar='FILE', help='table of poses')
    lens = parser.add_mutually_exclusive_group()
    lens.add_argument(
        '--camera-info', type=Path, metavar='YAML', help='calibration as camera_calibration writes'
    )
    lens.add_argument(
        '--hfov', type=float, metavar='DEG',
        help=f'horizontal field of view of an ideal lens [{DEFAULT_HFOV_DEG:.0f}]',
    )  # fmt: skip
    add('--rate', type=float, metavar='HZ', help="images a second, in place of the input's own")
    add('--frames', type=int, metavar='N', help='stop after this many images')
    add('--show', action='store_true', help='show a window; q or Esc ends')
    add_pipeline_options(parser)


def run(args: argparse.Namespace) -> int:
    """Process the input to its end; whatever ends it, what was written stays readable."""
    from headpose_ros.media.sources import open_source
    from headpose_ros.pipeline import HeadPosePipeline

    if args.frames is not None and args.frames < 1:
        raise ValueError(f'--frames: expected at least 1, got {args.frames}')
    config = pipeline_config(args)
    _require_apart(args)
    with open_source(args.input, rate=args.rate) as source:
        images = min((n for n in (source.frame_count, args.frames) if n is not None), default=None)
        _require_fit(args, images)
        camera = _camera(args, source)
        if images:  # a face cannot be seen in more images than there are
            config = replace(config, confirm_images=min(config.confirm_images, images))
        with ExitStack() as outputs:
            # Opened before the networks are loaded: a wrong path is told at once.
            job = _Job(args, source, camera, outputs)
            job.run(HeadPosePipeline(config), images)
    return 0


def _require_apart(args: argparse.Namespace) -> None:
    """Refuse to write over the input, or two outputs into one file."""
    source = Path(args.input)
    outputs = {'-o': args.output, '--csv': args.csv}
    named = {option: path for option, path in outputs.items() if path is not None}
    for option, path in named.items():
        within = source.is_dir() and path.parent.resolve() == source.resolve() and path.exists()
        if path.resolve() == source.resolve() or (path.exists() and _same(path, source)) or within:
            raise ValueError(f'{option} {path}: is part of the input, which would be lost')
    if len(named) == 2 and args.output.resolve() == args.csv.resolve():
        raise ValueError(f'-o and --csv: both name {args.csv}')


def _same(path: Path, other: Path) -> bool:
    return other.exists() and path.samefile(other)


def _require_fit(args: argparse.Namespace, images: int | None) -> None:
    """Refuse a picture's name for the output of many images."""
    from headpose_ros.media.sources import IMAGE_SUFFIXES

    if args.output and args.output.suffix.lower() in IMAGE_SUFFIXES and images != 1:
        raise ValueError(
            f'-o {args.output}: a picture holds one image, and the input has '
            f'{images or "any number"}; name a video such as {args.output.stem}.mp4, or take '
            '--frames 1'
        )


class _Job:
    """One pass over the input."""

    def __init__(
        self,
        args: argparse.Namespace,
        source: FrameSource,
        camera: CameraModel,
        outputs: ExitStack,
    ) -> None:
        from headpose_ros.media.sinks import CsvSink, VideoSink

        self._source, self._camera = source, camera
        self._limit = args.frames
        self._video = self._table = None
        if args.output:
            size = (source.width, source.height)
            self._video = outputs.enter_context(VideoSink(args.output, *size, source.rate_hz))
        if args.csv:
            self._table = outputs.enter_context(CsvSink(args.csv, camera))
        self._window = _open_window(outputs) if args.show else False
        self._frames = self._with_heads = 0
        self._ids: set[str] = set()

    def run(self, pipeline: HeadPosePipeline, images: int | None) -> None:
        """Feed all frames through `pipeline`, and say in the end what was found.

        `images`: how many there are, where that is known.
        """
        from headpose_ros.hindsight import MAX_HELD, Hindsight
        from headpose_ros.media.sinks import SinkError

        held: Hindsight[Frame] = Hindsight(0 if self._window else MAX_HELD)
        try:
            self._follow(pipeline, held, images)
        except SinkError:
            raise
        except BaseException:  # Ctrl-C, or the input fails: what was seen is written all the same
            self._deliver(held.rest())
            raise
        else:
            self._deliver(held.rest())
        finally:
            print(self._summary(), file=sys.stderr)

    def _follow(
        self, pipeline: HeadPosePipeline, held: Hindsight[Frame], images: int | None
    ) -> None:
        from tqdm import tqdm

        bar = tqdm(total=images, unit='frame', desc=self._source.name, file=sys.stderr)
        with bar:
            for count, frame in enumerate(self._source, 1):
                result = pipeline.process(frame.image_bgr, self._camera, frame.time)
                go_on = self._deliver(held.add(frame, result))
                bar.update()
                if not go_on or count == self._limit:
                    break

    def _deliver(self, results: Iterator[tuple[Frame, FrameResult]]) -> bool:
        """Write and show results; return whether to go on."""
        for frame, result in results:
            self._frames += 1
            self._with_heads += bool(result)
            self._ids.update(head.id for head in result)
            if self._table:
                self._table.write(frame, result)
            if not self._draw(frame, result):
                return False
        return True

    def _draw(self, frame: Frame, result: FrameResult) -> bool:
        if not (self._video or self._window):
            return True
        from headpose_ros.media.drawing import draw_heads

        draw_heads(frame.image_bgr, result, self._camera, result.principal_id)
        if self._video:
            self._video.write(frame.image_bgr, frame.time)
        if not self._window:
            return True
        import cv2

        cv2.imshow(_WINDOW, frame.image_bgr)
        return cv2.waitKey(1) & 0xFF not in _QUIT_KEYS

    def _summary(self) -> str:
        share = 100.0 * self._with_heads / max(1, self._frames)
        people = f'{len(self._ids)} {"person" if len(self._ids) == 1 else "people"}'
        images = f'{self._frames} image{"" if self._frames == 1 else "s"}'
        return f'{images}, heads in {self._with_heads} of them ({share:.1f} %), {people}'


def _camera(args: argparse.Namespace, source: FrameSource) -> CameraModel:
    """Return the camera of the source's images, from the options."""
    from headpose_ros.geometry.camera import CameraModel

    if args.camera_info:
        return CameraModel.from_yaml(args.camera_info).scaled_to(source.width, source.height)
    hfov = args.hfov
    if hfov is None:
        hfov = DEFAULT_HFOV_DEG
        print(
            f'no --camera-info or --hfov: taking a horizontal field of view of {hfov:.0f} '
            'degrees; distances and angles off the axis are only as right as that',
            file=sys.stderr,
        )
    if not 0.0 < hfov < 180.0:
        raise ValueError(f'--hfov: expected degrees between 0 and 180, got {hfov}')
    return CameraModel.from_fov(source.width, source.height, math.radians(hfov))


def _open_window(outputs: ExitStack) -> bool:
    import cv2

    try:
        cv2.namedWindow(_WINDOW, cv2.WINDOW_NORMAL)
    except cv2.error:
        raise ValueError(
            '--show: this OpenCV cannot open windows (opencv-python-headless, or no display); '
            'write a video with -o instead'
        ) from None
    close: Any = cv2.destroyAllWindows
    outputs.callback(close)
    return True
