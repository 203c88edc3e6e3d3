# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ids of parts joined: the same person has one name in the whole recording."""

from headpose_ros.recordings.joining import IdJoiner


def row(stamp, name, x):
    return {
        'stamp_ns': stamp,
        'id': name,
        'roi_x': x,
        'roi_y': 0,
        'roi_width': 20,
        'roi_height': 20,
    }


def joined(parts):
    """Return the names of all rows; of each part its lead and its rows."""
    joiner, names = IdJoiner(), []
    for number, (lead, rows) in enumerate(parts):
        if number:
            joiner.begin(lead)
        for one in rows:
            own = {**one, 'id': joiner.name(one['id'])}
            joiner.keep(own)
            names.append(own['id'])
    return names


def test_the_same_head_in_the_same_image_is_the_same_person():
    first = [row(1, 'f0001', 0), row(1, 'f0002', 100), row(2, 'f0001', 4), row(2, 'f0002', 100)]
    lead = [row(1, 'f0002', 1), row(2, 'f0002', 4), row(1, 'f0001', 101), row(2, 'f0001', 101)]
    second = [row(3, 'f0002', 8), row(3, 'f0001', 100), row(3, 'f0003', 200)]
    assert joined([([], first), (lead, second)])[4:] == ['f0001', 'f0002', 'f0003']


def test_the_first_part_keeps_its_names_and_new_people_get_new_ones():
    first = [row(1, 'f0007', 0), row(2, 'f0007', 0)]
    lead = [row(1, 'f0001', 200), row(2, 'f0001', 200)]  # where nobody was
    assert joined([([], first), (lead, [row(3, 'f0001', 200)])]) == ['f0007', 'f0007', 'f0008']


def test_names_go_through_several_parts():
    first = [row(1, 'f0001', 0)]
    second_lead, second = [row(1, 'f0004', 0)], [row(2, 'f0004', 0)]
    third_lead, third = [row(2, 'f0002', 0)], [row(3, 'f0002', 0), row(3, 'f0001', 90)]
    assert joined([([], first), (second_lead, second), (third_lead, third)]) == [
        'f0001', 'f0001', 'f0001', 'f0002',
    ]  # fmt: skip


def test_most_images_decide():
    # One image takes two people for each other; the others do not.
    first = [r for t in range(1, 6) for r in (row(t, 'f0001', 0), row(t, 'f0002', 60))]
    lead = [
        r
        for t in range(1, 6)
        for r in (row(t, 'f0001', 60 if t > 1 else 0), row(t, 'f0002', 0 if t > 1 else 60))
    ]
    second = [row(6, 'f0001', 60), row(6, 'f0002', 0)]
    assert joined([([], first), (lead, second)])[-2:] == ['f0002', 'f0001']
