# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a network as an ONNX file: its operations, its tensors by name, and the metadata.

The module is traced (`torch.fx`); every layer of `layers.py`, and every function that a network
calls, has its operations here. Images come as they are, (N,H,W,3) in BGR, 0..255.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx, nn
from torch.nn import functional

from headpose_ros.inference import onnx_file, weights
from headpose_ros.inference.networks import layers, network_of
from headpose_ros.inference.networks.layers import Tensors
from headpose_ros.inference.networks.mtcnn_nets import ConvPRelu, DensePRelu

_LEAVES = (
    layers.Planes,
    layers.Conv,
    layers.Linear,
    layers.GlobalAverage,
    layers.EnlargeTo,
    layers.Rows,
)
_FLOAT32 = 1
_OPEN_PX = (64, 96)  # sizes tried to tell which dimensions of an output are open


def write(
    path: Path, tensors: Tensors, metadata: Mapping[str, str], half: bool = False
) -> weights.WeightsFile:
    """Write the model file of the architecture that `metadata` name; return what was written.

    `half` stores float16: half the size, computed in float32 all the same. Raises WeightsError
    where the tensors do not fit the architecture or the file cannot be written.
    """
    return weights.save(path, made(tensors, metadata, half, path).data)


def made(
    tensors: Tensors,
    metadata: Mapping[str, str],
    half: bool = False,
    path: Path = Path('made.onnx'),
) -> weights.LoadedWeights:
    """Return the model file that `write` would write, without writing it."""
    try:
        data = to_onnx(network_of(metadata, tensors), metadata, half)
    except ValueError as error:
        raise weights.WeightsError(f'weights {path}: {error}') from None
    return weights.from_bytes(data, path)


def to_onnx(network: layers.Network, metadata: Mapping[str, str], half: bool = False) -> bytes:
    """Return the ONNX file of a network without batch normalisations."""
    traced = _Tracer().trace(network)
    builder = _Graph(network, half)
    names = _output_names(traced, network)
    for step in traced.nodes:
        if step.op == 'placeholder':
            builder.names[step] = 'images'
        elif step.op != 'output':
            builder.add_step(step, names.get(step, step.name))
    side: Any = (network.image_px,) * 2 if network.image_px else ('height', 'width')
    images = onnx_file.tensor_type('images', network.image_type, ('batch', *side, 3))
    graph = onnx_file.graph(builder.nodes, builder.tensors, [images], _outputs(network))
    return onnx_file.model(graph, metadata)


class _Tracer(fx.Tracer):
    """Keeps the layers of `layers.py` whole."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return whether a module is one step."""
        return isinstance(m, _LEAVES)


def _output_names(traced: fx.Graph, network: layers.Network) -> dict[fx.Node, str]:
    (last,) = (step for step in traced.nodes if step.op == 'output')
    return dict(zip(last.args[0], network.outputs, strict=True))


@torch.inference_mode()
def _outputs(network: layers.Network) -> list[bytes]:
    """Describe the outputs; a dimension that differs between two inputs is open."""
    kind = getattr(torch, network.image_type)
    shapes = []
    for batch, px in enumerate(_OPEN_PX, start=1):
        side = network.image_px or px
        images = torch.zeros((batch, side, side, 3), dtype=kind)
        shapes.append([output.shape for output in network(images)])
    found = []
    for name, one, other in zip(network.outputs, *shapes, strict=True):
        sizes: list[int | str] = ['batch']
        for i, (a, b) in enumerate(zip(one[1:], other[1:], strict=True), start=1):
            sizes.append(a if a == b else f'{name}_size_{i}')
        found.append(onnx_file.tensor_type(name, 'float32', sizes))
    return found


class _Graph:
    """Operations and tensors, as they are found. `names`: of the values of traced steps."""

    def __init__(self, network: nn.Module, half: bool) -> None:
        self.nodes: list[bytes] = []
        self.tensors: dict[str, NDArray[Any]] = {}
        self.names: dict[fx.Node, str] = {}
        self._network = network
        self._half = half
        self._constants: set[str] = set()

    def add_step(self, step: fx.Node, name: str) -> None:
        """Write the operations of a traced step, whose value gets this name."""
        if step.op == 'call_module':
            module = self._network.get_submodule(str(step.target))
            inputs = [self.names[value] for value in step.args]  # type: ignore[index]
            _write_module(module, self, str(step.target), inputs, name)
            self.names[step] = name
        elif step.op == 'call_method' and step.target == 'float':
            self.names[step] = self.names[step.args[0]]  # type: ignore[index]
        else:
            key: Any = step.target
            _FUNCTIONS[key](self, step, name)
            self.names[step] = name

    def operate(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add an operation; return the name of its value."""
        self.nodes.append(onnx_file.node(kind, inputs, output, **attributes))
        return output

    def constant(self, name: str, values: Any, dtype: type) -> str:
        """Add a tensor that is no weight; return its name."""
        if name not in self._constants:
            self._constants.add(name)
            self.operate('Constant', [], name, value=np.asarray(values, dtype))
        return name

    def weight(self, name: str, tensor: torch.Tensor) -> str:
        """Add a weight; return the name of its float32 value."""
        values = tensor.detach().cpu().numpy()
        if not self._half:
            self.tensors[name] = values.astype(np.float32)
            return name
        self.tensors[name] = values.astype(np.float16)
        return self.operate('Cast', [name], f'{name}/float32', to=_FLOAT32)

    def weights(self, name: str, module: nn.Module) -> list[str]:
        """Add weight and, where there is one, bias of a layer; return their names."""
        found = [self.weight(f'{name}.weight', module.weight)]  # type: ignore[arg-type]
        if module.bias is not None:
            found.append(self.weight(f'{name}.bias', module.bias))  # type: ignore[arg-type]
        return found


@singledispatch
def _write_module(
    module: nn.Module, graph: _Graph, name: str, inputs: list[str], output: str
) -> None:
    raise TypeError(f'{name}: {type(module).__name__} cannot be written as ONNX')


@_write_module.register
def _(module: layers.Planes, graph: _Graph, name: str, inputs: list[str], output: str) -> None:
    def transposed(x: str, to: str) -> str:
        return graph.operate('Transpose', [x], to, perm=(0, 3, 1, 2))

    def normalised(x: str, to: str, shape: tuple[int, ...]) -> str:
        mean, factor = (
            graph.constant(f'{name}.{what}', t.numpy().reshape(shape), np.float32)
            for what, t in (('mean', module.mean), ('factor', module.factor))
        )
        return graph.operate('Mul', [graph.operate('Sub', [x, mean], f'{to}/sub'), factor], to)

    # The first convolution computes with the channels last. Next to it a transposition costs
    # nothing, if what comes before need not tell channels apart; otherwise least on bytes.
    if not module.normalises:
        transposed(inputs[0], output)
    elif module.mean.numel() == 1:
        x = graph.operate('Cast', inputs, f'{output}/float32', to=_FLOAT32)
        transposed(normalised(x, f'{output}/normalised', (1,)), output)
    else:
        x = transposed(inputs[0], f'{output}/transposed')
        x = graph.operate('Cast', [x], f'{output}/float32', to=_FLOAT32)
        normalised(x, output, (3, 1, 1))


@_write_module.register
def _write_conv(
    module: layers.Conv, graph: _Graph, name: str, inputs: list[str], output: str
) -> None:
    graph.operate(
        'Conv',
        [*inputs, *graph.weights(name, module)],
        output,
        kernel_shape=module.kernel_size,
        strides=module.stride,
        pads=(*module.padding, *module.padding),
        group=module.groups,
    )


@_write_module.register
def _(module: ConvPRelu, graph: _Graph, name: str, inputs: list[str], output: str) -> None:
    _write_conv(module, graph, name, inputs, f'{output}/conv')
    slopes = graph.weight(f'{name}.prelu.weight', module.prelu.weight.reshape(-1, 1, 1))
    graph.operate('PRelu', [f'{output}/conv', slopes], output)


@_write_module.register
def _(module: layers.Linear, graph: _Graph, name: str, inputs: list[str], output: str) -> None:
    graph.operate('Gemm', [*inputs, *graph.weights(name, module)], output, transB=1)


@_write_module.register
def _(module: DensePRelu, graph: _Graph, name: str, inputs: list[str], output: str) -> None:
    x = graph.operate('Flatten', inputs, f'{output}/flat', axis=1)
    x = graph.operate('Gemm', [x, *graph.weights(name, module)], f'{output}/product', transB=1)
    shape = graph.constant(f'{name}.shape', (-1, module.out_features, 1, 1), np.int64)
    x = graph.operate('Reshape', [x, shape], f'{output}/map')
    slopes = graph.weight(f'{name}.prelu.weight', module.prelu.weight.reshape(-1, 1, 1))
    x = graph.operate('PRelu', [x, slopes], f'{output}/prelu')
    graph.operate('Flatten', [x], output, axis=1)


@_write_module.register
def _(
    module: layers.GlobalAverage, graph: _Graph, name: str, inputs: list[str], output: str
) -> None:
    x = graph.operate('GlobalAveragePool', inputs, f'{output}/pool')
    graph.operate('Flatten', [x], output, axis=1)


@_write_module.register
def _(module: layers.EnlargeTo, graph: _Graph, name: str, inputs: list[str], output: str) -> None:
    how = {
        'mode': 'nearest',
        'coordinate_transformation_mode': 'asymmetric',
        'nearest_mode': 'floor',
    }
    x, other = inputs
    if module.twice:
        scales = graph.constant('twice', (1, 1, 2, 2), np.float32)
        graph.operate('Resize', [x, '', scales], output, **how)
        return
    zero, two, four = (graph.constant(f'number_{n}', (n,), np.int64) for n in (0, 2, 4))
    parts = []
    for of, first, last in ((x, zero, two), (other, two, four)):
        shape = graph.operate('Shape', [of], f'{output}/shape_{first}')
        slice_name = f'{output}/sizes_{first}'
        parts.append(graph.operate('Slice', [shape, first, last, zero], slice_name))
    sizes = graph.operate('Concat', parts, f'{output}/sizes', axis=0)
    graph.operate('Resize', [x, '', '', sizes], output, **how)


@_write_module.register
def _(module: layers.Rows, graph: _Graph, name: str, inputs: list[str], output: str) -> None:
    x = graph.operate('Transpose', inputs, f'{output}/transposed', perm=(0, 2, 3, 1))
    shape = graph.constant(f'{name}.shape', (0, -1, module.size), np.int64)
    graph.operate('Reshape', [x, shape], output)


def _plain(kind: str, **attributes: Any) -> Callable[[_Graph, fx.Node, str], None]:
    """Return what writes a function of one value or two as one operation."""

    def write(graph: _Graph, step: fx.Node, output: str) -> None:
        inputs = [graph.names[value] for value in step.all_input_nodes]
        graph.operate(kind, inputs, output, **attributes)

    return write


def _argument(step: fx.Node, index: int, name: str) -> Any:
    """Return an argument of a traced call, given by place or by name."""
    return step.args[index] if len(step.args) > index else step.kwargs[name]


def _write_leaky_relu(graph: _Graph, step: fx.Node, output: str) -> None:
    _plain('LeakyRelu', alpha=float(_argument(step, 1, 'negative_slope')))(graph, step, output)


def _write_softmax(graph: _Graph, step: fx.Node, output: str) -> None:
    _plain('Softmax', axis=_argument(step, 1, 'dim'))(graph, step, output)


def _write_max_pool(graph: _Graph, step: fx.Node, output: str) -> None:
    size, stride = _argument(step, 1, 'kernel_size'), _argument(step, 2, 'stride')
    # A last window that is only partly inside, by padding: old versions of OpenCV know no other
    # way.
    after = stride - 1 if step.kwargs.get('ceil_mode') is True else 0
    pads = (0, 0, after, after)
    how = {'kernel_shape': (size, size), 'strides': (stride, stride), 'pads': pads}
    _plain('MaxPool', **how)(graph, step, output)


def _write_concat(graph: _Graph, step: fx.Node, output: str) -> None:
    _plain('Concat', axis=_argument(step, 1, 'dim'))(graph, step, output)


def _write_reshape(graph: _Graph, step: fx.Node, output: str) -> None:
    shape = graph.constant(f'{output}/shape', step.args[1:], np.int64)
    graph.operate('Reshape', [graph.names[step.all_input_nodes[0]], shape], output)


_FUNCTIONS: dict[Any, Callable[[_Graph, fx.Node, str], None]] = {
    torch.relu: _plain('Relu'),
    torch.sigmoid: _plain('Sigmoid'),
    torch.softmax: _write_softmax,
    torch.flatten: _plain('Flatten', axis=1),
    torch.cat: _write_concat,
    operator.add: _plain('Add'),
    functional.hardswish: _plain('HardSwish'),
    functional.leaky_relu: _write_leaky_relu,
    functional.max_pool2d: _write_max_pool,
    'reshape': _write_reshape,
}
