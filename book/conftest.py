"""How a chapter's stored outputs are held against fresh ones (pytest --nbval).

On another processor sums are rounded otherwise, and now and then one lands on
the other side of the edge between two printed digits. So a measured number,
which is one with a decimal point, a percentage or a number of three digits or
more, may differ by one in its last digit. Everything else must be the same:
words, small counts, how many lines.
"""

from __future__ import annotations

import re

from nbval import plugin as nbval

# A number that is no part of a word. Commas group thousands.
NUMBER = re.compile(
    r"(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)"
)


def last_digit(number: str, percent: bool) -> float:
    """What one more in the last printed digit adds to a number; 0 for a count,
    which has to agree.
    """
    digits, _, power = number.lstrip("-−").replace(",", "").partition("e")
    whole, _, decimals = digits.partition(".")
    if not (decimals or percent or power or len(whole) >= 3):
        return 0.0
    return 10.0 ** (int(power or 0) - len(decimals))


def moved(stored: str, fresh: str) -> list[str] | None:
    """The numbers that differ by more than their last digit, such as
    "12.338 -> 12.351"; None if the words differ.
    """
    words = [NUMBER.sub("#", text).split() for text in (stored, fresh)]
    if words[0] != words[1]:
        return None
    found = []
    pairs = zip(NUMBER.finditer(stored), NUMBER.finditer(fresh), strict=True)
    for a, b in pairs:
        was, now = (
            float(m.group().replace("−", "-").replace(",", "")) for m in (a, b)
        )
        percent = stored[a.end() : a.end() + 2].strip().startswith("%")
        unit = min(last_digit(m.group(), percent) for m in (a, b))
        if abs(was - now) > 1.001 * unit:
            found.append(f"{a.group()} -> {b.group()}")
    return found


class Printed(str):
    """A text that equals another whose words are the same, and whose numbers
    agree up to their last digits.
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return moved(str(self), str(other)) == []

    def __ne__(self, other: object) -> bool:
        return not self == other


_sanitize = nbval.IPyNbCell.sanitize
_compare = nbval.IPyNbCell.format_output_compare


def _sanitized(cell, text):
    text = _sanitize(cell, text)
    return Printed(text) if isinstance(text, str) else text


def _compared(cell, key, left, right):
    _compare(cell, key, left, right)
    if numbers := moved(str(left), str(right)):
        said = "more digits than agree: " + ", ".join(numbers)
        cell.comparison_traceback.append(said)


nbval.IPyNbCell.sanitize = _sanitized
nbval.IPyNbCell.format_output_compare = _compared
