# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options: what they take, what they refuse, and changes from several threads."""

import threading
from dataclasses import FrozenInstanceError, fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from head_world import World, make_pipeline

from headpose_ros.config import PipelineConfig
from headpose_ros.pipeline import LIVE_OPTIONS


@pytest.mark.parametrize(
    ('name', 'given', 'held'),
    [
        ('score_threshold', np.float64(0.5), 0.5),
        ('score_threshold', np.float32(0.5), 0.5),
        ('keep_lost', 2, 2.0),
        ('keep_lost', np.int64(2), 2.0),
        ('keep_lost', Fraction(1, 2), 0.5),
        ('max_heads', np.int64(4), 4),
        ('max_heads', np.uint8(4), 4),
        ('rectify', np.bool_(False), False),
        ('weights', Path('folder') / 'net.safetensors', str(Path('folder') / 'net.safetensors')),
        ('detector_weights', Path('face.xml'), 'face.xml'),
        ('detector', np.str_('mtcnn'), 'mtcnn'),
        ('device', 'cuda:1', 'cuda:1'),
        ('id_prefix', '/robot1/left/', 'robot1_left_'),
        ('id_prefix', 'left__', 'left_'),
    ],
)
def test_what_means_a_value_is_taken_as_python_has_it(name, given, held):
    value = getattr(PipelineConfig(**{name: given}), name)
    assert value == held
    assert type(value) is type(held)
    assert hash(PipelineConfig(**{name: given})) == hash(PipelineConfig(**{name: held}))


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('max_heads', 3.0, 'max_heads: expected int, got 3.0'),
        ('max_heads', True, 'max_heads: expected int, got True'),
        ('max_heads', np.bool_(True), 'max_heads: expected int'),
        ('max_heads', '3', "max_heads: expected int, got '3'"),
        ('max_heads', None, 'max_heads: expected int, got None'),
        ('max_heads', 10**30, 'max_heads: expected 1 to 256'),
        ('keep_lost', True, 'keep_lost: expected float, got True'),
        ('keep_lost', np.bool_(True), 'keep_lost: expected float'),
        ('keep_lost', '1', "keep_lost: expected float, got '1'"),
        ('keep_lost', 10**400, 'keep_lost: expected float, got a larger number'),
        ('keep_lost', float('nan'), 'keep_lost: expected 0.0 to 60.0, got nan'),
        ('keep_lost', np.array([1.0]), 'keep_lost: expected float'),
        ('rectify', 1, 'rectify: expected bool, got 1'),
        ('rectify', 'no', 'rectify: expected bool'),
        ('id_prefix', '2nd', 'id_prefix: expected letters, digits and underscores'),
        ('id_prefix', 'left cam', "not starting with a digit, got 'left cam'"),
        ('weights', b'net', "weights: expected str, got b'net'"),
        ('weights', None, 'weights: expected str, got None'),
        ('detector', 'magic', 'detector: expected one of auto, one_pass, .*magic'),
        ('detector', Path('mtcnn2'), 'detector: expected one of'),
        ('device', 'gpu', "device: expected auto, cpu, cuda or cuda:N, got 'gpu'"),
        ('device', 'cuda:', 'device: expected auto'),
        ('device', '', 'device: expected auto'),
        ('device', 'CPU', 'device: expected auto'),
    ],
)
def test_what_means_none_is_refused_in_one_line(name, value, said):
    with pytest.raises(ValueError, match=said) as caught:
        PipelineConfig(**{name: value})
    assert '\n' not in str(caught.value)


def test_an_option_that_does_not_exist_is_named():
    with pytest.raises(TypeError, match='confirm'):
        PipelineConfig(confirm=1)


def test_options_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        PipelineConfig().max_heads = 3


def test_every_default_is_one_of_its_own_values():
    config = PipelineConfig()
    assert {type(getattr(config, item.name)) for item in fields(config)} == {
        bool, int, float, str,
    }  # fmt: skip


def test_a_change_that_comes_amid_another_is_not_lost(monkeypatch):
    """A second thread changes its option after the first has read all and before it writes."""
    pipeline = make_pipeline(World([]), monkeypatch)
    second = threading.Thread(target=lambda: pipeline.configure_live(keep_lost=5.0))

    def slow_replace(config, **changes):
        changed = replace(config, **changes)
        if 'detect_every' in changes:
            second.start()
            second.join(0.2)  # it has to wait for the first, which therefore does not wait for it
        return changed

    monkeypatch.setattr('headpose_ros.pipeline.replace', slow_replace)
    pipeline.configure_live(detect_every=2)
    second.join()
    assert (pipeline.config.detect_every, pipeline.config.keep_lost) == (2, 5.0)


def test_a_refused_change_changes_nothing(monkeypatch):
    pipeline = make_pipeline(World([]), monkeypatch)
    before = pipeline.config
    with pytest.raises(ValueError, match=r'keep_lost: expected 0.0 to 60.0'):
        pipeline.configure_live(detect_every=2, keep_lost=-1)
    assert pipeline.config == before
    assert 'device' not in LIVE_OPTIONS
