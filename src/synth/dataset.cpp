#include "ltad/synth/dataset.h"

#include <cstdio>
#include <string>
#include <vector>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/log.h"
#include "ltad/synth/picture.h"
#include "new_folder.h"

namespace ltad {
namespace {

struct Job {
    SynthKey key;
    std::string defect;  // empty for a good picture
    std::filesystem::path file;
    std::filesystem::path mask;
};

void check(const SynthOptions& o) {
    const auto known = static_cast<std::int64_t>(synth_class_names().size());
    const auto expect = [](const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
        if (value < low || value > high)
            throw UsageError(
                text("--", name, ": ", value, " is not allowed (a whole number from ", low, " to ", high, ")"));
    };
    expect("classes", o.classes, 1, known);
    expect("train", o.train, 1, 100000);
    expect("test-good", o.test_good, 1, 100000);
    expect("test-defective", o.test_defective, 1, 100000);
    expect("size", o.size, 32, 4096);
    expect("seed", o.seed, 0, INT64_MAX);
}

std::string numbered(std::int64_t i) {
    char name[32];
    std::snprintf(name, sizeof name, "%03lld", static_cast<long long>(i));
    return name;
}

std::vector<Job> list_jobs(const std::filesystem::path& out, const SynthOptions& o) {
    std::vector<Job> jobs;
    const auto names = synth_class_names();
    for (std::size_t c = 0; c < static_cast<std::size_t>(o.classes); ++c) {
        const auto folder = out / names[c];
        const auto key = [&](std::string_view part, std::int64_t index) {
            return SynthKey{
                .class_index = c, .seed = o.seed, .part = part, .index = index, .size = static_cast<int>(o.size)};
        };
        for (std::int64_t i = 0; i < o.train; ++i)
            jobs.push_back({key("train", i), "", folder / "train" / "good" / (numbered(i) + ".png"), ""});
        for (std::int64_t i = 0; i < o.test_good; ++i)
            jobs.push_back({key("test", i), "", folder / "test" / "good" / (numbered(i) + ".png"), ""});
        for (const std::string& kind : synth_defect_kinds(c))
            for (std::int64_t i = 0; i < o.test_defective; ++i)
                jobs.push_back({key("test", i), kind, folder / "test" / kind / (numbered(i) + ".png"),
                                folder / "ground_truth" / kind / (numbered(i) + "_mask.png")});
    }
    return jobs;
}

void run(const Job& job) {
    const SynthPicture picture = job.defect.empty() ? draw_good(job.key) : draw_defective(job.key, job.defect);
    write_file_atomically(job.file, encode_png(picture.image));
    if (!job.mask.empty()) write_file_atomically(job.mask, encode_png(picture.mask));
}

}  // namespace

void write_synth_dataset(const std::filesystem::path& out, const SynthOptions& options) {
    check(options);
    const auto target = make_folder(out, [&](const std::filesystem::path& folder) {
        const std::vector<Job> jobs = list_jobs(folder, options);
        draw_all(jobs.size(), [&](std::size_t i) { run(jobs[i]); });
    });
    log_info(text(target.string(), ": ", options.classes, " classes, layout mvtec"));
}

}  // namespace ltad
