"""The numbers that the prose states, each written down once, with how far it may move and how to recompute it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from ..names import did_you_mean

__all__ = ["Claim", "claim", "claims"]


@dataclass(frozen=True)
class Claim:
    """One number: `value`, ± `spread` in `unit`, measured on `dataset` by `how`; what `beside` it gives `reference`.

    `spread` is half a 95 % interval for a mean over cases, 0 for what is none. The value may move by `tolerance`; what
    `unlike` measures lies outside twice that.
    """

    says: str
    value: float
    spread: float
    tolerance: float
    format: str
    unit: str
    dataset: str
    how: str
    unlike: str
    beside: str
    beside_how: str
    reference: float

    @property
    def number(self) -> str:
        """The value as the prose prints it."""
        return format(self.value, self.format)

    def __str__(self) -> str:
        spread = f" ± {self.spread:.1g}" if self.spread else ""
        reference = f"{self.beside}: {format(self.reference, self.format)}"
        return f"{self.says} ({self.dataset}):\n    {self.number}{spread} {self.unit}; {reference}"


@cache
def claims() -> dict[str, Claim]:
    """All claims of the book by name."""
    packed = Path(str(files("vaecourse") / "claims.toml"))  # inside a wheel; in a checkout the book holds it
    path = packed if packed.exists() else Path(__file__).parents[2] / "book" / "claims.toml"
    return {name: Claim(**fields) for name, fields in tomllib.loads(path.read_text("utf-8")).items()}


def claim(name: str) -> Claim:
    """The claim called `name`. Raises KeyError for an unknown name."""
    if name not in claims():
        raise KeyError(
            f"the book makes no claim called {name!r}.{did_you_mean(name, claims())} All stand in claims.toml."
        )
    return claims()[name]
