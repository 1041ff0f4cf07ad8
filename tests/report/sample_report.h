#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "ltad/core/random.h"
#include "ltad/report/page.h"

namespace ltad::test {

/// Noise, which no encoder makes small.
inline Image noisy_picture(int side, std::uint64_t seed) {
    Random random(RandomUse::test, {seed});
    Image image{.width = side, .height = side, .pixels = {}};
    for (int i = 0; i < 3 * side * side; ++i) image.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    return image;
}

inline ReportScore sample_score(std::uint64_t seed) {
    Random random(RandomUse::test, {seed});
    ReportScore score;
    score.figures = {.image_auroc = random.uniform(0.5, 1),
                     .pixel_auroc = random.uniform(0.5, 1),
                     .image_average_precision = random.uniform(),
                     .image_f1_max = random.uniform(),
                     .pixel_average_precision = random.uniform(),
                     .pixel_f1_max = random.uniform(),
                     .aupro = random.uniform()};
    for (int i = 0; i <= 20; ++i) {
        score.image_roc.push_back({i / 20.0, std::sqrt(i / 20.0)});
        score.pixel_roc.push_back({i / 20.0, std::pow(i / 20.0, 0.2)});
        score.good.push_back(random.normal());
        score.defective.push_back(random.normal() + 2);
    }
    score.f1_threshold = 1;
    score.normal_threshold = 1.5;
    return score;
}

/// A report with everything in it, of the given scores and number of classes.
inline Report sample_report(const std::vector<std::string>& score_names, int classes) {
    Report report;
    report.title = "demo run";
    report.facts = {{"data set", "a folder with a long name/that/has/no/spaces/anywhere/in/it/to/break/at"},
                    {"λ", "0.02"}};
    report.notes = {"2 defective pictures have an empty mask."};
    report.score_names = score_names;
    const std::size_t scores = score_names.size();
    for (int c = 0; c < classes; ++c) {
        ReportClass one;
        one.name = "class " + std::to_string(c);
        one.group = c % 2 == 0 ? "low" : "high";
        one.train = 100 / (c + 1);
        one.test_good = one.test_defective = 21;
        for (std::size_t s = 0; s < scores; ++s)
            one.scores.push_back(sample_score(static_cast<std::uint64_t>(c) * 9 + s));
        one.name_words = {{{"washer", 0.41}, {"ring", 0.39}}, {{"metal", 0.5}}};
        report.classes.push_back(one);
    }
    for (const std::string name : {"Avg", "High", "Low"})
        report.means.push_back({name, name == "Low" ? "with few pictures." : "",
                                std::vector<ReportFigures>(scores, sample_score(7).figures)});
    for (int i = 0; i < 9; ++i) {
        GalleryItem item{.kind = static_cast<GalleryKind>(i % 3),
                         .file = "class 0/test/bad/" + std::to_string(i) + ".png",
                         .class_name = "class 0",
                         .defective = i % 3 != 1,
                         .score = 1.5,
                         .rank = 3,
                         .of = 42,
                         .panels = {}};
        const Image black{.width = 48, .height = 48, .pixels = std::vector<std::uint8_t>(3 * 48 * 48, 0)};
        const auto seed = static_cast<std::uint64_t>(i);
        item.panels = {{"picture", noisy_picture(48, seed)}, {"mask", black}, {"total", noisy_picture(48, seed + 99)}};
        report.gallery.push_back(item);
    }
    report.training = {{"Phase 1", "loss", {{1, 3}, {2, 2}}},
                       {"Phase 1", "kl", {{1, 100}, {2, 1}}},
                       {"Phase 2", "semantic", {{1, 1}, {2, 0.5}}}};
    report.config = "{\n  \"name\": \"demo run\"\n}";
    return report;
}

}  // namespace ltad::test
