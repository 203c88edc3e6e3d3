# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A signal that comes just before rclpy waits ends an example quietly, as at any other moment."""

import runpy
import sys
from pathlib import Path

import pytest

rclpy = pytest.importorskip('rclpy')
EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'


def interrupted(*args, **kwargs):
    """Do what rclpy does where the signal has shut the context down already."""
    context = rclpy.get_default_context().handle
    rclpy.shutdown()
    rclpy._rclpy_pybind11.WaitSet(0, 0, 0, 0, 0, 0, context)


def broken(*args, **kwargs):
    raise RuntimeError('a fault of its own')


@pytest.fixture(params=['listener', 'who_looks_at'])
def example(request, monkeypatch, domain):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    monkeypatch.setattr(sys, 'argv', [request.param])
    return EXAMPLES / f'{request.param}.py'


@pytest.fixture
def spinning(monkeypatch):
    def as_if(spin):
        monkeypatch.setattr(rclpy, 'spin', spin)
        monkeypatch.setattr(rclpy.executors.SingleThreadedExecutor, 'spin', spin)

    return as_if


def test_a_signal_just_before_the_wait(example, spinning):
    spinning(interrupted)
    runpy.run_path(str(example), run_name='__main__')


def test_a_fault_is_shown(example, spinning):
    spinning(broken)
    with pytest.raises(RuntimeError, match='of its own'):
        runpy.run_path(str(example), run_name='__main__')
    assert not rclpy.ok()
