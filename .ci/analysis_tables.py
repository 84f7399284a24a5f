"""What the checks of analysis.py share: tables of a run as arrays, answers of the program, comparison."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np

# The same double-precision sums in another order.
SUMS = 1e-10

# How many numbers of each command were compared.
checked = Counter()


def same(command, name, actual, expected, relative=SUMS, absolute=1e-13):
    """Stops unless two values agree, numbers within the tolerances and all else exactly."""
    checked[command] += 1
    number = lambda x: isinstance(x, (int, float, np.number)) and not isinstance(x, bool)
    if number(actual) and number(expected):
        if actual == expected or abs(actual - expected) <= absolute + relative * abs(expected):
            return
    elif actual is expected or type(actual) is type(expected) and actual == expected:
        return
    raise SystemExit(f"FAILED  {command}: {name} is {actual!r}, not {expected!r}")


def within(command, name, value, low, high):
    checked[command] += 1
    if not low <= value <= high:
        raise SystemExit(f"FAILED  {command}: {name} is {value!r}, not from {low!r} to {high!r}")


def ask(program, *arguments):
    output = subprocess.run([program, *arguments, "--format", "json"], check=True, stdout=subprocess.PIPE)
    return json.loads(output.stdout)


# Of a row that is about several optimizer steps, an analysis names the last one.
END = "iteration + span - 1"


def table(run, name, columns, where="true", order="iteration"):
    """Returns columns of a table as arrays, in order."""
    files = f"read_parquet('{run}/{name}/*.parquet')"
    query = f"SELECT {columns} FROM {files} WHERE {where} ORDER BY {order}"
    return {key: np.asarray(value) for key, value in duckdb.sql(query).fetchnumpy().items()}


def layer_of(tensor):
    return tensor.rpartition(".")[0] or tensor


def series(run, column, probe, by_class=False, join=np.add, group=layer_of):
    """Returns the values over the steps by class and layer, in the model's order."""
    names = [tensor["path"] for tensor in json.loads((Path(run) / "run.json").read_text())["tensors"]]
    where = f"probe = '{probe}' AND class IS {'NOT' if by_class else ''} NULL"
    rows = table(run, "tensors", f"{END} AS iteration, coalesce(class, -1) AS class, tensor, {column} AS value", where)
    found = {}
    for key in sorted(set(rows["class"].tolist())):
        for name in names:
            mine = (rows["class"] == key) & (rows["tensor"] == name)
            if mine.any():
                place, values = (key, group(name)), rows["value"][mine]
                found[place] = join(found[place], values) if place in found else values
    return np.unique(rows["iteration"]), found
