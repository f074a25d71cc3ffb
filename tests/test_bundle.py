"""Modules of JavaScript put together into one: what is used comes first, once, and what is not understood is refused."""

import pytest

from ganad.web.bundle import bundle
from tests.conftest import ROOT


@pytest.fixture
def modules(tmp_path):
    """Function: files by name -> the bundle of `entry.js`."""

    def build(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.js").write_text(text, encoding="utf-8")
        return bundle(tmp_path / "entry.js")

    return build


def test_an_imported_module_comes_first_and_once_however_many_use_it(modules):
    text = modules(
        entry='import { b } from "./left.js";\nimport { c } from "./right.js";\nexport default function (component) { return b + c; }\n',
        left='import { a } from "./base.js";\nexport const b = a + 1;\n',
        right='import {\n  a,\n} from "./base.js";\nexport const c = a + 2;\n',
        base="export const a = 1;\n",
    )
    lines = [line for line in text.splitlines() if line]
    assert lines == [
        "const a = 1;", "const b = a + 1;", "const c = a + 2;", "export default function (component) { return b + c; }",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"entry": 'import { a } from "./other.js";\n', "other": "const a = 1;\n"}, "does not export"),
        ({"entry": 'import { a } from "./other.js";\nconst a2 = 1;\n', "other": "export const a = 1;\nexport const a2 = 2;\n"}, "both declare a2"),
        ({"entry": 'import { a } from "./other.js";\n', "other": 'import { b } from "./entry.js";\nexport const a = 1;\n'}, "imports itself"),
        ({"entry": 'import a from "./other.js";\n', "other": "export const a = 1;\n"}, "not understood"),
        ({"entry": 'import "./other.js";\n', "other": "export const a = 1;\n"}, "not understood"),
        ({"entry": "const a = 1;\nexport { a };\n"}, "not understood"),
        ({"entry": "export default class {}\n"}, "not understood"),
    ],
)  # fmt: skip
def test_what_cannot_be_put_together_is_refused_with_the_file_s_name(modules, files, words):
    with pytest.raises(ValueError, match=words) as refused:
        modules(**files)
    assert ".js" in str(refused.value)


@pytest.mark.parametrize(
    "entry", [*sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("ganad/ui/components/*/*.js") if p.stem == p.parent.name), "ganad/web/weights_mixer/mixer.js", "ganad/web/pad/pad.js"]
)  # fmt: skip
def test_every_component_is_one_module_with_one_default_export(entry):
    text = bundle(ROOT / entry)
    assert text.count("export ") == 1
    assert "import " not in text.split("export default")[0].replace("// ", "")
