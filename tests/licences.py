"""The licence of every package that is installed here: `make licences`."""

from __future__ import annotations

from importlib.metadata import Distribution, distributions


def licence(package: Distribution) -> str:
    """What a package says of its licence: the expression, else the field, else its classifiers; empty if nothing."""
    said = package.metadata
    if expression := said.get("License-Expression"):
        return expression
    field = (said.get("License") or "").strip()
    if field and len(field) < 60 and "\n" not in field:
        return field
    classes = (c.split(" :: ")[-1] for c in said.get_all("Classifier", []) if c.startswith("License ::"))
    return "; ".join(c for c in classes if c != "OSI Approved")


def table() -> list[tuple[str, str, str]]:
    """(name, version, licence) of each, by name."""
    found = {p.metadata["Name"].lower(): (p.metadata["Name"], p.version, licence(p)) for p in distributions()}
    return [found[name] for name in sorted(found)]


if __name__ == "__main__":
    for name, version, words in table():
        print(f"{name:28}{version:20}{words or 'not said'}")
