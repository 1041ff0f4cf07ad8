"""What people use today, beside ltad in the same run: images a second of the ALIGN image encoder, and pixel AUROC.

usage: peers.py LTAD_BENCH [--compile]

Runs in a Python environment of your own that has torch and transformers, and openvino and scikit-learn where they are
to be compared; the project never needs it. Weights are random: speed does not depend on them. Each round measures
every program once, with both cores; the table has the medians over the rounds.
"""

import importlib.util
import json
import statistics
import subprocess
import sys
import time

import numpy
import torch
import transformers

BATCH, SIDE, PIXELS, ROUNDS = 8, 224, 8_400_000, 3


def rate(step, items, least_seconds=1.0):
    """Items a second: the better of at least two calls, after one that is not counted."""
    step()
    best, spent, calls = float("inf"), 0.0, 0
    while spent < least_seconds or calls < 2:
        start = time.perf_counter()
        step()
        took = time.perf_counter() - start
        best, spent, calls = min(best, took), spent + took, calls + 1
    return items / best


def our_rate(program, work):
    """Of one of ltad_bench's works, with the better number of threads."""
    words = [program, "--benchmark_format=json", "--benchmark_min_time=1", f"--benchmark_filter=^{work}/ours/"]
    output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    if not output:
        sys.exit(f"{program}: has no work '{work}'")
    return max(run["items_per_second"] for run in json.loads(output)["benchmarks"])


def our_works(program):
    """The names of ltad_bench's works: those in bfloat16 are there on processors that have its products."""
    return subprocess.run([program, "--works"], check=True, capture_output=True, text=True).stdout.splitlines()


def openvino_model(model, pixels, precision):
    import openvino

    class Maps(torch.nn.Module):
        """The last block's map alone: OpenVINO wants plain tensors."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            return self.model(pixel_values=x).last_hidden_state

    converted = openvino.convert_model(Maps(), example_input=pixels, input=[list(pixels.shape)])
    hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": "1"}
    compiled = openvino.Core().compile_model(converted, "CPU", hints)
    values = pixels.numpy()
    return lambda: compiled(values)


def encoders(program, with_compile):
    """{name: measurement} of the image encoder, B7 at 224 x 224."""
    in_bfloat16 = "encode B7, 224, bfloat16" in our_works(program)
    model = transformers.AlignVisionModel(transformers.AlignVisionConfig()).eval()
    pixels = torch.randn(BATCH, 3, SIDE, SIDE)
    last = pixels.contiguous(memory_format=torch.channels_last)

    def autocast(run):
        def step():
            with torch.autocast("cpu", torch.bfloat16):
                run()
        return step

    steps = {"transformers": lambda: model(pixel_values=pixels)}
    if importlib.util.find_spec("openvino"):
        steps["OpenVINO, float32"] = openvino_model(model, pixels, "f32")
        if in_bfloat16:
            steps["OpenVINO, bfloat16"] = openvino_model(model, pixels, "bf16")
    channels_last = transformers.AlignVisionModel(model.config).eval().to(memory_format=torch.channels_last)
    steps["transformers, channels-last"] = lambda: channels_last(pixel_values=last)
    if in_bfloat16:
        steps["transformers, channels-last, bfloat16 autocast"] = autocast(steps["transformers, channels-last"])
    if with_compile:
        from torch._inductor import config

        config.freezing = True
        compiled = torch.compile(channels_last)
        steps["torch.compile, frozen, float32"] = lambda: compiled(pixel_values=last)
    measures = {name: (lambda step=step: rate(step, BATCH)) for name, step in steps.items()}
    measures["ltad, float32"] = lambda: our_rate(program, "encode B7, 224")
    if in_bfloat16:
        measures["ltad, bfloat16"] = lambda: our_rate(program, "encode B7, 224, bfloat16")
    return measures


def areas(program):
    """{name: measurement} of the AUROC, in million pixels a second."""
    stream = numpy.random.default_rng(1)
    scores, labels = stream.standard_normal(PIXELS, dtype=numpy.float32), stream.random(PIXELS) < 0.03
    measures = {}
    if importlib.util.find_spec("sklearn"):
        from sklearn.metrics import roc_auc_score

        measures["scikit-learn"] = lambda: rate(lambda: roc_auc_score(labels, scores), PIXELS / 1e6)
    measures["ltad"] = lambda: our_rate(program, "AUROC of 8.4 million pixels")
    return measures


def compare(title, measures):
    found = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            found[name].append(measure())
    print(f"\n| {title} | median | lowest | highest |\n| --- | ---: | ---: | ---: |")
    for name, rates in found.items():
        print(f"| {name} | {statistics.median(rates):.1f} | {min(rates):.1f} | {max(rates):.1f} |", flush=True)


def main():
    arguments = [a for a in sys.argv[1:] if a != "--compile"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    torch.set_grad_enabled(False)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {torch.get_num_threads()} threads")
    compare(f"image encoder B7, {SIDE} x {SIDE}, batch {BATCH}: images/s", encoders(arguments[0], "--compile" in sys.argv))
    compare("AUROC of 8.4 million pixels: million/s", areas(arguments[0]))


if __name__ == "__main__":
    main()
