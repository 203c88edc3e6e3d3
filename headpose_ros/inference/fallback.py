# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What to do where a GPU has no memory left: smaller batches, then the CPU, and back later.

Robots share their GPU with others, whose appetite changes. An image is answered late rather than
not at all, and the GPU is tried again as soon as it may have memory.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.protocols import CompiledNetwork, Runtime
from headpose_ros.inference.weights import LoadedWeights

RETRY_SECONDS = 10.0
"""How long less is asked of the GPU before all is tried again."""

Clock = Callable[[], float]


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of PyTorch, CUDA or cuDNN says that memory ran out."""
    text = str(error)
    return (
        type(error).__name__ == 'OutOfMemoryError'
        or 'out of memory' in text.lower()
        or 'ALLOC_FAILED' in text
    )


class FallbackRuntime:
    """A GPU's runtime (`protocols.Runtime`) whose networks survive that its memory runs out.

    `make_cpu` makes the runtime to fall back to; it is called when first needed.
    """

    def __init__(
        self, gpu: Runtime, make_cpu: Callable[[], Runtime], clock: Clock = time.monotonic
    ) -> None:
        self.name, self.device = gpu.name, gpu.device
        self._gpu = gpu
        self._make_cpu = make_cpu
        self._clock = clock
        self._networks: list[FallbackNetwork] = []

    @property
    def warning(self) -> str | None:
        """What the GPU cannot do for now, and what to do about it; None where all is well."""
        limits = [n.limit for n in self._networks if n.limit is not None]
        if not limits:
            return None
        instead = f'batches of {min(limits)}' if min(limits) else 'computing on the CPU'
        return (
            f'device {self.device}: out of memory; {instead} meanwhile, all is tried again every '
            f'{RETRY_SECONDS:.0f} s; free memory of the GPU, or set device to cpu'
        )

    def compile(
        self, weights: LoadedWeights, exact: bool = False, usual: int = 0
    ) -> FallbackNetwork:
        """Prepare a network; see `protocols.Runtime`."""

        def on(runtime: Runtime) -> CompiledNetwork:
            return runtime.compile(weights, exact, usual)

        compiled = FallbackNetwork(
            lambda: on(self._gpu), lambda: on(self._make_cpu()), self._clock
        )
        self._networks.append(compiled)
        return compiled


class FallbackNetwork:
    """A network on the GPU, in parts where memory is short, or on the CPU where there is none.

    `limit`: the largest batch that the GPU takes for now, 0 for the CPU; None where it takes all.
    """

    def __init__(
        self,
        make_gpu: Callable[[], CompiledNetwork],
        make_cpu: Callable[[], CompiledNetwork],
        clock: Clock,
    ) -> None:
        self.limit: int | None = None
        self._make_gpu = make_gpu
        self._make_cpu = make_cpu
        self._clock = clock
        self._retry_at = 0.0
        self._cpu: CompiledNetwork | None = None
        self._gpu: CompiledNetwork | None = None
        try:
            self._gpu = make_gpu()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._lower(0)

    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute; see `protocols.CompiledNetwork`."""
        limit = self.limit
        if limit is None or self._clock() >= self._retry_at:
            limit = max(1, len(images))
        while limit > 0:
            try:
                outputs = self._on_gpu(images, limit)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                limit = min(limit, len(images)) // 2
                self._lower(limit)
                continue
            if limit >= len(images) and self._clock() >= self._retry_at:
                self.limit = None
            return outputs
        return self._on_cpu(images)

    def _on_gpu(self, images: Any, limit: int) -> tuple[NDArray[np.float32], ...]:
        if self._gpu is None:
            self._gpu = self._make_gpu()
        if len(images) <= limit:
            return self._gpu(images)
        parts = [self._gpu(images[i : i + limit]) for i in range(0, len(images), limit)]
        return tuple(np.concatenate(output) for output in zip(*parts, strict=True))

    def _on_cpu(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        if self._cpu is None:
            self._cpu = self._make_cpu()
        return self._cpu(images if isinstance(images, np.ndarray) else images.cpu().numpy())

    def _lower(self, limit: int) -> None:
        """Ask for no more than `limit` images for a while, and let go of what is spare."""
        self.limit = limit
        self._retry_at = self._clock() + RETRY_SECONDS
        if limit == 0:
            self._gpu = None
        if (torch := sys.modules.get('torch')) and torch.cuda.is_available():
            torch.cuda.empty_cache()
