"""The command line: train, judge, manage runs, measure. Results on stdout, everything else on stderr."""

from ganad.cli.app import app
from ganad.cli.main import main

__all__ = ["app", "main"]

if __name__ == "__main__":
    raise SystemExit(main())
