# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters: conversion, checks, and when they are committed."""

import pytest

pytest.importorskip('rclpy')
import rclpy
from graph import Bench, fake_node, get, set_parameters, until_active
from rcl_interfaces.msg import SetParametersResult
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter

from headpose_ros.node.parameters import Parameters, unknown_text


@pytest.fixture
def bench(domain):
    with Bench(domain) as made:
        yield made


@pytest.fixture
def made(domain):
    """Make a node with values given at start; `changed` collects what is committed."""
    context, nodes = Context(), []
    rclpy.init(context=context, domain_id=domain)

    def make(before=None, **given):
        node = Node(
            'parameters',
            context=context,
            parameter_overrides=[Parameter(name, value=value) for name, value in given.items()],
            automatically_declare_parameters_from_overrides=True,
        )
        nodes.append(node)
        if before:
            before(node)
        changed = []
        return node, Parameters(node, lambda: True, changed.append), changed

    yield make
    for node in nodes:
        node.destroy_node()
    context.try_shutdown()


def test_whole_numbers_are_taken_for_doubles(made):
    node, parameters, changed = made(keep_lost=1)
    assert parameters.pipeline.keep_lost == 1.0
    assert node.get_parameter('keep_lost').type_ is Parameter.Type.DOUBLE
    (result,) = node.set_parameters([Parameter('keep_lost', value=2)])
    assert result.successful
    assert node.get_parameter('keep_lost').value == parameters.pipeline.keep_lost == 2.0
    assert type(parameters.pipeline.keep_lost) is float
    assert changed == [frozenset(['keep_lost'])]


def test_what_another_callback_refuses_is_not_taken_over(made):
    refuses = []

    def other_callback(changes):
        return SetParametersResult(successful=not refuses, reason='not now')

    # rclpy asks the newest callback first, so that the other one comes after ours.
    node, parameters, changed = made(
        before=lambda node: node.add_on_set_parameters_callback(other_callback)
    )
    refuses.append(True)
    (result,) = node.set_parameters([Parameter('max_rate', value=3.0)])
    assert not result.successful
    assert parameters.node.max_rate == node.get_parameter('max_rate').value == 0.0
    assert changed == []


@pytest.mark.parametrize(
    ('given', 'reason'),
    [
        ({'keep_lost': 'long'}, 'parameter keep_lost: expected float from 0.0 to 60.0'),
        ({'detect_every': 1.5}, 'parameter detect_every: expected int from 1 to 1000, got 1.5'),
        ({'detector': 'magic'}, 'detector: expected one of'),
        ({'max_rate': -1.0}, 'parameter max_rate: expected float from 0.0 to 1000.0, got -1.0'),
    ],
)
def test_wrong_values_at_start(made, given, reason):
    with pytest.raises(ValueError, match=reason):
        made(**given)


def test_parameters_of_ros_are_left_alone(made):
    node, _, _ = made(use_sim_time=True, detectr='mtcnn')
    assert node.get_parameter('use_sim_time').value is True
    assert not node.has_parameter('detectr')


def test_a_list_of_texts(made):
    node, parameters, changed = made(attention_targets=['cup:0.05', 'door'])
    assert parameters.node.attention_targets == ('cup:0.05', 'door')
    for kind in (
        Parameter.Type.STRING_ARRAY,
        Parameter.Type.BYTE_ARRAY,
        Parameter.Type.BOOL_ARRAY,
    ):
        assert node.set_parameters([Parameter('attention_targets', value=['cup'])])[0].successful
        # ros2 param set takes a list without entries for one of another type
        (result,) = node.set_parameters([Parameter('attention_targets', kind, [])])
        assert result.successful, result.reason
        assert parameters.node.attention_targets == ()
        assert node.get_parameter('attention_targets').type_ is Parameter.Type.STRING_ARRAY
    assert set(changed) == {frozenset(['attention_targets'])}
    for wrong in (1.5, 'cup', [1.5]):
        (result,) = node.set_parameters([Parameter('attention_targets', value=wrong)])
        assert not result.successful
    (result,) = node.set_parameters([Parameter('attention_targets', value=['cup:round'])])
    assert result.reason.startswith("attention_targets: target 'cup:round': expected name")
    assert parameters.node.attention_targets == ()


def test_a_target_that_the_principal_head_follows_stays(made):
    node, parameters, _ = made(attention_targets=['cup'], principal_by='cup')
    (result,) = node.set_parameters([Parameter('attention_targets', value=['door'])])
    assert result.reason.startswith('principal_by: expected nearest')
    both = [
        Parameter('attention_targets', value=['door']),
        Parameter('principal_by', value='door'),
    ]
    assert node.set_parameters_atomically(both).successful
    assert parameters.node.principal_by == 'door'


def test_the_most_similar_name_is_proposed():
    known = ['detector', 'detector_weights', 'keep_lost']
    assert unknown_text('detectr', known).endswith('did you mean detector?')
    assert unknown_text('zzz', known).endswith('it has no effect')


def test_whole_numbers_and_unknown_names_at_start(bench, domain, logs, tmp_path):
    """A whole number is a double where one is wanted; a misspelt name is reported."""
    values = tmp_path / 'params.yaml'
    values.write_text(
        '/**:\n  ros__parameters:\n    keep_lost: 1\n    detectr: mtcnn\n    xyz: 3\n'
        '    use_sim_time: false\n'
    )
    with fake_node(domain, logs, '-r', '__ns:=/file', '--params-file', str(values)) as node:
        until_active(bench, '/file/headpose')
        assert get(bench, 'keep_lost', node='/file/headpose') == [1.0]
        bench.until(lambda: len(node.matching('unknown')) == 2, 'two warnings')
        assert node.matching('parameter detectr: unknown; did you mean detector?')
        assert node.matching('parameter xyz: unknown; it has no effect')
        assert set_parameters(bench, '/file/headpose', keep_lost=2).successful
        assert get(bench, 'keep_lost', node='/file/headpose') == [2.0]
        assert not set_parameters(bench, '/file/headpose', keep_lost=-2).successful
        assert node.end() == 0


def test_an_empty_list_in_a_file_is_explained(domain, logs, tmp_path):
    values = tmp_path / 'params.yaml'
    values.write_text('/**:\n  ros__parameters:\n    attention_targets: []\n')
    with fake_node(domain, logs, '--params-file', str(values)) as node:
        assert node.process.wait(20.0) == 2
    (line,) = node.matching('headpose_node: ')
    assert line.endswith("a list without entries is written [''] in a parameters file, not []")
    assert 'Traceback' not in node.output()


@pytest.mark.parametrize(
    ('argument', 'reason'),
    [
        (
            'attention_targets:=["cup:round"]',
            "attention_targets: target 'cup:round': expected name, name:RADIUS or "
            'name:WIDTHxHEIGHT in metres, such as cup:0.05 or screen:0.4x0.3',
        ),
        ('attention_targets:=cup', "parameter attention_targets: expected list, got 'cup'"),
        ('keep_lost:=long', "parameter keep_lost: expected float from 0.0 to 60.0, got 'long'"),
        ('detect_every:=1.5', 'parameter detect_every: expected int from 1 to 1000, got 1.5'),
        ('keep_lost:=-1', 'parameter keep_lost: expected float from 0.0 to 60.0, got -1.0'),
    ],
)
def test_a_wrong_value_at_start_ends_it_with_one_line(domain, logs, argument, reason):
    with fake_node(domain, logs, '-r', '__ns:=/wrong', '-p', argument) as node:
        assert node.process.wait(20.0) == 2
    assert node.matching('headpose_node: ') == [f'headpose_node: {reason}']
    assert 'Traceback' not in node.output()
