# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks as OpenVINO graphs, built from numpy weights in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

from headpose_ros.inference.layers import Network, ParameterStore, Weights
from headpose_ros.inference.runtime import Shape, check_images

MOST_AT_ONCE = 16
"""Larger batches are no faster on CPUs, but each that is larger than all before takes memory for
ever, up to 80 MB: a node would grow whenever a picture has more candidates than any before."""

MOST_SIZES = 4
"""Of images, that have a graph of their own: a stream has one, or one for each view."""

_MOST_THREADS = 4
_CHANNELS_FIRST = np.array([0, 3, 1, 2])


class OpenVinoRuntime:
    """OpenVINO on the CPU: one stream, tuned for the latency of single forwards."""

    name = 'openvino'
    device = 'cpu'

    def __init__(self, threads: int = 0) -> None:
        self._core = core()
        # float32 is asked for, as CPUs with bfloat16 would take that and move poses by 0.1 deg.
        self._options = {
            'PERFORMANCE_HINT': 'LATENCY',
            'NUM_STREAMS': '1',
            'INFERENCE_PRECISION_HINT': 'f32',
        }
        self._options['INFERENCE_NUM_THREADS'] = str(threads or default_threads())

    def compile(
        self,
        network: Network,
        weights: Weights,
        shape: Shape,
        dtype: str = 'uint8',
        exact: bool = False,
        usual: int = 0,
    ) -> OpenVinoNetwork:
        """Build and compile `network`; see `runtime.Runtime`.

        Graphs of fixed shapes are faster. So the `usual` batch has one of its own, and where the
        size of the images is open the first few sizes that come (40 ms each, once). Otherwise
        dimensions stay open: a batch not seen before costs a few milliseconds once, another than
        in the call before 0.1 ms.
        """

        def built(shape: Shape) -> ov.Model:
            images = op.parameter(
                ov.PartialShape([-1 if n is None else n for n in shape]), ov.Type(np.dtype(dtype))
            )
            outputs = network(OpenVinoLayers(weights), images)
            return ov.Model([op.result(y) for y in outputs], [images], 'network')

        def compiled(shape: Shape) -> ov.CompiledModel:
            return self._core.compile_model(built(shape), 'CPU', self._options)

        ready = OpenVinoNetwork(compiled, tuple(shape), dtype, usual)
        if None in shape[1:]:
            built(shape)  # so that a missing weight is an error now
        elif shape[0] is None:
            ready(np.zeros((MOST_AT_ONCE, *shape[1:]), dtype))  # takes its memory now
        return ready


class OpenVinoNetwork:
    """Compiled graphs, each with the one request that runs it.

    `compiled`: makes the graph for a shape. `usual`: the batch that has a graph of its own, or 0.
    """

    def __init__(
        self,
        compiled: Callable[[Shape], ov.CompiledModel],
        shape: Shape,
        dtype: str,
        usual: int = 0,
    ) -> None:
        self._compiled = compiled
        self._fixed: dict[Shape, _Request] = {}
        self._shape = shape
        self._dtype = dtype
        self._usual = usual
        if usual:
            self._fix((usual, *shape[1:]))

    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute; see `runtime.CompiledNetwork`."""
        check_images(images, self._shape, self._dtype)
        if self._shape[0] is None and len(images) > MOST_AT_ONCE:
            starts = range(0, len(images), MOST_AT_ONCE)
            parts = [self._infer(images[i : i + MOST_AT_ONCE]) for i in starts]
            return tuple(np.concatenate(output) for output in zip(*parts, strict=True))
        return self._infer(images)

    def _batch(self, count: int) -> int:
        """Return the batch that `count` images are filled up to."""
        if self._usual // 2 < count <= self._usual:
            return self._usual
        return rounded_batch(count)

    def _fix(self, shape: Shape) -> _Request:
        """Make a graph for images of just this shape; return its request."""
        request = self._fixed[shape] = _Request(self._compiled(shape))
        return request

    @cached_property
    def _open(self) -> _Request:
        """The request of the graph for all shapes that have none of their own."""
        return _Request(self._compiled(self._shape))

    def _request_for(self, shape: Shape) -> _Request:
        if shape in self._fixed:
            return self._fixed[shape]
        if None in self._shape[1:] and len(self._fixed) < MOST_SIZES:
            return self._fix(shape)
        return self._open

    def _infer(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        count = len(images)
        images = np.ascontiguousarray(images)
        if self._shape[0] is None and (spare := self._batch(count) - count):
            images = np.concatenate([images, np.zeros((spare, *images.shape[1:]), images.dtype)])
        outputs = self._request_for(images.shape)(images)
        # Copied: the request's own memory is overwritten by the next forward.
        return tuple(np.array(output.data[:count]) for output in outputs)


class _Request:
    """Runs one graph."""

    def __init__(self, graph: ov.CompiledModel) -> None:
        self._request = graph.create_infer_request()
        # Where nothing of the shape is open they stay the same; asking for them takes 15 us.
        is_fixed = graph.inputs[0].partial_shape.is_static
        self._outputs: list[ov.Tensor] = self._request.output_tensors if is_fixed else []

    def __call__(self, images: NDArray[Any]) -> list[ov.Tensor]:
        """Return the outputs, valid until the next call."""
        # Given and taken apart from `infer`: passing them through it costs another 0.1 ms.
        self._input = ov.Tensor(np.require(images, requirements=['C', 'W']), shared_memory=True)
        self._request.set_input_tensor(self._input)
        self._request.infer(share_outputs=True)
        return self._outputs or self._request.output_tensors


@cache
def core() -> ov.Core:
    """Return the one core of this process.

    A core's CPU plugin gives the thread that makes it a stack for signals, and frees that when it
    ends: of two that end in the order they were made, the second restores the first one's, and
    the next signal (a child that ends, Ctrl-C) is a crash. Seen with OpenVINO 2026.4.
    """
    return ov.Core()


def default_threads() -> int:
    """Return how many threads a forward gets unless told: the usable cores, at most four.

    These networks take well under a millisecond; more threads wait for each other longer.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return min(usable or 1, _MOST_THREADS)


def rounded_batch(count: int) -> int:
    """Return the batch that `count` images are filled up to: 1 to 4, 6, 8, 12, 16, 24 and so on.

    Every new size costs milliseconds, once, so that there should be few of them.
    """
    if count <= 4:
        return max(count, 1)
    power = 1 << (count - 1).bit_length()
    return power * 3 // 4 if count <= power * 3 // 4 else power


class OpenVinoLayers(ParameterStore):
    """`layers.Layers` as graph nodes."""

    def __init__(self, weights: Weights) -> None:
        super().__init__(weights)

    def channels(self, x: Any) -> int:
        """Return C of a feature map."""
        return int(x.get_output_partial_shape(0)[1].get_length())

    def image(
        self, x: Any, mean: Sequence[float], scale: Sequence[float], swap: bool = False
    ) -> Any:
        """Convert, reorder and normalise images."""
        # The first convolution computes with the channels last. Next to it a transposition costs
        # nothing, if the shape is fixed and what comes before need not tell channels apart;
        # otherwise least as early as can be, on bytes.
        alike = len({*mean}) == len({*scale}) == 1
        late = alike and x.get_output_partial_shape(0).is_static
        numbers = 1 if alike else 3
        x = op.convert(x, 'f32')
        if not late:
            x = op.transpose(x, _CHANNELS_FIRST)
        if swap:
            x = op.gather(x, np.array([2, 1, 0]), np.array(3 if late else 1))
        x = op.subtract(x, _constant(mean[:numbers], (1, -1, 1, 1)))
        x = op.multiply(x, _constant(1 / np.asarray(scale[:numbers]), (1, -1, 1, 1)))
        return op.transpose(x, _CHANNELS_FIRST) if late else x

    def conv(
        self, x: Any, name: str, *, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> Any:
        """Convolve, plain or in groups."""
        weight = self.parameter(f'{name}.weight')
        strides, pads = [stride] * 2, [padding] * 2
        if groups == 1:
            y = op.convolution(x, _constant(weight), strides, pads, pads, [1, 1])
        else:
            grouped = weight.reshape(groups, -1, *weight.shape[1:])
            y = op.group_convolution(x, _constant(grouped), strides, pads, pads, [1, 1])
        bias = self.bias(name)
        return y if bias is None else op.add(y, _constant(bias, (1, -1, 1, 1)))

    def linear(self, x: Any, name: str) -> Any:
        """Multiply by the weights, add the bias."""
        y = op.matmul(x, _constant(self.parameter(f'{name}.weight')), False, True)
        bias = self.bias(name)
        return y if bias is None else op.add(y, _constant(bias, (1, -1)))

    def relu(self, x: Any) -> Any:
        """max(x, 0)."""
        return op.relu(x)

    def leaky_relu(self, x: Any, slope: float) -> Any:
        """Multiply what is negative by `slope`."""
        return op.prelu(x, _constant([slope]))

    def prelu(self, x: Any, name: str) -> Any:
        """Multiply what is negative by a slope per channel."""
        return op.prelu(x, _constant(self.parameter(f'{name}.weight')))

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + exp(-x))."""
        return op.sigmoid(x)

    def hard_swish(self, x: Any) -> Any:
        """Return x * relu6(x + 3) / 6."""
        return op.hswish(x)

    def softmax(self, x: Any, axis: int) -> Any:
        """exp(x) / sum(exp(x)) along `axis`."""
        return op.softmax(x, axis)

    def add(self, x: Any, y: Any) -> Any:
        """Element by element."""
        return op.add(x, y)

    def max_pool(
        self, x: Any, size: int, stride: int, *, padding: int = 0, ceil: bool = False
    ) -> Any:
        """Maximum over windows."""
        y = op.max_pool(
            x,
            [stride] * 2,
            [1, 1],
            [padding] * 2,
            [padding] * 2,
            [size] * 2,
            'ceil' if ceil else 'floor',
        )
        return y.output(0)

    def global_average(self, x: Any) -> Any:
        """Mean over H and W, kept as 1 x 1."""
        return op.reduce_mean(x, np.array([2, 3]), True)

    def flatten(self, x: Any) -> Any:
        """(N,...) to (N,F)."""
        return op.reshape(x, np.array([0, -1]), True)

    def reshape(self, x: Any, shape: Sequence[int]) -> Any:
        """Reshape; 0 keeps an axis, -1 takes what is left."""
        return op.reshape(x, np.array(shape), True)

    def transpose(self, x: Any, axes: Sequence[int]) -> Any:
        """Reorder the axes."""
        return op.transpose(x, np.array(axes))

    def concat(self, xs: Sequence[Any], axis: int) -> Any:
        """Join along `axis`."""
        return op.concat(list(xs), axis)

    def resize_like(self, x: Any, other: Any) -> Any:
        """Resize to H and W of `other`, nearest neighbour."""
        size = op.gather(op.shape_of(other), np.array([2, 3]), np.array(0))
        return op.interpolate(
            x,
            size,
            'nearest',
            'sizes',
            axes=np.array([2, 3]),
            coordinate_transformation_mode='asymmetric',
            nearest_mode='floor',
        )


def _constant(values: Any, shape: tuple[int, ...] | None = None) -> Any:
    array = np.asarray(values, np.float32)
    return op.constant(array if shape is None else array.reshape(shape))
