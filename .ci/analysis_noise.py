"""The part of analysis.py that checks `burn-lca noise`."""

from collections import Counter

import numpy as np
from scipy import optimize, signal, stats

from analysis_tables import END, ask, same, table, within

# The program rounds values to 10 binary digits after the leading one: by half of the last one.
ROUNDED = 2.0**-11


def noise(program, run, probe, values):
    answer = ask(program, "noise", run)
    distribution, nonzero = answer["distribution"], values[values != 0]
    same("noise", "source", distribution["source"], "parameters")
    for name, those in (("helping", values < 0), ("hurting", values > 0), ("zero", values == 0)):
        same("noise", name, distribution[name], int(those.sum()))
    sums = table(run, "steps", "lca, helping, hurting, zero", f"probe = '{probe}'")
    counted = sum(int(sums[name].sum()) for name in ("helping", "hurting", "zero"))
    same("noise", "mean", distribution["mean"], sums["lca"].sum() / counted, absolute=1e-18)
    histogram(distribution, nonzero)
    same("noise", "counts of bins", sum(each["count"] for each in distribution["bins"]), len(values))
    for quantile in distribution["quantiles"]:
        exact = values[max(int(np.ceil(quantile["probability"] * len(values))), 1) - 1]
        within("noise", f"quantile {quantile['probability']}", exact, quantile["lower"], quantile["upper"])
        within("noise", f"estimate of {quantile['probability']}", quantile["value"], quantile["lower"], quantile["upper"])
    sides = {"double_weibull": nonzero, "helping": nonzero[nonzero < 0], "hurting": nonzero[nonzero > 0]}
    for name, part in sides.items():
        law = distribution["fits"][name]
        for item, expected in zip(("shape", "scale"), weibull(np.abs(part))):
            same("noise", f"{item} of {name}", law[item], expected, 2 * ROUNDED, 0)
        same("noise", f"values of {name}", law["fit"]["values"], len(part))
    gaussian, deviation = distribution["fits"]["gaussian"], nonzero.std()
    same("noise", "mean of the Gaussian", gaussian["mean"], nonzero.mean(), 0, 1e-3 * deviation)
    same("noise", "deviation of the Gaussian", gaussian["standard_deviation"], deviation, 1e-3)
    steps = table(run, "steps", f"{END} AS iteration, helping, hurting, zero", f"probe = '{probe}'")
    for row, step in enumerate(answer["helping"]["steps"]):
        for name, column in steps.items():
            same("noise", f"{name} by step", step[name], int(column[row]))
    smoothed(answer["helping"], steps)
    totals = table(run, "parameter_totals", "*", order='tensor, "index"')
    heroes(answer["heroes"], totals)
    for amount, name in ((-totals["lca"], "help"), (totals["lca"], "harm")):
        concentration(answer["concentration"][name], np.sort(np.maximum(amount, 0))[::-1], name)
    steps = totals["helping"].astype(np.int64) + totals["hurting"] + totals["zero"]
    moving = (totals["helping"] > 0) | (totals["hurting"] > 0)
    for tensor in answer["oscillation"]:
        mine = moving & (totals["tensor"] == tensor["tensor"])
        same("noise", f"moving of {tensor['tensor']}", tensor["moving"], int(mine.sum()))
        for kind in ("step", "gradient"):
            changes = totals[f"{kind}_sign_changes"][mine].astype(np.int64)
            period = 2 * (steps[mine] - 1).sum() / changes.sum() if changes.sum() else None
            same("noise", f"{kind} period of {tensor['tensor']}", tensor[f"{kind}_period"], period)
            same("noise", f"{kind}s of one sign", tensor[f"{kind}_no_sign_change"], int((changes == 0).sum()))


def histogram(distribution, nonzero):
    """Checks the bars of the histogram, which share their edges."""
    found = distribution["histogram"]
    bars, zero = found["bars"], found["linear_below"]
    sizes = np.abs(nonzero)
    # Rounding moves a value over an edge once in a thousand.
    within("noise", "values next to zero", (sizes < zero * (1 - ROUNDED)).mean(), 0, 0.01)
    within("noise", "values below the next power", (sizes < 10 * zero * (1 + ROUNDED)).mean(), 0.01, 1)
    same("noise", "counts of bars", sum(bar["count"] for bar in bars), len(nonzero))
    for bar in bars:
        inside = ((nonzero >= bar["lower"]) & (nonzero < bar["upper"])).sum()
        same("noise", f"bar from {bar['lower']}", bar["count"], int(inside), 0, 2 + 0.01 * inside)
        sides = sorted((abs(bar["lower"]), abs(bar["upper"])))
        fit = distribution["fits"]["double_weibull"]
        weibull = stats.weibull_min(fit["shape"], scale=fit["scale"])
        expected = fit["fit"]["values"] / 2 * np.diff(weibull.cdf(sides))[0]
        same("noise", f"Weibull from {bar['lower']}", bar["double_weibull"], expected, 1e-6, 1e-6)


def smoothed(answer, steps):
    """Checks the smoothed fractions against scipy's filter, with a window that smooths."""
    fraction = steps["helping"] / (steps["helping"] + steps["hurting"])
    window = len(fraction) // 60 * 2 + 1
    same("noise", "smoothing window", answer["smoothing_window"], window)
    expected = fraction if window == 1 else signal.savgol_filter(fraction, window, 1)
    for step, value in zip(answer["steps"], np.clip(expected, 0, 1), strict=True):
        same("noise", "smoothed fraction", step["smoothed_of_nonzero"], value, 1e-9)


def weibull(values):
    """Returns shape and scale of the greatest likelihood, for location 0."""
    unit = np.exp(np.log(values).mean())
    sizes, counts = np.unique(values / unit, return_counts=True)
    weights, logs = counts / counts.sum(), np.log(sizes)
    if len(values) <= 1_000_000:
        shape, _, scale = stats.weibull_min.fit(values / unit, floc=0)
        return shape, scale * unit
    # scipy's fit takes minutes on more. At the maximum, the derivative by the shape is zero.
    power = lambda k: weights * np.exp(k * logs)
    shape = optimize.brentq(lambda k: (power(k) * logs).sum() / power(k).sum() - 1 / k - weights @ logs, 0.01, 20)
    return shape, power(shape).sum() ** (1 / shape) * unit


def heroes(answer, totals):
    steps = totals["helping"].astype(np.int64) + totals["hurting"]
    helped, lca, steps = totals["helping"][steps > 0].astype(np.int64), totals["lca"][steps > 0], steps[steps > 0]
    share = helped.sum() / steps.sum()
    pearson = ((helped - steps * share) ** 2 / (steps * share * (1 - share))).sum()
    tail = 0.025 / len(steps)
    hero = stats.binom.sf(helped - 1, steps, share) <= tail
    villain = stats.binom.cdf(helped, steps, share) <= tail
    expected = {
        "moving": len(steps),
        "still": len(totals["lca"]) - len(steps),
        "helping_fraction": share,
        "variance_ratio": pearson / (len(steps) - 1),
        "p_value": stats.chi2.sf(pearson, len(steps) - 1),
        "heroes": int(hero.sum()),
        "villains": int(villain.sum()),
        "heroes_lca": lca[hero].sum(),
        "villains_lca": lca[villain].sum(),
    }
    for name, value in expected.items():
        same("noise", name, answer[name], value, 1e-8)
    by_chance = np.zeros(20)
    for count, parameters in Counter(steps.tolist()).items():
        outcomes = np.arange(count + 1)
        chance = parameters * stats.binom.pmf(outcomes, count, share)
        np.add.at(by_chance, np.minimum(outcomes * 20 // count, 19), chance)
    parameters = np.bincount(np.minimum(helped * 20 // steps, 19), minlength=20)
    for number, each in enumerate(answer["bins"]):
        same("noise", f"parameters of share {each['lower']}", each["parameters"], int(parameters[number]))
        same("noise", f"chance of share {each['lower']}", each["by_chance"], by_chance[number], 1e-6, 1e-6)
        reach = 2 * np.sqrt(by_chance[number] * (1 - by_chance[number] / len(steps)))
        same("noise", f"reach of share {each['lower']}", each["chance_high"], by_chance[number] + reach, 1e-6, 1e-6)


def concentration(answer, amounts, name):
    """Checks the spread of amounts, which descend."""
    with_part = amounts[amounts > 0]
    same("noise", f"parameters with {name}", answer["parameters"], len(with_part))
    same("noise", f"total {name}", answer["total"], amounts.sum(), ROUNDED)
    for key, part in (("gini", amounts), ("gini_among_these", with_part)):
        ranks = np.arange(len(part), 0, -1)
        gini = 2 * (ranks * part).sum() / (len(part) * part.sum()) - (len(part) + 1) / len(part)
        # Rounding moves a sum by up to ROUNDED, and so does it the ratio of two.
        same("noise", f"{key} of {name}", answer[key], gini, 0, 2 * ROUNDED)
    for top in answer["top"]:
        wanted = top["of_parameters"] * len(amounts)
        whole = int(wanted)
        share = (amounts[:whole].sum() + (wanted - whole) * amounts[whole]) / amounts.sum()
        same("noise", f"top {top['of_parameters']} of {name}", top["of_amount"], share, 2 * ROUNDED)
