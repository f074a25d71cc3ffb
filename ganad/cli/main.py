"""Run a command, and turn whatever ends it into a line and an exit code.

0 all went well, 1 it failed, 2 the arguments were wrong, 130 it was stopped, 141 nobody reads what it prints.
"""

from __future__ import annotations

import os
import sys
import traceback

import typer

from ganad.cli import terminal
from ganad.cli.app import app
from ganad.errors import ConfigError, GanadError

# isort: off
# Each adds its commands to `app`, in the order in which `--help` lists them.
from ganad.cli import training, steering, studies, results, doctor, management, benchmarks  # noqa: F401
# isort: on


def main() -> int:
    """Run a command; whatever goes wrong becomes one line and an exit code, never a traceback."""
    terminal.prepare()
    try:
        try:
            code = app(standalone_mode=False) or 0
        except Exception as error:
            code = _ended_by(error)
        except KeyboardInterrupt:
            code = 130
        except SystemExit:  # typer's way out when nobody reads what it prints
            raise BrokenPipeError from None
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        terminal.hang_up()
        return 141


def _ended_by(error: Exception) -> int:
    """Say what ended a command and return its exit code."""
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, typer.Abort):
        if not isinstance(error.__cause__, EOFError):
            return 130
        error = error.__cause__  # typer takes the end of any file for a wish to leave
    if isinstance(error, GanadError):
        terminal.complain(error)
        return 2 if isinstance(error, ConfigError) else 1
    if hasattr(error, "exit_code") and hasattr(error, "show"):
        # typer's own complaints about arguments, whichever click it is built on, know how to show themselves
        error.show()
        return int(error.exit_code)
    if os.environ.get("GANAD_DEBUG", "0") not in ("", "0"):
        traceback.print_exception(error)
    else:
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        terminal.complain(
            f"{what}. This was not foreseen; with GANAD_DEBUG=1 before the command it says where it happened."
        )
    return 1
