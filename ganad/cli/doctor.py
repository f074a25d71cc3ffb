"""The command that says what is wrong with a run."""

from __future__ import annotations

import json

from ganad import service
from ganad.cli import terminal
from ganad.cli.app import Json, Run, app
from ganad.cli.terminal import say
from ganad.config import command, parse
from ganad.wording import number


@app.command()
def doctor(run: Run, json_: Json = False) -> None:
    """Say what is wrong with a training, by which numbers, and which run would not have it; no test image is looked at.

    A discriminator that has won, a loss that runs away, collapse, a training that was too short, overfitting, other classes
    among the normals. Works while the run trains, too.
    """
    findings = service.diagnose(run, thorough=True)
    if json_:
        terminal.put(json.dumps([finding.values() for finding in findings], indent=2))
        return
    if not findings:
        say("Nothing was found.")
    settings = service.run_info(run).settings
    for finding in findings:
        say((finding.title, "red" if finding.severity == "serious" else "yellow"), f" ({finding.name})")
        say(f"  {finding.meaning}")
        say("  " + ", ".join(f"{name} {number(value)}" for name, value in finding.evidence.items()))
        if finding.change:
            say("  try: " + command(parse(settings.model_dump() | finding.change)))
