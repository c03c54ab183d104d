"""Parquet: the frame of `samcli.runs.load` in one file, for pandas, polars, DuckDB and R."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import samcli
from samcli.export._entry import Entry
from samcli.export._folder import refusal
from samcli.export._format import Format, Progress
from samcli.runs.files import atomic_path
from samcli.runs.frame import frame_of, rowless

_MARK = b"samcli"  # a key of the file's own metadata


def write(entries: Sequence[Entry], output: Path, progress: Progress) -> list[str]:
    """Write the epochs of all runs to one file. Floats are 64 bits wide, names and texts as they are.

    Raises:
        ConfigError: another file stands there.
        ResultsError: it cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    if os.path.lexists(output) and not _is_ours(output):
        raise refusal(output, "parquet")
    runs = [entry.run for entry in entries]
    table = pa.Table.from_pandas(frame_of(runs), preserve_index=False)
    mark = json.dumps({"samcli": samcli.__version__, "export": "parquet"}).encode()
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _MARK: mark})
    with atomic_path(output) as temporary:
        parquet.write_table(table, temporary)
    progress(len(runs))
    sentence = rowless(runs)
    return [sentence] if sentence else []


def _is_ours(file: Path) -> bool:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        mark = json.loads((parquet.read_schema(file).metadata or {}).get(_MARK, b"{}"))
    except (OSError, ValueError, pa.ArrowException):  # no file of Parquet
        return False
    return isinstance(mark, dict) and mark.get("export") == "parquet"


PARQUET = Format("samcli-runs.parquet", ("pyarrow",), lambda output: f"pandas.read_parquet({output!r})", write)
