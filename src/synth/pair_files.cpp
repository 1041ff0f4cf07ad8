#include "ltad/synth/pair_files.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"

namespace ltad {
namespace {

void check(const PairOptions& o) {
    const auto expect = [](const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
        if (value < low || value > high)
            throw UsageError(
                text("--", name, ": ", value, " is not allowed (a whole number from ", low, " to ", high, ")"));
    };
    expect("pairs", o.count, 1, 1000000);
    expect("size", o.size, 32, 4096);
    expect("seed", o.seed, 0, INT64_MAX);
}

std::string image_name(std::size_t index) {
    char name[40];
    std::snprintf(name, sizeof name, "images/%06zu.png", index);
    return name;
}

/// Writes the pictures, spread over the cores, and returns their captions in order. The first exception stops them all
/// and is thrown again.
std::vector<std::string> write_pictures(const std::filesystem::path& folder, const PairOptions& o) {
    std::vector<std::string> captions(static_cast<std::size_t>(o.count));
    Progress progress("draw", captions.size(), "pictures");
    std::atomic<std::size_t> next = 0;
    std::mutex guard;
    std::exception_ptr failure;
    const auto work = [&] {
        for (std::size_t i; (i = next++) < captions.size();) {
            try {
                if (interrupt_requested()) throw Interrupted("interrupted; nothing was kept");
                CaptionedPicture pair = draw_pair({.seed = o.seed,
                                                   .side = o.side,
                                                   .index = static_cast<std::int64_t>(i),
                                                   .size = static_cast<int>(o.size)});
                write_file_atomically(folder / image_name(i), encode_png(pair.image));
                captions[i] = std::move(pair.caption);
            } catch (...) {
                const std::lock_guard lock(guard);
                if (!failure) failure = std::current_exception();
                next = captions.size();
                return;
            }
            const std::lock_guard lock(guard);
            progress.advance();
        }
    };
    {
        std::vector<std::jthread> workers;
        for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) workers.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
    return captions;
}

void write_all(const std::filesystem::path& folder, const PairOptions& options) {
    make_directories(folder / "images");
    const std::vector<std::string> captions = write_pictures(folder, options);
    std::string lines;
    for (std::size_t i = 0; i < captions.size(); ++i)
        lines += nlohmann::ordered_json{{"image", image_name(i)}, {"text", captions[i]}}.dump() + "\n";
    write_file_atomically(folder / "pairs.jsonl", lines);
}

}  // namespace

void write_pairs(const std::filesystem::path& out, const PairOptions& options) {
    check(options);
    if (out.empty()) throw UsageError("--out: '' is not allowed (a folder to make)");
    const auto whole = std::filesystem::absolute(out).lexically_normal();
    const auto target = whole.has_filename() ? whole : whole.parent_path();  // without a slash at its end
    // Beside its final name until it is whole, so that nobody takes half a set for one.
    const std::filesystem::path partial = text(target.string(), ".part-", ::getpid());
    if (std::filesystem::exists(target) &&
        !(std::filesystem::is_directory(target) && std::filesystem::is_empty(target)))
        fail(target.string(), ": is there already and not an empty folder; choose another one, or remove it first");
    try {
        write_all(partial, options);
        std::filesystem::remove(target);
        std::filesystem::rename(partial, target);
    } catch (...) {
        std::error_code ignored;
        std::filesystem::remove_all(partial, ignored);
        throw;
    }
    log_info(text(target.string(), ": ", options.count, " pictures with captions"));
}

}  // namespace ltad
