# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from headpose_ros.media.closing import Closing


class Broken(Closing):
    def close(self):
        raise OSError('cannot be closed')


def test_an_error_of_closing_is_told():
    with pytest.raises(OSError, match='cannot be closed'), Broken():
        pass


def test_it_does_not_hide_the_error_before_it():
    with pytest.raises(ValueError, match='the first'), Broken():
        raise ValueError('the first')
