"""Ways of running a page that may move its numbers and nothing else.

Another processor adds in another order and rounds elsewhere, and a long training makes
digits of that. Each variation does something of the kind on the machine at hand.
"""

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from weakref import WeakSet

from page_runner.environment import with_threads

NOISY_RUNS = 6
UPDATES_BY_HAND = ("__isub__", "__iadd__", "sub_", "add_")  # under no_grad, on a leaf


@dataclass(frozen=True, eq=False)
class Variation:
    """What is different in a run of a page."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    noise: int | None = None  # the seed of rounding-sized noise in the training
    shift: int = 0  # what is added to each seed that a page sets
    measure: bool = False  # the page's claims, instead of stopping at one that fails

    def begin(self) -> None:
        """Change this process, for good, before the page runs."""
        if self.noise is not None:
            add_noise(self.noise)
        if self.shift:
            shift_seeds(self.shift)


PLAIN = Variation("in the plain run")
SEED_STEP = 1000  # pages set seeds 0, 1, 2 …: no run draws what another one drew
VARIATIONS = (
    *(Variation(f"with noise {seed}", noise=seed) for seed in range(NOISY_RUNS)),
    Variation(
        "on older hardware",
        # Instructions of 2008: no fused multiply and add, vectors of 128 bits. Sets
        # and dictionaries of strings get another order, objects other addresses.
        {
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "PYTHONHASHSEED": "1",
        },
    ),
    Variation("with two threads", with_threads("2")),
)


def add_noise(seed: int) -> None:
    """Move parameters by about a unit of rounding after their first update, for good.

    Every parameter of an optimizer is multiplied by 1 + eps · noise after the first
    step, and so is a leaf tensor that is updated in place by hand. The noise has a
    generator of its own, so that the page draws the numbers that it always draws.
    """
    import torch
    from torch.optim import optimizer as optimizers
    from torch.utils.weak import WeakTensorKeyDictionary

    generator = torch.Generator().manual_seed(seed)
    seen: WeakSet[torch.optim.Optimizer] = WeakSet()
    seen_by_hand = WeakTensorKeyDictionary()
    stepping = 0  # depth of optimizer steps: what is updated in one is not by hand

    def move(parameter: torch.Tensor) -> None:
        if parameter.is_floating_point():
            noise = torch.randn(parameter.shape, generator=generator)
            eps = torch.finfo(parameter.dtype).eps
            with torch.no_grad():
                factor = 1 + eps * noise.to(parameter.device, torch.float64)
                parameter.copy_((parameter.double() * factor).to(parameter.dtype))

    def before_step(*_: object) -> None:
        nonlocal stepping
        stepping += 1

    def after_step(optimizer: torch.optim.Optimizer, *_: object) -> None:
        nonlocal stepping
        if optimizer not in seen:
            seen.add(optimizer)
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    move(parameter)
        stepping -= 1

    def noisy(update: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        @wraps(update)
        def updated(self: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
            result = update(self, *args, **kwargs)
            by_hand = self.is_leaf and self.requires_grad and not stepping
            if by_hand and self not in seen_by_hand:
                seen_by_hand[self] = True
                move(self)
            return result

        return updated

    optimizers.register_optimizer_step_pre_hook(before_step)
    optimizers.register_optimizer_step_post_hook(after_step)
    for name in UPDATES_BY_HAND:
        setattr(torch.Tensor, name, noisy(getattr(torch.Tensor, name)))


def other_seeds(number: int) -> list[Variation]:
    """The plain run and others, with other seeds, that all measure a page's claims."""
    return [
        Variation(f"with seeds shifted by {i}", shift=i * SEED_STEP, measure=True)
        for i in range(number)
    ]


def shift_seeds(shift: int) -> None:
    """Add `shift` to each seed that is given to Python, NumPy or torch, for good.

    Seeds that load.py sets are left alone: the data stay what they are.
    """
    import random

    import numpy as np
    import torch

    def is_page(frame: types.FrameType) -> bool:
        return frame.f_globals.get("__name__") == "__main__"

    def shifted(set_seed: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(set_seed)
        def set_other_seed(*args: Any, **kwargs: Any) -> Any:
            if is_page(sys._getframe(1)):
                args = tuple(_plus(value, shift) for value in args)
                kwargs = {name: _plus(value, shift) for name, value in kwargs.items()}
            return set_seed(*args, **kwargs)

        return set_other_seed

    class Generator(torch.Generator):
        def manual_seed(self, seed: int) -> torch.Generator:
            return super().manual_seed(seed + shift * is_page(sys._getframe(1)))

    for owner, names in {
        random: ["seed"],
        np.random: ["seed", "default_rng"],
        torch: ["manual_seed"],
    }.items():
        for name in names:
            setattr(owner, name, shifted(getattr(owner, name)))
    vars(torch).update(Generator=Generator)


def _plus(value: object, shift: int) -> object:
    """A seed, shifted; anything else as it is."""
    return value + shift if isinstance(value, int) else value
