# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How weights are moved: Muon for convolutions, AdamW for everything else.

Muon (K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; its scale
from J. Liu et al., "Muon is scalable for LLM training", arXiv 2502.16982) makes the update of a
matrix nearly orthogonal, so that what few examples ask for is learned as fast as the rest. From
random weights it needs half the steps of AdamW here (docs/training_log.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Rates:
    """Peak learning rates: conv kernels, other network parameters, parameters outside it."""

    kernels: float
    others: float
    apart: float = 0.0
    weight_decay: float = 0.0


class MuonAndAdamW:
    """Muon for convolution kernels and AdamW for the rest, behind one interface.

    `apart`: parameters outside the network, with a rate of their own and without weight decay.
    Raises ValueError where `network` is not in the memory format channels_last.
    """

    def __init__(self, network: nn.Module, rates: Rates, *apart: nn.Parameter) -> None:
        self._rates = rates
        self._kernels = [p for p in network.parameters() if p.ndim == 4]
        self._matrices = [nn.Parameter(_as_matrix(p.detach())) for p in self._kernels]
        for matrix, kernel in zip(self._matrices, self._kernels, strict=True):
            if matrix.data_ptr() != kernel.data_ptr():
                raise ValueError('optimizer: expected kernels in the memory format channels_last')
        self._muon = torch.optim.Muon(self._matrices, adjust_lr_fn='match_rms_adamw')
        others = [p for p in network.parameters() if p.ndim != 4]
        self._adamw = torch.optim.AdamW(
            [
                {'params': [p for p in others if p.ndim > 1]},
                {'params': [p for p in others if p.ndim <= 1]},
                {'params': list(apart)},
            ],
            fused=self._kernels[0].device.type == 'cuda',
        )

    def step(self, share: float) -> None:
        """Move everything by its gradient, at `share` of the peak rates."""
        rates = self._rates
        kernels, matrices, vectors, apart = self._muon.param_groups + self._adamw.param_groups
        kernels.update(lr=share * rates.kernels, weight_decay=rates.weight_decay)
        matrices.update(lr=share * rates.others, weight_decay=rates.weight_decay)
        vectors.update(lr=share * rates.others, weight_decay=0.0)
        apart.update(lr=share * rates.apart, weight_decay=0.0)
        for matrix, kernel in zip(self._matrices, self._kernels, strict=True):
            assert kernel.grad is not None
            matrix.grad = _as_matrix(kernel.grad)
        self._muon.step()  # type: ignore[no-untyped-call]
        self._adamw.step()

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        return {'muon': self._muon.state_dict(), 'adamw': self._adamw.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint, with the rates and the decay given here.

        Raises ValueError where it is of another optimiser.
        """
        if set(state) != {'muon', 'adamw'}:
            raise ValueError(
                'checkpoint: of an earlier version, with another optimiser; start anew'
            )
        self._muon.load_state_dict(state['muon'])
        self._adamw.load_state_dict(state['adamw'])


class AdamW:
    """AdamW for all parameters, moved at a share of the peak rate as `MuonAndAdamW` does."""

    def __init__(self, network: nn.Module, rate: float, weight_decay: float) -> None:
        self._rate = rate
        self._adamw = torch.optim.AdamW(network.parameters(), rate, weight_decay=weight_decay)
        self.state_dict = self._adamw.state_dict
        self.load_state_dict = self._adamw.load_state_dict

    def step(self, share: float) -> None:
        """Move everything by its gradient, at `share` of the peak rate."""
        for group in self._adamw.param_groups:
            group['lr'] = share * self._rate
        self._adamw.step()


def _as_matrix(kernel: Tensor) -> Tensor:
    """Return a kernel (O,I,h,w) as a matrix (O,hwI) of the same memory.

    In the memory format channels_last that is a view; the order of the columns does not matter.
    """
    return kernel.permute(0, 2, 3, 1).flatten(1)
