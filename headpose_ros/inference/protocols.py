# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every runtime offers, and what all of them check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.weights import LoadedWeights

Shape = Sequence[int | None]
"""Of the images that a network takes, mostly (N,H,W,3); None where it may differ between calls."""


class DeviceError(RuntimeError):
    """The device that was asked for is not there, or nothing can compute on it."""


class CompiledNetwork(Protocol):
    """A network ready to run. Not to be called from two threads at once."""

    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute the outputs for `images` (N,H,W,3) BGR.

        `images` is a numpy array or, for the PyTorch runtime, a tensor on its device. The outputs
        are the caller's own. Raises ValueError where shape or type are not those of the file.
        """
        ...


class Runtime(Protocol):
    """Compiles networks for one device.

    `name`: 'openvino', 'onnxruntime', 'torch' or 'opencv'; `device`: cpu, cuda:N. `warning`: what
    the device cannot do for now, and what to do about it; None where all is well.
    """

    name: str
    device: str

    @property
    def warning(self) -> str | None:
        """Return it; it may change from call to call."""
        ...

    def compile(
        self, weights: LoadedWeights, exact: bool = False, usual: int = 0
    ) -> CompiledNetwork:
        """Prepare the network of a model file.

        `exact` keeps to float32 where the runtime would take half precision. `usual`: how many
        images most calls have at most, where that is known, to be quicker for them. Raises
        ValueError where the file is not a network that the runtime can run.
        """
        ...


def check_images(images: Any, shape: Shape, dtype: str) -> None:
    """Raise ValueError unless `images` has that shape and type, whatever library holds it."""
    fits = len(images.shape) == len(shape) and all(
        want is None or want == got for want, got in zip(shape, images.shape, strict=True)
    )
    same = images.dtype == dtype or str(images.dtype).endswith(f'.{dtype}')  # NumPy's, PyTorch's
    if not fits or not same:
        want_text = ', '.join('any' if n is None else str(n) for n in shape)
        raise ValueError(
            f'network input: expected {dtype} ({want_text}), '
            f'got {images.dtype} {tuple(images.shape)}'
        )


def rounded_batch(count: int) -> int:
    """Return the batch that `count` images are filled up to: 1 to 4, 6, 8, 12, 16, 24 and so on.

    Every new size costs milliseconds, once, so that there should be few of them.
    """
    if count <= 4:
        return max(count, 1)
    power = 1 << (count - 1).bit_length()
    return power * 3 // 4 if count <= power * 3 // 4 else power


def filled_up(images: NDArray[Any], batch: int) -> NDArray[Any]:
    """Return images (N,H,W,3) with empty ones after them, `batch` in all."""
    if batch <= len(images):
        return images
    spare = np.zeros((batch - len(images), *images.shape[1:]), images.dtype)
    return np.concatenate([images, spare])
