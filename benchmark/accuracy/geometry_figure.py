# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draw the picture of docs/geometry.md: the virtual camera, and what crops without it miss."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from headpose_ros.geometry import (
    CameraModel,
    rotation_to_axis,
    sample_crops,
    sample_plain_crops,
)
from headpose_ros.geometry.rotations import geodesic_distance

OUT = Path(__file__).resolve().parents[2] / 'docs' / 'images' / 'geometry_virtual_camera.png'
BLUE, RED, GREY = '#1f6fb4', '#c8442b', '#777777'


def draw_cameras(ax: Axes) -> None:
    """Draw the camera from above, a head to the side, and the virtual camera that looks at it."""
    t, h = np.radians(40), np.radians(7)
    head = 3.0 * np.array([np.sin(t), np.cos(t)])
    ax.plot([0, 0], [0, 3.3], '--', color=GREY)
    ax.text(0.05, 3.3, 'optical axis z', color=GREY, va='center')
    ax.plot([-2.1, 2.1], [1.6, 1.6], color=GREY)
    ax.text(-2.1, 1.68, 'image plane', color=GREY)
    ax.plot([0, head[0]], [0, head[1]], color=BLUE)
    for edge in (t - h, t + h):
        ax.plot([0, 3.4 * np.sin(edge)], [0, 3.4 * np.cos(edge)], ':', color=BLUE)
    ends = [1.6 * np.tan(e) for e in (t - h, t + h)]
    ax.plot(ends, [1.6, 1.6], color=RED, lw=4, label='pixels of the face: stretched, seen askew')
    across = np.array([np.cos(t), -np.sin(t)])
    middle = 1.6 * np.array([np.sin(t), np.cos(t)])
    half = 1.6 * np.tan(h) * across
    virtual = np.stack([middle - half, middle + half])
    ax.plot(*virtual.T, color=BLUE, lw=4, label='virtual image: straight on')
    ax.add_patch(plt.Circle(head, 3.0 * np.sin(h), fill=False, color='k'))
    ax.annotate('', head * 1.0 + [0, -0.75], head, arrowprops={'arrowstyle': '->'})
    ax.text(head[0] + 0.42, head[1] - 0.6, 'face', ha='left')
    angle = np.linspace(0, t, 30)
    ax.plot(0.7 * np.sin(angle), 0.7 * np.cos(angle), color='k', lw=0.8)
    ax.text(0.22, 0.85, 'R')
    ax.text(head[0] * 0.72 - 0.28, head[1] * 0.72, 'ray v', color=BLUE, ha='right')
    ax.plot(0, 0, 'ko')
    ax.legend(loc='lower right', fontsize=8, frameon=False)
    ax.set(
        aspect='equal', xlim=(-2.2, 3.2), ylim=(-0.7, 3.6), title='The virtual camera, from above'
    )
    ax.axis('off')


def draw_error(ax: Axes) -> None:
    """Draw the error that reading a crop as if it were seen on the axis makes."""
    degrees = np.linspace(0, 85, 86)
    t = np.radians(degrees)
    rays = np.column_stack([np.sin(t), np.zeros_like(t), np.cos(t)])
    error = np.degrees(geodesic_distance(rotation_to_axis(rays), np.eye(3)))
    ax.plot(degrees, error, color=RED, label='without')
    ax.plot(degrees, 0 * degrees, color=BLUE, label='with the virtual camera')
    ax.set(
        xlabel='view angle of the face, degrees',
        ylabel='error of the rotation, degrees',
        title='What is missing without it',
    )
    ax.legend(frameon=False)
    ax.grid(alpha=0.3)


def globe(camera: CameraModel, ray: np.ndarray) -> np.ndarray:
    """Render a ball with meridians, turned to face the camera, along `ray`."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    pixels = np.column_stack([u.ravel(), v.ravel()])
    looks = camera.rays(pixels) @ rotation_to_axis(ray).T
    x, y, z = looks.T
    # The unit ball at distance 5 along z.
    inside = 25 * z**2 - 24
    hit = (inside > 0) & (z > 0)
    depth = 5 * z - np.sqrt(np.maximum(inside, 0))
    px, py, pz = depth * x, depth * y, depth * z - 5
    longitude, latitude = (
        np.degrees(np.arctan2(px, -pz)),
        np.degrees(np.arcsin(np.clip(py, -1, 1))),
    )
    lines = (np.abs((longitude + 7.5) % 15 - 7.5) < 1) | (np.abs((latitude + 7.5) % 15 - 7.5) < 1)
    lit = 210 - 60 * (1 + pz)
    values = np.where(hit, np.where(lines, 40, lit), 250)
    return values.reshape(camera.height, camera.width).astype(np.uint8)


def main() -> None:
    """Draw the picture."""
    figure = plt.figure(figsize=(11, 6.6), layout='constrained')
    grid = figure.add_gridspec(2, 4, height_ratios=(1.7, 1))
    draw_cameras(figure.add_subplot(grid[0, :2]))
    draw_error(figure.add_subplot(grid[0, 2:]))
    camera = CameraModel.from_fov(1600, 700, np.radians(126))
    angle = [2 * np.arctan(1.25 * np.tan(np.arcsin(0.2)))]
    for column, degrees in enumerate((0, 45)):
        t = np.radians(degrees)
        ray = np.array([[np.sin(t), 0.0, np.cos(t)]])
        image = globe(camera, ray[0])
        for row, (name, sample) in enumerate(
            (('pixels as they are', sample_plain_crops), ('virtual camera', sample_crops))
        ):
            ax = figure.add_subplot(grid[1, 2 * row + column])
            ax.imshow(
                sample(image, camera, ray, angle, 160).images[0], cmap='gray', vmin=0, vmax=255
            )
            ax.set_title(f'{name}, {degrees} deg off axis', fontsize=9)
            ax.axis('off')
    OUT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(OUT, dpi=90)


if __name__ == '__main__':
    main()
