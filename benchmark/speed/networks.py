# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pose network beside the authors' in eager PyTorch: batches, threads, roofline, GPU.

    python -m benchmark.speed.networks --json out/benchmark/networks.json

The authors' network is built as they publish it, batch normalisation and all, with random
weights: its time does not depend on them. *Roofline*: what one core reaches in a large matrix
product and in copying memory, both measured here, bounds any network of so many multiplications.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MKL_NUM_THREADS='1')

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmark.measure import NotMeasuredError, alternate, clip_images, run_part
from benchmark.speed.authors_network import authors_network
from benchmark.speed.gpu_table import gpu_table
from benchmark.speed.operations import count_operations
from headpose_ros.config import PipelineConfig
from headpose_ros.estimation import create_estimator
from headpose_ros.estimation.cnn import model_of
from headpose_ros.inference.networks import POSE
from headpose_ros.inference.runtime import create_runtime, gpu_count
from headpose_ros.inference.weights import load

BATCHES = (1, 2, 4, 8, 16, 32)
MIRRORED = (1, 8)
"""Batches of faces whose mirrored crops are looked at too, as the pipeline does."""


def authors_job(batch: int) -> Callable[[], Any]:
    """Return a forward of the authors' network in eager PyTorch on one thread."""
    try:
        import torch
    except ImportError:
        raise NotMeasuredError('the baseline needs PyTorch: pip install torch') from None
    torch.set_num_threads(1)
    network, images = authors_network(), torch.randn(batch, 3, 224, 224)

    def run() -> Any:
        with torch.no_grad():
            return network(images)

    return run


def our_job(batch: int, threads: int, mirror: bool = False) -> Callable[[], Any]:
    """Return `Estimator.estimate` of our network: normalisation, forward, decoding."""
    config = PipelineConfig(mirror=mirror)
    estimator = create_estimator(config, create_runtime('cpu', threads))
    side = estimator.crop_px
    crops = np.random.default_rng(0).integers(0, 256, (batch, side, side, 3), np.uint8)
    angles = np.full(batch, 0.3)
    return lambda: estimator.estimate(crops, angles)


def operations() -> dict[str, float]:
    """Count the multiply-adds of one crop, and the bytes of weights and feature maps."""
    weights = load('', 'cnn', (POSE,))
    side = model_of(weights).crop_px
    macs, maps = count_operations(weights, side, side)
    return {
        'crop_px': side,
        'mmac': macs / 1e6,
        'weights_mb': sum(tensor.nbytes for tensor in weights.tensors.values()) / 1e6,
        'maps_mb': maps / 1e6,
    }


def core_limits() -> dict[str, float]:
    """Measure what one core can do: float32 multiply-adds in a product, bytes in a copy."""
    n = 384
    a = np.random.default_rng(0).standard_normal((n, n)).astype(np.float32)
    out, large = np.empty_like(a), np.ones(1 << 24, np.float32)
    copy = np.empty_like(large)

    def product() -> None:
        np.matmul(a, a, out=out)

    times = alternate({'product': product, 'copy': lambda: np.copyto(copy, large)}, 2.0)
    return {
        'gmac_per_s': n**3 / times['product']['best'] / 1e6,
        'copy_gb_per_s': 2 * large.nbytes / times['copy']['best'] / 1e6,
    }


def measure() -> dict[str, Any]:
    """Measure everything of this part."""
    clip_images(1)  # raises the same error for missing input as the other parts
    jobs = {f'ours {n}': our_job(n, 1) for n in BATCHES}
    jobs |= {f'mirrored {n}': our_job(n, 1, mirror=True) for n in MIRRORED}
    jobs |= {f'authors {n}': authors_job(n) for n in (1, 8)}
    began = time.time()
    one_thread = alternate(jobs, 12.0)
    two = {f'ours {n}': our_job(n, 2) for n in BATCHES}
    two |= {f'mirrored {n}': our_job(n, 2, mirror=True) for n in MIRRORED}
    two_threads = alternate(two, 6.0)
    ours, authors = one_thread['ours 1'], one_thread['authors 1']
    limits, counts = core_limits(), operations()
    reached = counts['mmac'] / one_thread['ours 8']['best'] * 8
    return {
        'one_thread': one_thread,
        'two_threads': two_threads,
        'authors_over_ours': authors['p50'] / ours['p50'],
        'batch8_over_one': one_thread['ours 8']['p50'] / ours['p50'],
        'network': counts,
        'core': limits,
        'reached_gmac_per_s': {'1': counts['mmac'] / ours['best'], '8': reached},
        'gpu': gpu_table() if gpu_count() else 'not run: no GPU',
        'seconds': time.time() - began,
    }


if __name__ == '__main__':
    run_part(__doc__, measure)
