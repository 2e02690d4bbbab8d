"""How much memory the library takes beyond what it is handed: one number, from which the size of every block follows.

`BUDGET` is looked up at each call, so `vaecourse.memory.BUDGET = 2**30` is all that a larger machine needs.
"""

from __future__ import annotations

__all__ = ["BUDGET", "at_once"]

BUDGET = 224 * 2**20  # bytes, with which everything stays below 300 MB: the allocator and the threads want theirs, too


def at_once(each: int, what: str, share: float = 0.25) -> int:
    """How many things of `each` bytes fill their share of the budget; one, if the whole budget holds no more.

    Raises:
        MemoryError: Saying what to do, when the budget does not hold a single one.

    Example:
        >>> at_once(2**20, "a picture")
        56
    """
    if each > BUDGET:
        raise MemoryError(
            f"{what} takes {each / 2**20:,.0f} MB to work on, and the budget is {BUDGET / 2**20:,.0f}. Make the "
            f"pictures smaller, or raise it: vaecourse.memory.BUDGET = {each}."
        )
    return max(1, int(share * BUDGET) // each)
