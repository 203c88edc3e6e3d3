# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from made_networks import NETWORK, crops, made_model, pose_model

from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.inference import networks
from headpose_ros.inference import runtime as runtimes
from headpose_ros.inference.networks import PROPOSALS, network_of
from headpose_ros.inference.networks.export import write
from headpose_ros.inference.opencv_runtime import MAX_SHAPES, OpenCvRuntime
from headpose_ros.inference.openvino_runtime import MAX_BATCH, MAX_SIZES, OpenVinoRuntime
from headpose_ros.inference.protocols import DeviceError, rounded_batch
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.torch_runtime import TorchRuntime
from headpose_ros.inference.weights import MODELS, read


def onnx_runtime():
    """onnxruntime's, where it is installed."""
    pytest.importorskip('onnxruntime')
    from headpose_ros.inference.onnx_runtime import OnnxRuntime

    return OnnxRuntime(1)


CLIP = Path(networks.__file__).parents[2] / 'demo' / 'clip.mp4'
RUNTIMES = [OpenVinoRuntime, TorchRuntime, OpenCvRuntime, onnx_runtime]
ARCHITECTURES = [
    networks.POSE, networks.LANDMARKS, networks.PROPOSALS, networks.PNET, networks.RNET,
    networks.ONET, networks.RETINAFACE, networks.LIGHTWEIGHT_HPE,
]  # fmt: skip


def images_for(model, count=2):
    """Images that a model takes; where any size goes, no power of two."""
    height, width = (n or px for n, px in zip(model.image.shape[1:3], (96, 160), strict=True))
    images = np.random.default_rng(2).integers(0, 256, (count, height, width, 3))
    return images.astype(model.image.dtype)


def in_double(model, images):
    """The module of a model file in double precision."""
    network = network_of(model.metadata, model.tensors).double()
    with torch.inference_mode():
        x = torch.from_numpy(images).double()
        network.planes.forward = lambda _: _planes(network.planes, x)
        return [y.double().numpy() for y in network(x)]


def _planes(planes, x):
    y = (x - planes.mean) * planes.factor if planes.normalises else x
    return y.permute(0, 3, 1, 2)


@pytest.mark.parametrize('architecture', ARCHITECTURES)
@pytest.mark.parametrize('runtime', RUNTIMES)
@pytest.mark.parametrize('half', [False, True])
def test_every_runtime_computes_every_network(runtime, architecture, half):
    model = made_model(architecture, half=half)
    images = images_for(model)
    compiled = runtime().compile(model, usual=1)
    expected = in_double(model, images)
    for count in (2, 1):
        found = compiled(images[:count])
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.dtype == np.float32
            assert ours.shape == (count, *theirs.shape[1:])
            tolerance = 1e-4 * max(np.abs(theirs).max(), 1)
            np.testing.assert_allclose(ours, theirs[:count], atol=tolerance)


@pytest.mark.parametrize('runtime', RUNTIMES)
@pytest.mark.parametrize('size', [(75, 101), (33, 64)])
def test_sizes_that_no_stride_divides(runtime, size):
    """RetinaFace takes any; its pyramid enlarges to odd sizes."""
    model = made_model(networks.RETINAFACE)
    images = np.random.default_rng(3).integers(0, 256, (1, *size, 3), np.uint8)
    for ours, theirs in zip(
        runtime().compile(model)(images), in_double(model, images), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * max(np.abs(theirs).max(), 1))


@pytest.mark.parametrize('architecture', ARCHITECTURES)
def test_what_is_written_is_onnx(architecture, tmp_path):
    onnx = pytest.importorskip('onnx')
    model = made_model(architecture)
    parsed = onnx.load_from_string(model.data)
    onnx.checker.check_model(parsed, full_check=True)
    assert {p.key: p.value for p in parsed.metadata_props} == model.metadata
    assert {i.name for i in parsed.graph.initializer} == set(model.tensors)
    for initializer in parsed.graph.initializer:
        value = onnx.numpy_helper.to_array(initializer)
        np.testing.assert_array_equal(model.tensors[initializer.name], value)


@pytest.mark.parametrize('path', sorted(MODELS.glob('*.onnx')), ids=lambda path: path.stem)
def test_no_prelu_follows_a_matrix_product(path):
    """OpenVINO fuses those two, which ends the process on processors without AVX."""
    onnx = pytest.importorskip('onnx')
    nodes = onnx.load(path).graph.node
    made_by = {name: node.op_type for node in nodes for name in node.output}
    before = {made_by[node.input[0]] for node in nodes if node.op_type == 'PRelu'}
    assert before <= {'Conv', 'Reshape'}


def test_tensors_go_round(tmp_path):
    model = made_model(networks.ONET)
    write(tmp_path / 'again.onnx', model.tensors, model.metadata)
    assert read(tmp_path / 'again.onnx').data == model.data


def test_opencv_keeps_few_networks():
    compiled = OpenCvRuntime().compile(made_model(networks.PROPOSALS))
    for i in range(MAX_SHAPES + 2):
        compiled(crops(1, 32 + 32 * i))
    assert len(compiled._networks) == MAX_SHAPES


@pytest.mark.parametrize('options', [{}, {'shortcut': 3}, {'depth': 1, 'grid': 6}])
def test_runtimes_agree_to_a_thousandth_of_a_degree(options):
    angles = np.full(7, 0.4)
    rotations = []
    for runtime in (OpenVinoRuntime(), TorchRuntime()):
        compiled = runtime.compile(pose_model(**options))
        (output,) = compiled(crops(7, 48))
        rotations.append(NETWORK.decode(output, angles).rotations_virtual_from_face)
    assert np.degrees(geodesic_distance(*rotations)).max() < 1e-3


def test_half_precision_is_near_and_exact_is_without():
    model = pose_model()
    (exact,) = TorchRuntime().compile(model)(crops(3, 48))
    (half,) = TorchRuntime(half=True).compile(model)(crops(3, 48))
    assert half.dtype == np.float32
    assert 0 < np.abs(half - exact).max() < 0.01
    compiled = TorchRuntime(half=True).compile(model, exact=True)
    np.testing.assert_array_equal(compiled(crops(3, 48))[0], exact)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU that PyTorch can use')
@pytest.mark.parametrize('count', [1, 3, 8, 33])
def test_gpu_is_within_a_twentieth_of_a_degree_of_the_cpu(count):
    rotations = []
    for runtime in (create_runtime('cuda'), create_runtime('cpu')):
        compiled = runtime.compile(pose_model())
        (output,) = compiled(crops(count, 48))
        rotations.append(NETWORK.decode(output, np.full(count, 0.4)).rotations_virtual_from_face)
    assert np.degrees(geodesic_distance(*rotations)).max() < 0.05


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_any_batch_gives_what_single_crops_give(runtime):
    compiled = runtime().compile(pose_model())
    images = crops(37, 48)
    singles = np.concatenate([compiled(image[None])[0] for image in images])
    for count in (37, 5, 2, 13, 5, 0, 1):
        (batch,) = compiled(images[:count])
        assert batch.shape == (count, 14)
        np.testing.assert_allclose(batch, singles[:count], atol=1e-5)


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_outputs_are_the_callers_own(runtime):
    compiled = runtime().compile(pose_model())
    (first,) = compiled(crops(2, 48, seed=1))
    kept = first.copy()
    compiled(crops(2, 48, seed=2))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_images_may_lie_in_memory_as_they_like(runtime):
    compiled = runtime().compile(pose_model())
    images = crops(2, 48, seed=1)
    (expected,) = compiled(images)
    locked, flipped = images.copy(), np.ascontiguousarray(images[..., ::-1])[..., ::-1]
    locked.setflags(write=False)
    for other in (locked, flipped, np.asfortranarray(images)):
        np.testing.assert_array_equal(compiled(other)[0], expected)


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_wrong_images_are_refused(runtime):
    compiled = runtime().compile(pose_model())
    for images in (
        np.zeros((1, 48, 47, 3), np.uint8), np.zeros((48, 48, 3), np.uint8),
        np.zeros((1, 48, 48, 3), np.float32),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r'expected uint8 \(any, 48, 48, 3\), got'):
            compiled(images)


def test_batches_are_rounded_up_to_few_sizes():
    rounded = [rounded_batch(n) for n in range(1, 257)]
    assert all(n <= r <= 1.5 * n for n, r in enumerate(rounded, 1))
    assert len(set(rounded)) == 16
    assert rounded[:8] == [1, 2, 3, 4, 6, 6, 8, 8]


def test_large_batches_are_computed_in_parts():
    """Every larger batch would take memory for ever."""
    compiled = OpenVinoRuntime().compile(pose_model())
    images = np.random.default_rng(5).integers(0, 255, (2 * MAX_BATCH + 5, 48, 48, 3), np.uint8)
    sizes = []
    infer = compiled._infer
    compiled._infer = lambda part: sizes.append(len(part)) or infer(part)
    for whole, single in zip(compiled(images), infer(images[-1:]), strict=True):
        assert len(whole) == len(images)
        np.testing.assert_allclose(whole[-1:], single, atol=1e-5)
    assert sizes == [MAX_BATCH, MAX_BATCH, 5]


@pytest.mark.parametrize('usual', [1, 2, 8])
def test_the_usual_batch_has_a_graph_of_its_own_and_gives_the_same(usual):
    plain, quick = (OpenVinoRuntime().compile(pose_model(), usual=n) for n in (0, usual))
    assert set(quick._fixed) == {(usual, 48, 48, 3)}
    images = np.random.default_rng(6).integers(0, 255, (9, 48, 48, 3), np.uint8)
    for count in (1, 2, 3, 5, 8, 9, 2, 0):
        (one,), (other,) = plain(images[:count]), quick(images[:count])
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert [quick._batch(n) for n in range(usual // 2 + 1, usual + 1)] == [usual] * -(-usual // 2)


def test_the_first_sizes_have_graphs_of_their_own_and_all_give_the_same():
    """A detector's network, as images are large and come in one size."""
    model = made_model(PROPOSALS)
    compiled, plain = OpenVinoRuntime().compile(model), TorchRuntime().compile(model)
    for i in range(MAX_SIZES + 2):
        image = crops(1, 64 + 32 * i)
        for _ in range(2):
            for one, other in zip(compiled(image), plain(image), strict=True):
                np.testing.assert_allclose(one, other, atol=1e-4)
    assert len(compiled._fixed) == MAX_SIZES


class SignalStack(ctypes.Structure):
    _fields_ = (('place', ctypes.c_void_p), ('flags', ctypes.c_int), ('size', ctypes.c_size_t))

    @staticmethod
    def of_this_thread():
        stack = SignalStack()
        assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
        return stack.place, stack.flags


def test_runtimes_that_end_leave_the_stack_for_signals_alone():
    """With a core each, those that end in the order they were made leave a freed one behind."""
    runtimes, stacks = [], set()
    for _ in range(3):
        runtimes.append(OpenVinoRuntime())
        runtimes[-1].compile(pose_model())
        stacks.add(SignalStack.of_this_thread())
    while runtimes:
        runtimes.pop(0)
        stacks.add(SignalStack.of_this_thread())
    assert len(stacks) == 1


@pytest.fixture
def without(monkeypatch):
    """Let `create_runtime` see only what is not named."""
    runtimes._tell_slower.cache_clear()
    found = runtimes._has_module

    def hide(*absent):
        monkeypatch.setattr(
            runtimes, '_has_module', lambda name: name not in absent and found(name)
        )

    return hide


def test_cpu_means_openvino_and_without_it_what_is_there(without, caplog):
    assert create_runtime('cpu').name == 'openvino'
    assert caplog.messages == []
    without('openvino', 'onnxruntime')
    for _ in range(2):
        assert create_runtime('cpu').name == 'opencv'
    assert caplog.messages == [
        'OpenVINO is not installed: networks run on opencv, which is slower; pip install openvino'
    ]
    without('openvino', 'onnxruntime', 'cv2')
    with pytest.raises(DeviceError, match='OpenCV is missing'):
        create_runtime('cpu')


def test_onnxruntime_comes_after_openvino(without):
    pytest.importorskip('onnxruntime')
    without('openvino')
    assert create_runtime('cpu').name == 'onnxruntime'


@pytest.mark.parametrize('error', [ImportError('needs\nglibc 2.35'), OSError('no such symbol')])
def test_an_openvino_that_cannot_be_imported_is_passed_over(monkeypatch, without, caplog, error):
    def broken(threads):
        raise error

    without('onnxruntime')
    monkeypatch.setitem(runtimes._CPU_RUNTIMES, 'openvino', broken)
    assert create_runtime('cpu').name == 'opencv'
    (said,) = caplog.messages
    assert said.startswith(f'openvino cannot be imported: {str(error).splitlines()[0]}: networks')


HIDDEN = """
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        absent = name.split('.')[0] in sys.argv[1].split(',')
        return None if absent else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
import cv2
from headpose_ros import CameraModel, HeadPosePipeline
image = cv2.VideoCapture(sys.argv[2]).read()[1]
camera = CameraModel.from_fov(image.shape[1], image.shape[0], 1.0)
pipeline = HeadPosePipeline(mode="image")
print(*(v for h in pipeline.process(image, camera) for v in h.rotation_camera_from_face.ravel()))
"""


def heads_without(*absent):
    done = subprocess.run(
        [sys.executable, '-c', HIDDEN, ','.join(absent), str(CLIP)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return np.array(done.stdout.split(), float).reshape(-1, 3, 3), done.stderr


def test_the_pipeline_finds_the_same_heads_without_openvino_safetensors_and_torch():
    expected, _ = heads_without('torch')
    assert len(expected) >= 1
    for absent, runtime in (
        (('openvino', 'torch', 'safetensors'), ('onnxruntime', 'opencv')),
        (('openvino', 'torch', 'safetensors', 'onnxruntime'), ('opencv',)),
    ):
        found, said = heads_without(*absent)
        assert np.degrees(geodesic_distance(found, expected)).max() < 0.05
        (line,) = said.splitlines()
        assert any(f'networks run on {name}, which is slower' in line for name in runtime)


def test_absent_gpus_are_told(monkeypatch):
    monkeypatch.setattr(runtimes, 'gpu_count', lambda: 0)
    assert create_runtime('auto').device == 'cpu'
    with pytest.raises(DeviceError, match='device cuda: PyTorch sees no GPU here; use device'):
        create_runtime('cuda')
    monkeypatch.setattr(runtimes, 'gpu_count', lambda: 2)
    with pytest.raises(DeviceError, match='cuda:7: PyTorch sees cuda:0 to cuda:1'):
        create_runtime('cuda:7')
    monkeypatch.setattr(runtimes, '_has_module', lambda name: name != 'torch')
    with pytest.raises(DeviceError, match='need PyTorch, which is not installed'):
        create_runtime('cuda:0')


@pytest.mark.parametrize('device', ['gpu', 'cuda:', 'cuda:-1', 'CPU', ''])
def test_unknown_devices_are_refused(device):
    with pytest.raises(ValueError, match='expected auto, cpu, cuda or cuda:N'):
        create_runtime(device)


def test_a_hidden_gpu_is_no_gpu(monkeypatch):
    monkeypatch.setattr(runtimes, '_GPU_NODES', ('/dev/null',))
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    assert runtimes.gpu_count() == 0


def test_the_cpu_path_imports_no_pytorch():
    code = (
        'import sys\n'
        'from headpose_ros.config import PipelineConfig\n'
        'from headpose_ros.detection import FaceSearch, create_detector\n'
        'from headpose_ros.estimation import create_estimator\n'
        'from headpose_ros.inference.runtime import create_runtime\n'
        "create_detector(PipelineConfig(), create_runtime('cpu', 1))\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, '-c', code], timeout=120).returncode == 0
