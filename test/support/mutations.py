# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Damage as it comes from broken disks and cables."""


def mutated(data, random):
    """Return `data` with up to six bytes wrong, often cut off, and sometimes with more behind."""
    broken = bytearray(data)
    for at in random.integers(0, len(broken), random.integers(0, 7)):
        broken[at] = random.integers(256)
    if random.random() < 0.4:
        del broken[random.integers(len(broken)) :]
    return bytes(broken) + random.bytes(random.integers(9))
