"""How time and memory grow with pictures, classes and grid: a table, and a plot as SVG.

usage: growth.py BIN_FOLDER OUT_FOLDER [AXIS ...]     axes: pictures, classes, grid; all of them where none is named

What an earlier call has measured along other axes is kept in OUT_FOLDER/growth.json and plotted again. Runs ltad_growth (parts of the program) and the commands themselves on small pictures drawn here. Each line of the
table also says how much a size costs relative to the smallest one, and how much it should: what the arithmetic demands.
"""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib

MODEL = {
    "model_type": "align",
    "projection_dim": 80,
    "vision_config": {"width_coefficient": 0.25, "depth_coefficient": 0.2},
    "text_config": {
        "vocab_size": 2000, "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
        "intermediate_size": 512, "max_position_embeddings": 16,
    },
}
SETTINGS = {
    "dataset.image_size": 64, "phase1.epochs": 1, "phase2.epochs": 1, "phase1.batch_size": 32,
    "phase2.batch_size": 32, "features.batch_size": 32, "decoder.resolution": "grid",
    "split.imbalance_factor": 1, "reconstruction.hidden_dim": 16, "reconstruction.heads": 2,
    "reconstruction.encoder_layers": 1, "reconstruction.decoder_layers": 1, "reconstruction.feedforward_dim": 32,
    "reconstruction.neighbor_size": 3, "scoring.map_size": 64,
}


def png(side, channels, pixel):
    """A PNG whose pixel (x, y) is pixel(x, y), a tuple of channels."""
    rows = b"".join(b"\0" + bytes(v for x in range(side) for v in pixel(x, y)) for y in range(side))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def write_data(root, pictures, classes):
    """Half of the pictures for training, a quarter good and a quarter defective ones for testing, 16 x 16 pixels."""
    stream = random.Random(0)
    mask = png(16, 1, lambda x, y: (255 if 4 <= x < 8 and 4 <= y < 8 else 0,))
    samples = [png(16, 3, lambda x, y: (stream.randrange(256), 128, 64)) for _ in range(16)]
    for c in range(classes):
        folder = os.path.join(root, f"class{c:04}")
        folders = {k: os.path.join(folder, k) for k in ("train/good", "test/good", "test/bad", "ground_truth/bad")}
        for name in folders.values():
            os.makedirs(name)
        for i in range(pictures // classes):
            kind = ("train/good", "test/good", "train/good", "test/bad")[i % 4]
            with open(os.path.join(folders[kind], f"{i:05}.png"), "wb") as file:
                file.write(samples[(c + i) % len(samples)])
            if kind == "test/bad":
                with open(os.path.join(folders["ground_truth/bad"], f"{i:05}_mask.png"), "wb") as file:
                    file.write(mask)


def run(words, folder):
    """Seconds and peak memory (MiB) of a command."""
    start = time.monotonic()
    with open(os.path.join(folder, "log.txt"), "ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(words)}: failed; see {folder}/log.txt")
    return time.monotonic() - start, usage.ru_maxrss / 1024


class Bench:
    def __init__(self, binaries, out):
        self.binaries, self.out = binaries, out
        self.scratch = tempfile.TemporaryDirectory(prefix="ltad-growth-")
        self.model = os.path.join(self.scratch.name, "model")
        config = os.path.join(self.scratch.name, "config.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump(MODEL, file)
        self.command("ltad-pretrain", "init", "--config", config, "--seed", "1", "--out", self.model)
        self.series = []  # (axis, work, [(size, seconds, MiB, demanded)])

    def command(self, name, *words):
        return run([os.path.join(self.binaries, name), *words], self.out)

    def part(self, axis, work, name, sizes, demanded):
        """Measures a part at each size. demanded(size): what the arithmetic asks for, in any unit."""
        points = []
        for size in sizes:
            words = [os.path.join(self.binaries, "ltad_growth"), name, str(size), self.model]
            found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            points.append((size, found["seconds"], found["peak_mib"], demanded(size)))
        self.series.append((axis, work, points))

    def commands(self, axis, sizes, pictures_of, classes_of, demanded):
        """Measures the three commands of a run at each size, the first with encoding."""
        points = {"phase1": [], "phase2": [], "eval": []}
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="ltad-growth-", dir=self.scratch.name) as folder:
                write_data(os.path.join(folder, "data"), pictures_of(size), classes_of(size))
                config = os.path.join(folder, "config.json")
                with open(config, "w", encoding="utf-8") as file:
                    json.dump({}, file)
                options = {**SETTINGS, "dataset.root": folder + "/data", "encoder.path": self.model,
                           "features.path": folder + "/features", "output": folder + "/run"}
                words = ["--config", config] + [w for k, v in options.items() for w in ("--set", f"{k}={v}")]
                for step, command in (("phase1", ["ltad-train", "phase1"]), ("phase2", ["ltad-train", "phase2"]),
                                      ("eval", ["ltad-eval"])):
                    seconds, memory = self.command(*command, *words)
                    points[step].append((size, seconds, memory, demanded(size)))
        for step, found in points.items():
            name = "ltad-eval" if step == "eval" else f"ltad-train {step}"
            self.series.append((axis, name, found))


def attention_cost(grid):
    """Of Π per token: projections and feed-forward, and the attention to all tokens (reconstruction_flops in bench/modules.h)."""
    tokens = grid * grid
    return tokens * (12 * (4 * 256**2 + 2 * tokens * 256) + 8 * 2 * 256 * 1024 + 2 * 256 * 384)


def table(series):
    lines = ["| grows with | work | size | seconds | memory, MiB | time, relative | demanded |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    for axis, work, points in series:
        for i, (size, seconds, memory, demand) in enumerate(points):
            cells = [axis if i == 0 else "", work if i == 0 else "", f"{size:,}", f"{seconds:.4g}",
                     f"{memory:.0f}", f"{seconds / points[0][1]:.2f}", f"{demand / points[0][3]:.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"]


def panel(x0, y0, width, height, title, lines, unit):
    """A log-log plot of [(name, [(x, y, demanded or None)])]; dashed: what the arithmetic demands."""
    from math import ceil, floor, log10

    xs = [x for _, points in lines for x, *_ in points]
    ys = [v for _, points in lines for _, *values in points for v in values if v]
    low_x, high_x = log10(min(xs)), log10(max(xs))
    low_y, high_y = floor(log10(min(ys))), ceil(log10(max(ys)))

    def at(x, y):
        return (x0 + width * (log10(x) - low_x) / (high_x - low_x),
                y0 + height * (high_y - log10(y)) / max(high_y - low_y, 1))

    out = [f'<rect x="{x0}" y="{y0}" width="{width}" height="{height}" fill="none" stroke="#999"/>',
           f'<text x="{x0}" y="{y0 - 8}" font-weight="bold">{title}</text>']
    for power in range(low_y, high_y + 1):
        y = at(min(xs), 10**power)[1]
        out.append(f'<line x1="{x0}" x2="{x0 + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} {unit}</text>')
    for x in sorted(set(xs)):
        out.append(f'<text x="{at(x, 10**low_y)[0]:.1f}" y="{y0 + height + 16}" text-anchor="middle">{x:,}</text>')
    for (name, points), colour in zip(lines, COLOURS):
        for values, dashed in (([(x, y) for x, y, _ in points], ""), ([(x, d) for x, _, d in points if d],
                                                                      ' stroke-dasharray="4 4" opacity="0.6"')):
            if values:
                path = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in values)
                out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>')
    for i, ((name, _), colour) in enumerate(zip(lines, COLOURS)):
        y = y0 + height + 36 + 16 * i
        out.append(f'<line x1="{x0}" x2="{x0 + 18}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{x0 + 24}" y="{y}">{name}</text>')
    return "\n".join(out)


def plot(series):
    axes = list(dict.fromkeys(axis for axis, *_ in series))
    width, height, gap = 300, 240, 90
    rows = max(sum(axis == a for a, *_ in series) for axis in axes)
    step = height + 70 + 16 * rows
    parts = []
    for column, axis in enumerate(axes):
        chosen = [(work, points) for a, work, points in series if a == axis]
        times = [(work, [(s, t, points[0][1] * d / points[0][3]) for s, t, _, d in points]) for work, points in chosen]
        memory = [(work, [(s, max(m, 0.1), None) for s, _, m, _ in points]) for work, points in chosen]
        x = gap + column * (width + gap)
        parts.append(panel(x, 40, width, height, f"time, by {axis}", times, "s"))
        parts.append(panel(x, 40 + step, width, height, f"peak memory, by {axis}", memory, "MiB"))
    total_x, total_y = gap + len(axes) * (width + gap) - gap // 2, 30 + 2 * step
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{total_x}" height="{total_y}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) +
            f'\n<text x="{gap}" y="{total_y - 10}">dashed: what the arithmetic demands, from the smallest size on</text>\n'
            "</svg>\n")


def measure_pictures(bench):
    sizes, linear = [1000, 3000, 10000], lambda size: size
    bench.part("pictures", "find a finished store", "find-store", sizes, linear)
    bench.part("pictures", "read an epoch (mapped files)", "read-epoch", sizes, linear)
    bench.part("pictures", "pixel AUROC of one class", "pixel-auroc", sizes, linear)
    bench.commands("pictures", sizes, lambda size: size, lambda size: 2, linear)


def measure_classes(bench):
    sizes, constant = [10, 100, 1000], lambda size: 1
    bench.part("classes", "texts of all classes", "texts", sizes, lambda size: size)
    bench.part("classes", "a step's names, 8 pictures", "name-step", sizes, constant)
    bench.commands("classes", sizes, lambda size: 4000, lambda size: size, constant)


def measure_grid(bench):
    sizes, area = [14, 28], lambda size: size * size
    bench.part("grid", "Π, training step", "reconstruction-step", sizes, attention_cost)
    bench.part("grid", "Π, scoring", "reconstruction-scoring", sizes, attention_cost)
    bench.part("grid", "D of Lite0, training step", "decoder-step", sizes, area)
    bench.part("grid", "maps and image scores", "maps", sizes, area)


AXES = {"pictures": measure_pictures, "classes": measure_classes, "grid": measure_grid}


def main():
    if len(sys.argv) < 3 or not set(sys.argv[3:]) <= set(AXES):
        sys.exit(__doc__)
    binaries, out = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    kept = os.path.join(out, "growth.json")
    series = []
    if os.path.exists(kept):
        with open(kept, encoding="utf-8") as file:
            series = json.load(file)
    bench = Bench(binaries, out)
    for axis in sys.argv[3:] or AXES:
        AXES[axis](bench)
        series = [s for s in series if s[0] != axis]
    series += bench.series
    text = table(series)
    print(text)
    for name, content in (("growth.json", json.dumps(series)), ("growth.md", text + "\n"), ("growth.svg", plot(series))):
        with open(os.path.join(out, name), "w", encoding="utf-8") as file:
            file.write(content)


if __name__ == "__main__":
    main()
