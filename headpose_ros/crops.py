# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Crops of faces that are followed: what is requested, and what an estimator reads in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.footprint import Footprints
from headpose_ros.geometry.sampling import Crops, sample_crops, sample_plain_crops
from headpose_ros.geometry.virtual_camera import VirtualCameras, crop_angles
from headpose_ros.heads import Estimates
from headpose_ros.inference.fallback import is_out_of_memory
from headpose_ros.inputs import REDUCTIONS
from headpose_ros.stage_timer import StageTimer
from headpose_ros.tracking.posing import Readings
from headpose_ros.tracking.track import Track
from headpose_ros.typing import Array, Image


class CropRequests(NamedTuple):
    """Parameters of N crops, as `sample_crops` takes them.

    `rays` (N,3), unit, and `angular_sizes` (N,), rad, of the faces, `angles` (N,): rad, that their
    crops span, `ups` (N,3): what shall point upwards there, as `VirtualCameras.look_along` has it.
    """

    rays: Array
    angular_sizes: Array
    angles: Array
    ups: Array

    @staticmethod
    def of(tracks: Sequence[Track], crop_scale: float) -> CropRequests:
        """Request crops of the faces of `tracks`, `crop_scale` times as large as these."""
        sizes = np.array([track.motion.angular_size for track in tracks])
        return CropRequests(
            np.array([track.motion.ray for track in tracks]),
            sizes,
            crop_angles(sizes, crop_scale),
            np.array([track.up for track in tracks]),
        )


class CropReader:
    """Cuts crops of faces and has an estimator read them, all in one forward.

    `device`: where crops are sampled, that of the estimator's network.
    """

    def __init__(self, estimator: Estimator, device: str = 'cpu') -> None:
        self.estimator = estimator
        self._device = device

    def read(
        self,
        image: Image,
        camera: CameraModel,
        tracks: Sequence[Track],
        config: PipelineConfig,
        timer: StageTimer,
    ) -> Readings:
        """Return what is read of `tracks` in `image` (H,W,3), which `camera` took."""
        return self.read_batch([(image, camera, tracks)], config, timer)[0]

    def read_batch(
        self,
        parts: Sequence[tuple[Image, CameraModel, Sequence[Track]]],
        config: PipelineConfig,
        timer: StageTimer,
    ) -> list[Readings]:
        """Return what is read of the tracks in each of several images."""
        result = [Readings.none() for _ in parts]
        busy = [i for i, (_, _, tracks) in enumerate(parts) if tracks]
        if not busy:
            return result
        requests = [self._requests(parts[i][2], config) for i in busy]
        with timer.stage('crop'):
            crops = [
                self._cut(*parts[i][:2], request, config)
                for i, request in zip(busy, requests, strict=True)
            ]
            images = _joined([part.images for part in crops])
        with timer.stage('estimate'):
            angles = np.concatenate([request.angles for request in requests])
            estimates = self.estimator.estimate(images, angles)
        begin = 0
        for i, part, request in zip(busy, crops, requests, strict=True):
            end = begin + len(part)
            some = estimates.part(begin, end)
            confidences = self.estimator.confidences(some)
            result[i] = _in_camera_frame(part, request, some, confidences)
            begin = end
        return result

    def max_reduction(
        self, camera: CameraModel, tracks: Sequence[Track], config: PipelineConfig
    ) -> int:
        """Return by how much an image of `camera` may be reduced and give the same crops.

        That is where all crops average so many pixels each way anyway.
        """
        requests, size = self._requests(tracks, config), self.estimator.crop_px
        if (np.tan(requests.angles / 2) * max(camera.fx, camera.fy)).min() < size / 2:
            return 1  # most often; nowhere in the image would it be 2
        _, _, angles, ups = requests
        cameras = VirtualCameras.look_along(requests.rays, angles, size, ups)
        shrink = float(Footprints.of(cameras, camera).shrink[:, 0].min())
        return max(reduction for reduction in REDUCTIONS if reduction <= max(1.0, shrink))

    def _requests(self, tracks: Sequence[Track], config: PipelineConfig) -> CropRequests:
        return CropRequests.of(tracks, self.estimator.crop_scale * config.box_scale)

    def _cut(
        self, image: Image, camera: CameraModel, requests: CropRequests, config: PipelineConfig
    ) -> Crops:
        size = self.estimator.crop_px
        rays, _, angles, ups = requests
        if not config.rectify:
            return sample_plain_crops(image, camera, rays, angles, size)
        try:
            return sample_crops(image, camera, rays, angles, size, ups=ups, device=self._device)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        return sample_crops(image, camera, rays, angles, size, ups=ups)


def _joined(crops: list[Any]) -> Any:
    """Return crops of several images as one array or, on a GPU, one tensor."""
    if len(crops) == 1:
        return crops[0]
    if all(isinstance(part, np.ndarray) for part in crops):
        return np.concatenate(crops)
    import torch

    device = next(part.device for part in crops if not isinstance(part, np.ndarray))
    return torch.cat([torch.as_tensor(part, device=device) for part in crops])


def _in_camera_frame(
    crops: Crops, requests: CropRequests, estimates: Estimates, confidences: Array
) -> Readings:
    """Turn what was read in the frames of the virtual cameras back to the camera's."""
    views = crops.cameras
    to_virtual = views.rotation_virtual_from_camera
    # Where an estimator says nothing of the face, its size is the crop's, box_scale and all.
    unsure = np.isnan(estimates.face_probability)
    spread = estimates.rotation_sigma[:, :, None] ** 2 * to_virtual
    return Readings(
        rotations=views.rotations_to_camera(estimates.rotations_virtual_from_face),
        rotation_covariances=views.rotations_to_camera(spread),
        rays=views.rays_to_camera(estimates.rays_virtual),
        angular_sizes=np.where(unsure, requests.angular_sizes, estimates.angular_sizes),
        head_scales=estimates.head_scale,
        probabilities=estimates.face_probability,
        confidences=confidences,
        inside=crops.inside,
        landmark_rays=_landmark_rays(views, estimates.landmarks),
    )


def _landmark_rays(views: VirtualCameras, landmarks: Array | None) -> Array | None:
    """Return rays (N,P,3), of any length, of landmarks (N,P,2) in half crops."""
    if landmarks is None:
        return None
    plane = landmarks * np.tan(views.angles / 2)[:, None, None]
    ahead = np.ones((*plane.shape[:2], 1))
    return views.rays_to_camera(np.concatenate([plane, ahead], axis=-1))
