# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is counted over the outcomes of one scene, or of several.

MOTA, IDF1 and switches are motmetrics'. Heads on people who are not plain to see count neither
way, as in the MOT challenge: they are left out before motmetrics sees them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .compose import VISIBLE
from .outcome import GATE, Moment, Outcome

SETTLE = 0.3
"""Seconds after somebody is plain to see, from which on the person has to be published."""

FIRST_SECONDS, FIRST_IMAGES = 0.25, 3
RIGHT, WRONG = np.radians(15.0), np.radians(30.0)
_PATIENCE = 1e-6


def measure(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return every figure over these outcomes; None for one that nothing there is about."""
    minutes = sum(outcome.minutes for outcome in outcomes)
    errors = np.array([e for o in outcomes for e in _errors(o)])
    firsts = [first for o in outcomes for first in _firsts(o)]
    found, asked = (sum(counts) for counts in zip(*(_found(o) for o in outcomes), strict=True))
    bright, late = (sum(n) for n in zip(*(_found_from_fifth(o) for o in outcomes), strict=True))
    ids = [len(names) for o in outcomes for names in ids_of_people(o).values()]
    kept = [kept for o in outcomes for kept in _kept(o)]
    return {
        **_mot(outcomes),
        'minutes': minutes,
        'images': sum(len(o.moments) for o in outcomes),
        'share': found / asked if asked else None,
        'share_from_fifth': bright / late if late else None,
        'first_in_time': float(np.mean([_in_time(*f) for f in firsts])) if firsts else None,
        'first_s': _worst_and_median([s for s, _ in firsts]),
        'first_images': _worst_and_median([float(n) for _, n in firsts]),
        'ids_per_person': float(np.mean(ids)) if ids else None,
        'one_id': float(np.mean([n == 1 for n in ids])) if ids else None,
        'same_id': float(np.mean(kept)) if kept else None,
        'within_15': float((errors <= RIGHT).mean()) if len(errors) else None,
        'longest_wrong_s': max((longest_wrong(o) for o in outcomes), default=0.0),
        'false_heads': sum(len(false_ids(o)) for o in outcomes),
        'false_heads_per_minute': sum(len(false_ids(o)) for o in outcomes) / minutes,
        'false_images': _false_images(outcomes),
    }


def _mot(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Return MOTA, IDF1 and switches over all outcomes; None where nobody is ever plain to see."""
    import motmetrics

    if not any(one.state == VISIBLE for o in outcomes for m in o.moments for one in m.truth):
        return {'mota': None, 'idf1': None, 'switches': None}
    logs = [accumulate(outcome) for outcome in outcomes]
    table = motmetrics.metrics.create().compute_many(
        logs,
        metrics=['mota', 'idf1', 'num_switches'],
        names=[str(k) for k in range(len(logs))],
        generate_overall=True,
    )
    row = table.loc['OVERALL']
    return {
        'mota': float(row['mota']),
        'idf1': float(row['idf1']),
        'switches': int(row['num_switches']),
    }


def accumulate(outcome: Outcome) -> Any:
    """Return motmetrics' log of an outcome; distances are offsets, out of reach beyond GATE."""
    import motmetrics

    log = motmetrics.MOTAccumulator(auto_id=True)
    numbers: dict[str, int] = {}
    for moment in outcome.moments:
        plain = [i for i, one in enumerate(moment.truth) if one.state == VISIBLE]
        kept = [
            k
            for k in range(len(moment.said))
            if k not in moment.matched or moment.matched[k] in plain
        ]
        offsets = moment.offsets[np.ix_(plain, kept)]
        log.update(
            [moment.truth[i].person for i in plain],
            [numbers.setdefault(moment.said[k].id, len(numbers)) for k in kept],
            np.where(offsets <= GATE, offsets, np.nan),
        )
    return log


def _appearances(outcome: Outcome) -> Iterator[list[tuple[Moment, int, bool]]]:
    """Yield every person's images from the first in which it is plain to see.

    Each: the moment, how manieth plain image it is, from 1, and whether the person is published.
    """
    for person in range(outcome.people):
        rows: list[tuple[Moment, int, bool]] = []
        count = 0
        for moment in outcome.moments:
            plain = [
                i
                for i, one in enumerate(moment.truth)
                if one.person == person and one.state == VISIBLE
            ]
            if plain:
                count += 1
                rows.append((moment, count, plain[0] in moment.matched.values()))
        if rows:
            yield rows


def _found(outcome: Outcome) -> tuple[int, int]:
    """Return in how many plain images from SETTLE s after entry people are, and how many."""
    late = [
        seen
        for rows in _appearances(outcome)
        for moment, _, seen in rows
        if moment.time - rows[0][0].time >= SETTLE - _PATIENCE
    ]
    return sum(late), len(late)


def _found_from_fifth(outcome: Outcome) -> tuple[int, int]:
    late = [seen for rows in _appearances(outcome) for _, n, seen in rows if n >= 5]
    return sum(late), len(late)


def _firsts(outcome: Outcome) -> Iterator[tuple[float, float]]:
    """Yield how long after being plain to see each person is published: seconds, images.

    Who is never published counts as infinity.
    """
    for rows in _appearances(outcome):
        firsts = [(moment.time - rows[0][0].time, n) for moment, n, seen in rows if seen]
        yield firsts[0] if firsts else (np.inf, np.inf)


def _in_time(seconds: float, images: float) -> bool:
    """Tell whether a first result comes within 0.25 s or 3 images, whichever is later."""
    return seconds <= FIRST_SECONDS + _PATIENCE or images <= FIRST_IMAGES


def _worst_and_median(values: list[float]) -> dict[str, float | None] | None:
    """Return both; None in their place where they are infinite, which JSON does not know."""
    if not values:
        return None
    both = {'median': float(np.median(values)), 'worst': float(np.max(values))}
    return {name: value if np.isfinite(value) else None for name, value in both.items()}


def ids_of_people(outcome: Outcome) -> dict[int, list[str]]:
    """Return the ids under which each person who was plain to see is published, in order."""
    names: dict[int, list[str]] = {
        one.person: []
        for moment in outcome.moments
        for one in moment.truth
        if one.state == VISIBLE
    }
    for moment in outcome.moments:
        for k, i in moment.matched.items():
            known = names.get(moment.truth[i].person, [])
            if moment.said[k].id not in known:
                known.append(moment.said[k].id)
    return names


def _kept(outcome: Outcome) -> Iterator[bool]:
    """Yield for each person who is out of sight between, whether the id is the same after."""
    for person in range(outcome.people):
        before: str | None = None
        away = False
        for moment in outcome.moments:
            states = [one.state for one in moment.truth if one.person == person]
            said = [
                moment.said[k].id
                for k, i in moment.matched.items()
                if moment.truth[i].person == person and moment.truth[i].state == VISIBLE
            ]
            if not states or states[0] != VISIBLE:
                away = away or before is not None
            elif said:
                if away:
                    yield said[0] == before
                before, away = said[0], False
        if away and before is not None and _comes_back(outcome, person):
            yield False


def _comes_back(outcome: Outcome, person: int) -> bool:
    """Tell whether a person is plain to see at the end."""
    last = outcome.moments[-1].truth
    return any(one.person == person and one.state == VISIBLE for one in last)


def _errors(outcome: Outcome) -> Iterator[float]:
    for moment in outcome.moments:
        for k in moment.matched:
            if (error := moment.error(k)) is not None:
                yield error


def longest_wrong(outcome: Outcome) -> float:
    """Return for how long, s, a published id is on end nobody, or turned wrong by over 30 deg.

    A head without a claimed pose is wrong only where nobody is.
    """
    longest, since = 0.0, dict[str, int]()
    for n, moment in enumerate(outcome.moments):
        wrong = {}
        for k, head in enumerate(moment.said):
            error = moment.error(k) if k in moment.matched else np.inf
            if error is not None and error > WRONG:
                wrong[head.id] = since.get(head.id, n)
        since = wrong
        longest = max([longest, *((n - begun + 1) * outcome.period for begun in wrong.values())])
    return longest


def false_ids(outcome: Outcome) -> list[str]:
    """Return the ids that are nobody's in most of the images that they are published in."""
    seen: Counter[str] = Counter()
    nobody: dict[str, int] = defaultdict(int)
    for moment in outcome.moments:
        for k, head in enumerate(moment.said):
            seen[head.id] += 1
            nobody[head.id] += k not in moment.matched
    return [name for name in seen if 2 * nobody[name] > seen[name]]


def _false_images(outcomes: Sequence[Outcome]) -> float:
    """Return the share of images with a head that is nobody's."""
    bad = [len(m.matched) < len(m.said) for o in outcomes for m in o.moments]
    return float(np.mean(bad)) if bad else 0.0
