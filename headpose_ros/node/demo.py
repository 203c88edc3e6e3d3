# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo: a camera, the node and a recorder as three processes, over real ROS 2 topics."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from headpose_ros.media.file_names import write_any_name
from headpose_ros.media.pictures import is_picture
from headpose_ros.media.sources import is_live
from headpose_ros.node.demo_camera import CLIP
from headpose_ros.node.private_graph import environment, private_domain, start, stop

SINGLE_IMAGE_FRAMES = 60
LIVE_FRAMES = 300
RECORDING = 'demo.rrd'
VIEWER_RATE = 30.0


class DemoError(RuntimeError):
    """The demo failed; the text gives the cause."""


def arguments() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(prog='make demo', description=__doc__)
    parser.add_argument('--input', default='', help='video, image, folder or device')
    parser.add_argument('--camera-info', default='', help='calibration YAML')
    parser.add_argument('--hfov', default='', help='horizontal field of view, degrees')
    parser.add_argument('--rate', default='', help='images per second')
    parser.add_argument('--frames', type=int, default=0, help='stop after this many images')
    parser.add_argument('--compressed', action='store_true', help='send JPEG images')
    parser.add_argument(
        '--view', nargs='?', type=int, const=0, metavar='PORT',
        help='show it in the browser while it runs, and leave demo.rrd',
    )  # fmt: skip
    parser.add_argument('--out', default='out/demo', help='folder to write to')
    parser.add_argument('--param', action='append', default=[], help='NAME:=VALUE for the node')
    return parser


def main() -> int:
    """Run the demo; return 0 if all figures are within their limits."""
    write_any_name()
    options = arguments().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with private_domain() as domain:
            demo = Demo(options, domain)
            try:
                summary = demo.run()
            finally:
                stop(demo.processes, signal.SIGTERM)
    except DemoError as error:
        print(f'demo: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('demo: interrupted', file=sys.stderr)
        return 0
    from headpose_ros.node.demo_summary import print_table

    print_table(summary)
    for problem in summary['problems']:
        print(f'demo: {problem}', file=sys.stderr)
    return 1 if summary['problems'] else 0


class Demo:
    """One run. The caller has to stop its `processes`."""

    def __init__(self, options: argparse.Namespace, domain: int) -> None:
        self.processes: list[subprocess.Popen[Any]] = []
        self._options = options
        self._out = Path(options.out)
        self._out.mkdir(parents=True, exist_ok=True)
        for name in ('summary.json', 'recording.json', 'camera.json', 'heads.csv', RECORDING):
            (self._out / name).unlink(missing_ok=True)
        self._environment = environment(domain, self._out.resolve() / 'log')

    def run(self) -> dict[str, Any]:
        """Play, record, summarise."""
        source = self._options.input or str(CLIP)
        print(f'demo: playing {source} into the node ...', flush=True)
        if self._options.view is not None:
            self._open_viewer()
        node = self._start('main', self._node_arguments())
        recorder = self._start('demo_recorder', self._recorder_arguments(), stdin=subprocess.PIPE)
        camera = self._start('demo_camera', self._camera_arguments(source))
        self._await(camera, node, recorder)
        stop([node])
        if node.returncode != 0:
            raise DemoError(f'the node did not end cleanly on SIGINT: {node.returncode}')
        print('demo: drawing the video ...', flush=True)
        assert recorder.stdin is not None
        recorder.stdin.close()
        if recorder.wait() != 0:
            raise DemoError('the recorder failed')
        from headpose_ros.node.demo_summary import summarise

        summary = summarise(self._out, CLIP if source == str(CLIP) else None)
        (self._out / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n')
        if self._options.view is not None:
            print(f'demo: to see it again: .venv/bin/headpose view {self._out / RECORDING}')
        return summary

    def _open_viewer(self) -> None:
        """Start the viewer beside it; if it ends or is closed, the demo goes on."""
        from headpose_ros.viewer import ViewerError, require_rerun
        from headpose_ros.viewer.web_server import free_port
        from headpose_ros.viewer.web_viewer import DEFAULT_PORT, announce

        try:
            require_rerun()
            port = self._options.view or free_port(DEFAULT_PORT)
        except (ViewerError, OSError) as error:
            raise DemoError(str(error)) from error
        viewer = self._start('viewer_node', self._viewer_arguments(port), stdout=subprocess.PIPE)
        # It says so when it serves the page.
        if not viewer.stdout.readline():
            raise DemoError('the viewer did not start')
        announce(f'http://localhost:{port}/', port, opens=not self._options.view)

    def _start(self, module: str, own: list[str], **options: Any) -> subprocess.Popen[Any]:
        process = start(f'headpose_ros.node.{module}', own, env=self._environment, **options)
        self.processes.append(process)
        return process

    def _await(self, camera: Any, node: Any, recorder: Any) -> None:
        """Wait for the end of the camera and for the last results."""
        while camera.poll() is None:
            for name, process in (('node', node), ('recorder', recorder)):
                if process.poll() is not None:
                    raise DemoError(f'the {name} ended early, status {process.returncode}')
            time.sleep(0.05)
        if camera.returncode != 0:
            raise DemoError('the camera failed')
        time.sleep(1.0)

    def _node_arguments(self) -> list[str]:
        own = ['--ros-args', '--log-level', 'warn']
        if self._options.compressed:
            own += ['-p', 'image_transport:=compressed']
        for parameter in self._options.param:
            own += ['-p', parameter]
        return own

    def _viewer_arguments(self, port: int) -> list[str]:
        transport = 'compressed' if self._options.compressed else 'raw'
        given = {'port': port, 'image_transport': transport, 'max_rate': VIEWER_RATE}
        parameters = [word for item in given.items() for word in ('-p', '{}:={}'.format(*item))]
        return ['--ready', '--ros-args', '--log-level', 'warn', *parameters]

    def _recorder_arguments(self) -> list[str]:
        own = ['--out', str(self._out), '--until-eof']
        own += ['--rerun', RECORDING] if self._options.view is not None else []
        return own + (['--compressed'] if self._options.compressed else [])

    def _camera_arguments(self, source: str) -> list[str]:
        options = self._options
        own = [
            '--input',
            source,
            '--wait',
            '2' if self._options.view is None else '3',
            '--wait-seconds',
            '60',
            '--report',
            str(self._out / 'camera.json'),
        ]
        for name in ('camera_info', 'hfov', 'rate'):
            if getattr(options, name):
                own += [f'--{name.replace("_", "-")}', getattr(options, name)]
        frames = options.frames
        if not frames and is_picture(Path(source)):
            frames = SINGLE_IMAGE_FRAMES
            own += ['--loop']
        if not frames and is_live(source):
            frames = LIVE_FRAMES
        own += ['--frames', str(frames)] if frames else []
        own += ['--compressed'] if options.compressed else []
        return [*own, '--ros-args', '--log-level', 'warn']


if __name__ == '__main__':
    sys.exit(main())
