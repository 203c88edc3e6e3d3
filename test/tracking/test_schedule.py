# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When whole images are searched."""

from headpose_ros.tracking.schedule import SearchSchedule


class TestSearchSchedule:
    def searched(self, every, urgent):
        schedule = SearchSchedule()
        return [i for i, now in enumerate(urgent) if schedule.due(every, now)]

    def test_every_image(self):
        assert self.searched(1, [True] * 3 + [False] * 3) == [0, 1, 2, 3, 4, 5]

    def test_every_fifth(self):
        assert self.searched(5, [True] + [False] * 15) == [0, 2, 7, 12]

    def test_in_vain_it_slows_down(self):
        assert self.searched(8, [True] * 40) == [0, 2, 6, 14, 22, 30, 38]

    def parts(self, every, urgent, parts):
        schedule = SearchSchedule()
        found = [schedule.due(every, now, parts) for now in urgent]
        return [(i, *part) for i, part in enumerate(found) if part]

    def test_spread_over_the_images(self):
        calm = self.parts(5, [False] * 14, 2)
        assert calm == [(0, 0, 2), (2, 1, 2), (5, 0, 2), (7, 1, 2), (10, 0, 2), (12, 1, 2)]
        assert self.parts(2, [False] * 4, 2) == [(i, i % 2, 2) for i in range(4)]

    def test_all_at_once_where_it_is_urgent_or_there_are_too_few_images(self):
        assert self.parts(5, [False] * 7 + [True] * 2, 2)[3:] == [(7, 0, 1)]
        assert self.parts(1, [False] * 3, 2) == [(i, 0, 1) for i in range(3)]

    def test_urgency_breaks_the_pause(self):
        assert self.searched(100, [False] * 10 + [True] + [False] * 10)[:2] == [0, 10]
