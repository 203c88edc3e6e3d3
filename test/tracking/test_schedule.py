# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When whole images are searched."""

import numpy as np

from headpose_ros.tracking.schedule import THOROUGH_EVERY, SearchSchedule


class TestSearchSchedule:
    def searched(self, every, urgent):
        schedule = SearchSchedule()
        return [i for i, now in enumerate(urgent) if schedule.due(every, now)]

    def test_every_image(self):
        assert self.searched(1, [True] * 3 + [False] * 3) == [0, 1, 2, 3, 4, 5]

    def test_every_fifth(self):
        assert self.searched(5, [True] + [False] * 15) == [0, 3, 8, 14]

    def test_in_vain_it_slows_down(self):
        assert self.searched(8, [True] * 40) == [0, 3, 7, 16, 24, 33]

    def parts(self, every, urgent, parts):
        schedule = SearchSchedule()
        found = [schedule.due(every, now, parts) for now in urgent]
        return [(i, *part) for i, part in enumerate(found) if part]

    def test_spread_over_the_images(self):
        calm = self.parts(5, [False] * 14, 2)
        assert calm == [(0, 0, 2), (3, 1, 2), (6, 0, 2), (8, 1, 2), (11, 0, 2)]
        assert self.parts(2, [False] * 4, 2) == [(i, i % 2, 2) for i in range(4)]

    def test_all_at_once_where_it_is_urgent_or_there_are_too_few_images(self):
        assert self.parts(5, [False] * 7 + [True] * 2, 2)[3:] == [(7, 0, 1)]
        assert self.parts(1, [False] * 3, 2) == [(i, 0, 1) for i in range(3)]

    def test_in_vain_it_is_spread_as_well(self):
        found = self.parts(5, [True] * 24, 5)
        assert [part[1:] for part in found[:3]] == [(0, 1)] * 3, 'first all at once, three times'
        assert {total for _, _, total in found[3:]} == {5}
        numbers = [number for _, number, _ in found[3:]]
        assert numbers[:5] == [0, 1, 2, 3, 4]
        assert max(np.diff([image for image, _, _ in found[3:]])) <= 2
        spell = self.parts(5, [True] * 24 + [False, True], 5)
        assert spell[-1][1:] == (0, 1), 'a new spell begins at once'

    def test_pauses_are_odd_and_even_by_turns(self):
        for every in (2, 3, 6, 10):
            for urgent in (True, False):
                images = self.searched(every, [urgent] * 60)
                assert {image % 2 for image in images[:3]} == {0, 1}
                assert 0.4 < np.mean([image % 2 for image in images]) < 0.6

    def test_after_all_where_somebody_is_lost_and_less_often_in_vain(self):
        schedule = SearchSchedule()
        schedule.due(100, False)
        assert not schedule.is_due_after_all(100), 'it was searched already'
        searched = []
        for image in range(1, 60):
            schedule.due(100, False)
            if schedule.is_due_after_all(100):
                searched.append(image)
        assert searched == [1, 2, 5, 12, 27, 58]
        schedule.succeed()
        schedule.due(100, False)
        assert schedule.is_due_after_all(100)

    def thorough(self, every, urgent):
        schedule = SearchSchedule()
        return [schedule.thorough for now in urgent if schedule.due(every, now)]

    def test_every_second_urgent_search_is_thorough(self):
        assert self.thorough(8, [True] * 40) == [False, True, False, True, False, True]
        again = self.thorough(1, [True] * 4 + [False] + [True] * 2)
        assert again == [False, True, False, True, False, False, True]

    def test_of_ordinary_searches_few_are_thorough(self):
        found = self.thorough(2, [False] * (4 * THOROUGH_EVERY))
        assert np.flatnonzero(found).tolist() == [THOROUGH_EVERY - 1, 2 * THOROUGH_EVERY - 1]

    def test_who_is_to_be_confirmed_is_searched_for_as_they_were_found(self):
        schedule = SearchSchedule()
        for thorough in (False, True):
            while not (schedule.due(5, True) and schedule.thorough == thorough):
                pass
            for _ in range(3):
                schedule.request_search()
                assert schedule.due(5, True)
                assert schedule.thorough == thorough

    def test_a_whole_search_in_parts_is_thorough_or_none(self):
        schedule = SearchSchedule()
        found = [
            (part.number, schedule.thorough)
            for _ in range(60 * THOROUGH_EVERY)
            if (part := schedule.due(5, False, 3))
        ]
        rounds = [found[i : i + 3] for i in range(0, len(found) - 2, 3)]
        assert all(len({thorough for _, thorough in three}) == 1 for three in rounds)
        assert any(three[0][1] for three in rounds)

    def test_urgency_breaks_the_pause(self):
        assert self.searched(100, [False] * 10 + [True] + [False] * 10)[:2] == [0, 10]
