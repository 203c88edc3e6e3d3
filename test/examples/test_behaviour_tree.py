# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The behaviour tree of the examples, ticked without ROS."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import py_trees  # noqa: F401 - skipped where it is missing
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / 'examples' / 'behaviour_tree.py'


@pytest.fixture
def made():
    """The tree of the example, its condition, and a function that gives it a message."""
    example = runpy.run_path(str(EXAMPLE))
    tree = example['greeting_tree']()
    condition = tree.root.children[0]

    def tick(now, *looks):
        condition.take(
            SimpleNamespace(
                header=SimpleNamespace(stamp=stamp(now)),
                attention=[
                    SimpleNamespace(id=name, target=target, looking=looking, since=stamp(since))
                    for name, target, looking, since in looks
                ],
            )
        )
        tree.tick()
        return tree.root.status.value

    return SimpleNamespace(tree=tree, condition=condition, tick=tick, stale=example['STALE'])


def stamp(seconds):
    return SimpleNamespace(sec=int(seconds), nanosec=round(seconds % 1 * 1e9))


def test_who_looks_for_a_second_is_greeted_once(made, capsys):
    assert made.tick(10.0, ('f1', 'camera', True, 9.5)) == 'FAILURE'
    assert made.tick(10.4, ('f1', 'camera', True, 9.5)) == 'FAILURE'
    assert made.condition.feedback_message == 'nobody'
    for now in (10.5, 10.6):
        assert (
            made.tick(now, ('f1', 'camera', True, 9.5), ('f2', 'camera', True, 10.0)) == 'SUCCESS'
        )
    assert made.condition.feedback_message == 'f1'
    assert (
        made.tick(11.1, ('f1', 'camera', False, 11.1), ('f2', 'camera', True, 10.0)) == 'SUCCESS'
    )
    assert capsys.readouterr().out.splitlines() == ['Hello, f1!', 'Hello, f2!']


def test_other_targets_and_old_states_do_not_count(made):
    assert made.tick(10.0, ('f1', 'tablet', True, 1.0)) == 'FAILURE'
    assert made.tick(10.0, ('f1', 'camera', False, 1.0)) == 'FAILURE'
    assert made.tick(10.0) == 'FAILURE'


def test_a_node_that_has_ended_says_nothing(made):
    made.tree.tick()
    assert made.tree.root.status.value == 'FAILURE'  # no message yet
    assert made.tick(10.0, ('f1', 'camera', True, 1.0)) == 'SUCCESS'
    made.condition.received -= 2 * made.stale
    made.tree.tick()
    assert made.tree.root.status.value == 'FAILURE'
