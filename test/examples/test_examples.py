# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The examples of Python use, and the README's program, run as they stand."""

import csv
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from headpose_ros.media.sources import SourceError

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / 'headpose_ros' / 'demo' / 'clip.mp4'  # three people


@pytest.fixture(scope='module')
def frames():
    """Return the first images of the clip."""
    capture = cv2.VideoCapture(str(CLIP))
    return [capture.read()[1] for _ in range(6)]


@pytest.fixture
def picture(frames, tmp_path):
    path = tmp_path / 'people.jpg'
    cv2.imwrite(str(path), frames[0])
    return path


@pytest.fixture
def webcam(frames, monkeypatch):
    """Put a webcam of number 0 into OpenCV; return the indices that were opened."""
    opened, real = [], cv2.VideoCapture

    class Webcam:
        def __init__(self, index, *words):
            self.images = iter(frames)
            opened.append(index)

        def isOpened(self):
            return True

        def read(self):
            image = next(self.images, None)
            return image is not None, None if image is None else image.copy()

        def get(self, key):
            size = {cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480}
            return float(size.get(key, 30))

        def set(self, *words):
            return False

        def release(self):
            pass

    def capture(what, *words):
        return Webcam(what) if what in (0, '/dev/video0') else real(what, *words)

    monkeypatch.setattr(cv2, 'VideoCapture', capture)
    return opened


def run(program, *words):
    """Run an example as `python PROGRAM WORDS` does, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [str(program), *map(str, words)])
        return runpy.run_path(str(program), run_name='__main__')


def example(name):
    return ROOT / 'examples' / f'{name}.py'


def test_photograph(picture, tmp_path, capsys):
    target = tmp_path / 'heads.png'
    run(example('photograph'), picture, target)
    printed = capsys.readouterr().out
    assert re.findall(r'^f\d{4}(?=: .* m ahead)', printed, re.MULTILINE) == [
        'f0001', 'f0002', 'f0003',
    ]  # fmt: skip
    assert printed.count('the one to attend to') == 1
    before, after = cv2.imread(str(picture)), cv2.imread(str(target))
    assert before.shape == after.shape
    assert (np.abs(before.astype(int) - after) > 60).any(axis=2).sum() > 200


def test_photograph_that_is_none(tmp_path):
    with pytest.raises(SystemExit, match=r'nothing\.jpg: cannot be read as a picture'):
        run(example('photograph'), tmp_path / 'nothing.jpg', tmp_path / 'heads.png')


def test_webcam_loop(webcam, frames, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(cv2, 'imshow', lambda name, image: shown.append(image))
    monkeypatch.setattr(cv2, 'waitKey', lambda ms: -1)
    monkeypatch.setattr(cv2, 'destroyAllWindows', lambda: shown.append('closed'))
    run(example('webcam_loop'))
    assert webcam == [0]
    assert len(shown) == len(frames) + 1
    came = re.findall(r'(f\d{4}) came', capsys.readouterr().out)
    assert sorted(came) == ['f0001', 'f0002', 'f0003']
    assert (shown[-2] != frames[-1]).any()


def test_webcam_loop_ends_with_a_key(webcam, frames, monkeypatch):
    shown = []
    monkeypatch.setattr(cv2, 'imshow', lambda name, image: shown.append(image))
    monkeypatch.setattr(cv2, 'waitKey', lambda ms: ord('q') if len(shown) == 2 else -1)
    monkeypatch.setattr(cv2, 'destroyAllWindows', lambda: None)
    run(example('webcam_loop'), 0)
    assert len(shown) == 2


def test_batch(frames, tmp_path, capsys):
    folder, table = tmp_path / 'photos', tmp_path / 'heads.csv'
    folder.mkdir()
    cv2.imwrite(str(folder / 'a.jpg'), frames[0])
    cv2.imwrite(str(folder / 'b.png'), cv2.resize(frames[1], None, fx=2, fy=2))
    cv2.imwrite(str(folder / 'c.jpg'), np.full((200, 300, 3), 90, np.uint8))
    (folder / 'd.jpg').write_text('no picture')
    run(example('batch'), folder, table)
    out, err = capsys.readouterr()
    assert out.splitlines() == ['a.jpg: 3 heads', 'b.png: 3 heads', 'c.jpg: 0 heads']
    assert 'd.jpg: cannot be read' in err
    with table.open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['image'] for row in rows] == ['a.jpg'] * 3 + ['b.png'] * 3
    assert all(abs(float(row['yaw_deg'])) <= 90 for row in rows)


@pytest.mark.skipif(
    not (hasattr(cv2, 'CascadeClassifier') and hasattr(cv2, 'data')),
    reason='this OpenCV has no cascades',
)
def test_own_detector(picture, capsys):
    run(example('own_detector'), picture)
    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= 3
    assert all(line.startswith("Head('f000") for line in lines)


@pytest.fixture
def readme_program(tmp_path):
    """Return a file with the README's Python program."""
    blocks = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.DOTALL)
    (program,) = [block for block in blocks if 'HeadPosePipeline' in block]
    path = tmp_path / 'program.py'
    path.write_text(program)
    return path


IDS = re.compile(r'(f\d{4})\b')


def test_the_readme_on_a_photograph(readme_program, picture):
    done = subprocess.run(
        [sys.executable, readme_program, picture], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert IDS.findall(done.stdout) == ['f0001', 'f0002', 'f0003']


def test_the_readme_on_a_folder(readme_program, frames, tmp_path, capsys):
    folder = tmp_path / 'photos'
    folder.mkdir()
    for i in range(2):
        cv2.imwrite(str(folder / f'{i}.jpg'), frames[i])
    run(readme_program, folder)
    assert len(IDS.findall(capsys.readouterr().out)) == 6


def test_the_readme_on_a_webcam(readme_program, webcam, frames, capsys):
    with pytest.raises(SourceError, match='gives no more images'):
        run(readme_program, 0)
    assert webcam == [0]
    assert len(IDS.findall(capsys.readouterr().out)) == 3 * (len(frames) - 1)  # one tells the size


def test_the_pose_network_runs_without_the_package(picture, tmp_path):
    """By onnxruntime alone, with the results of the package for the same face."""
    pytest.importorskip('onnxruntime')
    from headpose_ros import CameraModel, HeadPosePipeline

    image = cv2.imread(str(picture))
    camera = CameraModel.from_fov(image.shape[1], image.shape[0], np.radians(60))
    with HeadPosePipeline(mode='image') as pipeline:
        head = max(pipeline.process(image, camera), key=lambda head: head.roi.width)
    roi, model = head.roi, tmp_path / 'pose.onnx'
    box = f'{roi.x},{roi.y},{roi.x + roi.width},{roi.y + roi.height}'
    export = [sys.executable, '-m', 'headpose_ros.cli.main', 'weights', 'export', 'pose_clean']
    subprocess.run([*export, '--onnx', str(model)], check=True)
    example = [sys.executable, str(ROOT / 'examples' / 'onnxruntime_pose.py')]
    words = [*example, str(model), str(picture), box, '60']
    # Isolated from this folder: it must not import the package.
    said = subprocess.run(words, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    azimuth, elevation, face = (float(x) for x in re.findall(r'-?\d+\.\d+', said))
    assert np.radians(azimuth) == pytest.approx(head.heading.azimuth, abs=np.radians(5))
    assert np.radians(elevation) == pytest.approx(head.heading.elevation, abs=np.radians(5))
    assert face > 0.9
    source = (ROOT / 'examples' / 'onnxruntime_pose.py').read_text()
    assert not re.search(r'^(from|import) headpose', source, re.MULTILINE)
