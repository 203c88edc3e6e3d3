# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Serves the viewer's page, and the recording that it shows, at one port of this machine.

`python -m headpose_ros.viewer.web_server [FILE.rrd]`, for `web_viewer`: prints one line of JSON
when it is ready, and ends when its standard input is closed.

Rerun's own server does the work: it keeps the recording and hands it to browsers. It listens at
ports of its own, on this machine only. Between it and the browser stands this one: its page asks
nothing of other hosts, Rerun's does; and page and recording come from one port, which is what one
wants to forward by SSH. Rerun's statistics of use are switched off.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OWN = {
    '/': ('page.html', 'text/html; charset=utf-8'),
    '/guard.js': ('guard.js', 'text/javascript; charset=utf-8'),
    '/start.js': ('start.js', 'text/javascript; charset=utf-8'),
}
FROM_RERUN = ('/re_viewer.js', '/re_viewer_bg.wasm')
SETTINGS, FILE = '/settings.json', '/recording.rrd'
CALLS = '/rerun.'
"""Where calls for a live recording begin: those of gRPC-web, POST."""
WRITING = 'WriteMessages'
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; worker-src 'self' blob:; frame-ancestors 'none'"
)
LOCAL = ('localhost', '127.0.0.1', '::1')
START_SECONDS = 20.0
CHUNK = 1 << 16
PASSED_ON = ('content-type', 'grpc-status', 'grpc-message', 'rerun-final-length')


class ServerError(RuntimeError):
    """It cannot serve; the text gives the cause."""


def main() -> int:
    """Serve until standard input is closed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('recording', nargs='?', help='a .rrd file to show')
    parser.add_argument('--host', default='localhost', help='address to listen at')
    parser.add_argument('--port', type=int, default=0, help='0: any that is free')
    parser.add_argument('--memory', default='512MB', help='what is kept for later browsers')
    options = parser.parse_args()
    try:
        with (
            RerunServer(options.memory) as rerun,
            front(options, rerun) as page,
        ):
            print(json.dumps(page), flush=True)
            sys.stdin.read()
    except ServerError as error:
        print(json.dumps({'error': str(error)}), flush=True)
        return 1
    return 0


class RerunServer:
    """Rerun's server as a child process that ends with this one."""

    def __init__(self, memory: str) -> None:
        self.web_port, self.feed_port = free_port(), free_port()
        self._home = tempfile.TemporaryDirectory(prefix='headpose_viewer_')
        self._log = Path(self._home.name, 'log')
        command = [
            str(rerun_program()), '--serve-web', '--bind', '127.0.0.1',
            '--port', str(self.feed_port), '--web-viewer-port', str(self.web_port),
            '--server-memory-limit', memory,
        ]  # fmt: skip
        with self._log.open('wb') as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=without_statistics(Path(self._home.name)), preexec_fn=end_with_parent,
            )  # fmt: skip

    def __enter__(self) -> RerunServer:
        try:
            for port in (self.web_port, self.feed_port):
                self._await(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._home.cleanup()

    def _await(self, port: int) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1.0):
                return
            if self._process.poll() is not None or time.monotonic() > end:
                said = self._log.read_text(errors='replace').strip().splitlines()[-1:]
                raise ServerError(f"Rerun's server did not start: {''.join(said)}")
            time.sleep(0.05)


def rerun_program() -> Path:
    """Return the program that comes with rerun-sdk; not its wrapper, which is Python."""
    package = find_spec('rerun_cli')
    places = list(package.submodule_search_locations or []) if package else []
    found = [Path(place, 'rerun') for place in places if Path(place, 'rerun').is_file()]
    if not found:
        raise ServerError('rerun-sdk brings no program `rerun` here')
    return found[0]


def without_statistics(home: Path) -> dict[str, str]:
    """Return an environment in which Rerun reports nothing, and leaves the user's files alone."""
    settings = home / 'config' / 'rerun' / 'analytics.json'
    settings.parent.mkdir(parents=True)
    settings.write_text(
        json.dumps(
            {
                'analytics_enabled': False,
                'analytics_id': '',
                'metadata': {},
                'config_file_path': str(settings),
                'data_dir_path': str(home / 'data' / 'rerun' / 'analytics'),
            }
        )
    )
    places = {'XDG_CONFIG_HOME': home / 'config', 'XDG_DATA_HOME': home / 'data'}
    return {**os.environ, **{name: str(place) for name, place in places.items()}, 'NO_COLOR': '1'}


def end_with_parent() -> None:
    """Ask Linux to end this process when the one that started it is gone, however it went."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def free_port(wanted: int = 0) -> int:
    """Return a port of this machine that nobody listens at: the `wanted` one, or any other."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', wanted))
        except OSError:
            if not wanted:
                raise
            return free_port()
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def front(options: argparse.Namespace, rerun: RerunServer) -> Iterator[dict[str, Any]]:
    """Serve the page in threads, while in this context, which yields where it is."""
    recording = Path(options.recording) if options.recording else None
    own = {'rerun': rerun, 'is_local': options.host in LOCAL, 'recording': recording}
    handler = type('Handler', (Handler,), own)
    address = '127.0.0.1' if options.host == 'localhost' else options.host
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    kind = type(
        'Server', (ThreadingHTTPServer,), {'address_family': family, 'daemon_threads': True}
    )
    try:
        server = kind((address, options.port), handler)
    except OSError as error:
        raise ServerError(
            f'port {options.port} at {options.host}: {error.strerror}; give another one'
        ) from error
    port = server.server_address[1]
    shown = f'[{options.host}]' if ':' in options.host else options.host
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield {
        'url': f'http://{shown}:{port}/',
        'port': port,
        'feed': f'rerun+http://127.0.0.1:{rerun.feed_port}/proxy',
    }
    server.shutdown()
    server.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers a browser: the page from here, the viewer and the recording from Rerun's server."""

    rerun: RerunServer
    is_local: bool
    recording: Path | None
    protocol_version = 'HTTP/1.1'

    def do_GET(self) -> None:
        """Answer with one of the page's files."""
        if not self._is_from_here():
            return
        path = self.path.partition('?')[0]
        if path in OWN:
            name, kind = OWN[path]
            self._answer(kind, (HERE / name).read_bytes())
        elif path == SETTINGS:
            settings = {'recording': FILE if self.recording else None}
            self._answer('application/json', json.dumps(settings).encode())
        elif path == FILE and self.recording is not None:
            self._send_file(self.recording)
        elif path in FROM_RERUN:
            self._pass_on('GET', path, None, self.rerun.web_port)
        else:
            self._refuse(404)

    def do_POST(self) -> None:
        """Answer with the recording. Browsers may read, not write."""
        if not self._is_from_here():
            return
        if not self.path.startswith(CALLS) or self.path.endswith(WRITING):
            self._refuse(404)
            return
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self._pass_on('POST', self.path, body, self.rerun.feed_port)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _is_from_here(self) -> bool:
        """Refuse what other sites' pages ask for, under a name that they gave this machine."""
        host = self.headers.get('Host', '')
        origin = self.headers.get('Origin')
        name = host.rpartition(':')[0].strip('[]') if ':' in host else host
        is_right = (not self.is_local or name in LOCAL) and origin in (None, f'http://{host}')
        if not is_right:
            self._refuse(403)
        return is_right

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._begin(status, {'Content-Length': '0'})

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header('Content-Security-Policy', POLICY)
        self.send_header('X-Content-Type-Options', 'nosniff')
        self.send_header('Referrer-Policy', 'no-referrer')
        self.end_headers()

    def _answer(self, kind: str, data: bytes) -> None:
        self._begin(200, {'Content-Type': kind, 'Content-Length': str(len(data))})
        self.wfile.write(data)

    def _send_file(self, path: Path) -> None:
        # Not by Rerun's server: given a file, it keeps a core busy for as long as it runs.
        self.close_connection = True
        with contextlib.suppress(ConnectionError), path.open('rb') as file:
            size = os.fstat(file.fileno()).st_size
            kind = {'Content-Type': 'application/octet-stream', 'Content-Length': str(size)}
            self._begin(200, kind)
            shutil.copyfileobj(file, self.wfile, CHUNK)

    def _pass_on(self, method: str, path: str, body: bytes | None, port: int) -> None:
        """Let Rerun's server answer, and hand its answer on as it comes."""
        asked = {
            name: self.headers[name]
            for name in ('Content-Type', 'Accept', 'X-Grpc-Web', 'X-User-Agent', 'Grpc-Timeout')
            if name in self.headers
        }
        connection = http.client.HTTPConnection('127.0.0.1', port)
        # A page that is closed shows only when something is written to it.
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            connection.request(method, path, body, asked)
            answer = connection.getresponse()
            kept = {
                name: value for name, value in answer.getheaders() if name.lower() in PASSED_ON
            }
            kept['Transfer-Encoding'] = 'chunked'
            self._begin(answer.status, kept)
            while data := answer.read1(CHUNK):
                self.wfile.write(b'%x\r\n%b\r\n' % (len(data), data))
            self.wfile.write(b'0\r\n\r\n')
            return
        self.close_connection = True


if __name__ == '__main__':
    sys.exit(main())
