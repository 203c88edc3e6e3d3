# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import importlib.util
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import reference_retinaface
import torch

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import retinaface as detectors
from headpose_ros.detection.retinaface_network import anchors, decode
from headpose_ros.inference.importing import import_file
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.torch_runtime import TorchRuntime
from headpose_ros.inference.weights import MODELS, WeightsError, read

DATA = Path(os.environ.get('HEADPOSE_DATA', Path(__file__).parents[3] / 'shared' / 'data'))
CHECKPOINT = DATA / 'models' / 'retinaface_mobilenet0.25_Final.pth'
CAFFE = DATA / 'models' / 'Widerface-RetinaFace.caffemodel'
CLIPS = sorted((DATA / 'videos' / 'signers').glob('*.mkv'))

needs_checkpoint = pytest.mark.skipif(not CHECKPOINT.is_file(), reason=f'no {CHECKPOINT}')
needs_caffe = pytest.mark.skipif(not CAFFE.is_file(), reason=f'no {CAFFE}')
needs_clips = pytest.mark.skipif(not CLIPS, reason=f'no clips in {DATA}')


@pytest.fixture(scope='module')
def made_state():
    """Weights that nobody trained, batch normalisation included."""
    torch.manual_seed(0)
    network = reference_retinaface.Reference()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.5, 0.5)
    return network.state_dict()


@pytest.fixture(scope='module')
def converter():
    """tools/convert_retinaface.py."""
    tools = Path(__file__).parents[2] / 'tools'
    sys.path.insert(0, str(tools))
    spec = importlib.util.spec_from_file_location(
        'convert_retinaface', tools / 'convert_retinaface.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(tools))
    return module


def noise(height, width):
    return np.random.default_rng(4).integers(0, 256, (height, width, 3), np.uint8)


def imported(state, folder):
    torch.save(state, folder / 'made.pth')
    import_file(folder / 'made.pth', folder / 'made.onnx')
    return folder / 'made.onnx'


@pytest.mark.parametrize('runtime', [create_runtime('cpu', 1), TorchRuntime('cpu', 1)])
@pytest.mark.parametrize('size', [(96, 128), (75, 101)])
def test_equal_to_the_reference(made_state, tmp_path, runtime, size):
    weights = read(imported(made_state, tmp_path))
    image = noise(*size)
    offsets, logits, points = runtime.compile(weights)(image[None])
    corners, scores, landmarks = reference_retinaface.detect(made_state, image)
    found, found_scores = decode(offsets[0], logits[0], *size, 1e-6)
    assert found == pytest.approx(corners, rel=1e-4, abs=2e-3)
    assert found_scores == pytest.approx(scores, rel=1e-4, abs=2e-3)
    centres, sides = anchors(*size)
    points = centres[:, None] + 0.1 * points[0].reshape(-1, 5, 2) * sides[:, None]
    assert points == pytest.approx(landmarks, rel=1e-4, abs=2e-3)
    assert weights.metadata['licence'] == 'MIT'


def test_only_what_scores_enough_is_decoded(made_state, tmp_path):
    weights = read(imported(made_state, tmp_path))
    offsets, logits, _ = create_runtime('cpu', 1).compile(weights)(noise(96, 128)[None])
    every, scores = decode(offsets[0], logits[0], 96, 128, 1e-6)
    least = float(np.median(scores))
    good, good_scores = decode(offsets[0], logits[0], 96, 128, least)
    assert 0 < len(good) < len(every)
    assert np.array_equal(good, every[scores >= least])
    assert np.array_equal(good_scores, scores[scores >= least])


@pytest.mark.parametrize('runtime', [create_runtime('cpu', 1), TorchRuntime('cpu', 1)])
def test_outputs_that_nobody_wants_are_left_out(made_state, tmp_path, runtime):
    weights = read(imported(made_state, tmp_path))
    image = noise(96, 128)[None]
    some = weights.with_outputs(2)
    assert [output.name for output in some.outputs] == ['offsets', 'classes']
    for ours, all_of_them in zip(
        runtime.compile(some)(image), runtime.compile(weights)(image), strict=False
    ):
        np.testing.assert_allclose(ours, all_of_them, atol=1e-4)
    if runtime.name == 'openvino':
        assert len(runtime.compile(some)(image)) == 2


def test_anchors_by_hand():
    centres, sides = anchors(40, 33)
    assert len(centres) == 2 * (5 * 5 + 3 * 3 + 2 * 2)
    assert centres[:4].tolist() == [[4, 4], [4, 4], [12, 4], [12, 4]]
    assert sides[:2, 0].tolist() == [16, 32]
    assert centres[-1].tolist() == [48, 48]
    assert sides[-2:, 0].tolist() == [256, 512]


def test_checkpoints_of_data_parallel_training_are_read(made_state, tmp_path):
    wrapped = {'state_dict': {f'module.{k}': v for k, v in made_state.items()}}
    one, other = (read(imported(state, tmp_path)).tensors for state in (wrapped, made_state))
    assert one.keys() == other.keys()


def test_damaged_checkpoint_is_refused(made_state, tmp_path):
    lacking = {k: v for k, v in made_state.items() if 'ssh2.conv5X5_2' not in k}
    with pytest.raises(WeightsError, match=r'ssh2\.conv5X5_2'):
        imported(lacking, tmp_path)
    wide = made_state | {'fpn.merge1.0.weight': torch.zeros(64, 64, 1, 1)}
    with pytest.raises(WeightsError, match=r'fpn\.merge1\.0\.weight is \(64, 64, 1, 1\)'):
        imported(wide, tmp_path)


def clip_frame(index=0):
    capture = cv2.VideoCapture(str(CLIPS[index]))
    found, frame = capture.read()
    assert found
    return frame


def shipped(**changes):
    config = PipelineConfig(detector='retinaface', **changes)
    return detectors.create(config, create_runtime('cpu', 1))


@pytest.fixture
def package_graph(converter):
    """The ONNX graph in the package that the shipped weights are from; skips where it is not."""
    try:
        return converter.graph_of_package()
    except SystemExit as missing:
        pytest.skip(str(missing))


def test_shipped_weights_are_the_packages(converter, package_graph):
    tensors = converter.convert(package_graph)
    ours = read(MODELS / 'retinaface.onnx').tensors
    assert ours.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert np.array_equal(ours[name], tensor), name


def test_outputs_are_those_of_the_packages_graph(converter, package_graph):
    assert converter.largest_difference(MODELS / 'retinaface.onnx', package_graph) < 1e-4


@pytest.mark.parametrize(
    ('source', 'message'),
    [
        (b"WEIGHTS = open('x').read()", 'malformed node'),
        (b"WEIGHTS = 'text'", 'expected bytes, got str'),
        (b"print('run')", 'expected one assignment'),
    ],
)
def test_a_package_module_is_parsed_and_not_run(converter, source, message, capsys):
    with pytest.raises((SystemExit, ValueError), match=message):
        converter.literal(source)
    assert capsys.readouterr().out == ''


def test_names_of_the_packages_layers(converter):
    assert [
        converter.our_name(name)
        for name in (
            '/fx/stage1/stage1.0/stage1.0.0/Conv',
            '/fx/stage2/stage2.3/stage2.3.0/stage2.3.0.0/Conv',
            '/fx/stage2/stage2.3/stage2.3.1/stage2.3.1.0/Conv',
            '/ssh1/conv5X5_1/conv5X5_1.0_1/Conv',
            '/landmark_head/landmark_head.2/Conv',
        )
    ] == ['body.stage1.0.0', 'body.stage2.3.0', 'body.stage2.3.3', 'ssh1.conv5X5_1.0',
          'LandmarkHead.2.conv1x1']  # fmt: skip


@needs_checkpoint
@needs_clips
def test_real_frames_give_the_references_boxes(tmp_path):
    state = torch.load(CHECKPOINT, map_location='cpu', weights_only=True)
    import_file(CHECKPOINT, tmp_path / 'public.onnx')
    frame = clip_frame()
    corners, scores, _ = reference_retinaface.detect(state, frame)
    best = scores.argmax()
    detector = shipped(detector_weights=str(tmp_path / 'public.onnx'))
    found = detector.detect(frame, detectors.SMALLEST_PX)  # the scale is then one
    assert len(found) == 1
    assert found.scores[0] == pytest.approx(scores[best], abs=2e-3)
    assert found.corners[0] == pytest.approx(corners[best] - 0.5, abs=0.1)


@needs_clips
def test_faces_stay_where_they_are_at_any_size_of_the_image():
    frame = clip_frame()
    detector = shipped()
    found = detector.detect(frame, 24.0)
    assert len(found) == 1
    large = cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    twice = detector.detect(large, 48.0)
    assert (twice.corners + 0.5) / 2 - 0.5 == pytest.approx(found.corners, abs=1.0)


def test_all_scores_may_be_asked_for():
    assert len(shipped(score_threshold=0.0).detect(np.zeros((60, 80, 3), np.uint8), 24.0)) < 1000


def test_nobody_in_the_dark():
    found = shipped().detect(np.zeros((120, 160, 3), np.uint8), 24.0)
    assert (found.corners.shape, found.scores.shape, found.landmarks) == ((0, 4), (0,), None)


@needs_caffe
@needs_clips
def test_caffe_model_agrees_with_ours():
    frame = clip_frame()
    theirs = shipped(detector_weights=str(CAFFE)).detect(frame, 24.0)
    ours = shipped().detect(frame, 24.0)
    assert len(theirs) == len(ours) == 1
    side = np.sqrt(np.prod(ours.corners[0, 2:] - ours.corners[0, :2]))
    assert theirs.corners[0] == pytest.approx(ours.corners[0], abs=0.25 * side)


MADE_CAFFE = """
input: "data"
input_shape { dim: 1 dim: 3 dim: 48 dim: 64 }
layer { name: "mean" type: "Pooling" bottom: "data" top: "mean"
        pooling_param { pool: AVE global_pooling: true } }
layer { name: "blue" type: "Slice" bottom: "mean" top: "blue" top: "green" top: "red"
        slice_param { axis: 1 } }
"""


@pytest.mark.skipif(not hasattr(cv2.dnn, 'readNetFromCaffe'), reason='no Caffe in this OpenCV')
def test_a_made_caffe_model_gives_boxes_in_the_images_pixels(tmp_path):
    """One without weights: its one box is fixed, its score the mean blue of the image."""
    row = [(0, 0), (0, 1), (1 / 255, 104 / 255), (0, 0.25), (0, 0.25), (0, 0.5), (0, 0.75)]
    layers = [
        f'layer {{ name: "c{i}" type: "Power" bottom: "blue" top: "c{i}" '
        f'power_param {{ power: 1 scale: {scale} shift: {shift} }} }}'
        for i, (scale, shift) in enumerate(row)
    ]
    columns = ' '.join(f'bottom: "c{i}"' for i in range(7))
    layers.append(
        f'layer {{ name: "detection_out" type: "Concat" {columns} top: "detection_out" '
        'concat_param { axis: 3 } }'
    )
    (tmp_path / 'x.prototxt').write_text(MADE_CAFFE + '\n'.join(layers))
    (tmp_path / 'x.caffemodel').touch()
    detector = shipped(detector_weights=str(tmp_path / 'x.caffemodel'))
    image = np.zeros((100, 200, 3), np.uint8)
    assert len(detector.detect(image, 24.0)) == 0
    image[...] = 204
    found = detector.detect(image, 24.0)
    assert found.scores[0] == pytest.approx(0.8, abs=1e-3)
    assert found.corners[0] == pytest.approx([49.5, 24.5, 99.5, 74.5], abs=1e-3)
    assert found.landmarks is None


def test_caffe_model_without_its_description(tmp_path):
    (tmp_path / 'x.caffemodel').touch()
    with pytest.raises(WeightsError, match=r'x\.prototxt not found'):
        shipped(detector_weights=str(tmp_path / 'x.caffemodel'))
    (tmp_path / 'x.prototxt').write_text('nonsense')
    with pytest.raises(WeightsError, match='detector retinaface'):
        shipped(detector_weights=str(tmp_path / 'x.caffemodel'))


def test_opencv_without_caffe(tmp_path, monkeypatch):
    for suffix in ('caffemodel', 'prototxt'):
        (tmp_path / f'x.{suffix}').touch()
    monkeypatch.delattr(cv2.dnn, 'readNetFromCaffe', raising=False)
    with pytest.raises(WeightsError, match='cannot read Caffe models'):
        shipped(detector_weights=str(tmp_path / 'x.caffemodel'))
