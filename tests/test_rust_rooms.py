"""The modules of the Rust core are tied in no circle, and what is below knows nothing of what is above."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.rust_uses import circle, modules, users
from tests.support import ROOT

RUST = ROOT / "auditor" / "rust"
CRATES = {
    "core": RUST / "src",
    "ring": RUST / "ring" / "src",
    "workload": RUST / "examples" / "workload",
}


def crate(folder: Path, **files: str) -> Path:
    for name, code in files.items():
        path = folder / f"{name.replace('__', '/')}.rs"
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
    return folder


@pytest.mark.parametrize("name", CRATES)
def test_no_circle_ties_them(name: str) -> None:
    uses = users(CRATES[name])
    assert sum(map(len, uses.values())) > len(uses) / 2, "the modules were found, and what they use"
    assert circle(uses) == []


def test_decoders_know_no_files_and_flows_no_columns() -> None:
    uses = users(CRATES["core"])
    reached = {module: _reached(uses, module) for module in uses}
    for below, above in [
        ("frame", "capture"),
        ("decode", "capture"),
        ("decode", "flow"),
        ("app", "flow"),
        ("flow", "columns"),
        ("flow", "capture"),
        ("capture", "flow"),
        ("capture", "merge"),
        ("columns", "reading"),
    ]:
        wrong = [
            (one, other)
            for one, others in reached.items()
            for other in others
            if one[:1] == (below,) and other[:1] == (above,)
        ]
        assert wrong == []
    assert not [
        module for module in uses if module[:1] != ("python",) and any(m[:1] == ("python",) for m in uses[module])
    ]


def _reached(uses: dict[tuple[str, ...], set[tuple[str, ...]]], start: tuple[str, ...]) -> set[tuple[str, ...]]:
    found, left = set(), [start]
    while left:
        for other in uses[left.pop()] - found:
            found.add(other)
            left.append(other)
    return found


def test_a_circle_is_found(tmp_path: Path) -> None:
    folder = crate(
        tmp_path,
        lib="mod a;\nmod b;\nmod c;\n",
        a="use crate::b::{self, Thing as Other};\n",
        b="use super::c::inner::{One, Two};\n// use crate::a::X;\n",
        c__mod="mod inner;\npub use inner::One;\n",
        c__inner='const TEXT: &str = "crate::a::X";\n#[cfg(test)]\nmod tests {\n    use crate::a::X;\n}\n',
    )
    assert set(modules(folder)) == {(), ("a",), ("b",), ("c",), ("c", "inner")}
    assert circle(users(folder)) == []
    # By a path in the code, through a face that hands it on.
    crate(folder, c__inner="fn made() -> crate::a::X {}\n")
    assert sorted({*circle(users(folder))}) == ["a", "b", "c::inner"]
