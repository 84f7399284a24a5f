"""Runs every snippet of docs/recipes.md on a recorded run.

    recipes.py RUN EXPECTED_JSON

The answers of DuckDB, pandas and polars must agree with one another and with those that
tests/downstream computed in Rust (EXPECTED_JSON). Prints a line per recipe and how many passed.
"""

import itertools
import json
import math
import re
import sys
import traceback
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

DOCUMENT = Path(__file__).parent.parent / "docs" / "recipes.md"
LANGUAGES = ("duckdb", "pandas", "polars")
FENCES = {"sql": "duckdb", "python pandas": "pandas", "python polars": "polars"}

# Two floats a and b agree if |a - b| <= absolute + relative * max(|a|, |b|). All else must be
# equal: integers, texts, booleans, nulls, column names and the order of columns and rows.
#
# The languages compute the same double-precision sums in different orders.
BETWEEN_LANGUAGES = (1e-13, 1e-10)
# So does Rust, where it starts from the same double-precision numbers.
RUST = (1e-13, 1e-10)
# Where it starts from others: single-precision sums of 65 parameters, and a gradient over all
# examples at once instead of by chunks.
RUST_BY_COLUMN = {
    ("units", "lca"): (1e-9, 1e-6),
    ("units", "lca_sum"): (1e-8, 1e-6),
    ("trajectory", "gradient"): (1e-7, 1e-4),
}
# What the checks of the tables against one another may find at most. The losses are of size 1:
# 1e-14 is the rounding of double precision, the rest that of single precision.
LIMITS = {
    ("check-totals", "worst_lca"): 1e-14,
    ("check-totals", "worst_moved"): 1e-6,
    ("check-totals", "differing"): 0,
    ("check-units", "missing"): 0,
    ("check-units", "worst_lca"): 1e-8,
    ("check-tensors", "worst_lca"): 1e-7,
    ("check-steps", "worst_lca"): 1e-14,
    ("check-steps", "worst_class"): 1e-7,
    ("check-steps", "differing"): 0,
    ("check-histograms", "missing"): 0,
}


class Fault(Exception):
    """What is wrong with a recipe."""


def recipes(text):
    """Returns the snippets by recipe and language, in the order of the document."""
    found, recipe, fence, lines = {}, None, None, []
    for number, line in enumerate(text.splitlines(), 1):
        if fence is not None:
            if line.rstrip() != "```":
                lines.append(line)
                continue
            if language := FENCES.get(fence):
                if recipe is None or language in found[recipe]:
                    raise SystemExit(f"{DOCUMENT.name}:{number}: a {language} snippet too many")
                # Blank lines before it, so that errors name lines of the document.
                found[recipe][language] = "\n" * (number - len(lines) - 1) + "\n".join(lines)
            elif recipe is not None:
                raise SystemExit(f"{DOCUMENT.name}:{number}: `{fence}` is not one of {list(FENCES)}")
            fence = None
        elif line.startswith("```"):
            fence, lines = line[3:].strip(), []
        elif match := re.fullmatch(r"<!-- recipe: ([a-z-]+) -->", line.strip()):
            recipe = match[1]
            if recipe in found:
                raise SystemExit(f"{DOCUMENT.name}:{number}: a second recipe `{recipe}`")
            found[recipe] = {}
        elif line.startswith("#"):
            recipe = None
    if fence is not None:
        raise SystemExit(f"{DOCUMENT.name}: the last snippet has no end")
    return found


def answer(language, snippet, run):
    """Runs a snippet and returns the columns' names and the rows, as plain Python values."""
    if language == "duckdb":
        connection = duckdb.connect()
        connection.execute("SET VARIABLE run = ?", [run])
        connection.execute(snippet)
        result = connection.sql("FROM result")
        return result.columns, [[plain(value) for value in row] for row in result.fetchall()]
    scope = {"run": run}
    exec(compile(snippet, str(DOCUMENT), "exec"), scope)
    result = scope["result"]
    if language == "pandas":
        if not isinstance(result, pd.DataFrame):
            raise Fault(f"pandas: result is a {type(result).__name__}")
        columns = [result[name].tolist() for name in result.columns]
        # What pandas has for null is NaN; no recipe gives NaN otherwise.
        null = lambda value: value is pd.NA or value != value
        rows = [[None if null(value) else plain(value) for value in row] for row in zip(*columns)]
        return list(result.columns), rows
    if not isinstance(result, pl.DataFrame):
        raise Fault(f"polars: result is a {type(result).__name__}")
    return result.columns, [[plain(value) for value in row] for row in result.rows()]


def plain(value):
    return value.item() if hasattr(value, "item") else value


def compare(recipe, names, actual, expected, tolerance):
    """Raises the first difference between two answers; `names` are theirs."""
    (columns, rows), (expected_columns, expected_rows) = actual, expected
    if list(columns) != list(expected_columns):
        raise Fault(f"{names}: columns {list(columns)} and {list(expected_columns)}")
    if len(rows) != len(expected_rows):
        raise Fault(f"{names}: {len(rows)} and {len(expected_rows)} rows")
    for number, (row, expected_row) in enumerate(zip(rows, expected_rows)):
        for column, a, b in zip(columns, row, expected_row):
            if not same(a, b, *tolerance(recipe, column)):
                raise Fault(f"{names}: {a!r} and {b!r} in row {number}, column {column}")


def same(a, b, absolute, relative):
    if isinstance(a, float) and isinstance(b, str) and b in ("inf", "-inf", "NaN"):
        b = float(b)
    if not all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (a, b)):
        return type(a) is type(b) and a == b
    if isinstance(a, int) and isinstance(b, int) or math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= absolute + relative * max(abs(a), abs(b))


def check(recipe, snippets, run, expected):
    """Raises what is wrong with a recipe; returns how many rows its answer has."""
    missing = [language for language in LANGUAGES if language not in snippets]
    if missing:
        raise Fault(f"no snippet for {', '.join(missing)}")
    if recipe not in expected:
        raise Fault("no answer from Rust")
    truth = expected[recipe]["columns"], expected[recipe]["rows"]
    answers = {}
    for language in LANGUAGES:
        try:
            answers[language] = answer(language, snippets[language], run)
        except Fault:
            raise
        except Exception as error:
            traceback.print_exc()
            raise Fault(f"{language}: {type(error).__name__}: {error}") from error
    for first, second in itertools.combinations(LANGUAGES, 2):
        compare(recipe, f"{first} and {second}", answers[first], answers[second], lambda *_: BETWEEN_LANGUAGES)
    for language in LANGUAGES:
        rust = lambda *key: RUST_BY_COLUMN.get(key, RUST)
        compare(recipe, f"{language} and Rust", answers[language], truth, rust)
        columns, rows = answers[language]
        if not rows:
            raise Fault(f"{language}: no rows")
        for row in rows:
            for column, value in zip(columns, row):
                limit = LIMITS.get((recipe, column))
                if limit is not None and (value is None or not abs(value) <= limit):
                    raise Fault(f"{language}: {column} of {row[0]} is {value!r}, more than {limit}")
    return len(rows)


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    run = str(Path(sys.argv[1]).resolve())
    expected = json.loads(Path(sys.argv[2]).read_text())
    found = recipes(DOCUMENT.read_text())
    passed = failed = 0
    for recipe in [*found, *(set(expected) - set(found))]:
        try:
            if recipe not in found:
                raise Fault("an answer from Rust, but not in the document")
            rows = check(recipe, found[recipe], run, expected)
        except Fault as fault:
            failed += 1
            print(f"FAILED  {recipe}: {fault}")
        else:
            passed += 1
            print(f"ok      {recipe}: {rows} rows")
    if not found:
        failed += 1
        print(f"FAILED  {DOCUMENT} has no recipes")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
