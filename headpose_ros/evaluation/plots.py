# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The plot beside a benchmark's JSON."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Rings = Sequence[Mapping[str, float]]


def can_plot() -> bool:
    """Return whether matplotlib is installed."""
    return importlib.util.find_spec('matplotlib') is not None


def require_plot(path: Path) -> None:
    """Raise ValueError where matplotlib is missing or cannot write files named like `path`."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise ValueError('the plot needs matplotlib: pip install matplotlib') from None
    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.lstrip('.').lower() not in kinds:
        raise ValueError(f'{path}: expected a plot to be one of {", ".join(sorted(kinds))}')


def write_plot(path: Path, curves: Mapping[str, Rings], angle: str, title: str) -> None:
    """Plot the aligned geodesic error of each named curve over rings of `angle`.

    The file appears when it is whole. Raises ValueError as `require_plot` does.
    """
    require_plot(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout='constrained')
    axes: Any = figure.subplots()
    for name, rings in curves.items():
        middles = [(ring['lo'] + ring['hi']) / 2 for ring in rings]
        axes.plot(middles, [ring['geodesic_aligned_deg'] for ring in rings], 'o-', label=name)
    axes.set(xlabel=f'{angle} (deg)', ylabel='mean aligned geodesic error (deg)', title=title)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    partial = path.with_name(f'{path.stem}.part{path.suffix}')
    figure.savefig(partial, dpi=130)
    partial.replace(path)
