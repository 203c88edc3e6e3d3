# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whom to attend to: the choice keeps still."""

import pytest

from headpose_ros.tracking.principal import SWITCH_AFTER, PrincipalChoice


class TestPrincipalChoice:
    def test_a_little_more_salient_is_not_enough(self):
        choice = PrincipalChoice()
        choice.update([('a', 1.0), ('b', 0.9)], {'a', 'b'}, 0.0)
        for i in range(60):
            assert choice.update([('a', 1.0), ('b', 1.2)], {'a', 'b'}, i / 30) == 'a'

    def test_clearly_more_salient_for_long_enough_is(self):
        choice = PrincipalChoice()
        choice.update([('a', 1.0)], {'a'}, 0.0)
        times = [i / 30 for i in range(40)]
        chosen = [choice.update([('a', 1.0), ('b', 2.0)], {'a', 'b'}, t) for t in times]
        assert times[chosen.index('b')] == pytest.approx(SWITCH_AFTER, abs=0.04)

    def test_an_interrupted_challenge_starts_over(self):
        choice = PrincipalChoice()
        choice.update([('a', 1.0)], {'a'}, 0.0)
        for i in range(60):
            b = 2.0 if i % 12 else 1.0
            assert choice.update([('a', 1.0), ('b', b)], {'a', 'b'}, i / 30) == 'a'

    def test_who_is_gone_is_replaced_at_once(self):
        choice = PrincipalChoice()
        choice.update([('a', 1.0), ('b', 0.5)], {'a', 'b'}, 0.0)
        assert choice.update([('b', 0.5)], {'a', 'b'}, 0.1) == 'a'
        assert choice.update([('b', 0.5)], {'b'}, 0.2) == 'b'
        assert choice.update([], set(), 0.3) is None
