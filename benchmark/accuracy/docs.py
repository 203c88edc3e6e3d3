# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of README and model card, written between `<!-- figures: NAME -->` and its end."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Result = Mapping[str, Any]
Everything = Mapping[str, Result]
COMMAND = 'python -m benchmark.accuracy --write-docs'
NAMES = {'pose_best': '`pose_best`', 'pose_clean': '`pose_clean`', 'authors': "authors' network"}
_FILES = ('README.md', 'docs/model_card.md')
_PLOTS = ('off_axis.png', 'card_calibration.png', 'card_yaw.png', 'card_failures.png')
GROUPS = (
    'inner landmarks seen',
    'skin tone',
    'light',
    'occluder',
    'glasses',
    'mask',
    'head cover',
)
_END = '<!-- end of figures -->'


def tables(results: Everything, default: str) -> dict[str, str]:
    """Return the text of every block by its name."""
    return {
        'off-axis': _off_axis(results, default),
        'off-axis, all weights': _off_axis_all(results),
        'accuracy': _overview(results),
        'ranges': _groups(results, ('range', 'absolute yaw', 'absolute pitch')),
        'groups': _groups(results, GROUPS),
        'resolution': _resolution(results),
        'boxes': _boxes(results),
        'tilts': _tilts(results),
        'real': _real(results),
        'calibration': _calibration(results),
        'mirror': _mirror(results),
        'weights': _weights(results),
    }


def write(blocks: Mapping[str, str], plots: Path, root: Path) -> None:
    """Fill the blocks of the docs, and put the plots beside them.

    Raises ValueError where a file asks for a block of ours without its end. Blocks that others
    fill are left alone.
    """
    for name in _FILES:
        path = root / name
        text = path.read_text(encoding='utf-8')
        for block, table in blocks.items():
            start = f'<!-- figures: {block} -->'
            if start not in text:
                continue
            if _END not in text.split(start, 1)[1]:
                raise ValueError(f'{path}: {start} has no {_END}')
            pattern = re.escape(start) + '.*?' + re.escape(_END)
            whole = f'{start}\n{table}\n{_END}'
            text = re.sub(pattern, lambda _, whole=whole: whole, text, count=1, flags=re.DOTALL)
        path.write_text(text, encoding='utf-8')
    for plot in _PLOTS:
        if (plots / plot).exists():
            shutil.copyfile(plots / plot, root / 'docs' / 'images' / plot)


def _off_axis(results: Everything, default: str) -> str:
    shown = [name for name in (default, 'authors') if name in results]
    label = {default: 'ours', 'authors': "authors' network"}
    heads = _heads_in_rings(results)
    return (
        f'The same {heads} rendered heads, none from training, faces in plain view, laid at '
        'growing angles off the axis;\nmean rotation error in degrees (one constant rotation '
        'fitted to each lens):\n\n'
        + _ring_table(results, {label[n]: n for n in shown})
        + '\n\n![Error over the view angle](docs/images/off_axis.png)\n\n'
        f'`{COMMAND}` measures this and all of [the model card](docs/model_card.md).'
    )


def _off_axis_all(results: Everything) -> str:
    return _ring_table(results, {NAMES.get(name, name): name for name in results})


def _ring_table(results: Everything, shown: Mapping[str, str]) -> str:
    any_result = next(iter(results.values()))['off_axis']
    head = [f'{_heads_in_rings(results)} heads, deg']
    for lens in any_result:
        rings = [f'{row["off_axis_deg"]:.0f}°' for row in any_result[lens]['plain']['by_ring']]
        head += [f'{lens} {rings[0]}', *rings[1:], 'worst / best']
    rows = []
    for label, name in shown.items():
        for kind, text in (('rectified', 'rectified'), ('plain', 'plain crop')):
            cells = [f'{label}, {text}']
            for of_lens in results[name]['off_axis'].values():
                cells += [f'{row["geodesic_aligned_deg"]:.1f}' for row in of_lens[kind]['by_ring']]
                cells.append(f'{of_lens[kind]["worst_over_best"]:.2f}')
            rows.append(cells)
    return _table(head, rows)


def _heads_in_rings(results: Everything) -> int:
    any_result = next(iter(results.values()))
    return int(any_result['off_axis']['pinhole']['plain']['by_ring'][0]['count'])


def _overview(results: Everything) -> str:
    rows: list[list[str]] = []

    def row(what: str, value: Callable[[Result], float], digits: int = 1, unit: str = '') -> None:
        cells = []
        for result in results.values():
            try:
                cells.append(f'{value(result):.{digits}f}{unit}')
            except KeyError:
                cells.append('')
        rows.append([what, *cells])

    def group(index: int) -> Callable[[Result], float]:
        return lambda r: r['held_out']['groups']['range'][index]['geodesic_aligned_deg']

    row('rendered heads, yaw within 60°', group(0))
    row('the same, where the face is seen', group(2))
    row('rendered heads, yaw beyond 60°', group(1))
    row('the same, where the face is seen', group(3))
    row('rendered heads, median of all', lambda r: r['held_out']['geodesic_aligned_deg']['median'])
    row('0 to 38° off axis, pinhole', lambda r: r['off_axis']['pinhole']['rectified']['mean'])
    row('0 to 70° off axis, fisheye', lambda r: r['off_axis']['fisheye']['rectified']['mean'])
    row('boxes 30 % off in size, 10 % aside: worst loss', _box_loss('boxes'))
    row('the same, second look', _box_loss('boxes_second_look'))
    row('real faces: MAE against 24 looks of the authors\' network',
        lambda r: r['real']['agreement']['mae'])  # fmt: skip
    row('real faces: equivariance within the crop', lambda r: r['real']['equivariance_in_crop'])
    row('the same, second look', lambda r: r['real']['equivariance_second_look'])
    row(
        'real faces: equivariance, camera turned to 25°',
        lambda r: r['real']['equivariance_camera']['rectified'],
    )
    row(
        'distance, true head size, mean relative error',
        lambda r: 100 * _own_size(r),
        unit=' %',
    )
    text = _table(['degrees', *(NAMES.get(n, n) for n in results)], rows)
    return text + '\n\nWhat each row is: below.'


def _own_size(result: Result) -> float:
    if 'calibration' not in result:  # the authors' network reads no size: it keeps the box's
        raise KeyError('distance')
    return float(result['held_out']['distance_relative_true_size']['mean'])


def _box_loss(key: str) -> Callable[[Result], float]:
    return lambda result: float(max(result[key].values()) - result['boxes']['exact'])


def _groups(results: Everything, titles: Sequence[str]) -> str:
    first = next(iter(results.values()))['held_out']['groups']
    rows = []
    for title in titles:
        for i, row in enumerate(first[title]):
            name = row['group'] if title == 'range' else f'{title}: {row["group"]}'
            cells = [name, str(row['count'])]
            for result in results.values():
                of = result['held_out']['groups'][title][i]
                cells.append(f'{of["geodesic_aligned_deg"]:.1f} ({of["median_aligned_deg"]:.1f})')
            rows.append(cells)
    return _table(['mean (median), deg', 'heads', *(NAMES.get(n, n) for n in results)], rows)


def _resolution(results: Everything) -> str:
    first = next(iter(results.values()))['resolution']
    head = ['face sphere, px across', *(str(row['face_px']) for row in first)]
    rows = [
        [NAMES.get(n, n), *(f'{row["geodesic_aligned_deg"]:.1f}' for row in r['resolution'])]
        for n, r in results.items()
    ]
    return _table(head, rows)


def _boxes(results: Everything) -> str:
    kinds = list(next(iter(results.values()))['boxes'])
    rows = [
        [NAMES.get(n, n) + text, *(f'{r[key][kind]:.1f}' for kind in kinds)]
        for n, r in results.items()
        for key, text in (('boxes', ''), ('boxes_second_look', ', second look'))
        if key in r
    ]
    return _table(['box', *kinds], rows)


def _tilts(results: Everything) -> str:
    first = next(iter(results.values()))['tilts']
    rows = [
        [NAMES.get(n, n) + text, *(f'{row["geodesic_aligned_deg"]:.1f}' for row in r[key])]
        for n, r in results.items()
        for key, text in (('tilts', ''), ('tilts_second_look', ', second look'))
        if key in r
    ]
    return _table(['tilt', *(f'{row["group"]} ({row["count"]})' for row in first)], rows)


def _real(results: Everything) -> str:
    measured = {n: r['real'] for n, r in results.items() if 'real' in r}
    if not measured:
        return 'Not measured: the data are not there.'
    rows = [
        ['MAE of yaw, pitch, roll', *(f'{r["agreement"]["mae"]:.2f}' for r in measured.values())],
        ['geodesic', *(f'{r["agreement"]["geodesic"]:.2f}' for r in measured.values())],
        ['geodesic, aligned', *(f'{r["agreement"]["aligned"]:.2f}' for r in measured.values())],
    ]
    for text, kinds in _BOXES.items():
        cells = [f'{max(r["boxes_mae"][k] for k in kinds):.2f}' for r in measured.values()]
        rows.append([f'MAE, box {text}', *cells])
    off = [kind for kinds in _BOXES.values() for kind in kinds]
    seconds = [r.get('boxes_mae_second_look') for r in measured.values()]
    cells = [f'{max(second[k] for k in off):.2f}' if second else '' for second in seconds]
    rows.append(['MAE, the worst of these boxes, second look', *cells])
    for text, read in _EQUIVARIANCE.items():
        values = [read(r) for r in measured.values()]
        rows.append([text, *('' if value is None else f'{value:.2f}' for value in values)])
    count = next(iter(measured.values()))['count']
    head = [f'{count} faces, degrees', *(NAMES.get(n, n) for n in measured)]
    return _table(head, rows)


_BOXES = {
    '30 % smaller': ('smaller',),
    '30 % larger': ('larger',),
    '10 % aside, the worst of four sides': ('right', 'left', 'down', 'up'),
}
_EQUIVARIANCE: dict[str, Callable[[Result], float | None]] = {
    'equivariance within the crop': lambda r: r['equivariance_in_crop'],
    'equivariance within the crop, second look': lambda r: r.get('equivariance_second_look'),
    'equivariance, camera turned, rectified': lambda r: r['equivariance_camera']['rectified'],
    'equivariance, camera turned, plain crop': lambda r: r['equivariance_camera']['plain'],
}


def _mirror(results: Everything) -> str:
    measured = {n: r for n, r in results.items() if 'without_mirror' in r}
    reads: dict[str, Callable[[Result], float]] = {
        'rendered heads, yaw within 60°': lambda r: r['held_out'][0]['geodesic_aligned_deg'],
        'rendered heads, yaw beyond 60°': lambda r: r['held_out'][1]['geodesic_aligned_deg'],
        'real faces: MAE': lambda r: r['real']['agreement']['mae'],
        'real faces: equivariance within the crop': lambda r: r['real']['equivariance_in_crop'],
    }
    rows = []
    for text, read in reads.items():
        cells = [text]
        for result in measured.values():
            as_it_is = {**result, 'held_out': result['held_out']['groups']['range']}
            try:
                cells += [f'{read(of):.2f}' for of in (as_it_is, result['without_mirror'])]
            except KeyError:
                cells += ['', '']
        rows.append(cells)
    names = [NAMES.get(n, n) for n in measured]
    return _table(['degrees', *(c for n in names for c in (n, 'without'))], rows)


def _calibration(results: Everything) -> str:
    rows = []
    for name, result in results.items():
        figures = result['held_out'].get('rotation_sigma')
        if 'calibration' not in result or not figures:
            continue
        rows.append(
            [
                NAMES.get(name, name),
                f'{100 * figures["within_1"]:.0f} %',
                f'{100 * figures["within_2"]:.0f} %',
                f'{figures["z_rms"]:.2f}',
                f'{100 * result["held_out"]["distance_relative_true_size"]["mean"]:.1f} %',
                f'{100 * result["held_out"]["distance_relative"]["mean"]:.1f} %',
            ]
        )
    head = ['', 'within 1 sigma (68 %)', 'within 2 (95 %)', 'rms of error / sigma']
    return _table([*head, 'distance error, true head size', 'with the estimated size'], rows)


def _weights(results: Everything) -> str:
    rows = [
        [NAMES.get(n, n), f'`{r["weights"]["sha256"][:12]}`', r['weights']['origin']]
        for n, r in results.items()
    ]
    return _table(['measured', 'sha256', 'origin'], rows, '---')


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = '---:') -> str:
    lines = [head, ['---'] + [align] * (len(head) - 1), *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)
