#include "ltad/detect/thresholds.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"

namespace ltad {
namespace {

constexpr const char* thresholds_format = "ltad-thresholds/1";
constexpr std::size_t batch_size = 16;

/// What the thresholds depend on.
json settings_of(const Run& run, const Detector& detector) {
    json files = json::array();
    for (const auto& file : detector.files()) files.push_back(sha256_file(file));
    const json all = to_json(run.config());
    return {{"method", run.config().method},
            {"files", files},
            {"scoring", all["scoring"]},
            {"patchcore", all["patchcore"]},
            {"training_list", run.common_settings()["training_list"]}};
}

/// Image scores and map means of some pictures, by score.
struct Observed {
    std::vector<std::vector<double>> images, means;

    explicit Observed(std::size_t scores) : images(scores), means(scores) {}

    [[nodiscard]] std::vector<NormalScore> summary(double share) const {
        std::vector<NormalScore> normal;
        for (std::size_t s = 0; s < images.size(); ++s)
            normal.push_back({.threshold = quantile(images[s], share),
                              .level = std::accumulate(means[s].begin(), means[s].end(), 0.0) /
                                       static_cast<double>(means[s].size())});
        return normal;
    }
};

void observe(const Run& run, const Detector& detector, Progress& progress, const std::string& class_name, Observed& own,
             Observed& all) {
    std::vector<Sample> samples;
    for (const Sample& sample : run.split().train)
        if (sample.class_name == class_name) samples.push_back(sample);
    const FeatureSet set = run.features_of(samples);
    for (std::size_t first = 0; first < samples.size(); first += batch_size) {
        if (interrupt_requested()) throw Interrupted("interrupted; nothing was written");
        std::vector<std::size_t> indices(std::min(batch_size, samples.size() - first));
        std::iota(indices.begin(), indices.end(), first);
        const Detection found = detector.detect(set, indices);
        for (std::size_t s = 0; s < own.images.size(); ++s) {
            const at::Tensor means = found.maps[s].mean({1, 2}, false, at::kDouble);
            for (std::int64_t i = 0; i < means.size(0); ++i)
                for (Observed* observed : {&own, &all}) {
                    observed->images[s].push_back(found.images[s][i].item<double>());
                    observed->means[s].push_back(means[i].item<double>());
                }
        }
        progress.advance(indices.size());
    }
}

Thresholds measure(const Run& run, const Detector& detector) {
    Thresholds out{.quantile = run.config().scoring.threshold_quantile};
    Observed all(detector.scores().size());
    Progress progress("thresholds", run.split().train.size(), "images");
    for (const std::string& name : run.class_names()) {
        Observed own(detector.scores().size());
        observe(run, detector, progress, name, own, all);
        out.classes[name] = own.summary(out.quantile);
    }
    out.all = all.summary(out.quantile);
    return out;
}

json to_json(const std::vector<std::string>& names, const std::vector<NormalScore>& normal) {
    json out = json::object();
    for (std::size_t s = 0; s < names.size(); ++s)
        out[names[s]] = {{"threshold", normal[s].threshold}, {"level", normal[s].level}};
    return out;
}

std::vector<NormalScore> from_json(const std::vector<std::string>& names, const json& document) {
    std::vector<NormalScore> normal;
    for (const std::string& name : names)
        normal.push_back({document.at(name).at("threshold"), document.at(name).at("level")});
    return normal;
}

}  // namespace

const std::vector<NormalScore>& Thresholds::of(const std::string& class_name) const {
    const auto found = classes.find(class_name);
    return found == classes.end() ? all : found->second;
}

HeatRange heat_range(const NormalScore& normal) {
    const auto low = static_cast<float>(normal.level);
    const auto high = static_cast<float>(2 * normal.threshold - normal.level);
    // Maps that are the same everywhere have no range of their own.
    return {low, high > low ? high : low + std::max(1e-6f, std::abs(low) * 1e-3f)};
}

double quantile(std::vector<double> values, double share) {
    if (values.empty()) fail("there is no quantile of no values");
    std::sort(values.begin(), values.end());
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

Thresholds thresholds_of(Run& run, const Detector& detector) {
    const auto file = run.output() / "thresholds.json";
    const json settings = settings_of(run, detector);
    const std::vector<std::string>& names = detector.scores();
    if (std::filesystem::exists(file)) {
        try {
            const json document = read_json(file);
            if (document.at("settings") == settings) {
                Thresholds read{.quantile = document.at("quantile"), .all = from_json(names, document.at("all"))};
                for (const auto& [name, normal] : document.at("classes").items())
                    read.classes[name] = from_json(names, normal);
                return read;
            }
        } catch (const std::exception& error) {
            log_warning(text(file.string(), ": is damaged and measured again (", error.what(), ")"));
        }
    }
    if (!std::filesystem::is_directory(run.config().dataset.root))
        fail(file.string(),
             ": thresholds are missing, and the training pictures that they are measured on are not there (",
             run.config().dataset.root, "); run ltad-eval --report or ltad-detect once where they are");
    run.prepare_features(false);
    const Thresholds measured = measure(run, detector);
    json classes = json::object();
    for (const auto& [name, normal] : measured.classes) classes[name] = to_json(names, normal);
    write_json(file, {{"format", thresholds_format},
                      {"settings", settings},
                      {"quantile", measured.quantile},
                      {"classes", classes},
                      {"all", to_json(names, measured.all)}});
    return measured;
}

}  // namespace ltad
