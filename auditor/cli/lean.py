"""NumPy without what no audit uses of it, for a process that is one audit and nothing else.

Half of NumPy's import is not NumPy's arrays: it is linear algebra and the types for its annotations, the docstrings
of C functions, polynomials, histograms, reading and writing of files, arrays as text, functions in Python that an audit does
without (``auditor.distinct`` and ``auditor.blocks`` have the few that it needs), and what of the standard library all that asks for.
While NumPy is imported empty modules stand in the place of these, and are gone when it is there: whoever imports one of them
later has the real one. NumPy itself keeps what it took: a stand-in, that becomes the real module when something is asked of it which it does not
have, and functions that look up the real one when they are called. So a NumPy that asks for more gets it, and only loses
the time; the tests hold that with NumPy as it is an audit says the same.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

_DOCSTRINGS = ("numpy._core._add_newdocs", "numpy._core._add_newdocs_scalars")
"""Modules that do nothing but attach docstrings to what is written in C: 50 of the 374 million instructions of the import."""

_UNUSED = (
    *("ast", "ctypes", "inspect", "pickle", "platform", "textwrap", "numpy.lib.format", "numpy.lib.npyio"),
    *("numpy._core._dtype_ctypes", "numpy._core._internal", "numpy.lib.introspect", "numpy.lib.mixins"),
    *("numpy.lib.array_utils", "numpy.lib.scimath", "numpy.lib.stride_tricks"),
)
"""Modules that NumPy imports and does not touch before it is sent on an errand that an audit never sends it on: 75 million."""

_UNCALLED = {
    "numpy.__config__": ("show_config",),
    "numpy._array_api_info": ("__array_namespace_info__",),
    "numpy._core.arrayprint": (
        *("_get_legacy_print_mode", "array2string", "array_repr", "array_str", "format_float_positional"),
        *("format_float_scientific", "get_printoptions", "printoptions", "set_printoptions"),
    ),
    "numpy._core.einsumfunc": ("einsum", "einsum_path"),
    "numpy._core.getlimits": ("finfo", "iinfo"),
    "numpy.lib._arraypad_impl": ("pad",),
    "numpy.lib._arrayterator_impl": ("Arrayterator",),
    "numpy.lib._arraysetops_impl": (
        *("ediff1d", "intersect1d", "isin", "setdiff1d", "setxor1d", "union1d", "unique", "unique_all"),
        *("unique_counts", "unique_inverse", "unique_values"),
    ),
    "numpy.lib._function_base_impl": (
        *("angle", "append", "asarray_chkfinite", "average", "bartlett", "bincount", "blackman", "copy", "corrcoef"),
        *("cov", "delete", "diff", "digitize", "extract", "flip", "gradient", "hamming", "hanning", "i0", "insert"),
        *("interp", "iterable", "kaiser", "median", "meshgrid", "percentile", "piecewise", "place", "quantile"),
        *("rot90", "select", "sinc", "sort_complex", "trapezoid", "trim_zeros", "unwrap", "vectorize"),
    ),
    "numpy.lib._histograms_impl": ("histogram", "histogram_bin_edges", "histogramdd"),
    "numpy.lib._nanfunctions_impl": (
        *("nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin"),
        *("nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar"),
    ),
    "numpy.lib._npyio_impl": (
        *("fromregex", "genfromtxt", "load", "loadtxt", "save", "savetxt", "savez", "savez_compressed"),
        *("packbits", "unpackbits"),
    ),
    "numpy.lib._polynomial_impl": (
        *("poly", "poly1d", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval"),
        "roots",
    ),
    "numpy.lib._shape_base_impl": (
        *("apply_along_axis", "apply_over_axes", "array_split", "column_stack", "dsplit", "dstack", "expand_dims"),
        *("hsplit", "kron", "put_along_axis", "row_stack", "split", "take_along_axis", "tile", "vsplit"),
    ),
    "numpy.lib._stride_tricks_impl": ("broadcast_arrays", "broadcast_shapes", "broadcast_to"),
    "numpy.lib._twodim_base_impl": (
        *("diag", "diagflat", "eye", "fliplr", "flipud", "histogram2d", "mask_indices", "tri", "tril"),
        *("tril_indices", "tril_indices_from", "triu", "triu_indices", "triu_indices_from", "vander"),
    ),
    "numpy.lib._type_check_impl": (
        *("common_type", "imag", "iscomplex", "iscomplexobj", "isreal", "isrealobj", "mintypecode", "nan_to_num"),
        *("real", "real_if_close", "typename"),
    ),
    "numpy.lib._ufunclike_impl": ("fix", "isneginf", "isposinf"),
    "numpy.lib._utils_impl": ("get_include", "info", "show_runtime"),
    "numpy.linalg": ("eigvals", "inv", "lstsq", "matrix_power"),
}
"""Modules of NumPy, and what it takes from them but never calls by itself. Linear algebra, with the types that it alone asks
for: 52 million instructions; files: 14 million; functions in Python on arrays, and arrays as text: 17 million. A function stands for the class ``poly1d`` too:
it can be called, which is all that NumPy's own users do."""


class _StandIn(ModuleType):
    """Stands in the place of a module until something is asked of it that it was not given."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":
            # Python asks whatever names are taken from whether it is a package: where it lies tells, it need not be loaded.
            found = _folders(self.__name__)
            if not found:
                raise AttributeError(name)
            return found
        return getattr(_real(self.__name__), name)


def _folders(module: str) -> list[str]:
    """Return where the modules of a package lie; nothing for a module that is none."""
    parent, _, name = module.rpartition(".")
    if not parent:
        spec = PathFinder.find_spec(module)
        return [] if spec is None else list(spec.submodule_search_locations or ())
    # Twenty of them are asked: a look into the folder takes a twentieth of what finding the module takes.
    places = [os.path.join(folder, name) for folder in sys.modules[parent].__path__]
    return list(filter(os.path.isdir, places))


def _real(module: str) -> ModuleType:
    """Return the module itself, whatever stands in its place."""
    if isinstance(sys.modules.get(module), _StandIn):
        del sys.modules[module]
    return importlib.import_module(module)


def _looked_up(module: str, name: str) -> Callable[..., Any]:
    """Return a function that calls the one of that name in the module itself."""

    def call(*values: Any, **named: Any) -> Any:
        return getattr(_real(module), name)(*values, **named)

    # Masked arrays take their own from some.
    call.__doc__ = f"Call ``{name}`` of ``{module}``."
    return call


def _stand_ins() -> dict[str, ModuleType]:
    """Return what is to stand in the place of modules, by their names."""
    made: dict[str, ModuleType] = {name: ModuleType(name) for name in _DOCSTRINGS}
    made |= {name: _StandIn(name) for name in (*_UNUSED, *_UNCALLED, "numpy._utils._inspect")}
    for module, names in _UNCALLED.items():
        vars(made[module]).update(
            {name: _looked_up(module, name) for name in names}, __all__=[name for name in names if name[0] != "_"]
        )
    # NumPy tidies the docstrings of what is written in C by this one, and tells its signatures.
    vars(made["inspect"]).update(cleandoc=str, signature=_unsaid)
    # By this it makes sure that each of its functions in Python and the one that looks at its arguments take the same.
    vars(made["numpy._utils._inspect"]).update(getargspec=_same)
    return {name: one for name, one in made.items() if name not in sys.modules}


def _unsaid(_: object) -> None:
    """Stand for a signature that nobody asks for."""


def _same(_: object) -> tuple[list[str], None, None, None]:
    """Stand for the arguments of a function, the same for all."""
    return [], None, None, None


def load_numpy() -> None:
    """Import NumPy, if it is not there yet, without what an audit does not use."""
    if "numpy" in sys.modules:
        return
    placed = _stand_ins()
    sys.modules.update(placed)
    try:
        numpy: Any = importlib.import_module("numpy")
        # A function in C, which a module that was left out only passes on.
        numpy.bincount = importlib.import_module("numpy._core.multiarray").bincount
    finally:
        for name, one in placed.items():
            vars(one).pop("cleandoc", None), vars(one).pop("signature", None)
            if sys.modules.get(name) is one:
                del sys.modules[name]
