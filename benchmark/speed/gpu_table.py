# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pose network on a GPU: batches of 1 to 256, 32 faces from one image, half precision.

`bench_networks.py` makes the table where there is a GPU. A test makes it on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmark.measure import Image, NotMeasuredError, alternate, clip_images
from benchmark.speed.pipeline import crowd
from headpose_ros.config import PipelineConfig
from headpose_ros.detection import FaceSearch, create_detector
from headpose_ros.estimation import create_estimator
from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.geometry.sampling import sample_crops
from headpose_ros.geometry.virtual_camera import crop_angles
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.typing import Array

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
FACES = 32
HALF_LIMIT_DEG = 0.05


def gpu_table(
    device: str = 'cuda:0', batches: Sequence[int] = BATCHES, seconds: float = 12.0
) -> dict[str, Any]:
    """Measure on `device`. Raises NotMeasuredError where half precision moves poses too far."""
    import torch

    from headpose_ros.inference.torch_runtime import TorchRuntime

    where = torch.device(device)
    config = PipelineConfig(mirror=False)  # so that a batch is a batch
    half = create_estimator(config, TorchRuntime(device, half=True))
    full = create_estimator(config, TorchRuntime(device, half=False))
    both = create_estimator(PipelineConfig(), TorchRuntime(device, half=True))
    image, camera, rays, sizes = faces_in_1080p()
    angles = crop_angles(sizes, half.crop_scale)

    def crops() -> Any:
        return sample_crops(image, camera, rays, angles, half.crop_px, device=where).images

    same = crops()
    poses = [e.estimate(same, angles).rotations_virtual_from_face for e in (half, full)]
    apart = float(np.degrees(geodesic_distance(*poses)).max())
    if apart > HALF_LIMIT_DEG:
        raise NotMeasuredError(f'half precision moves poses by {apart:.3f} deg')
    jobs: dict[str, Callable[[], Any]] = {}
    for n in batches:
        some = same[torch.arange(n, device=where) % FACES]
        jobs[str(n)] = lambda some=some, n=n: half.estimate(some, np.resize(angles, n))
    jobs['whole'] = lambda: both.estimate(crops(), angles)
    times = alternate(jobs, seconds)
    on_gpu = where.type == 'cuda'
    return {
        'device': torch.cuda.get_device_name(where) if on_gpu else device,
        'faces32_1080p_ms': times.pop('whole'),
        'batches': times,
        'half_apart_deg': apart,
    }


def faces_in_1080p() -> tuple[Image, CameraModel, Array, Array]:
    """Return an image 1920x1080 with 32 faces, its camera, their rays (32,3), sizes (32,) rad."""
    (image,) = crowd(clip_images(1)[1], FACES)
    camera = CameraModel.from_fov(1920, 1080, np.radians(70))
    config = PipelineConfig(device='cpu')
    found = FaceSearch(create_detector(config, create_runtime('cpu')), config).find(image, camera)
    if len(found) < FACES // 2:
        raise NotMeasuredError(f'only {len(found)} of {FACES} faces found in the image')
    return image, camera, np.resize(found.rays, (FACES, 3)), np.resize(found.angular_sizes, FACES)
