"""The command line itself, and the arguments that several commands share."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from ganad.config import METHOD_NAMES

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See what a GAN finds strange: train and judge GAN anomaly detectors on handwritten digits. "
    "RUN is a run's name, number or folder, as `list` shows it. The dashboard: streamlit run app.py",
)

MethodName = Enum("MethodName", {m: m for m in METHOD_NAMES}, type=str)
DEFAULT_METHOD = next(iter(MethodName))
Run = Annotated[str, typer.Argument(help="name, number or folder of a run", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]
