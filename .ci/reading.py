"""Reads a run over and over with other tools while a training writes it.

    reading.py SECONDS FOLDER COMMAND…

Starts the command, which records into FOLDER, and reads every table for so many seconds with each
tool, by folder and by glob. No answer may be wrong: rows of an iteration twice, missing or half.
Errors may be only those that docs/schema.md says to answer by asking again: a file or table that
is not there at this moment, or the totals, if they were replaced between two looks at them.
"""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

# By table, what tells rows of an iteration apart.
KEYS = {
    "steps": ["probe"],
    "tensors": ["probe", "tensor", "class"],
    "classes": ["probe", "class"],
    "units": ["tensor", "unit"],
    "parameters": ["tensor", "index"],
    "parameter_totals": ["tensor", "index"],
}
# What the tools say of a file or table that is gone at this moment.
GONE = ("No such file", "not found", "no files", "No files", "does not exist", "No match", "empty")


def by_folder(tool, folder):
    if tool == "pandas":
        return pd.read_parquet(folder)
    if tool == "polars":
        return pl.read_parquet(folder).to_pandas()
    return pq.read_table(folder).to_pandas()


def by_glob(tool, folder):
    pattern = f"{folder}/*.parquet"
    if tool == "polars":
        return pl.read_parquet(pattern).to_pandas()
    if tool == "duckdb":
        return duckdb.sql(f"SELECT * FROM '{pattern}'").df()
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise FileNotFoundError(pattern)
    return pd.concat(pd.read_parquet(file) for file in files)


WAYS = [
    ("pandas", by_folder),
    ("pandas", by_glob),
    ("polars", by_folder),
    ("polars", by_glob),
    ("pyarrow", by_folder),
    ("duckdb", by_glob),
]


def fault(table, rows, least):
    """Returns what is wrong with the rows of a table, and up to which iteration they reach."""
    if table == "parameter_totals":
        counts = Counter(rows.groupby(KEYS[table]).size())
        return (None if set(counts) == {1} else f"rows by parameter {counts}"), least
    key = ["iteration", *KEYS[table]]
    if rows.duplicated(key).any():
        return f"{rows.duplicated(key).sum()} of {len(rows)} rows are there twice", least
    by_iteration = rows.groupby("iteration").size().sort_index()
    last = int(by_iteration.index[-1])
    if list(by_iteration.index) != list(range(last + 1)):
        return f"{last + 1 - len(by_iteration)} iterations of {last + 1} are missing", least
    # Only the last may not be all there yet.
    if len(set(by_iteration.iloc[:-1])) > 1:
        return f"iterations have different numbers of rows: {Counter(by_iteration)}", least
    if last < least:
        return f"iteration {least} was there before, now {last} is the last", least
    return None, last


def read_for(seconds, folder, tool, way):
    reads, gone = Counter(), Counter()
    least = dict.fromkeys(KEYS, -1)
    end = time.monotonic() + seconds
    # On a slow machine, longer: one miss of the totals says nothing.
    totals = "parameter_totals"
    while time.monotonic() < end or reads[totals] + gone[totals] < 10:
        for table in KEYS:
            try:
                rows = way(tool, folder / table)
            except Exception as error:  # noqa: BLE001 - every tool has its own
                # It opens a file twice, and takes one that was replaced in between for damaged.
                replaced = tool == "polars" and table == totals
                gone_now = isinstance(error, FileNotFoundError) or replaced
                if not gone_now and not any(word in str(error) for word in GONE):
                    sys.exit(f"{tool} {way.__name__} {table}: {type(error).__name__}: {error}")
                gone[table] += 1
                continue
            problem, least[table] = fault(table, rows, least[table])
            if problem:
                sys.exit(f"{tool} {way.__name__} {table}: {problem}")
            reads[table] += 1
    many = reads.total()
    print(f"{tool:8} {way.__name__:10} {many:5} reads, none wrong; gone: {dict(gone)}", flush=True)
    if gone[totals] > reads[totals]:
        sys.exit(f"{tool} {way.__name__}: the totals can hardly be read")
    return many


def is_newer(file, since):
    """Tells whether a file was written after a time; one that is gone was not."""
    try:
        return file.stat().st_mtime > since
    except FileNotFoundError:
        return False


def main(seconds, folder, command):
    snapshot = Path(folder) / "parameter_totals" / "snapshot.parquet"
    for tool, way in WAYS:
        # Anew for every way, since reading takes longer the longer a training runs.
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as training:
            try:
                began = time.time()
                while not is_newer(snapshot, began):
                    if training.poll() is not None:
                        sys.exit(f"the training ended with {training.returncode} at once")
                    time.sleep(0.1)
                reads = read_for(float(seconds), Path(folder), tool, way)
                if training.poll() is not None or not reads:
                    sys.exit(f"{tool} {way.__name__}: {reads} reads, training ended")
            finally:
                training.kill()
        # And what is left by the kill.
        read_for(0.1, Path(folder), tool, way)


main(sys.argv[1], sys.argv[2], sys.argv[3:])
