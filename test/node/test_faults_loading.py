# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cannot be loaded, or no longer computed: one line with cause and fix; then recovery."""

import shutil
from pathlib import Path

import cv2
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import Bench, Process, fake_node, set_parameters
from sensor_msgs.msg import CameraInfo, Image

from headpose_ros.geometry import CameraModel
from headpose_ros.inference.weights import MODELS
from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.demo_camera import CLIP, CLIP_CAMERA
from headpose_ros.node.messages import camera_info_message


def test_missing_weights_are_told_and_found_later(domain, logs, tmp_path):
    weights = tmp_path / 'network.onnx'
    arguments = ['-r', '__ns:=/bare', '-p', f'weights:={weights}']
    with fake_node(domain, logs, *arguments) as bare, Bench(domain, 'other') as other:
        pattern = r'configure: weights: no file .*network\.onnx'
        other.until(lambda: bare.matching(pattern), pattern)
        other.listen(DiagnosticArray, '/diagnostics')
        name = 'bare/headpose: head poses'

        def levels():
            found = [s for m in other.got['/diagnostics'] for s in m.status if s.name == name]
            return {s.level for s in found if 'no file' in s.message}

        other.until(lambda: levels() == {DiagnosticStatus.ERROR}, 'an ERROR in diagnostics')
        weights.write_bytes(b'')
        other.until(lambda: bare.matching('active: waiting'), 'the node to try again')


@pytest.mark.parametrize(
    ('argument', 'words'),
    [
        ('detector:=magic', 'expected one of auto'),
        ('score_threshold:=1.5', 'score_threshold.*0.0 to 1.0'),
        ('max_heads:=many', 'max_heads: expected int'),
        ('device:=abacus', 'device: expected auto, cpu, cuda or cuda:N, got .*abacus'),
        ('image_transport:=carrier_pigeon', 'raw, compressed'),
        ('fixed_frame:=/odom', 'fixed_frame: expected no / at the start'),
        ('id_prefix:=2nd', 'id_prefix: expected letters, digits and underscores'),
    ],
)
def test_a_wrong_parameter_at_start_ends_with_one_line(domain, logs, argument, words):
    with fake_node(domain, logs, '-r', '__ns:=/wrong', '-p', argument) as wrong:
        assert wrong.process.wait(20) == 2
        wrong._reader.join()
        assert len(wrong.matching(words)) == 1
        assert len(wrong.lines) == 1, wrong.output()


REAL_NODE = [Path(__file__).with_name('real_node.py'), '--ros-args', '-r', '__ns:=/real']
MTCNN = MODELS / 'mtcnn_onet.onnx'


@pytest.mark.parametrize(
    ('option', 'content', 'line'),
    [
        ('device:=cuda:7', None, r'configure: .*cuda:7.*use device (auto or )?cpu'),
        ('weights:=/nowhere.onnx', None, r'configure: .*/nowhere\.onnx'),
        ('weights:={file}', b'', r'configure: .*network\.onnx: not a whole'),
        ('weights:={file}', b'\x10' + bytes(7) + b'{"a": "truncated', r'configure: .*not a whole'),
        ('weights:={file}', MTCNN.read_bytes()[:-1000], r'configure: .*not a whole'),
        ('weights:={file}', MTCNN.read_bytes(), r'configure: .*architecture.* but cnn needs'),
        ('detector_weights:={file}', bytes(100), r'configure: .*network\.onnx'),
        ('detector:=yunet', None, r'configure: .*yunet'),
    ],
    ids=[
        'no such GPU', 'no file', 'empty', 'truncated header', 'truncated',
        'architecture', 'detector', 'detector without weights',
    ],
)  # fmt: skip
def test_what_the_real_models_refuse_until_it_is_right(
    domain, logs, tmp_path, option, content, line
):
    file = tmp_path / 'network.onnx'
    if content is not None:
        file.write_bytes(content)
    option = option.format(file=file)
    name = option.split(':=')[0]
    right = {'device': 'cpu', 'detector': 'mtcnn'}.get(name, '')
    with (
        Process([*REAL_NODE, '-p', option], domain, logs) as real,
        Bench(domain, 'other') as other,
    ):
        other.until(lambda: real.matching('configure: ') or not real.alive, 'a log line', 60)
        other.spin(0.3)
        assert real.alive, real.output()
        assert len(real.matching(line)) == 1, real.output()
        assert set_parameters(other, '/real/headpose', **{name: right}).successful
        other.until(lambda: real.matching('active: waiting'), 'the node to work', 60)
        assert len(real.matching(f'resolved: {line}')) == 1
        assert 'Traceback' not in real.output()
        assert real.end() == 0


def test_shipped_weights_that_were_changed(domain, logs, tmp_path):
    """Told by their sha256; the right file put back is found without a word to the node."""
    models = tmp_path / 'models'
    shutil.copytree(MODELS, models)
    file = models / 'pose_clean.onnx'
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with (
        Process(REAL_NODE, domain, logs, MODELS=str(models)) as real,
        Bench(domain, 'other') as other,
    ):
        line = r'configure: .*pose_clean\.onnx: checksum differs'
        other.until(lambda: real.matching(line), line, 60)
        file.write_bytes(whole)
        other.until(lambda: real.matching('active: waiting'), 'the node to try again', 60)
        assert len(real.matching(line)) == 2  # the problem, and its end
        assert real.end() == 0


def test_a_full_gpu_and_its_way_back(domain, logs, tmp_path):
    """The real pipeline, people found: smaller batches, then the CPU, then the GPU again."""
    video = cv2.VideoCapture(str(CLIP))
    image = video.read()[1]
    info = camera_info_message(CameraModel.from_yaml(CLIP_CAMERA))
    info.header.frame_id = 'camera'
    room = tmp_path / 'room'
    room.write_text('')
    arguments = [*REAL_NODE, '-p', 'log_repeat_period:=0.1', '-p', 'detect_every:=2']
    names = {'topic': '/real/image', 'info_topic': '/real/camera_info'}
    results = '/real/headpose/heads'
    with (
        Process(arguments, domain, logs, ROOM=str(room)) as real,
        Bench(domain, 'other') as other,
    ):
        other.listen(HeadPoseArray, results)
        other.advertise(Image, names['topic'])
        other.advertise(CameraInfo, names['info_topic'])

        def until(line):
            start = len(real.lines)
            other.shoot_until(
                lambda: real.matching(line, start), line, image, info, timeout=60, **names
            )
            before = len(other.got[results])
            other.shoot_until(
                lambda: any(m.heads for m in other.got[results][before:]),
                'heads', image, info, **names,
            )  # fmt: skip

        until('active: waiting')
        for images, instead in (('1', 'batches of 1'), ('0', 'computing on the CPU')):
            room.write_text(images)
            until(f'device cpu: out of memory; {instead} meanwhile.*free memory of the GPU')
            room.write_text('')
            until(f'resolved: device cpu: out of memory; {instead}')
        assert 'Traceback' not in real.output()
        assert real.end() == 0
