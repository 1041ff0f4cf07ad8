// ltad_bench [--works | --check] [--work=NAME] [GOOGLE BENCHMARK'S ARGUMENTS]
//   --works         lists the works
//   --check         compares the variants' results
//   --work=NAME     this work alone
#include <iostream>
#include <memory>
#include <string_view>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "ltad/align/device.h"
#include "ltad/core/error.h"
#include "ltad/kernels/gemm.h"
#include "memory.h"
#include "work.h"

namespace ltad::bench {
namespace {

std::vector<Work> all_works() {
    std::vector<Work> works;
    for (const auto& area : {peak_works, encode_works, pictures_works, phase1_works, phase2_works, score_works,
                             auroc_works, store_works, startup_works})
        for (Work& work : area())
            if (has_bfloat16() || !work.name.ends_with("bfloat16")) works.push_back(std::move(work));
    return works;
}

/// A figure for different arithmetic is worthless: the variants of a work must agree before any is timed.
void check(const Work& work) {
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
            fail(work.name, ": ", variant.name, " differs from ", first->name, " by ", difference, "; allowed is ",
                 allowed);
        std::cout << work.name << ": " << variant.name << " agrees with " << first->name << std::endl;
    }
}

/// A variant with what it has prepared, which its repetitions share.
class Prepared {
public:
    explicit Prepared(const Variant& variant) : variant_(variant) {}

    const Step& step() {
        if (!step_) {
            step_ = variant_.prepare();
            step_();
        }
        return step_;
    }

private:
    const Variant& variant_;
    Step step_;
};

void measure(benchmark::State& state, const Work& work, Prepared& prepared, int threads) {
    set_threads(threads);
    const Step& step = prepared.step();
    forget_peak_memory();
    for (auto _ : state) step();
    state.counters["peak_mib"] = peak_memory();
    state.counters["flops"] = work.flops;
    state.SetItemsProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * work.items));
    state.SetLabel(work.unit);
}

/// As "work/variant/threads".
void register_work(const Work& work) {
    for (const Variant& variant : work.variants) {
        const auto prepared = std::make_shared<Prepared>(variant);
        for (const int threads : work.threads)
            benchmark::RegisterBenchmark(
                text(work.name, '/', variant.name, '/', threads).c_str(),
                [&work, prepared, threads](benchmark::State& state) { measure(state, work, *prepared, threads); })
                ->UseRealTime()
                ->Unit(benchmark::kMillisecond);
    }
}

int run(int argc, char** argv) {
    constexpr std::string_view one = "--work=";
    std::vector<char*> others = {argv[0]};
    std::string_view chosen;
    bool lists = false, checks = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--works")
            lists = true;
        else if (word == "--check")
            checks = true;
        else if (word.starts_with(one))
            chosen = word.substr(one.size());
        else
            others.push_back(argv[i]);
    }
    set_threads(0);
    std::vector<Work> works = all_works();
    if (!chosen.empty()) std::erase_if(works, [&](const Work& work) { return work.name != chosen; });
    if (works.empty()) throw UsageError(text("no work is called \"", chosen, "\"; --works lists them"));
    for (const Work& work : works) {
        if (lists)
            std::cout << work.name << '\n';
        else if (checks)
            check(work);
        else
            register_work(work);
    }
    if (lists || checks) return 0;
    int count = static_cast<int>(others.size());
    benchmark::Initialize(&count, others.data());
    if (benchmark::ReportUnrecognizedArguments(count, others.data())) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}

}  // namespace
}  // namespace ltad::bench

int main(int argc, char** argv) try { return ltad::bench::run(argc, argv); } catch (const std::exception& error) {
    std::cerr << "ltad_bench: " << error.what() << '\n';
    return 1;
}
