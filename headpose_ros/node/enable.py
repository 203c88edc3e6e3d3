# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The service `~/enable`, for those who switch perception on and off without a lifecycle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node

try:
    from std_srvs.srv import SetBool
except ImportError:
    SetBool = None

SERVICE = '~/enable'
WITHOUT_STD_SRVS = f'no service {SERVICE}: std_srvs is not installed'


class Enable:
    """Whether the node may process images while it is active.

    `switch` is called with each new value; it returns why it fails, '' where it does not, and the
    value stays as it was.
    """

    def __init__(self, node: Node, switch: Callable[[bool], str]) -> None:
        self._logger = node.get_logger()
        self._switch = switch
        self.on = True
        if SetBool is None:
            self._logger.info(WITHOUT_STD_SRVS)
        else:
            node.create_service(SetBool, SERVICE, self._answer)

    def _answer(self, request: Any, response: Any) -> Any:
        word = 'enabled' if request.data else 'disabled'
        response.success, response.message = True, f'already {word}'
        if request.data == self.on:
            return response
        if problem := self._switch(request.data):
            response.success, response.message = False, f'not {word}: {problem}'
            return response
        self.on = request.data
        response.message = word
        self._logger.info(f'{word} by {SERVICE}')
        return response
