# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write the tables of docs/*.md and README.md from out/benchmark/*.json.

    python -m benchmark.report

Each table stands between `<!-- table: NAME -->` and `<!-- end of table -->`; the README's between
`<!-- figures: speed -->` (or `back ends`) and `<!-- end of figures -->`. A table without results
stays as it is.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmark.accuracy import backends_text, photos_text
from benchmark.accuracy.people import text as people_text

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / 'out' / 'benchmark'
_OWN = ('following', 'finding')  # pages whose tables begin with their names
PAGES = tuple(ROOT / 'docs' / f'{name}.md' for name in ('performance', *_OWN))
README = ROOT / 'README.md'
BACK_ENDS = ROOT / 'docs' / 'back_ends.md'
_SPEED, _BACKENDS = '<!-- figures: speed -->', '<!-- figures: back ends -->'
_END = '<!-- end of figures -->'
LOOKS = 2  # of the pose network at each crop: as it is, and mirrored


def main() -> int:
    """Rewrite the documents; return the exit status."""
    paths = sorted(OUT.glob('*.json'))
    results = {path.stem: json.loads(path.read_text()) for path in paths}
    if 'summary' not in results:
        print(f'report: no {OUT / "summary.json"}: run `make benchmark` first', file=sys.stderr)
        return 1
    _write_tables(tables(results))
    if (plot := OUT / 'latency.png').is_file():
        shutil.copyfile(plot, ROOT / 'docs' / 'images' / plot.name)
    readme = README.read_text()
    try:
        readme = _between(readme, _SPEED, _END, readme_text(results))
    except KeyError as missing:
        print(f'report: summary.json lacks {missing}: the speed in the README stays as it is')
    README.write_text(readme)
    if 'backends' in results:
        text = backends_page(results['backends'])
        BACK_ENDS.write_text(_between(BACK_ENDS.read_text(), _BACKENDS, _END, text))
    return 0


def _write_tables(made: dict[str, str]) -> None:
    """Put each table where its name stands."""
    for path in PAGES:
        page = path.read_text()
        for name, text in made.items():
            begin = f'<!-- table: {name} -->'
            own = name.partition(':')[0]
            if (own if own in _OWN else PAGES[0].stem) == path.stem:
                page = _between(page, begin, '<!-- end of table -->', text)
        path.write_text(page)


def tables(results: dict[str, Any]) -> dict[str, str]:
    """Return every table that `results` (by part) have the figures for."""
    made = {}
    for name, (parts, make) in _TABLES.items():
        needed = (parts,) if isinstance(parts, str) else parts
        if all(part in results for part in needed):
            made[name] = make(*(results[part] for part in needed))
    return made


def readme_text(results: dict[str, Any]) -> str:
    """Return the few figures of the README."""
    s = results['summary']
    ours, authors = s['pose_network_ms'], s['authors_network_eager_ms']
    rows = [
        ('pose network, one face, one thread', _ms(ours)),
        ('the same, mirrored as well, as the pipeline asks', _ms(s['pose_network_mirrored_ms'])),
        (
            "the paper's network in eager PyTorch, beside it",
            f'{_ms(authors)}: {authors / ours:.1f} x',
        ),
        ('8 faces in one batch, one thread', _ms(s['pose_network_batch8_ms'])),
        ('whole pipeline, 640x480, one person: median, p95', _pair(s['pipeline_ms'])),
        (
            "its frame rate over the paper's demo loop's, with a cascade",
            f'{s["demo_loop_ratio"]:.1f} x',
        ),
        ('16 people, 1920x1080', f'{s["people16_fps"]:.0f} images/s'),
        ('node, camera to listener, 640x480 at 30 Hz: median, p95', _pair(s['node_latency_ms'])),
        (
            'node: CPU, memory, images dropped',
            f'{s["node_cpu_percent"]:.0f} % of a core, {s["node_rss_mb"]:.0f} MB, '
            f'{s["node_drops"]}',
        ),
        ('node: start to first result', f'{s["node_start_s"]:.1f} s'),
    ]
    m = s['machine']
    where = f'`make benchmark` on {m["cores"]} cores ({m["cpu"]}), no GPU used.'
    more = 'All tables: [docs/performance.md](docs/performance.md).'
    return f'{_table(("speed", ""), rows)}\n\n{where} {more}'


def backends_page(part: Any) -> str:
    """Return the tables of detectors and estimators."""
    before, between = backends_text.notes(part)
    found, poses = backends_text.found_rows(part), backends_text.pose_rows(part)
    return f'{before}\n\n{_table(*found)}\n\n{between}\n\n{_table(*poses)}'


def _machine(part: Any) -> str:
    m = part['machine']
    versions = ', '.join(f'{name} {version}' for name, version in m['versions'].items())
    load = f'load {m["load_before"]} when it began'
    return f'{m["cpu"]}, {m["cores"]} cores, {load}; Python {m["python"]}, {versions}.'


def _networks(part: Any) -> str:
    one, two = part['one_thread'], part['two_threads']
    base = one['ours 1']['p50']
    rows = []
    for name, row in one.items():
        who, batch = name.split()
        threads2 = _ms(two[name]['p50']) if name in two else ''
        per_face = _ms(row['p50'] / int(batch))
        who = {'mirrored': 'ours, each mirrored as well'}.get(who, who)
        rows.append((who, batch, _ms(row['p50']), f'{row["p50"] / base:.2f}', per_face, threads2))
    head = ('network', 'faces', 'one thread', 'over ours, one face', 'a face', 'two threads')
    text = f"The authors' network takes **{part['authors_over_ours']:.1f}** times as long as ours."
    return f'{_table(head, rows)}\n\n{text}'


def _roofline(part: Any) -> str:
    counts, core, reached = part['network'], part['core'], part['reached_gmac_per_s']
    moved = counts['weights_mb'] + counts['maps_mb']
    compute = counts['mmac'] / core['gmac_per_s']
    memory = moved / core['copy_gb_per_s']
    rows = [
        ('multiply-adds of one crop', f'{counts["mmac"]:.1f} million'),
        (
            'weights, feature maps (read and written)',
            f'{counts["weights_mb"]:.2f} MB, {counts["maps_mb"]:.2f} MB',
        ),
        ('one core, float32 matrix product', f'{core["gmac_per_s"]:.0f} GMAC/s: {_ms(compute)}'),
        ('one core, copying memory', f'{core["copy_gb_per_s"]:.0f} GB/s: {_ms(memory)} at most'),
        ('reached, one face', _share(reached['1'], core['gmac_per_s'])),
        ('reached, 8 faces', _share(reached['8'], core['gmac_per_s'])),
    ]
    return _table(('', ''), rows)


def _frame(networks: Any, detectors: Any, pipeline: Any) -> str:
    """Return the mean of an image, stage by stage, beside what its multiply-adds would take."""
    speed, stages = networks['core']['gmac_per_s'], pipeline['stages_mean_ms']
    every = pipeline['detect_every']
    work = {
        'search': detectors['search_mmac'] / every,
        'estimate': LOOKS * networks['network']['mmac'],
    }
    names = {'search': f'search, every {every}th image', 'crop': 'crops'}
    names |= {'estimate': 'pose network and decoding', 'track': 'tracking, poses'}
    rows = [
        (
            text,
            _ms(stages[stage]),
            f'{work[stage]:.0f} million: {_ms(work[stage] / speed)}' if stage in work else '',
        )
        for stage, text in names.items()
    ]
    least = sum(work.values()) / speed
    rows.append(('together', _ms(stages['total']), _ms(least)))
    head = ('640x480, one person, one thread', 'mean', 'multiply-adds, at the product')
    return _table(head, rows)


def _share(reached: float, bound: float) -> str:
    return f'{reached:.0f} GMAC/s: {100 * reached / bound:.0f} % of the product'


def _gpu(part: Any) -> str:
    gpu = part['gpu']
    if isinstance(gpu, str):
        return f'{gpu[0].upper()}{gpu[1:]}. `python -m benchmark.speed.networks` makes the table.'
    rows = [
        (n, _ms(row['p50']), f'{1e3 * row["p50"] / int(n):.1f} us')
        for n, row in gpu['batches'].items()
    ]
    whole = f'32 faces from a 1920x1080 image in memory: {_pair(gpu["faces32_1080p_ms"])}.'
    whole += f' Half precision moves poses by {gpu["half_apart_deg"]:.3f}° at most.'
    return f'{gpu["device"]}\n\n{_table(("faces", "forward", "a face"), rows)}\n\n{whole}'


def _detectors(part: Any) -> str:
    one = part['vga_one_thread']
    base = one['ours, one_pass']['p50']
    rows = [(name, _ms(r['p50']), f'{r["p50"] / base:.2f}') for name, r in one.items()]
    if part['mtcnn_package'] != 'run':
        rows.append(('mtcnn package', part['mtcnn_package'], ''))
    return _table(('detector', '640x480, one thread', 'over ours'), rows)


def _search(part: Any) -> str:
    by_threads = part['search_by_threads']
    rows = []
    for size in (name for name in by_threads['1'] if ',' not in name):
        cells = [_ms(by_threads[t][size]['p50']) for t in by_threads]
        rows.append((size, *cells, _ms(by_threads['2'][f'{size}, mtcnn']['p50'])))
    head = ('image', 'one thread', 'two threads', '`mtcnn`, two threads')
    text = f'4K takes **{part["uhd_over_vga"]:.2f}** times as long as VGA.'
    return f'{_table(head, rows)}\n\n{text}'


def _pipeline(part: Any) -> str:
    rows = [('640x480, real clip', *_pipeline_cells(part))]
    rows += [(f'{n} people, 1920x1080', *_pipeline_cells(r)) for n, r in part['people'].items()]
    rows += [(f'{size}, one person', *_pipeline_cells(r)) for size, r in part['sizes'].items()]
    head = ('', 'median', 'p95', 'images/s', 'search, crops, network, tracking: mean')
    speed, cpu = part['demo_loop_fps'], part['demo_loop_cpu_ms']
    loop = f"the paper's demo loop: {speed:.1f} images/s, {cpu:.0f} ms of CPU each"
    ratio = f'Ours over it: **{part["demo_loop_ratio"]:.1f}** (6 would be {_ms(1e3 / speed / 6)})'
    mtcnn = f'with the mtcnn package for its cascade: {part["demo_loop_mtcnn_ratio"]}'
    return f'{_table(head, rows)}\n\nThreads: {part["threads"]}; {loop}. {ratio}; {mtcnn}.'


def _pipeline_cells(row: Any) -> Sequence[str]:
    total, stages = row['pipeline_ms'], row['stages_mean_ms']
    names = ('search', 'crop', 'estimate', 'track')
    each = ', '.join(f'{stages[name]:.2f}' for name in names)
    return _ms(total['p50']), _ms(total['p95']), f'{row["frames_per_s"]:.0f}', each


def _node(part: Any) -> str:
    rows = []
    for size, kinds in part.items():
        if 'x' not in size:
            continue
        for kind, r in kinds.items():
            drops = f'{r["drops"]} of {r["images"]}'
            cells = (_pair(r['latency_ms']), f'{r["cpu_percent"]:.0f} %', f'{r["rss_mb"]:.0f} MB')
            rows.append((size, kind, *cells, drops))
    head = ('image', 'node', 'latency: median, p95', 'of a core', 'memory', 'dropped')
    starts = ', '.join(f'{value:.1f}' for value in part['starts_s'])
    return f'{_table(head, rows)}\n\nStart to first result, three times: {starts} s.'


def _decoding(part: Any) -> str:
    rows = []
    for size, row in part['sizes'].items():
        whole, reduced = row['whole'], row['reduced']
        how = f'{100 * reduced["reduced_share"]:.0f} %, to 1/{reduced["most_reduced"]}'
        turn = row['rotation_apart_deg']
        cells = [f'{_ms(r["decode_ms"])}, {_ms(r["decode_p50_ms"])}' for r in (whole, reduced)]
        rows.append((size, *cells, how, f'{turn["mean"]:.2f}°, {turn["max"]:.2f}°'))
    head = ('JPEG', 'whole: mean, median', 'as needed', 'of the images', 'poses apart: mean, most')
    return _table(head, rows)


def _unchanged(part: Any) -> str:
    rows = []
    for name, r in ((name, r) for name, r in part.items() if name != 'machine'):
        turn, shift, seen = r['geodesic_deg'], r['position_m'], r['truth_matched']
        counts = f'{seen} of {seen + r["truth_missed"]}, {r["spurious"]}, {r["id_switches"]}'
        errors = f'{turn["mean"]:.2f}°, {turn["p90"]:.2f}°', f'{100 * shift["mean"]:.1f} cm'
        rows.append((name, *errors, counts))
    head = ('', 'rotation: mean, p90', 'position', 'heads found, false ones, changes of id')
    return _table(head, rows)


def _resources(part: Any) -> str:
    rows = [
        (
            threads,
            f'{1e3 * r["cpu_s_per_frame"]:.1f} ms',
            _pair(r['ms']),
            f'{r["rss_mb"]:.0f} MB',
            f'{r["import_s"]:.2f}, {r["load_s"]:.2f}, {r["first_image_s"]:.2f} s',
        )
        for threads, r in part['paced_30_hz_by_threads'].items()
    ]
    head = ('threads', 'CPU an image', 'median, p95', 'memory', 'import, load, first image')
    return _table(head, rows)


def _imports(part: Any) -> str:
    alone = part['python_alone']['rss_mb']
    rows = [
        (f'`{name}`', row, '')
        if isinstance(row, str)
        else (f'`{name}`', f'{row["seconds"]:.2f} s', f'{row["rss_mb"] - alone:.0f} MB')
        for name, row in part['imports'].items()
    ]
    return _table(('import', 'time', 'memory'), rows)


def _ms(value: float) -> str:
    return f'{value:.2f} ms' if value < 10 else f'{value:.1f} ms'


def _pair(quantiles: dict[str, float]) -> str:
    return f'{_ms(quantiles["p50"])}, {_ms(quantiles["p95"])}'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in lines)


def _between(text: str, begin: str, end: str, new: str) -> str:
    pattern = re.compile(f'{re.escape(begin)}.*?{re.escape(end)}', re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise SystemExit(f'report: expected {begin} ... {end} once')
    return pattern.sub(lambda _: f'{begin}\n{new}\n{end}', text)


_TABLES: dict[str, tuple[str | tuple[str, ...], Callable[..., str]]] = {
    'machine': ('networks', _machine),
    'networks': ('networks', _networks),
    'roofline': ('networks', _roofline),
    'gpu': ('networks', _gpu),
    'detectors': ('detectors', _detectors),
    'search': ('detectors', _search),
    'pipeline': ('pipeline', _pipeline),
    'pipeline, one thread': ('pipeline_one_thread', _pipeline),
    'frame': (('networks', 'detectors', 'pipeline_one_thread'), _frame),
    'node': ('node', _node),
    'decoding': ('decoding', _decoding),
    'unchanged': ('unchanged', _unchanged),
    'resources': ('resources', _resources),
    'imports': ('resources', _imports),
    **{name: ('people', make) for name, make in people_text.TABLES.items()},
    **{name: ('photos', make) for name, make in photos_text.TABLES.items()},
}
"""Of each table: the part, or parts, that it is made from, and the function that makes it."""


if __name__ == '__main__':
    sys.exit(main())
