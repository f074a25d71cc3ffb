"""Commands that name, annotate, delete, export and import runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganad import service
from ganad.cli import terminal
from ganad.cli.app import Run, app
from ganad.cli.terminal import say, tell
from ganad.errors import GanadError, file_errors
from ganad.runs import run_directory
from ganad.wording import plural


@app.command()
def rename(run: Run, name: Annotated[str, typer.Argument(help='a name of your own; "" takes it away')]) -> None:
    """Give a run a name of your own. Its folder keeps its name."""

    service.rename(run, name)
    info = service.run_info(run)
    tell(
        f"{info.name} is called {info.settings.name!r} now." if info.settings.name else f"{info.name} has no name now."
    )


@app.command()
def note(
    run: Run,
    text: Annotated[
        str | None, typer.Argument(help='the note; "" takes it away; without it the note is printed')
    ] = None,
) -> None:
    """Write a note on a run, in place of the one that it has, or print it."""

    if text is not None:
        service.write_note(run, text)
        tell(f"{service.run_info(run).name} has {'a' if text.strip() else 'no'} note now.")
        return
    for line in service.run_info(run).note.splitlines():
        say(line)


@app.command()
def delete(
    runs_: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="number, name or path", show_default=False)
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="bring it back instead, and print its folder; without a RUN the last one")
    ] = False,
    empty_trash: Annotated[
        bool, typer.Option("--empty-trash", help="remove for good what lies in the trash; there is no undo")
    ] = False,
) -> None:
    """Move runs into the trash, whole. `--undo` brings them back.

    What cannot be moved is named in a line of its own, the others are moved, and the exit code is 1.
    """

    if undo and empty_trash:
        raise GanadError("--undo brings back what --empty-trash removes: give one of them.")
    if not runs_ and undo:
        runs_ = service.trashed()[:1]
        if not runs_:
            raise GanadError("The trash is empty: there is nothing to bring back.")
    if not runs_ and not empty_trash:
        raise GanadError("Name the runs to delete, or add --empty-trash. python -m ganad list shows them.")
    failed = False
    for run in runs_ or ():
        try:
            if undo:
                terminal.path(run_directory.find(service.restore(service.in_trash(run))))
                continue
            moved = service.trash(run)
        except GanadError as error:
            terminal.complain(str(error))
            failed = True
            continue
        tell(f"{moved} lies in the trash. Bring it back with: python -m ganad delete {moved} --undo")
    if empty_trash and not failed:
        size = service.trash_bytes()
        count = service.empty_trash()
        tell(f"{plural(count, 'run')} removed for good, {size / 1e6:.1f} MB are free again.")
    if failed:
        raise typer.Exit(1)


@app.command()
def export(
    run: Run,
    to: Annotated[Path | None, typer.Argument(metavar="[FILE.zip]", help="default: the run's name, here")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there already")] = False,
) -> None:
    """Pack a run that has ended as a zip, to keep it elsewhere or send it to somebody, and print the file's path."""

    path = to or Path(f"{run_directory.find(run).name}.zip")
    if path.exists() and not force:
        raise GanadError(f"{path} is there already. Name another file, or replace it with --force.")
    content = service.export_zip(run)
    with file_errors(f"{path} cannot be written", "Name another file."), run_directory.replaced(path) as file:
        file.write(content)
    tell(f"{len(content) / 1e6:.1f} MB. Bring it in elsewhere with: python -m ganad import {path.name}")
    terminal.path(path)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="as `export` or Download makes it")]) -> None:
    """Bring in a run from a zip, with a number of its own, and print the new run's folder."""

    if not file.is_file():
        raise GanadError(
            f"{file} {'is not a file' if file.exists() else 'does not exist'}; the zip of a run is wanted."
        )
    with (
        file_errors(f"{file} cannot be brought in", "Look at the path and its permissions."),
        file.open("rb") as content,
    ):
        name = service.import_zip(content)
    terminal.path(run_directory.find(name))
