# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Code, config/headpose.yaml and docs name the same parameters with the same defaults."""

import importlib.util
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from headpose_ros.config import PipelineConfig

ROOT = Path(__file__).resolve().parents[2]
parameters = pytest.importorskip('headpose_ros.node.parameters', reason='no ROS here')


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('parameters_tool', ROOT / 'tools/parameters.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def defaults():
    configs = (PipelineConfig, parameters.NodeConfig)
    return {
        item.name: parameters.parameter_value(item.default)
        for config in configs
        for item in fields(config)
    }


def test_the_file_holds_every_parameter_at_its_default():
    text = yaml.safe_load((ROOT / 'config' / 'headpose.yaml').read_text())
    held = text['/**']['ros__parameters']
    assert held == defaults()
    # ROS tells 1 from 1.0, Python does not
    assert {k: type(v) for k, v in held.items()} == {k: type(v) for k, v in defaults().items()}


def test_the_file_is_accepted_by_the_options_themselves():
    held = yaml.safe_load((ROOT / 'config' / 'headpose.yaml').read_text())['/**'][
        'ros__parameters'
    ]
    for config in (PipelineConfig, parameters.NodeConfig):
        config(**{item.name: held[item.name] for item in fields(config)})


def test_the_generated_texts_are_up_to_date(tool):
    assert tool.YAML.read_text() == tool.yaml_text(), 'run tools/parameters.py'
    present = tool.PAGE.read_text()
    assert present == tool.page_text(present), 'run tools/parameters.py'


def test_the_table_is_put_in_its_place_and_nowhere_else(tool):
    page = f'before\n{tool.BEGIN}\nstale row\n{tool.END}\nafter\n'
    made = tool.page_text(page)
    assert made.startswith(f'before\n{tool.BEGIN}\n| parameter |')
    assert made.endswith(f'|\n{tool.END}\nafter\n')
    assert 'stale row' not in made
    assert all(f'| `{name}` |' in made for name in defaults())
    assert tool.page_text('no place for it') == 'no place for it'
