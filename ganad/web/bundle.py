"""JavaScript modules put together into one text: a component of Streamlit is one, and so is the script of a report on disk.

Modules name what they use: `import { total } from "./scores.js";`. Linter, tests and editors read them as they are; here the
imported ones come first, without their `import` and `export`, in one scope.
"""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{([\w\s,$]+)\} from "(\.{1,2}/[\w./-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) )", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:function|class|const|let) ([\w$]+)", re.MULTILINE)
_DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) ([\w$]+)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export(?! default function \(component\))).*$", re.MULTILINE)


def bundle(entry: Path) -> str:
    """The module `entry` and all that it imports, as the text of one module.

    Its default export, `export default function (component)`, stays as it is. Raises ValueError, naming the file, for what this
    cannot put together: other forms of import and export, a name that is not exported, a circle, and a name that two
    modules declare.
    """
    texts: dict[Path, str] = {}
    _gather(entry.resolve(), texts, ())
    owner: dict[str, Path] = {}
    for path, text in texts.items():
        for name in _DECLARED.findall(text):
            if (other := owner.setdefault(name, path)) != path:
                raise ValueError(f"{path.name} and {other.name} both declare {name}: rename one of them.")
    return "\n".join(_plain(path, text) for path, text in texts.items())


def as_script(module: str, name: str) -> str:
    """A bundled component as a plain script that defines the function `name`: a module in a file on disk cannot be imported.

    Raises ValueError for a module that would end the script it stands in, or has no default export.
    """
    entry = "export default function (component)"
    if module.count(entry) != 1 or "</script" in module:
        raise ValueError(f"The script of {name} needs one default export, and no end of a script.")
    return module.replace(entry, f"function {name}(component)")


def _gather(path: Path, texts: dict[Path, str], open_: tuple[Path, ...]) -> None:
    """Put a module into `texts`, after those that it imports. open_: the modules that are being gathered."""
    if path in open_:
        raise ValueError(
            f"{path.name} imports itself, by way of {', '.join(p.name for p in open_[open_.index(path) :])}."
        )
    if path in texts:
        return
    text = path.read_text(encoding="utf-8")
    for names, where in _IMPORT.findall(text):
        other = (path.parent / where).resolve()
        _gather(other, texts, (*open_, path))
        missing = {n.strip() for n in names.split(",") if n.strip()} - set(_EXPORTED.findall(texts[other]))
        if missing:
            raise ValueError(f"{path.name} imports {', '.join(sorted(missing))}, which {other.name} does not export.")
    texts[path] = text


def _plain(path: Path, text: str) -> str:
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    if odd := _OTHER.search(text):
        raise ValueError(
            f"{path.name}: `{odd[0]}` is not understood. Write named imports from files and named exports."
        )
    return text
