#include "work.h"

#include <cstdio>
#include <exception>
#include <iostream>
#include <set>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "ltad/align/device.h"
#include "ltad/core/error.h"

namespace ltad::bench {
namespace {

std::vector<Work>& works() {
    static std::vector<Work> all;
    return all;
}

void measure(benchmark::State& state, const Work& work, const Variant& variant, int threads) {
    set_threads(threads);
    const Step step = variant.prepare();
    step();
    for (auto _ : state) step();
    state.SetItemsProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * work.items));
    state.counters["flops"] = work.flops;
    state.SetLabel(work.unit);
}

/// A figure for different arithmetic is worthless: all variants of a work must agree before any is timed.
void check(const Work& work) {
    set_threads(2);
    const Variant* first = nullptr;
    at::Tensor expected;
    for (const Variant& variant : work.variants) {
        if (!variant.result) continue;
        const at::Tensor found = variant.result().to(at::kDouble);
        if (first == nullptr) {
            first = &variant;
            expected = found;
            continue;
        }
        const double difference = (found - expected).abs().max().item<double>();
        const double allowed = variant.tolerance * expected.abs().max().item<double>();
        if (!(difference <= allowed))
            fail(work.name, ": ", variant.name, " differs from ", first->name, " by ", difference, ", allowed is ",
                 allowed);
    }
}

/// The works that a filter leaves, by the names that Google Benchmark would run.
void register_all() {
    for (const Work& work : works())
        for (const Variant& variant : work.variants)
            for (const int threads : work.threads)
                benchmark::RegisterBenchmark(
                    text(work.name, '/', variant.name, '/', threads).c_str(),
                    [&work, &variant, threads](benchmark::State& state) { measure(state, work, variant, threads); })
                    ->UseRealTime()
                    ->Unit(benchmark::kMillisecond);
}

}  // namespace

void add(Work work) { works().push_back(std::move(work)); }

}  // namespace ltad::bench

/// ltad_bench --check compares the variants' results and times nothing; else the arguments are Google Benchmark's.
int main(int argc, char** argv) try {
    using namespace ltad::bench;
    if (argc == 2 && std::string_view(argv[1]) == "--check") {
        for (const Work& work : works()) {
            check(work);
            std::cout << work.name << ": agrees\n";
        }
        return 0;
    }
    register_all();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
} catch (const std::exception& error) {
    std::cerr << "ltad_bench: " << error.what() << '\n';
    return 1;
}
