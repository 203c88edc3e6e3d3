# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose COMMAND …`: finds the command's module, and turns errors into one line.

A command is a module of this folder with `SUMMARY`, `configure(parser)` and `run(args)`; it
imports what is heavy in `run` only, so that help and mistakes are answered at once.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from types import FrameType, ModuleType

from headpose_ros import __version__

COMMANDS = ('video', 'evaluate', 'weights', 'synthesize', 'train')

STATUS_ERROR = 2
STATUS_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    0: done. 2: wrong arguments, or an input or output that fails, said in one line. 130:
    interrupted (Ctrl-C or SIGTERM), with all files finished.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        _overview().parse_args(words)  # help, version or an error end the program here
    name = words[0]
    module = _module(name)
    parser = argparse.ArgumentParser(prog=f'headpose {name}', description=module.SUMMARY)
    module.configure(parser)
    args = parser.parse_args(words[1:])
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(module.run(args))
    except KeyboardInterrupt:
        print(f'headpose {name}: interrupted', file=sys.stderr)
        return STATUS_INTERRUPTED
    except (ValueError, OSError, RuntimeError) as error:
        print(f'headpose {name}: {_one_line(error)}', file=sys.stderr)
        return STATUS_ERROR
    finally:
        signal.signal(signal.SIGTERM, previous)


def _overview() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    lines = [f'  {name:{width}}  {_module(name).SUMMARY}' for name in COMMANDS]
    parser = argparse.ArgumentParser(
        prog='headpose',
        description='Head poses from a camera, right anywhere in the image.',
        epilog='\n'.join(['commands:', *lines, '', '"headpose COMMAND --help" says more.']),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=__version__)
    parser.add_argument('command', metavar='COMMAND', choices=COMMANDS, help='see below')
    return parser


def _module(name: str) -> ModuleType:
    return importlib.import_module(f'headpose_ros.cli.{name}')


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _one_line(error: BaseException) -> str:
    return ' '.join(str(error).split()) or type(error).__name__


if __name__ == '__main__':
    sys.exit(main())
