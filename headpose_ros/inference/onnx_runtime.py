# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Model files on onnxruntime's CPU provider, where OpenVINO is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from headpose_ros.inference.protocols import check_images
from headpose_ros.inference.threads import default_threads
from headpose_ros.inference.weights import LoadedWeights


class OnnxRuntime:
    """onnxruntime on the CPU. `threads` of a forward; 0 takes `default_threads`."""

    name = 'onnxruntime'
    device = 'cpu'
    warning = None

    def __init__(self, threads: int = 0) -> None:
        self._options = ort.SessionOptions()
        self._options.intra_op_num_threads = threads or default_threads()
        self._options.log_severity_level = 3  # errors; warnings are about optimisations
        # Idle threads that spin would take whole cores from everybody else.
        self._options.add_session_config_entry('session.intra_op.allow_spinning', '0')

    def compile(self, weights: LoadedWeights, exact: bool = False, usual: int = 0) -> OnnxNetwork:
        """Load a network; see `protocols.Runtime`."""
        try:
            session = ort.InferenceSession(
                weights.data, self._options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # its errors have no public base class
            raise ValueError(str(error)) from None
        return OnnxNetwork(session, weights)


class OnnxNetwork:
    """A loaded network."""

    def __init__(self, session: ort.InferenceSession, weights: LoadedWeights) -> None:
        self._session = session
        self._image = weights.image

    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute; see `protocols.CompiledNetwork`."""
        check_images(images, self._image.shape, self._image.dtype)
        inputs = {self._image.name: np.ascontiguousarray(images)}
        return tuple(self._session.run(None, inputs))
