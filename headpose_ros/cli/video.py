# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose video`: a file, a folder or a webcam in, annotated video and poses out."""

from __future__ import annotations

import argparse
import math
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headpose_ros.cli.options import add_pipeline_options, pipeline_config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from headpose_ros.geometry.camera import CameraModel
    from headpose_ros.heads import Head
    from headpose_ros.media.sources import FrameSource
    from headpose_ros.pipeline import HeadPosePipeline

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
    with open_source(args.input, rate=args.rate) as source:
        camera = _camera(args, source)
        with ExitStack() as outputs:
            # Opened before the networks are loaded: a wrong path is told at once.
            job = _Job(args, source, camera, outputs)
            job.run(HeadPosePipeline(config))
    return 0


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

    def run(self, pipeline: HeadPosePipeline) -> None:
        """Feed all frames through `pipeline`, and say in the end what was found."""
        from tqdm import tqdm

        counts = [n for n in (self._source.frame_count, self._limit) if n is not None]
        total = min(counts, default=None)
        try:
            with tqdm(total=total, unit='frame', desc=self._source.name, file=sys.stderr) as bar:
                for frame in self._source:
                    heads = pipeline.process(frame.image_bgr, self._camera, frame.time)
                    self._count(heads)
                    if self._table:
                        self._table.write(frame, heads)
                    go_on = self._draw(frame.image_bgr, heads, pipeline.principal_id)
                    bar.update()
                    if not go_on or self._frames == self._limit:
                        break
        finally:
            print(self._summary(), file=sys.stderr)

    def _count(self, heads: list[Head]) -> None:
        self._frames += 1
        self._with_heads += bool(heads)
        self._ids.update(head.id for head in heads)

    def _draw(self, image: NDArray[np.uint8], heads: list[Head], principal_id: str | None) -> bool:
        """Write and show the annotated image; return whether to go on."""
        if not (self._video or self._window):
            return True
        from headpose_ros.media.drawing import draw_heads

        draw_heads(image, heads, self._camera, principal_id)
        if self._video:
            self._video.write(image)
        if not self._window:
            return True
        import cv2

        cv2.imshow(_WINDOW, image)
        return cv2.waitKey(1) & 0xFF not in _QUIT_KEYS

    def _summary(self) -> str:
        share = 100.0 * self._with_heads / max(1, self._frames)
        return (
            f'{self._frames} images, heads in {self._with_heads} of them ({share:.1f} %), '
            f'{len(self._ids)} people'
        )


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
