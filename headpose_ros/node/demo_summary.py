# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results of the demo, as `summary.json` and as a table."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from headpose_ros.node.demo_tables import compare, read_heads, read_truth

MAX_DROPPED = 0.1
MAX_GEODESIC_DEG = 10.0
MAX_POSITION_M = 0.15
MIN_FOUND = 0.8
"""Limits of the demo on the packaged clip; beyond them something is broken."""


def summarise(out: Path, clip: Path | None) -> dict[str, Any]:
    """Return the summary of a run; `clip` is given where its truth is known.

    `problems` in it lists the figures beyond their limits.
    """
    camera = json.loads((out / 'camera.json').read_text())
    recording = json.loads((out / 'recording.json').read_text())
    summary = _figures(camera, recording)
    truth = None if clip is None else clip.with_name(f'{clip.stem}_truth.csv')
    if truth is not None and truth.exists():
        found = read_heads(out / 'heads.csv')
        processed = set(recording['stamps_ns'])
        heads = {
            index: found.get(stamp, [])
            for index, stamp in zip(camera['indices'], camera['stamps_ns'], strict=True)
            if stamp in processed
        }
        summary.update(compare(heads, read_truth(truth)).figures())
    summary['problems'] = problems(summary)
    return summary


def problems(summary: dict[str, Any]) -> list[str]:
    """Return the figures beyond their limits, as texts."""
    found = []
    published, dropped = summary['frames_published'], summary['frames_dropped']
    if not summary['frames_processed']:
        found.append('the node published nothing; see its log lines above')
    elif dropped > MAX_DROPPED * published:
        found.append(f'{dropped} of {published} images were dropped (limit: a tenth)')
    if 'truth_missed' not in summary or not summary['frames_processed']:
        return found
    matched = summary['truth_matched']
    if matched < MIN_FOUND * (matched + summary['truth_missed']):
        found.append(f'{summary["truth_missed"]} true heads were not found, {matched} were')
    if matched and summary['geodesic_deg']['mean'] > MAX_GEODESIC_DEG:
        found.append(f'mean error beyond {MAX_GEODESIC_DEG:g} deg')
    if matched and summary['position_m']['mean'] > MAX_POSITION_M:
        found.append(f'mean position error beyond {MAX_POSITION_M:g} m')
    return found


def print_table(summary: dict[str, Any]) -> None:
    """Print the figures for people."""
    rows = [
        ('images published', f'{summary["frames_published"]}'),
        ('images processed', f'{summary["frames_processed"]}'),
        ('images dropped', f'{summary["frames_dropped"]}'),
        ('heads', f'{summary["heads"]}'),
        ('images with a head', f'{100 * summary["images_with_heads"]:.1f} %'),
        ('rate', f'{summary["fps"]:.1f} images/s'),
    ]
    if summary['frames_processed']:
        latency = summary['latency_ms']
        rows.append(('latency', f'p50 {latency["p50"]:.1f}, p95 {latency["p95"]:.1f} ms'))
    if 'geodesic_deg' in summary:
        rows += _accuracy_rows(summary)
    rows.append(
        (
            'on',
            f'{summary["weights"]}, {summary["runtime"]}, {summary["device"]}, '
            f'{summary["ros_distro"]}, {summary["rmw"]}',
        )
    )
    width = max(len(name) for name, _ in rows)
    print()
    for name, value in rows:
        print(f'  {name:<{width}}  {value}')
    print()


def _accuracy_rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    angle, metres = summary['geodesic_deg'], summary['position_m']
    matched = summary['truth_matched']
    angles = '{mean:.2f} mean, {median:.2f} median, {p90:.2f} p90 deg'.format(**angle)
    return [
        ('rotation error', angles),
        ('position error', '{mean:.3f} mean, {p90:.3f} p90 m'.format(**metres)),
        ('true heads found', f'{matched} of {matched + summary["truth_missed"]}'),
        ('false heads', f'{summary["spurious"]}'),
        ('ids changed', f'{summary["id_switches"]}'),
    ]


def _figures(camera: dict[str, Any], recording: dict[str, Any]) -> dict[str, Any]:
    published = camera['stamps_ns']
    ours = set(published)
    received = {
        stamp: at
        for stamp, at in zip(recording['stamps_ns'], recording['received_ns'], strict=True)
        if stamp in ours
    }
    counts = [
        count
        for stamp, count in zip(recording['stamps_ns'], recording['heads'], strict=True)
        if stamp in ours  # not the empty message at the end
    ]
    latency = [(at - stamp) / 1e6 for stamp, at in received.items()]
    span = (max(received) - min(received)) / 1e9 if len(received) > 1 else 0.0
    values = recording['values']
    return {
        'source': camera['source'],
        'width': camera['width'],
        'height': camera['height'],
        'frames_published': len(published),
        'frames_processed': len(received),
        'frames_dropped': len(published) - len(received),
        'heads': int(sum(counts)),
        'images_with_heads': float(np.mean(np.array(counts) > 0)) if counts else 0.0,
        'fps': (len(received) - 1) / span if span else 0.0,
        'latency_ms': _percentiles(latency),
        'ros_distro': os.environ.get('ROS_DISTRO', 'jazzy'),
        'rmw': _rmw(),
        'device': values.get('device', 'unknown'),
        'runtime': values.get('runtime', 'unknown'),
        'weights': values.get('weights', 'unknown'),
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p95 = np.percentile(values, [50, 95])
    return {'p50': float(p50), 'p95': float(p95)}


def _rmw() -> str:
    from rclpy.utilities import get_rmw_implementation_identifier

    return str(get_rmw_implementation_identifier())
