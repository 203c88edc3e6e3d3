# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose COMMAND …`: finds the command's module, and turns errors into one line.

A command is a module with `SUMMARY`, `configure(parser)` and `run(args)`, one of this folder or an
entry point of the group `headpose.commands`, by which another distribution adds its own. It
imports what is heavy in `run` only, so that help and mistakes are answered at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from types import FrameType
from typing import Protocol

from headpose_ros import __version__
from headpose_ros.cli import batch, evaluate, image, video, view, weights
from headpose_ros.media.file_names import write_any_name

ADDED_COMMANDS = 'headpose.commands'
"""The group of entry points."""

STATUS_ERROR = 2
STATUS_INTERRUPTED = 130
STATUS_BROKEN_PIPE = 141

_QUIET = {'OPENCV_LOG_LEVEL': 'FATAL', 'OPENCV_FFMPEG_LOGLEVEL': '-8'}
"""What fails is said by us, in one line; OpenCV would add pages of its own."""


class Command(Protocol):
    """What a command's module holds."""

    SUMMARY: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do the work; return the exit status."""
        ...


def commands() -> dict[str, Command]:
    """Return all commands by name, this package's first."""
    own: dict[str, Command] = {
        'image': image,
        'video': video,
        'batch': batch,
        'view': view,
        'evaluate': evaluate,
        'weights': weights,
    }
    added = {entry.name: entry.load() for entry in entry_points(group=ADDED_COMMANDS)}
    return {**own, **{name: module for name, module in added.items() if name not in own}}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    0: done. 1: done, but for some inputs, each told in a line. 2: wrong arguments, or an input or
    output that fails, said in one line. 130: interrupted (Ctrl-C or SIGTERM), with all files
    finished. 141: who read standard output has closed it.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    write_any_name()
    words = list(sys.argv[1:] if argv is None else argv)
    known = commands()
    if not words or words[0] not in known:
        _overview(known).parse_args(words)  # help, version or an error end the program here
    name = words[0]
    module = known[name]
    parser = argparse.ArgumentParser(prog=f'headpose {name}', description=module.SUMMARY)
    module.configure(parser)
    args = parser.parse_args(words[1:])
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(module.run(args))
    except KeyboardInterrupt:
        print(f'headpose {name}: interrupted', file=sys.stderr)
        return STATUS_INTERRUPTED
    except BrokenPipeError:
        # Nothing can be written any more, nor shall Python try when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return STATUS_BROKEN_PIPE
    except (ValueError, OSError, RuntimeError) as error:
        print(f'headpose {name}: {_one_line(error)}', file=sys.stderr)
        return STATUS_ERROR
    except MemoryError as error:
        print(f'headpose {name}: out of memory: {_one_line(error)}', file=sys.stderr)
        return STATUS_ERROR
    finally:
        signal.signal(signal.SIGTERM, previous)


def _overview(known: dict[str, Command]) -> argparse.ArgumentParser:
    width = max(map(len, known))
    lines = [f'  {name:{width}}  {module.SUMMARY}' for name, module in known.items()]
    parser = argparse.ArgumentParser(
        prog='headpose',
        description='Head poses from a camera, right anywhere in the image.',
        epilog='\n'.join(['commands:', *lines, '', '"headpose COMMAND --help" says more.']),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=__version__)
    parser.add_argument('command', metavar='COMMAND', choices=known, help='see below')
    return parser


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _one_line(error: BaseException) -> str:
    return ' '.join(str(error).split()) or type(error).__name__


if __name__ == '__main__':
    sys.exit(main())
