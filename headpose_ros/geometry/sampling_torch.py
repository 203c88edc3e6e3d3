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
from headpose_ros.geometry.virtual_camera import VirtualCameras


def sample_on_device(
    image: Any,
    camera: CameraModel,
    cameras: VirtualCameras,
    footprints: Footprints,
    device: Any,
) -> torch.Tensor:
    """Return the crops (N,S,S,3) or (N,S,S), uint8, on `device`; see `sample_crops`."""
    tensor = torch.as_tensor(image)
    size, tail = cameras.size_px, tuple(tensor.shape[2:])
    crops = torch.empty((len(cameras), size, size, *tail), dtype=torch.uint8, device=device)
    if len(cameras) == 0:
        return crops
    x0, y0, x1, y1 = _part(footprints, camera)
    part = tensor[y0:y1, x0:x1].to(device).reshape(y1 - y0, x1 - x0, -1)
    source = part.permute(2, 0, 1)[None].float()
    seen = camera.resampled(1.0, 1.0, x1 - x0, y1 - y0, x0, y0)
    samples = np.array([np.prod(footprints.reduction(i)) for i in range(len(cameras))])
    for count in np.unique(samples):
        which = np.flatnonzero(samples == count)
        grid = _grid(seen, cameras, which, int(count), source.device)
        # All crops as one tall grid, so that the image is not repeated for each.
        tall = functional.grid_sample(
            source, grid, mode='bilinear', padding_mode='border', align_corners=False
        )
        mean = functional.avg_pool2d(tall, int(count)) if count > 1 else tall
        stacked = mean[0].reshape(-1, len(which), size, size).permute(1, 2, 3, 0)
        values = (stacked + 0.5).clamp(0, 255).to(torch.uint8)
        crops[torch.as_tensor(which, device=crops.device)] = values.reshape(-1, size, size, *tail)
    return crops


def _part(footprints: Footprints, camera: CameraModel) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of the part of the image that any crop shows; at least a pixel."""
    low = np.floor(footprints.boxes[:, :2].min(axis=0)).astype(int) - 1
    high = np.ceil(footprints.boxes[:, 2:].max(axis=0)).astype(int) + 2
    limit = np.array([camera.width, camera.height])
    low = np.clip(low, 0, limit - 1)
    high = np.clip(high, low + 1, limit)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _grid(
    camera: CameraModel,
    cameras: VirtualCameras,
    which: np.ndarray,
    samples: int,
    device: torch.device,
) -> torch.Tensor:
    """Return the sampling grid (1, N S samples, S samples, 2) of the crops `which`."""
    side = cameras.size_px * samples
    # float32 resolves 1/1000 pixel here; float64 is slow on most GPUs.
    kind = torch.float64 if device.type == 'cpu' else torch.float32
    line = (torch.arange(side, dtype=kind, device=device) + 0.5) / side * 2 - 1
    slopes = torch.as_tensor(np.tan(cameras.angles[which] / 2), dtype=kind, device=device)
    y, x = torch.meshgrid(line, line, indexing='ij')
    ones = torch.ones_like(x).expand(len(which), side, side)
    plane = torch.stack(
        [slopes[:, None, None] * x, slopes[:, None, None] * y, ones], dim=-1
    ).reshape(len(which), -1, 3)
    turn = torch.as_tensor(cameras.rotation_virtual_from_camera[which], dtype=kind, device=device)
    rays = (plane @ turn).reshape(-1, 3)
    u, v = camera.to_pixels(*camera.lens.project(rays, torch)[:2])
    grid = torch.stack([(2 * u + 1) / camera.width - 1, (2 * v + 1) / camera.height - 1], dim=-1)
    return grid.reshape(1, len(which) * side, side, 2).float()
