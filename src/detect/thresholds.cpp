#include "ltad/detect/thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include <ATen/ATen.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/detect/method.h"

namespace ltad {
namespace {

constexpr const char* thresholds_format = "ltad-thresholds/1";
constexpr std::size_t batch_size = 16;

/// What the thresholds depend on.
json settings_of(const Run& run, const Detector& detector) {
    json settings = picked(run.config(), method_named(run.config().method).scoring_keys);
    settings["method"] = run.config().method;
    settings["files"] = detector.file_hashes();
    settings["run"] = run.common_settings();  // a method may have no files that show these
    return settings;
}

/// One pass over a class's training pictures.
NormalClass observe(const Run& run, const Detector& detector, Progress& progress, const std::string& class_name) {
    std::vector<Sample> samples;
    for (const Sample& sample : run.split().train)
        if (sample.class_name == class_name) samples.push_back(sample);
    const FeatureSet set = run.features_of(samples);
    const auto count = static_cast<double>(samples.size());
    std::vector<std::vector<double>> images(detector.scores().size());
    std::vector<double> levels(images.size(), 0);
    at::Tensor embedding = at::zeros({run.layout().latent}, at::kDouble);
    for (std::size_t first = 0; first < samples.size(); first += batch_size) {
        stop_if_interrupted("interrupted; nothing was written");
        std::vector<std::size_t> indices(std::min(batch_size, samples.size() - first));
        std::iota(indices.begin(), indices.end(), first);
        const Detection found = detector.detect_left_out(set, indices);
        for (std::size_t s = 0; s < images.size(); ++s) {
            if (detector.gives_maps())
                levels[s] += found.maps[s].mean({1, 2}, false, at::kDouble).sum().item<double>() / count;
            for (std::int64_t i = 0; i < found.images[s].size(0); ++i) {
                images[s].push_back(found.images[s][i].item<double>());
                if (std::isnan(images[s].back()))
                    fail(samples[first + static_cast<std::size_t>(i)].file, ": its ", detector.scores()[s],
                         " score is not a number");
            }
        }
        embedding += set.batch(indices).latents.to(at::kCPU, at::kDouble).sum(0) / count;
        progress.advance(indices.size());
    }
    NormalClass normal;
    for (std::size_t s = 0; s < images.size(); ++s)
        normal.scores.push_back({.threshold = quantile(images[s], run.config().scoring.threshold_quantile),
                                 .level = detector.gives_maps() ? std::optional(levels[s]) : std::nullopt});
    const at::Tensor mean = embedding.to(at::kFloat);
    normal.embedding.assign(mean.const_data_ptr<float>(), mean.const_data_ptr<float>() + mean.numel());
    return normal;
}

json to_json(const std::vector<std::string>& names, const NormalClass& normal) {
    json scores = json::object();
    for (std::size_t s = 0; s < names.size(); ++s)
        scores[names[s]] = {{"threshold", normal.scores[s].threshold},
                            {"level", number_or_null(normal.scores[s].level)}};
    return {{"scores", scores}, {"embedding", normal.embedding}};
}

NormalClass from_json(const std::vector<std::string>& names, const json& document, std::size_t latent) {
    NormalClass normal;
    for (const std::string& name : names) {
        const json& score = document.at("scores").at(name);
        normal.scores.push_back({score.at("threshold"), number_if_any(score.at("level"))});
    }
    normal.embedding = document.at("embedding").get<std::vector<float>>();
    if (normal.embedding.size() != latent) fail("an embedding has ", normal.embedding.size(), " values");
    return normal;
}

/// Whether two settings are of one fit: the files of one score alone are among those of all.
bool same_fit(const json& a, const json& b) {
    auto one = a.at("files").get<std::vector<std::string>>(), other = b.at("files").get<std::vector<std::string>>();
    std::sort(one.begin(), one.end());
    std::sort(other.begin(), other.end());
    return std::includes(one.begin(), one.end(), other.begin(), other.end()) ||
           std::includes(other.begin(), other.end(), one.begin(), one.end());
}

/// Where thresholds of these settings go: thresholds.json, or beside it where that has those of the same fit with other
/// settings, such as `ltad-eval --only` or another quantile, which must not cost a run its own.
std::filesystem::path file_for(const std::filesystem::path& folder, const json& settings) {
    auto file = folder / "thresholds.json";
    if (!std::filesystem::exists(file)) return file;
    try {
        const json there = read_json(file).at("settings");
        if (there != settings && same_fit(there, settings))
            file = folder / text("thresholds-", sha256(settings.dump()).substr(0, 16), ".json");
    } catch (const std::exception&) {
        return file;  // a damaged one, which reading it says
    }
    return file;
}

/// Empty where the file is missing, damaged, or of another fit.
std::optional<Thresholds> read_thresholds(const std::filesystem::path& file, const json& settings, const Run& run,
                                          const std::vector<std::string>& names) {
    if (!std::filesystem::exists(file)) return std::nullopt;
    try {
        const json document = read_json(file);
        if (document.at("format") != thresholds_format) fail("format ", thresholds_format, " was expected");
        if (document.at("settings") != settings) return std::nullopt;
        Thresholds read{.quantile = document.at("quantile")};
        for (const auto& [name, normal] : document.at("classes").items())
            read.classes[name] = from_json(names, normal, static_cast<std::size_t>(run.layout().latent));
        if (read.classes.size() != run.class_names().size()) fail("it has ", read.classes.size(), " classes");
        for (const std::string& name : run.class_names()) (void)read.of(name);
        return read;
    } catch (const std::exception& error) {
        log_warning(text(file.string(), ": is damaged and measured again (", words_of(error), ")"));
        return std::nullopt;
    }
}

}  // namespace

const std::vector<NormalScore>& Thresholds::of(const std::string& class_name) const {
    const auto found = classes.find(class_name);
    if (found == classes.end()) fail("there is no threshold for class '", class_name, "'");
    return found->second.scores;
}

const std::string& Thresholds::nearest_class(std::span<const float> embedding) const {
    const std::string* nearest = nullptr;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [name, normal] : classes) {
        double distance = 0;
        for (std::size_t i = 0; i < embedding.size(); ++i) {
            const double d = static_cast<double>(embedding[i]) - static_cast<double>(normal.embedding[i]);
            distance += d * d;
        }
        if (nearest != nullptr && !(distance < least)) continue;
        nearest = &name;
        least = distance;
    }
    if (nearest == nullptr) fail("there are no classes to choose from");
    return *nearest;
}

HeatRange heat_range(const NormalScore& normal) {
    if (!normal.level) fail("a method that gives no maps has no colours for them");
    const auto low = static_cast<float>(*normal.level);
    const auto high = static_cast<float>(2 * normal.threshold - *normal.level);
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
    const json settings = settings_of(run, detector);
    const auto file = file_for(run.output(), settings);
    const std::vector<std::string>& names = detector.scores();
    if (const auto known = read_thresholds(file, settings, run, names)) return *known;
    if (!std::filesystem::is_directory(run.config().dataset.root))
        fail(file.string(),
             ": thresholds for these settings are missing, and the training pictures that they are measured on are not "
             "there (",
             run.config().dataset.root, "); run ltad-eval --report or ltad-detect once where they are");
    run.prepare_training_features();
    Thresholds measured{.quantile = run.config().scoring.threshold_quantile};
    Progress progress("thresholds", run.split().train.size(), "images");
    json classes = json::object();
    for (const std::string& name : run.class_names()) {
        if (std::count_if(run.split().train.begin(), run.split().train.end(),
                          [&](const Sample& sample) { return sample.class_name == name; }) == 1)
            log_warning(text(name, ": has one training picture, so its threshold is a guess"));
        const NormalClass& normal = measured.classes[name] = observe(run, detector, progress, name);
        classes[name] = to_json(names, normal);
    }
    try {
        write_json(file, {{"format", thresholds_format},
                          {"settings", settings},
                          {"quantile", measured.quantile},
                          {"classes", classes}});
    } catch (const Error& error) {  // of a folder that may only be read
        log_warning(text("the thresholds are measured, but not kept: ", error.what()));
    }
    return measured;
}

}  // namespace ltad
