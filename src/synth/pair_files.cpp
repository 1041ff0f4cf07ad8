#include "ltad/synth/pair_files.h"

#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/log.h"
#include "new_folder.h"

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

/// Writes the pictures and returns their captions in order.
std::vector<std::string> write_pictures(const std::filesystem::path& folder, const PairOptions& o) {
    std::vector<std::string> captions(static_cast<std::size_t>(o.count));
    draw_all(captions.size(), [&](std::size_t i) {
        CaptionedPicture pair = draw_pair(
            {.seed = o.seed, .side = o.side, .index = static_cast<std::int64_t>(i), .size = static_cast<int>(o.size)});
        write_file_atomically(folder / image_name(i), encode_png(pair.image));
        captions[i] = std::move(pair.caption);
    });
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
    const auto target = make_folder(out, [&](const std::filesystem::path& folder) { write_all(folder, options); });
    log_info(text(target.string(), ": ", options.count, " pictures with captions"));
}

}  // namespace ltad
