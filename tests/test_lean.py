"""NumPy as a process loads it that is one audit and nothing else, held against NumPy as it comes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import CAPTURES, ROOT

LEAN = "from auditor.cli.lean import load_numpy; load_numpy()\n"
UNASKED = {
    *("numpy._array_api_info", "numpy._core._dtype_ctypes", "numpy._core._internal", "numpy._core.arrayprint"),
    *("numpy._core.einsumfunc", "numpy._core.getlimits", "numpy.lib._arraysetops_impl", "numpy.lib._arrayterator_impl"),
    *("numpy.lib._function_base_impl", "numpy.lib._shape_base_impl", "numpy.lib._stride_tricks_impl"),
    *(
        "numpy.lib._twodim_base_impl",
        "numpy.lib._type_check_impl",
        "numpy.lib._ufunclike_impl",
        "numpy.lib._utils_impl",
    ),
    *(
        "numpy.lib.array_utils",
        "numpy.lib.introspect",
        "numpy.lib.mixins",
        "numpy.lib.scimath",
        "numpy.lib.stride_tricks",
    ),
}
"""What ordinary programs ask NumPy for, and an audit does not."""
MODERN = int(np.__version__.partition(".")[0]) >= 2


def told(script: str) -> Any:
    """Return what a script prints as JSON in a process of its own."""
    command = [sys.executable, "-c", f"import json, sys\n{script}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def both(script: str) -> tuple[Any, Any]:
    """Return what a script prints with lean NumPy, and with NumPy as it comes."""
    return told(LEAN + script), told(script)


def test_it_has_all_that_numpy_has() -> None:
    # Some are functions that look up the real one: a callable all the same.
    script = "import numpy as np; print(json.dumps({name: callable(getattr(np, name)) for name in dir(np) if name[0] != '_'}))"
    lean, plain = both(script)
    assert plain.items() <= lean.items()


def test_what_was_left_out_comes_when_it_is_asked_for() -> None:
    script = """
import io
import numpy as np
there = io.BytesIO()
np.save(there, np.arange(3))
there.seek(0)
text = io.StringIO("1 2\\n3 4")
told = [
    np.load(there).tolist(), np.loadtxt(text).tolist(), float(np.linalg.norm([3, 4])), sorted(np.roots([1, -3, 2]).tolist()),
    (np.matrix([[1, 2], [3, 4]]) ** 2).tolist(), np.linalg.LinAlgError.__name__, np.packbits([1, 0, 1]).tolist(),
    np.polyfit([0, 1], [1, 3], 1).round(6).tolist(), str(np.dtype("i4, (2,3)f8")), np.arange(2).ctypes.data > 0,
    np.lib.format.magic(1, 0).hex(), np.lib.npyio.NpzFile.__name__,
    np.pad([1], 1).tolist(), np.histogram([1, 2, 2], 2)[0].tolist(), np.nansum([1.0, np.nan]), np.emath.sqrt(-4).imag,
    int(np.poly1d([1, 2])(3)), int(np.polyval([1, 0], 7)), np.show_config(mode="dicts")["Compilers"]["c"]["name"],
]
import ast, ctypes, inspect, pickle, platform, textwrap
import numpy.lib.format, numpy.lib.npyio, numpy.linalg, numpy.ma, numpy.random, numpy.typing
told += [
    ast.literal_eval("[1]"), ctypes.sizeof(ctypes.c_int32), inspect.cleandoc("  a\\n    b"), textwrap.dedent(" a"),
    str(inspect.signature(told.append)), pickle.loads(pickle.dumps(np.arange(3))).tolist(), platform.system(),
    numpy.linalg.inv([[2.0]]).tolist(), numpy.ma.masked_equal([1, 2], 2).sum().item(), len(numpy.typing.__all__) > 2,
]
print(json.dumps(told))
"""
    lean, plain = both(script)
    assert lean == plain
    assert lean[:4] == [[0, 1, 2], [[1.0, 2.0], [3.0, 4.0]], 5.0, [1.0, 2.0]]


def test_nothing_stands_in_for_a_module_afterwards() -> None:
    odd, empty = told(
        LEAN
        + """
from auditor.cli.lean import _StandIn
print(json.dumps([
    [name for name, one in sys.modules.items() if isinstance(one, _StandIn)],
    [name for name, one in sys.modules.items() if name.startswith("numpy") and getattr(one, "__spec__", None) is None],
]))
"""
    )
    assert odd == empty == []


def test_numpy_that_is_there_stays_as_it_is() -> None:
    before, after = told(
        "import numpy; before = sorted(sys.modules)\n" + LEAN + "print(json.dumps([before, sorted(sys.modules)]))"
    )
    assert {name for name in {*after} - {*before} if name.startswith("numpy")} == set()


@pytest.mark.skipif(not MODERN, reason="older NumPy touches some of what is left out")
def test_nothing_of_what_is_left_out_is_loaded() -> None:
    loaded = set(told(f"before = set(sys.modules)\n{LEAN}print(json.dumps(sorted(set(sys.modules) - before)))"))
    left_out = {
        *("ast", "ctypes", "inspect", "pickle", "platform", "textwrap", "dataclasses"),
        *("numpy.linalg", "numpy.linalg._linalg", "numpy._typing", "numpy.lib._npyio_impl", "numpy.lib._datasource"),
        *("numpy.__config__", "numpy.lib._arraypad_impl", "numpy.lib._histograms_impl", "numpy.lib._nanfunctions_impl"),
        *("numpy.lib._polynomial_impl", "numpy.lib._scimath_impl", *UNASKED),
    }
    assert loaded & left_out == set()
    assert {"numpy", "numpy._core._multiarray_umath"} <= loaded


TELL = """import atexit, json
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
"""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere Click reads every command line")
@pytest.mark.parametrize("capture", ["out-of-range", "snaplen96", "blocked"])
@pytest.mark.parametrize("report_format", ["json", "text", "json-flows"])
def test_an_audit_says_the_same_with_numpy_as_it_comes(tmp_path: Path, capture: str, report_format: str) -> None:
    folder = CAPTURES / capture
    outputs, loaded = [], []
    for name, prelude in (("lean", ""), ("plain", "import numpy, numpy.linalg, numpy.typing\n")):
        kept = tmp_path / name
        arguments = ["audit", str(folder / f"{capture}.pcap"), "--format", report_format, "--exit-zero"]
        arguments += ["--policy", str(folder / "policy.yaml"), "--output", str(kept)]
        script = (
            f"import sys\nsys.argv = ['auditor', *{arguments!r}]\n{prelude}from auditor.cli import main\n{TELL}main()"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=100)
        assert done.returncode in (0, 3), done.stderr
        loaded.append(set(json.loads(done.stderr)))
        outputs.append(kept.read_bytes())
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 500
    # What only looks like NumPy's functions would work as well, and take longer than these.
    assert not MODERN or report_format == "json-flows" or loaded[0] & UNASKED == set()
    assert loaded[1] >= UNASKED or not MODERN
