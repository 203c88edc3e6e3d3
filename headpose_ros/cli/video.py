# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose video`: a file, folder, webcam or stream in, annotated video and poses out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from headpose_ros.cli.lens import DEFAULT_HFOV_DEG, Lens, Lenses, add_lens_options
from headpose_ros.cli.options import add_pipeline_options, pipeline_config
from headpose_ros.cli.tables import add_table_options, open_tables, require_apart, speak
from headpose_ros.cli.viewing import Viewing, add_viewing_options

if TYPE_CHECKING:
    from headpose_ros.attention import AttentionResult
    from headpose_ros.geometry.camera import CameraModel
    from headpose_ros.hindsight import Hindsight
    from headpose_ros.media.sources import Frame, FrameSource
    from headpose_ros.pipeline import HeadPosePipeline
    from headpose_ros.result import FrameResult

STATUS_SOME_FAILED = 1

SUMMARY = 'follow the heads in a video, a webcam or a stream, and write the poses'

_WINDOW = 'headpose'
_QUIT_KEYS = (27, ord('q'))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        f'{SUMMARY}. Without -o, --csv, --json, --events, --show, --view and --rerun, the poses '
        'are printed as a table.'
    )
    add = parser.add_argument
    add(
        'input', metavar='INPUT',
        help='video, folder of pictures of one size, bag, stream (rtsp://…, http://…), or webcam '
        '(0, 1, … or /dev/videoN)',
    )  # fmt: skip
    add('--topic', default='', help='image topic of a bag with several cameras')
    add(
        '--events', type=Path, metavar='FILE',
        help='who came, went, looked at the camera, approached, nodded, and when: CSV, or JSON '
        'lines where it ends in .json or .jsonl',
    )  # fmt: skip
    add('-o', '--output', type=Path, metavar='OUT.mp4', help='annotated video (or picture)')
    add_table_options(parser, 'image')
    add_lens_options(parser, f'{DEFAULT_HFOV_DEG:.0f}')
    add('--rate', type=float, metavar='HZ', help="images a second, in place of the input's own")
    add('--frames', type=int, metavar='N', help='stop after this many images')
    add(
        '--timeout', type=float, default=10.0, metavar='SECONDS',
        help='give up a stream that is silent for this long [%(default)g]',
    )  # fmt: skip
    add('--show', action='store_true', help='show a window; q or Esc ends')
    add_viewing_options(parser)
    add_pipeline_options(parser)


def run(args: argparse.Namespace) -> int:
    """Process the input to its end; return 1 where some of its images could not be read.

    Whatever ends it, what was written stays readable.
    """
    from headpose_ros.pipeline import HeadPosePipeline

    if args.frames is not None and args.frames < 1:
        raise ValueError(f'--frames: expected at least 1, got {args.frames}')
    config = pipeline_config(args)
    lenses = Lenses(args)
    outputs = {
        '-o': args.output, '--csv': args.csv, '--json': args.json, '--events': args.events,
        '--rerun': args.rerun,
    }  # fmt: skip
    require_apart([Path(args.input)], outputs)
    with _open(args, lenses) as source:
        images = min((n for n in (source.frame_count, args.frames) if n is not None), default=None)
        _require_fit(args, images)
        lens = _lens_of(source, lenses)
        if lens.source == 'assumed':
            print(
                'headpose video: no --camera-info or --hfov: a horizontal field of view of '
                f'{lens.hfov_deg:g} degrees is assumed; distances and angles off the axis '
                'are only as right as that',
                file=sys.stderr,
            )
        with ExitStack() as stack:
            # Opened before the networks are loaded: a wrong path is told at once.
            job = _Job(args, source, lens.camera, stack)
            mode: Literal['image', 'video'] = 'image' if images == 1 else 'video'
            job.run(HeadPosePipeline(config, mode=mode), images)
            job.viewing.stay()
        return STATUS_SOME_FAILED if source.unreadable else 0


def _open(args: argparse.Namespace, lenses: Lenses) -> FrameSource:
    """Open the input, whatever it is."""
    from headpose_ros.media.sources import open_source
    from headpose_ros.recordings.finding import is_bag

    path = Path(args.input)
    if not (path.exists() and is_bag(path)):
        if args.topic:
            raise ValueError(f'--topic: only bags have topics, and {args.input} is none')
        return open_source(args.input, rate=args.rate, timeout=args.timeout)
    from headpose_ros.recordings.bag_source import BagSource

    if args.rate is not None:
        raise ValueError('--rate: a bag has its own stamps')
    return BagSource(path, lenses, lenses.is_given, args.topic)


def _lens_of(source: FrameSource, lenses: Lenses) -> Lens:
    """Return the lens of a source; a bag has its own."""
    from headpose_ros.recordings.bag_source import BagSource

    if isinstance(source, BagSource):
        return Lens(source.camera, source.lens_source)
    return lenses.of(source.width, source.height)


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
        stack: ExitStack,
    ) -> None:
        from headpose_ros.cli.text_table import TextTable
        from headpose_ros.media.sinks import VideoSink

        self._args, self._source, self._camera = args, source, camera
        self._video = self._table = None
        if args.output:
            size = (source.width, source.height)
            self._video = stack.enter_context(VideoSink(args.output, *size, source.rate_hz))
        self._sinks = open_tables(args, ['image', 'stamp_ns'], stack)
        self._window = _open_window(stack) if args.show else False
        self.viewing = Viewing(args, stack)
        told = args.events or self.viewing
        self._attention = _Attending(args.events, stack) if told else None
        shown = self._video or self._sinks or self._attention or self._window
        if not shown:
            self._table = TextTable(sys.stdout, 'time', len('1234.567 s'))
        self._frames = self._with_heads = self._dark = 0
        self._ids: set[str] = set()

    def run(self, pipeline: HeadPosePipeline, images: int | None) -> None:
        """Feed all frames through `pipeline`, and say in the end what was found.

        `images`: how many there are, where that is known.
        """
        from headpose_ros.hindsight import MAX_HELD, Hindsight
        from headpose_ros.media.files import SinkError

        is_watched = self._window or (self.viewing.is_live and self._source.frame_count is None)
        held: Hindsight[Frame] = Hindsight(0 if is_watched else MAX_HELD)
        try:
            self._follow(pipeline, held, images)
        except (SinkError, BrokenPipeError):
            raise
        except BaseException:  # Ctrl-C, or the input fails: what was seen is written all the same
            self._finish(held)
            raise
        else:
            self._finish(held)
        finally:
            self._sum_up()

    def _finish(self, held: Hindsight[Frame]) -> None:
        self._deliver(held.rest())
        if self._attention:
            self._attention.end()

    def _follow(
        self, pipeline: HeadPosePipeline, held: Hindsight[Frame], images: int | None
    ) -> None:
        from tqdm import tqdm

        from headpose_ros.media.levels import is_dark

        # A bar would be drawn through the table.
        bar = tqdm(
            total=images, unit='frame', desc=self._source.name, file=sys.stderr,
            disable=self._table is not None,
        )  # fmt: skip
        with bar:
            for count, frame in enumerate(self._source, 1):
                self._dark += is_dark(frame.image_bgr)
                self._camera = getattr(frame, 'camera', None) or self._camera
                # Whole nanoseconds, as archives have them: an image more or less of an event hangs
                # on the last digits.
                seconds = 1e-9 * round(1e9 * frame.time)
                result = pipeline.process(frame.image_bgr, self._camera, seconds)
                go_on = self._deliver(held.add(frame, result))
                bar.update()
                if not go_on or count == self._args.frames:
                    break

    def _deliver(self, results: Iterable[tuple[Frame, FrameResult]]) -> bool:
        """Write and show results; return whether to go on."""
        for frame, result in results:
            heads, principal_id = result.heads, result.principal_id
            self._frames += 1
            self._with_heads += bool(heads)
            self._ids.update(head.id for head in heads)
            stamp = getattr(frame, 'stamp_ns', round(1e9 * frame.time))
            for sink in self._sinks:
                sink.write(heads, principal_id, image=frame.name, stamp_ns=stamp)
            attention = self._attention.update(result) if self._attention else None
            if self.viewing:
                # What is drawn into the image is not for the viewer, which draws itself.
                image = frame.image_bgr.copy() if self._draws else frame.image_bgr
                self.viewing.put(image, result, stamp, attention)
            if self._table:
                self._table.write(f'{frame.time:.3f} s', heads, principal_id)
            if not self._draw(frame, result):
                return False
        return True

    @property
    def _draws(self) -> bool:
        return bool(self._video or self._window)

    def _draw(self, frame: Frame, result: FrameResult) -> bool:
        if not self._draws:
            return True
        from headpose_ros.media.drawing import draw_heads

        draw_heads(frame.image_bgr, result.heads, self._camera, result.principal_id)
        if self._video:
            self._video.write(frame.image_bgr, frame.time)
        if not self._window:
            return True
        import cv2

        cv2.imshow(_WINDOW, frame.image_bgr)
        return cv2.waitKey(1) & 0xFF not in _QUIT_KEYS

    def _sum_up(self) -> None:
        if self._table:
            self._table.end()
        share = 100.0 * self._with_heads / max(1, self._frames)
        people = f'{len(self._ids)} {"person" if len(self._ids) == 1 else "people"}'
        images = f'{self._frames} image{"" if self._frames == 1 else "s"}'
        if self._dark:
            print(
                f'headpose video: {self._dark} of {images} {"is" if self._dark == 1 else "are"} '
                'black: nobody can be found there',
                file=sys.stderr,
            )
        speak(
            self._args, f'{images}, heads in {self._with_heads} of them ({share:.1f} %), {people}'
        )


class _Attending:
    """Who looks at the camera, the one target, since nothing tells of others; and `--events`."""

    def __init__(self, path: Path | None, stack: ExitStack) -> None:
        from headpose_ros.attention import Attention
        from headpose_ros.media.event_files import EventSink

        self._sink = stack.enter_context(EventSink(path)) if path else None
        self._attention = Attention()

    def update(self, result: FrameResult) -> AttentionResult | None:
        """Return who looks, and write the events; a single picture without a stamp has none."""
        found = None if result.stamp is None else self._attention.update(result)
        if self._sink:
            self._sink.write(found.events if found else ())
        return found

    def end(self) -> None:
        """Write that everybody has left."""
        if self._sink:
            self._sink.write(self._attention.close())


def _open_window(stack: ExitStack) -> bool:
    import cv2

    try:
        cv2.namedWindow(_WINDOW, cv2.WINDOW_NORMAL)
    except cv2.error:
        raise ValueError(
            '--show: no window can be opened: there is no display, or this OpenCV was built '
            "without windows; pip install 'headpose_ros[gui]' brings one with; or write a video "
            'with -o'
        ) from None
    close: Any = cv2.destroyAllWindows
    stack.callback(close)
    return True
