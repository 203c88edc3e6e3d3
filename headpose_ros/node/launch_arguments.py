# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share and needs no launch system: parameters as arguments, their check."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import yaml

from headpose_ros.node.parameters import CONFIGS

PACKAGE = 'headpose_ros'
PARAMETERS: dict[str, Field[Any]] = {
    item.name: item
    for config in CONFIGS
    for item in fields(config)
    if item.name != 'image_transport'  # the argument `compressed`
}
"""The parameters that can be given as launch arguments, by name."""
BOOLEANS = ['true', 'false']


def choices(name: str) -> list[str]:
    """Return what may be given for a parameter beside nothing; [] where anything may."""
    item = PARAMETERS[name]
    return BOOLEANS if isinstance(item.default, bool) else list(item.metadata['choices'])


def description(name: str) -> str:
    """Return the text of a parameter and its default."""
    item = PARAMETERS[name]
    default = repr(item.default) if isinstance(item.default, str) else yaml_text(item.default)
    return f'{item.metadata["text"]} Empty: the value in params_file (by default {default}).'


def value(name: str, text: str) -> Any:
    """Return the value of a parameter that was given as `text`. Raises ValueError."""
    default = PARAMETERS[name].default
    if isinstance(default, str):
        return text
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError:
        given = None
    if isinstance(default, bool) or isinstance(given, bool):
        fits = isinstance(default, bool) and isinstance(given, bool)
    elif isinstance(default, float):
        fits = isinstance(given, (int, float))
        given = float(given) if fits else given
    elif isinstance(default, int):
        fits = isinstance(given, int)
    else:
        fits = isinstance(given, list) and all(isinstance(one, str) for one in given)
    if not fits:
        kinds = {bool: 'true or false', float: 'a number', int: 'a whole number'}
        expected = kinds.get(type(default), 'a list such as [a, b]')
        raise ValueError(f'{name}: expected {expected}, got {text!r}')
    return given


def yaml_text(default: Any) -> str:
    """Return a default as it is written on the command line."""
    plain = list(default) if isinstance(default, tuple) else default
    return yaml.safe_dump(plain, default_flow_style=True).removesuffix('...\n').strip()


def refuse_unknown(
    file: str, known: Collection[str], command: Sequence[str] | None = None
) -> None:
    """Raise ValueError for an argument of `ros2 launch` that the launch file does not have.

    launch itself ignores it. Nothing is checked where another file includes this one: the
    arguments are the other's then. `command`: in place of that of this process, for tests.
    """
    for name in arguments_given(file, sys.argv if command is None else command):
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f'did you mean {near[0]}?' if near else '--show-args lists those that exist'
            raise ValueError(f'{name}:=: {Path(file).name} has no such argument; {hint}')


def arguments_given(file: str, command: Sequence[str]) -> list[str]:
    """Return the names of the arguments that a command line gives to a launch file.

    [] where it does not launch that very file, by package and name or by path.
    """
    path = Path(file)
    for number, word in enumerate(command):
        if Path(word).name == path.name and (
            command[number - 1] == PACKAGE or (os.path.exists(word) and path.samefile(word))
        ):
            return [rest.partition(':=')[0] for rest in command[number + 1 :] if ':=' in rest]
    return []
