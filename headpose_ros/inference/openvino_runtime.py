# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Model files on OpenVINO: the quickest on CPUs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.protocols import Shape, check_images, filled_up, rounded_batch
from headpose_ros.inference.quiet_openvino import op, ov
from headpose_ros.inference.threads import default_threads
from headpose_ros.inference.weights import LoadedWeights

MAX_BATCH = 16
"""Larger batches are no faster on CPUs, but each that is larger than all before takes memory for
ever, up to 80 MB: a node would grow whenever a picture has more candidates than any before."""

MAX_SIZES = 4
"""Of images, that have a graph of their own: a stream has one, or one for each view."""


class OpenVinoRuntime:
    """OpenVINO on the CPU: one stream, tuned for the latency of single forwards."""

    name = 'openvino'
    device = 'cpu'
    warning = None

    def __init__(self, threads: int = 0) -> None:
        self._core = core()
        # float32 is asked for, as CPUs with bfloat16 would take that and move poses by 0.1 deg.
        self._options = {
            'PERFORMANCE_HINT': 'LATENCY',
            'NUM_STREAMS': '1',
            'INFERENCE_PRECISION_HINT': 'f32',
            # Each process would bind its first thread to the first core, and all share that one.
            'ENABLE_CPU_PINNING': 'NO',
        }
        self._options['INFERENCE_NUM_THREADS'] = str(threads or default_threads())

    def compile(
        self, weights: LoadedWeights, exact: bool = False, usual: int = 0
    ) -> OpenVinoNetwork:
        """Read and compile a network; see `protocols.Runtime`.

        Graphs of fixed shapes are faster. So the `usual` batch has one of its own, and where the
        size of the images is open the first few sizes that come (40 ms each, once). Otherwise
        dimensions stay open: a batch not seen before costs a few milliseconds once, another than
        in the call before 0.1 ms.
        """
        whole = self._core.read_model(weights.data)

        def compiled(shape: Shape) -> ov.CompiledModel:
            model = whole.clone()
            if shape != weights.image.shape:
                model.reshape(ov.PartialShape([-1 if n is None else n for n in shape]))
            if None in shape:
                _transpose_first(model)
            return self._core.compile_model(model, 'CPU', self._options)

        shape, dtype = weights.image.shape, weights.image.dtype
        ready = OpenVinoNetwork(compiled, shape, dtype, usual)
        if shape[0] is None and None not in shape[1:]:
            ready(np.zeros((MAX_BATCH, *shape[1:]), dtype))  # takes its memory now
        return ready


def _transpose_first(model: ov.Model) -> None:
    """Transpose the images before they become floats: where the shape is open that is faster.

    Our model files do it after the normalisation, which is faster where the shape is fixed. Only a
    normalisation that is the same for all channels stands before it there.
    """
    (images,) = model.get_parameters()
    later = next((n for n in model.get_ordered_ops() if n.get_type_name() == 'Transpose'), None)
    if later is None or later.input_value(0).get_node() == images:
        return
    consumers = images.output(0).get_target_inputs()
    first = op.transpose(images, later.input_value(1))
    for consumer in consumers:
        consumer.replace_source_output(first.output(0))
    later.output(0).replace(later.input_value(0))
    model.validate_nodes_and_infer_types()


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
        self._any_batch = shape[0] is None and None not in shape[1:]
        if usual:
            self._fix((usual, *shape[1:]))

    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute; see `protocols.CompiledNetwork`."""
        check_images(images, self._shape, self._dtype)
        if self._any_batch and len(images) > MAX_BATCH:
            starts = range(0, len(images), MAX_BATCH)
            parts = [self._infer(images[i : i + MAX_BATCH]) for i in starts]
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
        if None in self._shape[1:] and len(self._fixed) < MAX_SIZES:
            return self._fix(shape)
        return self._open

    def _infer(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        count = len(images)
        images = np.ascontiguousarray(images)
        if self._any_batch:
            images = filled_up(images, self._batch(count))
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
