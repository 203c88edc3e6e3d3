# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plots of the model card and the README, and the sheet of the worst cases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure

from benchmark.accuracy.pictures import write_png
from benchmark.accuracy.rendered import HeldOut
from headpose_ros.evaluation import metrics
from headpose_ros.evaluation.run import Results
from headpose_ros.evaluation.samples import read_picture
from headpose_ros.typing import Array, Image

Everything = Mapping[str, Mapping[str, Any]]
LABELS = {'pose_best': 'best', 'pose_clean': 'clean', 'authors': "authors' network"}
_STYLES = {'pose_best': 'C0', 'pose_clean': 'C2', 'authors': 'C1'}
_TILE, _COLUMNS, _SHOWN = 112, 8, 24
_SHARES = {0.6745: 50, 1.0: 68, 1.96: 95}
_AXES = ((60, 60, 255), (60, 220, 60), (255, 140, 60))


def draw_all(results: Everything, default: str, out: Path) -> None:
    """Draw off_axis.png, card_calibration.png and card_yaw.png into `out`."""
    _draw_off_axis(results, default, out / 'off_axis.png')
    _draw_calibration(results, out / 'card_calibration.png')
    _draw_yaw(results, out / 'card_yaw.png')


def _draw_off_axis(results: Everything, default: str, path: Path) -> None:
    figure = Figure(figsize=(8.4, 3.6), layout='constrained')
    shown = [name for name in (default, 'authors') if name in results]
    axes: Any = figure.subplots(1, 2, sharey=True)
    for ax, (lens, title) in zip(
        axes, {'pinhole': 'wide pinhole', 'fisheye': 'fisheye'}.items(), strict=True
    ):
        for name in shown:
            ours = 'ours' if name == default else "authors' network"
            for kind, line in (('rectified', 'o-'), ('plain', 'x--')):
                rings = results[name]['off_axis'][lens][kind]['by_ring']
                label = f'{ours}, {"rectified" if kind == "rectified" else "plain crop"}'
                ax.plot(
                    [ring['off_axis_deg'] for ring in rings],
                    [ring['geodesic_aligned_deg'] for ring in rings],
                    line,
                    color=_STYLES[name],
                    label=label,
                )
        ax.set(xlabel='angle off the optical axis (deg)', title=title)
        ax.grid(alpha=0.3)
    axes[0].set_ylim(bottom=0)
    axes[0].set_ylabel('mean rotation error (deg)')
    axes[1].legend(fontsize=8)
    figure.savefig(path, dpi=120)


def _draw_calibration(results: Everything, path: Path) -> None:
    figure = Figure(figsize=(8.4, 3.8), layout='constrained')
    axes: Any = figure.subplots(1, 2)
    for name, result in results.items():
        if 'calibration' not in result:
            continue
        coverage = result['calibration']['coverage']
        axes[0].plot(
            [row['promised'] for row in coverage],
            [row['found'] for row in coverage],
            'o-',
            ms=3,
            color=_STYLES.get(name),
            label=LABELS.get(name, name),
        )
        bins = result['calibration']['bins']
        sigma = [row['sigma_deg'] for row in bins]
        for percent, line in ((50, ':'), (68, '-'), (95, '--')):
            axes[1].plot(
                sigma,
                [row[f'p{percent}_deg'] for row in bins],
                'o' + line,
                ms=3,
                color=_STYLES.get(name),
                label=LABELS.get(name, name) if percent == 68 else None,
            )
    axes[0].plot([0, 1], [0, 1], 'k', lw=0.8, alpha=0.6)
    axes[0].set(xlabel='share of errors promised within an interval', ylabel='share found there')
    low, high = axes[1].get_xlim()
    for factor in _SHARES:
        axes[1].plot([low, high], [factor * low, factor * high], 'k', lw=0.8, alpha=0.6)
        axes[1].text(high, factor * high, f'{_SHARES[factor]} %', fontsize=7, va='center')
    axes[1].set(
        xlabel='stated standard deviation (deg)',
        ylabel='quantiles of the error about an axis (deg)',
        xscale='log',
        yscale='log',
    )
    for ax in axes:
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7)
    figure.savefig(path, dpi=120)


def _draw_yaw(results: Everything, path: Path) -> None:
    figure = Figure(figsize=(5.6, 3.4), layout='constrained')
    ax: Any = figure.subplots()
    for name, result in results.items():
        rows = result['held_out']['groups']['absolute yaw']
        ax.plot(
            [row['group'].replace(' deg', '') for row in rows],
            [row['geodesic_aligned_deg'] for row in rows],
            'o-',
            color=_STYLES.get(name),
            label=LABELS.get(name, name),
        )
    ax.set(xlabel='absolute yaw (deg)', ylabel='mean rotation error (deg)', ylim=(0, None))
    ax.grid(alpha=0.3)
    ax.legend(fontsize=8)
    figure.savefig(path, dpi=120)


def draw_failures(heads: HeldOut, results: Results, path: Path) -> None:
    """Draw the heads with the largest errors: their truth thin and white, ours in colour.

    Written: the error, and in brackets the one that the network itself expects, degrees.
    """
    errors = np.rad2deg(metrics.aligned_geodesic(results.rotations, results.truth))
    expected = np.rad2deg(np.linalg.norm(results.sigma, axis=1))
    worst = np.argsort(-errors)[:_SHOWN]
    pictures = heads.pictures
    tiles = []
    for i in worst:
        image = cv2.resize(
            read_picture(pictures[i].path), (_TILE, _TILE), interpolation=cv2.INTER_CUBIC
        )
        _axes(image, results.truth[i], 1, ((255, 255, 255),) * 3)
        _axes(image, results.rotations[i], 2, _AXES)
        text = f'{errors[i]:.0f} ({expected[i]:.0f})'
        for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(image, text, (4, 14), 0, 0.42, colour, width, cv2.LINE_AA)
        tiles.append(image)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[i : i + _COLUMNS]) for i in range(0, len(tiles), _COLUMNS)]
    write_png(path, np.vstack(rows))


def _axes(
    image: Image,
    rotation: Array,
    width: int,
    colours: tuple[tuple[int, int, int], ...],
) -> None:
    """Draw a face frame's axes from the middle, without perspective."""
    middle = np.array([_TILE / 2, _TILE / 2])
    for k in np.argsort(-rotation[2]):
        tip = middle + 0.3 * _TILE * rotation[:2, k]
        start, end = (tuple(np.round(p * 16).astype(int).tolist()) for p in (middle, tip))
        cv2.line(image, start, end, colours[k], width, cv2.LINE_AA, 4)
