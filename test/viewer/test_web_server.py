# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The viewer's server: for this machine only, for reading only, and nothing of it goes out."""

import http.client
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import rerun  # noqa: F401 - skipped without

from headpose_ros.viewer import ViewerError
from headpose_ros.viewer.web_server import free_port, without_statistics
from headpose_ros.viewer.web_viewer import WebViewer, announce

READ = '/rerun.sdk_comms.v1alpha1.MessageProxyService/ReadMessages'
WRITE = '/rerun.sdk_comms.v1alpha1.MessageProxyService/WriteMessages'


@pytest.fixture(scope='module')
def viewer():
    viewer = WebViewer('localhost', 0)
    yield viewer
    viewer.close()


def ask(viewer, path='/', method='GET', **headers):
    connection = http.client.HTTPConnection('127.0.0.1', viewer.port, timeout=60)
    given = {'Host': f'localhost:{viewer.port}', **headers}
    connection.request(method, path, b'' if method == 'POST' else None, given)
    answer = connection.getresponse()
    try:
        return answer, answer.read(4000) if answer.status == 200 else b''
    finally:
        connection.close()


def test_the_page_and_the_viewer_come_from_one_port(viewer):
    assert viewer.url == f'http://localhost:{viewer.port}/'
    page, text = ask(viewer)
    assert page.status == 200
    assert b'<canvas' in text
    assert b'http' not in text.replace(b'http-equiv', b''), 'a page that names another host'
    for path in ('/guard.js', '/start.js', '/re_viewer.js'):
        answer, script = ask(viewer, path)
        assert (answer.status, answer.headers['Content-Type'][:15]) == (200, 'text/javascript')
        assert len(script) > 100
    answer, program = ask(viewer, '/re_viewer_bg.wasm')
    assert answer.headers['Content-Type'] == 'application/wasm'
    assert program[:4] == b'\0asm'


def test_the_browser_is_told_to_ask_nobody_else(viewer):
    policy = ask(viewer)[0].headers['Content-Security-Policy']
    allowed = {word for part in policy.split(';') for word in part.split()[1:]}
    assert allowed <= {
        "'self'", "'none'", "'wasm-unsafe-eval'", "'unsafe-inline'", 'data:', 'blob:'
    }  # fmt: skip
    assert 'unsafe-inline' not in policy.partition('script-src')[2].partition(';')[0]


@pytest.mark.parametrize(
    ('path', 'method', 'headers', 'status'),
    [
        ('/', 'GET', {'Host': 'attacker.example:80'}, 403),
        (READ, 'POST', {'Origin': 'http://attacker.example'}, 403),
        (WRITE, 'POST', {}, 404),
        (READ + '/../WriteMessages', 'POST', {}, 404),
        ('/etc/passwd', 'GET', {}, 404),
        ('/../feeds.py', 'GET', {}, 404),
        ('/feeds.py', 'GET', {}, 404),
    ],
)
def test_what_is_not_for_a_page_of_ours_is_refused(viewer, path, method, headers, status):
    assert ask(viewer, path, method, **headers)[0].status == status


def listeners(pid):
    """Return the addresses (hexadecimal, of IPv4 or IPv6) at which a process listens."""
    own = set()
    for entry in Path(f'/proc/{pid}/fd').iterdir():
        target = os.readlink(entry) if entry.exists() else ''
        if target.startswith('socket:['):
            own.add(target[8:-1])
    found = []
    for table in ('tcp', 'tcp6'):
        for line in Path(f'/proc/{pid}/net/{table}').read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == '0A' and words[9] in own:
                found.append(words[1].partition(':')[0])
    return found


def test_all_listen_at_this_machine_only(viewer):
    own = viewer._process.pid
    children = Path(f'/proc/{own}/task/{own}/children').read_text().split()
    addresses = [listeners(int(pid)) for pid in (own, *children)]
    assert [len(found) for found in addresses] == [1, 2]
    assert {address for found in addresses for address in found} == {'0100007F'}  # 127.0.0.1


def test_reruns_statistics_are_off_and_the_users_settings_left_alone(viewer, tmp_path):
    environment = without_statistics(tmp_path)
    settings = tmp_path / 'config' / 'rerun' / 'analytics.json'
    assert environment['XDG_CONFIG_HOME'] == str(tmp_path / 'config')
    assert json.loads(settings.read_text())['analytics_enabled'] is False
    program = Path(sys.prefix, 'bin', 'rerun')
    told = subprocess.run(
        [str(program), 'analytics', 'config'], env=environment, capture_output=True, text=True
    )
    assert 'false' in told.stdout.partition('analytics_enabled')[2][:10]
    child = Path(f'/proc/{viewer._process.pid}/task/{viewer._process.pid}/children')
    environ = Path(f'/proc/{child.read_text().split()[0]}/environ').read_bytes().decode()
    home = dict(pair.partition('=')[::2] for pair in environ.split('\0'))['XDG_CONFIG_HOME']
    assert home.startswith('/tmp') or 'headpose_viewer_' in home
    assert (Path(home) / 'rerun' / 'analytics.json').is_file()


def test_a_port_that_is_taken_is_told_in_one_line():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ViewerError, match=rf'^port {port} at localhost: .*in use; give'):
            WebViewer('localhost', port)
        assert free_port(port) != port


def test_it_ends_with_the_program_that_started_it():
    program = (
        'import os, signal\n'
        'from headpose_ros.viewer.web_viewer import WebViewer\n'
        "viewer = WebViewer('localhost', 0)\n"
        'print(viewer._process.pid, flush=True)\n'
        'os.kill(os.getpid(), signal.SIGKILL)\n'
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    server = int(done.stdout)
    while Path(f'/proc/{server}/stat').exists():
        state = Path(f'/proc/{server}/stat').read_text().rpartition(')')[2].split()[0]
        if state == 'Z':
            break


def test_a_browser_is_opened_only_where_there_is_a_screen(monkeypatch, capsys):
    import threading
    import webbrowser

    opened = threading.Event()
    monkeypatch.setattr(webbrowser, 'open', lambda url: opened.set())
    for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'SSH_CONNECTION'):
        monkeypatch.delenv(name, raising=False)
    announce('http://localhost:5/', 5, opens=True)
    monkeypatch.setenv('SSH_CONNECTION', 'somewhere')
    monkeypatch.setenv('DISPLAY', ':10')
    announce('http://localhost:5/', 5, opens=True)
    assert 'ssh -L 5:localhost:5' in capsys.readouterr().err
    monkeypatch.delenv('SSH_CONNECTION')
    announce('http://localhost:5/', 5, opens=False)
    assert not opened.is_set()
    announce('http://localhost:5/', 5, opens=True)
    assert opened.wait(30)
