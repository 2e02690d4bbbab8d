"""What chapters need as chapters: what this machine has and how long it will take (`preflight`), the numbers that the
prose states (`claim`), and exercises that answer back (`check`). Every chapter begins and ends here.
"""

from .exercises import check
from .machine import Here, preflight, speed
from .manifest import Claim, claim, claims

__all__ = ["Claim", "Here", "check", "claim", "claims", "preflight", "speed"]
