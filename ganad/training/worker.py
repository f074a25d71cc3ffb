"""Train one run from its directory and leave everything there: a plain function of a path.

`python -m ganad work RUN` calls it in a process of its own, `python -m ganad train` in the foreground.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from ganad.errors import GanadError, Stopped, cause
from ganad.runs import run_directory
from ganad.training.context import RunContext


def work(
    run: Path,
    watch: Callable[[run_directory.Status], None] = lambda status: None,
    *,
    listen: bool = True,
    on_node: bool = False,
) -> str:
    """Train, score, report. Returns the state in which the run ended: finished, stopped or failed.

    watch    is called with every status that is written
    listen   take SIGTERM and Ctrl+C as requests from the first moment; otherwise only once there is something to save, and
             until then a signal ends the process at once, even in the middle of an import
    on_node  of a cluster, which says what begins when: it waits for no slot, and its process is none of the machine that looks at it

    What goes wrong is in status.json and log.txt. Raises RunError only if another process writes the run, or if the run
    cannot be written at all.
    """
    with run_directory.owned(run, wait=run_directory.LOCK_S):
        context = RunContext(run, watch, on_node=on_node)
        try:
            with context.listening() if listen else contextlib.nullcontext():
                with contextlib.nullcontext() if on_node else context.slot():
                    context.set_status(state="running", doing="starting")
                    _train_and_score(run, context)
                with context.uninterrupted():
                    context.last_word(state="finished", doing="")
        except Stopped as why:
            context.log(str(why) or "stopped, as asked")
            context.last_word(state="stopped", doing="")
        except GanadError as error:
            context.log(f"failed: {error}")
            context.last_word(state="failed", doing="", error=str(error))
        except Exception as error:
            context.log(traceback.format_exc())
            disk_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            words = "Free some space, then resume." if disk_full else "log.txt has the details."
            context.last_word(state="failed", doing="", error=f"{type(error).__name__}: {cause(error)}. {words}")
        return context.status.state


def _train_and_score(run: Path, context: RunContext) -> None:
    from ganad.training.run_training import train_and_score  # imports torch: here a signal is heard meanwhile

    context.raise_if_stopped()
    train_and_score(run, context)


def main(run: Path) -> int:
    """`python -m ganad work RUN`: gentle on the machine, so that the page that watches stays responsive."""
    if hasattr(os, "nice"):
        os.nice(5)
    return 0 if work(run, listen=False) == "finished" else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
