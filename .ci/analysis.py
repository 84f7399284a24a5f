"""Checks the numbers of the program burn-lca on a recorded run against DuckDB, numpy and scipy.

    analysis.py BURN_LCA RUN [SEED_RUN...]

RUN has all tables (the full record). SEED_RUNs are runs of one model, of different seeds; the
tests of significance of `layers` and the lines of `setting` are checked on these. Prints a line per command; stops at the
first number that differs.
"""

import itertools
import json
import sys
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
from scipy import stats

from analysis_noise import ROUNDED, noise
from analysis_tables import END, ask, checked, layer_of, same, series, table, within


def summary(program, run, probes, values):
    answer = ask(program, "summary", run)
    for probe, reconciliation, helping in zip(probes, answer["reconciliation"], answer["helping"], strict=True):
        expected = sums_of_steps(run, probe)
        worst = reconciliation["worst_residual"]
        same("summary", "worst iteration", worst["iteration"], expected["worst"][0])
        same("summary", "worst residual", worst["residual"], expected["worst"][1])
        for name in ("steps", "optimizer_steps", "unobserved", "loss_before", "loss_after", "loss_change", "lca", "difference", "capped"):
            same("summary", f"{name} of {probe}", reconciliation[name], expected[name])
        for name in ("helping", "hurting", "zero", "fraction_of_all", "fraction_of_nonzero"):
            same("summary", f"{name} of {probe}", helping[name], expected[name])
        for name in ("lca_helping", "lca_hurting", "mean"):
            same("summary", f"{name} of {probe}", helping[name], expected[name], absolute=1e-18)
    cost = table(run, "steps", "sweeps, probe_seconds")
    same("summary", "sweeps", answer["cost"]["sweeps"], int(cost["sweeps"].sum()))
    same("summary", "probe_seconds", answer["cost"]["probe_seconds"], cost["probe_seconds"].sum())
    _, by_layer = series(run, "lca", probes[0])
    hurting = {layer: lca for (_, layer), lca in by_layer.items() if lca.sum() > 0}
    same("summary", "layers that hurt", len(answer["hurting_layers"]), len(hurting))
    for layer in answer["hurting_layers"]:
        lca = hurting[layer["layer"]]
        same("summary", f"lca of {layer['layer']}", layer["lca"], lca.sum())
        same("summary", "hurting steps", layer["fraction_hurting_steps"], (lca > 0).mean())
    same("summary", "source", answer["quantiles"]["source"], "parameters")
    same("summary", "values", answer["quantiles"]["values"], len(values))
    for quantile in answer["quantiles"]["quantiles"]:
        exact = values[max(int(np.ceil(quantile["probability"] * len(values))), 1) - 1]
        # Bins are of values as they were before they were rounded for the record.
        low, high = (edge + ROUNDED * abs(edge) * sign for edge, sign in ((quantile["lower"], -1), (quantile["upper"], 1)))
        within("summary", f"quantile {quantile['probability']}", exact, low, high)
        within("summary", f"estimate of {quantile['probability']}", quantile["value"], quantile["lower"], quantile["upper"])


def sums_of_steps(run, probe):
    """Returns what `steps` says about a probe as a whole."""
    rows = table(run, "steps", "*", f"probe = '{probe}'")
    count = {name: int(rows[name].sum()) for name in ("helping", "hurting", "zero")}
    nonzero = count["helping"] + count["hurting"]
    starts, spans = rows["iteration"].astype(int), rows["span"].astype(int)
    ends = starts + spans - 1
    # Over steps that nobody looked at, the loss changes by itself.
    gaps = (starts[1:] > ends[:-1] + 1).any()
    change = rows["loss_after"][-1] - rows["loss_before"][0]
    if gaps:
        change = (rows["loss_after"] - rows["loss_before"]).sum()
    buffers = np.nansum(np.ma.filled(rows["buffers"].astype(float), np.nan)) if "buffers" in rows else 0.0
    worst = np.abs(rows["residual"]).argmax()
    return {
        "steps": len(rows["lca"]),
        "loss_before": rows["loss_before"][0],
        "loss_after": rows["loss_after"][-1],
        "loss_change": change,
        "lca": rows["lca"].sum(),
        "difference": change - rows["lca"].sum() - buffers,
        "optimizer_steps": int(spans.sum()),
        "unobserved": int(ends[-1] - starts[0] + 1 - spans.sum()),
        "worst": (ends[worst], rows["residual"][worst]),
        "capped": int(rows["capped"].sum()),
        **count,
        "fraction_of_all": count["helping"] / (nonzero + count["zero"]),
        "fraction_of_nonzero": count["helping"] / nonzero,
        "lca_helping": rows["lca_helping"].sum(),
        "lca_hurting": rows["lca_hurting"].sum(),
        "mean": rows["lca"].sum() / (nonzero + count["zero"]),
    }


def layers(program, runs, info, probe, classes):
    tensors = {tensor["path"]: tensor["parameters"] for tensor in info["tensors"]}
    for by, class_ in itertools.product(("layer", "tensor"), (None, *classes)):
        group = layer_of if by == "layer" else lambda tensor: tensor
        where = "class IS NULL" if class_ is None else f"class = {class_}"
        options = () if class_ is None else ("--class", str(class_))
        answer = ask(program, "layers", *runs, "--by", by, *options)
        key = -1 if class_ is None else class_
        lca = []
        for run in runs:
            found = series(run, "lca", probe, class_ is not None, group=group)[1]
            lca.append({name: values.sum() for (class_of, name), values in found.items() if class_of == key})
        counts = [counts_by(run, group, probe, where) for run in runs]
        same("layers", "names", [layer["name"] for layer in answer["layers"]], list(dict.fromkeys(map(group, tensors))))
        total = np.mean([sum(found.values()) for found in lca])
        same("layers", "lca", answer["lca"], total)
        tests = []
        for layer in answer["layers"]:
            name = layer["name"]
            sums = np.array([found[name] for found in lca])
            helping, hurting, zero = sum(found[name] for found in counts)
            parameters = sum(size for tensor, size in tensors.items() if group(tensor) == name)
            expected = {
                "parameters": parameters,
                "lca": sums.mean(),
                "fraction_of_network": sums.mean() / total,
                "lca_per_parameter": sums.mean() / parameters,
                "fraction_of_all": helping / (helping + hurting + zero),
                "hurts": bool(sums.mean() > 0),
            }
            if helping + hurting:
                expected["fraction_of_nonzero"] = helping / (helping + hurting)
            for item, value in expected.items():
                same("layers", f"{item} of {name}", layer[item], value, 1e-9)
            if len(runs) > 1:
                same("layers", f"deviation of {name}", layer["deviation"], sums.std(ddof=1), 1e-9)
                if layer["significance"]:
                    tests.append((name, layer["significance"], sums))
        over_runs(tests)


def counts_by(run, group, probe, where):
    """Returns helping, hurting and zero over the steps by layer or tensor."""
    query = f"""SELECT tensor, sum(helping), sum(hurting), sum(zero) FROM read_parquet('{run}/tensors/*.parquet')
                WHERE probe = '{probe}' AND {where} GROUP BY tensor"""
    found = {}
    for tensor, *counts in duckdb.sql(query).fetchall():
        found[group(tensor)] = found.get(group(tensor), 0) + np.array([int(count) for count in counts])
    return found


def over_runs(tests):
    """Checks the t-tests and sign-flip tests of the layers, and Holm's correction."""
    p_values = {"p_t": [], "p_sign_flip": []}
    for name, answer, sums in tests:
        student = stats.ttest_1samp(sums, 0)
        # All flips of signs, both sides.
        flips = stats.permutation_test((sums,), np.mean, permutation_type="samples", n_resamples=np.inf)
        interval = student.confidence_interval(0.95)
        same("layers over runs", f"t of {name}", answer["t"], student.statistic, 1e-8)
        for actual, expected in zip(answer["interval"], interval, strict=True):
            same("layers over runs", f"interval of {name}", actual, expected, 1e-8)
        for key, p in (("p_t", student.pvalue), ("p_sign_flip", flips.pvalue)):
            same("layers over runs", f"{key} of {name}", answer[key], p, 1e-8)
            p_values[key].append(p)
    for key, p in p_values.items():
        order = np.argsort(p)
        stepped = np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1))
        for place, expected in zip(order, np.minimum(stepped, 1)):
            same("layers over runs", f"{key}_corrected", tests[place][1][f"{key}_corrected"], expected, 1e-8)


def setting(program, runs):
    """Runs of one model against made-up numbers, of which two runs share one."""
    values = np.array([0.0, 0.5, 0.5, 0.9][: len(runs)])
    answer = ask(program, "setting", *(f"{value}={run}" for value, run in zip(values, runs)))
    lca = [series(run, "lca", "training")[1] for run in runs]
    by_layer = {name: np.array([each[-1, name].sum() for each in lca]) for (_, name) in lca[0]}
    found = [(layer, by_layer[layer["name"]]) for layer in answer["layers"]]
    for layer, sums in [*found, (answer["network"], sum(by_layer.values()))]:
        name, line = layer["name"], layer["line"]
        fit = stats.linregress(values, sums)
        for actual, expected in zip(layer["by_run"], sums, strict=True):
            same("setting", f"lca of {name}", actual, expected, 1e-9)
        for point in layer["points"]:
            same("setting", f"mean of {name}", point["lca"], sums[values == point["value"]].mean(), 1e-9)
            if point["runs"] > 1:
                same("setting", f"error of {name}", point["standard_error"], stats.sem(sums[values == point["value"]]), 1e-8)
        same("setting", f"slope of {name}", line["slope"], fit.slope, 1e-8)
        same("setting", f"intercept of {name}", line["intercept"], fit.intercept, 1e-8)
        same("setting", f"R squared of {name}", line["r_squared"], fit.rvalue**2, 1e-8)
        same("setting", f"error of the slope of {name}", line["test"]["standard_error"], fit.stderr, 1e-8)
        same("setting", f"p of {name}", line["test"]["p"], fit.pvalue, 1e-8)


def peaks(program, run, classes):
    columns = {"lca": ("lca", np.add), "step": ("step_norm", np.hypot), "gradient": ("gradient_norm", np.hypot)}
    for of, (column, join) in columns.items():
        answer = ask(program, "peaks", run, "--quantity", of, "--permutations", "10")
        by_class = bool(classes) and of != "step"
        iterations, found = series(run, column, "training", by_class, join)
        width, steps = min(51, len(iterations)), len(iterations)
        same("peaks", "series", len(answer["series"]), len(found))
        hits = {}
        for each in answer["series"]:
            key = -1 if each["class"] is None else each["class"]
            values, name = found[key, each["layer"]], f"{of} of {each['layer']}, class {each['class']}"
            signal = -values if of == "lca" else values
            starts = np.clip(np.arange(steps) - width // 2, 0, steps - width)
            heights = signal - np.median(np.lib.stride_tricks.sliding_window_view(signal, width), axis=1)[starts]
            strict = 1 + np.flatnonzero((signal[1:-1] > signal[:-2]) & (signal[1:-1] > signal[2:]))
            top = strict[np.argsort(-heights[strict], kind="stable")][:20]
            same("peaks", f"extremes, {name}", each["extremes"], len(strict))
            same("peaks", f"peaks, {name}", [peak["iteration"] for peak in each["peaks"]], iterations[top].tolist())
            for peak, place in zip(each["peaks"], top):
                same("peaks", f"value, {name}", peak["value"], values[place])
                same("peaks", f"height, {name}", peak["height"], heights[place])
            hits.setdefault(key, Counter()).update(top.tolist())
        for each in answer["alignment"]:
            line_up = sum(hit >= each["layers"] for counts in hits.values() for hit in counts.values())
            same("peaks", f"{of} in {each['layers']} layers", each["observed"], line_up)
        for class_ in answer["classes"]:
            counts = hits[-1 if class_["class"] is None else class_["class"]]
            for each in class_["alignment"]:
                line_up = sum(hit >= each["layers"] for hit in counts.values())
                same("peaks", f"{of} of class {class_['class']}", each["observed"], line_up)
        together = (place for counts in hits.values() for place in counts if counts[place] >= answer["min_layers"])
        moments = sorted({int(iterations[place]) for place in together})
        same("peaks", f"moments of {of}", [moment["iteration"] for moment in answer["moments"]], moments)


def candidates(program, run, probes):
    answer = ask(program, "candidates", run, "--resamples", "10")
    by_tensor = {probe: series(run, "lca", probe, group=str)[1] for probe in probes}
    for tensor in answer["freeze"]["tensors"]:
        expected = by_tensor["training"][-1, tensor["tensor"]].sum()
        same("candidates", f"lca of {tensor['tensor']}", tensor["training"]["lca"], expected)
    for tensor in (answer["overfitting"] or {"tensors": []})["tensors"]:
        for probe in ("training", "validation"):
            lca = by_tensor[probe][-1, tensor["tensor"]]
            expected = (lca if tensor["portion"] == "whole_run" else lca[len(lca) // 2 :]).sum()
            same("candidates", f"{tensor['portion']} of {tensor['tensor']}, {probe}", tensor[probe]["lca"], expected)
    totals = table(run, "parameter_totals", "*", order='tensor, "index"')
    moved = totals["helping"].astype(np.int64) + totals["hurting"]
    for tensor in answer["parameters"]:
        mine = totals["tensor"] == tensor["tensor"]
        rarely = mine & (moved >= 20) & (totals["helping"] <= 0.05 * moved)
        coins = moved[mine & (moved >= 20)]
        expected = {
            "parameters": int(mine.sum()),
            "dead": int((mine & (moved == 0)).sum()),
            "unmoved": int((mine & (moved == 0) & (totals["initial"] == totals["final"])).sum()),
            "rarely_helping": int(rarely.sum()),
            "rarely_helping_lca": totals["lca"][rarely].sum(),
            "rarely_helping_expected": stats.binom.cdf(np.floor(0.05 * coins), coins, 0.5).sum(),
        }
        for name, value in expected.items():
            same("candidates", f"{name} of {tensor['tensor']}", tensor[name], value, 1e-8)


def trace(program, run):
    totals = table(run, "parameter_totals", 'tensor, "index", lca', order="lca")
    last = len(totals["lca"]) - 1
    helping = [place for place in range(3) if totals["lca"][place] < 0]
    hurting = [place for place in range(last - 2, last + 1) if totals["lca"][place] > 0]
    tensor, index = totals["tensor"][last // 2], int(totals["index"][last // 2])
    answers = ask(program, "trace", run)["parameters"], ask(program, "trace", run, tensor, str(index))["parameters"]
    wanted = [(totals["tensor"][place], int(totals["index"][place])) for place in helping + hurting]
    for answer, places in zip(answers, (wanted, [(tensor, index)])):
        same("trace", "parameters", [(each["tensor"], each["index"]) for each in answer], places)
        for each in answer:
            where = f"tensor = '{each['tensor']}' AND \"index\" = {each['index']}"
            rows = table(run, "parameters", f"{END} AS iteration, step, gradient, lca", where)
            same("trace", "steps", len(each["steps"]), len(rows["lca"]))
            same("trace", "lca", each["lca"], rows["lca"].astype(float).sum(), absolute=1e-15)
            for row, step in enumerate(each["steps"]):
                for name, column in rows.items():
                    # Printed as the shortest decimal of a single-precision number.
                    same("trace", name, step[name], float(column[row]), 1e-7, 0)


def compare(program, run, probes, classes):
    answer = ask(program, "compare", run, run)
    pairs = [item for part in ("probes", "layers", "classes") for each in answer[part] for item in each.items()]
    for name, pair in pairs:
        if name == "lca_margins":
            same("compare", "margins without samples", list(pair.values()), [None] * 3)
        elif isinstance(pair, dict):
            same("compare", f"difference of {name}", (pair["difference"], pair["first"]), (0.0, pair["second"]))
    for probe, each in zip(probes, answer["probes"], strict=True):
        expected = sums_of_steps(run, probe)
        for name in each.keys() - {"probe", "lca_margins", "of_estimates"}:
            same("compare", f"{name} of {probe}", each[name]["first"], expected[name])
    _, by_layer = series(run, "lca", probes[0])
    total = sum(lca.sum() for lca in by_layer.values())
    for layer in answer["layers"]:
        lca = by_layer[-1, layer["layer"]].sum()
        same("compare", f"lca of {layer['layer']}", layer["lca"]["first"], lca)
        same("compare", f"share of {layer['layer']}", layer["fraction_of_network"]["first"], lca / total)
    same("compare", "classes", [each["class"] for each in answer["classes"]], classes)
    for each in answer["classes"]:
        rows = table(run, "classes", "lca, loss_after", f"probe = '{probes[0]}' AND class = {each['class']}")
        same("compare", f"lca of class {each['class']}", each["lca"]["first"], rows["lca"].sum())
        same("compare", f"loss of class {each['class']}", each["loss_after"]["first"], rows["loss_after"][-1])


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    program, run, *seeds = sys.argv[1:]
    info = json.loads((Path(run) / "run.json").read_text())
    probes = [probe["name"] for probe in info["probes"]]
    classes = [each["index"] for each in info["probes"][0]["classes"]]
    values = np.sort(table(run, "parameters", "lca", order="1")["lca"].astype(float))
    summary(program, run, probes, values)
    layers(program, [run], info, probes[0], classes[:2])
    noise(program, run, probes[0], values)
    peaks(program, run, classes)
    candidates(program, run, probes)
    trace(program, run)
    compare(program, run, probes, classes)
    if seeds:
        layers(program, seeds, json.loads((Path(seeds[0]) / "run.json").read_text()), "training", [])
        setting(program, seeds)
    for command, numbers in checked.items():
        print(f"ok      {command}: {numbers} numbers")


if __name__ == "__main__":
    main()
