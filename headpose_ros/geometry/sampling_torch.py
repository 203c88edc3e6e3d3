# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sampler for GPUs: one batched grid_sample, the image uploaded once, results stay there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.footprint import Footprints
from headpose_ros.geometry.reduction import (
    ReducedRegion,
    block_span,
    columns_of,
    wrapped_span,
)
from headpose_ros.geometry.virtual_camera import VirtualCameras


def sample_on_device(
    image: Any,
    camera: CameraModel,
    cameras: VirtualCameras,
    footprints: Footprints,
    device: Any,
) -> torch.Tensor:
    """Return the crops (N,S,S,3) or (N,S,S), uint8, on `device`; see `sample_crops`."""
    size, tail = cameras.size_px, tuple(image.shape[2:])
    crops = torch.empty((len(cameras), size, size, *tail), dtype=torch.uint8, device=device)
    if len(cameras) == 0:
        return crops
    plans = np.array([footprints.reduction(i) for i in range(len(cameras))])
    largest = int(plans[:, 0].max())
    x0, y0, x1, y1 = _part(footprints, camera, largest)
    part = columns_of(image[y0:y1], x0, x1)
    if isinstance(part, np.ndarray):  # PyTorch takes no negative strides, as of channels swapped
        part = torch.from_numpy(np.array(part))
    part = part.to(device).reshape(y1 - y0, x1 - x0, -1)
    source = part.permute(2, 0, 1)[None].float()
    for block, samples in np.unique(plans, axis=0).tolist():
        which = np.flatnonzero((plans == (block, samples)).all(axis=1))
        mean = functional.avg_pool2d(source, block) if block > 1 else source
        height, width = mean.shape[2:]
        region = ReducedRegion(x0, y0, block)
        maps = [footprints.maps(i, samples, camera, cameras, region) for i in which.tolist()]
        u, v = (np.concatenate(each) for each in zip(*maps, strict=True))  # (N S samples, ...)
        grid = np.stack([(2 * u + 1) / width - 1, (2 * v + 1) / height - 1], axis=-1)
        # All crops as one tall grid, so that the image is not repeated for each.
        tall = functional.grid_sample(
            mean,
            torch.as_tensor(grid, device=device)[None],
            mode='bilinear',
            padding_mode='border',
            align_corners=False,
        )
        small = functional.avg_pool2d(tall, samples) if samples > 1 else tall
        stacked = small[0].reshape(-1, len(which), size, size).permute(1, 2, 3, 0)
        values = (stacked + 0.5).clamp(0, 255).to(torch.uint8)
        crops[torch.as_tensor(which, device=crops.device)] = values.reshape(-1, size, size, *tail)
    return crops


def _part(footprints: Footprints, camera: CameraModel, block: int) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of the part of the image, in whole blocks, that any crop shows."""
    low, high = footprints.boxes[:, :2].min(axis=0), footprints.boxes[:, 2:].max(axis=0)
    x0, x1 = block_span(low[0], high[0], block, camera.width)
    y0, y1 = block_span(low[1], high[1], block, camera.height)
    # Smaller blocks reach where the largest no more fit.
    x1 = camera.width if x1 + block > camera.width else x1
    if camera.wraps and (low[0] < 1 or high[0] > camera.width - 2):
        x0, x1 = wrapped_span(low[0], high[0], block)
    y1 = camera.height if y1 + block > camera.height else y1
    return x0, y0, x1, y1
