# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Model files on OpenCV's dnn module, where nothing quicker is installed.

It reads files of fixed shapes only, so that every size of batch and image gets a network of its
own, made from the file with that size written into it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.onnx_file import with_input_shape
from headpose_ros.inference.protocols import Shape, check_images, filled_up, rounded_batch
from headpose_ros.inference.weights import LoadedWeights

MAX_SHAPES = 8
"""Networks kept of each file, the latest used; making one anew takes tens of milliseconds."""


class OpenCvRuntime:
    """OpenCV on the CPU, with the threads of OpenCV (`cv2.setNumThreads`)."""

    name = 'opencv'
    device = 'cpu'
    warning = None

    def __init__(self, threads: int = 0) -> None:
        if threads > 0:
            cv2.setNumThreads(threads)

    def compile(
        self, weights: LoadedWeights, exact: bool = False, usual: int = 0
    ) -> OpenCvNetwork:
        """Load a network; see `protocols.Runtime`."""
        network = OpenCvNetwork(weights)
        shape = weights.image.shape
        tried = [n or (1 if i == 0 else 64) for i, n in enumerate(shape)]
        network(np.zeros(tried, weights.image.dtype))
        return network


class OpenCvNetwork:
    """The networks of one file, by shape of the images."""

    def __init__(self, weights: LoadedWeights) -> None:
        self._weights = weights
        self._networks: OrderedDict[Shape, Any] = OrderedDict()

    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute; see `protocols.CompiledNetwork`."""
        image, outputs = self._weights.image, self._weights.outputs
        check_images(images, image.shape, image.dtype)
        count = len(images)
        if image.shape[0] is None:
            images = filled_up(images, rounded_batch(count))
        network = self._network_for(images.shape)
        network.setInput(np.ascontiguousarray(images, np.float32))
        found = network.forward([output.name for output in outputs])
        return tuple(np.array(output[:count]) for output in found)

    def _network_for(self, shape: tuple[int, ...]) -> Any:
        if shape in self._networks:
            self._networks.move_to_end(shape)
            return self._networks[shape]
        data = np.frombuffer(with_input_shape(self._weights.data, shape), np.uint8)
        try:
            network = cv2.dnn.readNetFromONNX(data)
        except cv2.error as error:
            raise ValueError(f'OpenCV {cv2.__version__}: {error.err}') from None
        self._networks[shape] = network
        if len(self._networks) > MAX_SHAPES:
            self._networks.popitem(last=False)
        return network
