#!/usr/bin/env python3
"""Mean and standard deviation over the results.json of several runs, such as those of several seeds, as a table of
image / pixel AUROC in %.

usage: mean_results.py NAME=RESULTS.json[,RESULTS.json...] ..."""
import json
import statistics
import sys

SCORES = ("ltad", "reconstruction", "semantic")
GROUPS = (("all", "Avg"), ("high", "High"), ("low", "Low"))


def cell(runs, group, score):
    parts = []
    for level in ("image_auroc", "pixel_auroc"):
        values = [run["mean"][group][score][level] for run in runs]
        if any(value is None for value in values):
            parts.append("n/a")
            continue
        text = f"{100 * statistics.mean(values):.2f}"
        if len(values) > 1:
            text += f" ± {100 * statistics.stdev(values):.2f}"
        parts.append(text)
    return " / ".join(parts)


def main():
    if len(sys.argv) < 2 or any("=" not in argument for argument in sys.argv[1:]):
        sys.exit(__doc__)
    print("| run | | " + " | ".join(SCORES) + " |")
    print("| --- | --- |" + " --- |" * len(SCORES))
    for argument in sys.argv[1:]:
        name, files = argument.split("=", 1)
        runs = []
        for file in files.split(","):
            with open(file, encoding="utf-8") as stream:
                runs.append(json.load(stream))
            if runs[-1].get("format") != "ltad-results/1":
                sys.exit(f"{file}: not a results.json of ltad-eval")
        seeds = f" ({len(runs)} seeds)" if len(runs) > 1 else ""
        for key, label in GROUPS:
            cells = " | ".join(cell(runs, key, score) for score in SCORES)
            print(f"| {name + seeds if key == 'all' else ''} | {label} | {cells} |")


main()
