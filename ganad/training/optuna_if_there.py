"""Optuna, which only searches need: quiet, or how to get it."""

from __future__ import annotations

from typing import Any

from ganad.errors import GanadError

HOW_TO_GET_IT = "Optuna is not installed here: python -m pip install -r requirements-search.txt"


def quiet_optuna() -> Any:
    """The module, which then prints nothing but warnings. Raises GanadError, with how to get it, where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise GanadError(HOW_TO_GET_IT) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
