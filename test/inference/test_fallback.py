# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU whose memory runs out, made of a runtime that raises what PyTorch raises."""

import numpy as np
import pytest

from headpose_ros.inference.fallback import RETRY_SECONDS, FallbackRuntime, is_out_of_memory

torch = pytest.importorskip('torch')


class Runtime:
    """Means of images as a network; holds at most `room` images at once, None: any number."""

    def __init__(self, name, room=None):
        self.name, self.device = name, 'cuda:0' if name == 'gpu' else 'cpu'
        self.room = room
        self.batches = []

    def compile(self, weights, exact=False, usual=0):
        self._hold(1)
        return self._run

    def _run(self, images):
        assert isinstance(images, np.ndarray)
        self._hold(len(images))
        self.batches.append(len(images))
        return images.mean(axis=(1, 2, 3)), images[:, 0, 0]

    def _hold(self, count):
        if self.room is not None and count > self.room:
            raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


IMAGES = np.random.default_rng(0).integers(0, 255, (7, 4, 4, 3), np.uint8)
EXPECTED = Runtime('cpu')._run(IMAGES)


@pytest.fixture
def made():
    gpu, cpu, clock = Runtime('gpu'), Runtime('cpu'), Clock()
    return gpu, cpu, clock, FallbackRuntime(gpu, lambda: cpu, clock)


def compiled(runtime):
    return runtime.compile(None)


def assert_right(outputs):
    for output, expected in zip(outputs, EXPECTED, strict=True):
        np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize(
    ('room', 'batches'), [(None, [7]), (7, [7]), (3, [3, 3, 1]), (2, [1] * 7), (1, [1] * 7)]
)
def test_smaller_batches_give_the_same(made, room, batches):
    gpu, cpu, _, runtime = made
    network = compiled(runtime)
    gpu.room = room
    assert_right(network(IMAGES))
    assert gpu.batches == batches
    assert cpu.batches == []
    assert (runtime.warning is None) == (len(batches) == 1)


def test_the_cpu_where_not_one_image_fits_and_back_again(made):
    gpu, cpu, clock, runtime = made
    network = compiled(runtime)
    gpu.room = 0
    assert_right(network(IMAGES))
    assert cpu.batches == [7]
    assert 'computing on the CPU' in runtime.warning
    assert 'set device to cpu' in runtime.warning
    gpu.room = None
    clock.now += 0.9 * RETRY_SECONDS
    assert_right(network(IMAGES))
    assert gpu.batches == []
    clock.now += 0.2 * RETRY_SECONDS
    assert_right(network(IMAGES))
    assert gpu.batches == [7]
    assert runtime.warning is None


def test_a_retry_that_fails_waits_again(made):
    gpu, cpu, clock, runtime = made
    network = compiled(runtime)
    gpu.room = 0
    network(IMAGES)
    clock.now += 1.1 * RETRY_SECONDS
    assert_right(network(IMAGES))
    gpu.room = None
    clock.now += 0.5 * RETRY_SECONDS
    network(IMAGES)
    assert cpu.batches == [7, 7, 7]
    assert gpu.batches == []


def test_no_room_when_loading(made):
    gpu, cpu, clock, runtime = made
    gpu.room = 0
    network = compiled(runtime)
    assert_right(network(IMAGES))
    assert cpu.batches == [7]
    gpu.room = None
    clock.now += 1.1 * RETRY_SECONDS
    assert_right(network(IMAGES))
    assert gpu.batches == [7]


def test_batches_of_none(made):
    *_, runtime = made
    assert len(compiled(runtime)(IMAGES[:0])[0]) == 0


@pytest.mark.parametrize('error', [ValueError('shape'), RuntimeError('CUDA error: misaligned')])
def test_other_errors_pass(made, error):
    gpu, cpu, _, runtime = made
    network = compiled(runtime)
    gpu._hold = lambda count: (_ for _ in ()).throw(error)
    with pytest.raises(type(error)):
        network(IMAGES)
    assert cpu.batches == []


@pytest.mark.parametrize(
    ('error', 'is_one'),
    [
        (torch.OutOfMemoryError('any words'), True),
        (RuntimeError('CUDA error: out of memory'), True),
        (RuntimeError('cuDNN error: CUDNN_STATUS_ALLOC_FAILED'), True),
        (RuntimeError('CUDA error: invalid device ordinal'), False),
    ],
)
def test_what_counts_as_out_of_memory(error, is_one):
    assert is_out_of_memory(error) == is_one
