"""Parquet: the flows in columns, for DuckDB, pandas, Polars and Spark. Words are dictionaries, times are in UTC."""

from __future__ import annotations

import io
from typing import Any

from auditor.errors import MissingExtra
from auditor.model import FlowField, FlowRows, Report
from auditor.model.flow_rows import Numbers, Values, Words
from auditor.report.interface import RenderOptions

_ROWS = 1 << 18
"""Flows in a row group: so many are in memory a second time."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 - the interface of all formats
    """Return the flows; raises MissingExtra without pyarrow."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("pyarrow", "parquet") from None
    flows = report.flows or FlowRows(0, (), {})
    schema = pa.schema(
        [_field(pa, field, flows.columns[field.name]) for field in flows.fields],
        metadata={"auditor": report.version, "verdict": report.verdict.value, "summary": _whole(report.summary)},
    )
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, schema, compression="zstd") as writer:
        for start, stop in flows.bounds(_ROWS):
            arrays = [
                _array(pa, flows.columns[field.name], schema.field(field.name).type, start, stop)
                for field in flows.fields
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return buffer.getvalue()


def _field(pa: Any, field: FlowField, values: Values) -> Any:
    types = {
        "time": lambda: pa.timestamp("ns", tz="UTC"),
        "flag": pa.bool_,
        "text": pa.string,
        "word": lambda: pa.dictionary(pa.int32(), pa.string()),
        "number": lambda: pa.from_numpy_dtype(values.values.dtype) if isinstance(values, Numbers) else pa.int64(),
    }
    return pa.field(field.name, types[field.kind](), metadata={"unit": field.unit, "meaning": field.meaning})


def _array(pa: Any, values: Values, kind: Any, start: int, stop: int) -> Any:
    """Return a part of a column; arrays are handed over as a whole, words by the few that occur in the part."""
    if isinstance(values, Numbers):
        part = values.values[start:stop]
        mask = None if values.absent is None else part == values.absent
        return pa.array(part.astype("i8") if pa.types.is_timestamp(kind) else part, kind, mask=mask)
    if isinstance(values, Words):
        encoded = pa.array(values.codes[start:stop]).dictionary_encode()
        words = pa.array([values.words[code] for code in encoded.dictionary.to_pylist()], pa.string())
        # Several codes may stand for one word, which a dictionary holds once.
        return words.take(encoded.indices).dictionary_encode()
    return pa.array(values.part(start, stop), kind)


def _whole(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
