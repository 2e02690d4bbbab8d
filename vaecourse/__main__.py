"""The course from a shell: how its process begins and ends. What it does in between stands in `commands`."""

from __future__ import annotations

import io
import os
import sys


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns its exit status: 0, 1 after a sentence that says what went wrong, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where a terminal lacks a letter it shows a question mark
    try:
        from .commands import run  # here, for it loads PyTorch, which takes seconds in which Ctrl-C is likely, too

        status = run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("stopped before anything was begun.", file=sys.stderr)
        return 130
    except OSError as error:  # what was said could not be written: `| head` has read enough, or a disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries again, and fails, at its end
        if not isinstance(error, BrokenPipeError):
            print(f"cannot write what there is to say: {error.strerror}. Send it elsewhere.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
