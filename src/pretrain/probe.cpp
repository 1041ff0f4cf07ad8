#include "ltad/pretrain/probe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <span>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/data/dataset.h"
#include "ltad/data/mask.h"
#include "ltad/eval/pixel_labels.h"
#include "ltad/eval/roc.h"
#include "ltad/eval/table.h"
#include "ltad/features/extract.h"
#include "ltad/model/jitter.h"
#include "ltad/model/nearest.h"
#include "ltad/model/score.h"
#include "ltad/train/feature_set.h"
#include "ltad/train/run.h"

namespace ltad {
namespace {

constexpr std::size_t batch_size = 16;  // test pictures at once

/// A class's pictures.
struct ClassSamples {
    std::vector<Sample> bank;
    std::vector<Sample> test;
};

/// Classes bytewise by name, their pictures by file, as the data set lists them.
std::map<std::string, ClassSamples> group_samples(const Dataset& dataset, std::int64_t images) {
    std::map<std::string, ClassSamples> classes;
    for (const Sample& sample : dataset.train) {
        auto& bank = classes[sample.class_name].bank;
        if (static_cast<std::int64_t>(bank.size()) < images) bank.push_back(sample);
    }
    for (const Sample& sample : dataset.test) classes[sample.class_name].test.push_back(sample);
    return classes;
}

/// Patches of some pictures, standardised with their own means and deviations.
class PatchBank {
public:
    explicit PatchBank(const FeatureSet& set) {
        const FeatureStatistics statistics = feature_statistics(set);
        mean_ = statistics.channel_mean;
        // What is left of a constant channel is rounding, which must not be blown up.
        const at::Tensor constant = statistics.channel_deviation <= 1e-6 * mean_.abs();
        deviation_ = statistics.channel_deviation.masked_fill(constant, 1);
        for (std::size_t i = 0; i < set.size(); ++i) {
            const at::Tensor patches = standardized(set.batch(std::array{i}).maps)[0];
            const std::int64_t rows = patches.size(0);
            if (i == 0)
                patches_ =
                    at::empty({static_cast<std::int64_t>(set.size()) * rows, patches.size(1)}, patches.options());
            patches_.narrow(0, static_cast<std::int64_t>(i) * rows, rows).copy_(patches);
        }
    }

    /// [B, C_tot, G, G] → [B, G²].
    [[nodiscard]] at::Tensor distances(const at::Tensor& maps) const {
        const at::Tensor patches = standardized(maps);
        return nearest_distances(patches.flatten(0, 1), patches_).view({patches.size(0), patches.size(1)});
    }

private:
    [[nodiscard]] at::Tensor standardized(const at::Tensor& maps) const {
        return (to_tokens(maps) - mean_) / deviation_;
    }

    at::Tensor mean_, deviation_;
    at::Tensor patches_;  ///< [N · G², C_tot]
};

/// Scores and labels of a class's test pictures, and of all their pixels where it has masks.
struct Scores {
    std::vector<float> images;
    std::vector<std::uint8_t> image_labels;
    std::vector<float> pixels;
    std::vector<std::uint8_t> pixel_labels;
};

class Probe {
public:
    Probe(const Config& config, const FeatureStore& store, at::Device device, ProbeResult& result)
        : config_(config), store_(store), device_(device), result_(result) {}

    void add_class(const std::string& name, const ClassSamples& samples, Progress& progress) {
        const FeatureSet test = features_of(samples.test, name);
        Scores scores;
        read_labels(samples.test, test, scores);
        const PatchBank bank(features_of(samples.bank, name));
        std::vector<std::size_t> all(test.size());
        std::iota(all.begin(), all.end(), std::size_t{0});
        for (std::size_t first = 0; first < all.size(); first += batch_size) {
            const auto indices = std::span(all).subspan(first, std::min(batch_size, all.size() - first));
            add_distances(bank.distances(test.batch(indices).maps), samples.test, scores);
            progress.advance(indices.size());
            if (interrupt_requested()) throw Interrupted("interrupted; the encoded pictures are kept");
        }
        summarize(name, samples, scores);
    }

private:
    [[nodiscard]] FeatureSet features_of(const std::vector<Sample>& samples, const std::string& name) const {
        return {store_, config_.dataset.root, samples, {{name, 0}}, device_};
    }

    /// Before the distances, so that a wrong mask costs no time.
    void read_labels(const std::vector<Sample>& samples, const FeatureSet& set, Scores& scores) {
        for (const Sample& sample : samples) scores.image_labels.push_back(sample.defective ? 1 : 0);
        if (std::all_of(samples.begin(), samples.end(), [](const Sample& s) { return s.mask.empty(); })) return;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const auto labels = pixel_labels(config_.dataset, samples[i], set.features_of(i), config_.scoring.map_size);
            if (!samples[i].mask.empty() && std::find(labels.begin(), labels.end(), 1) == labels.end())
                ++result_.empty_masks;
            scores.pixel_labels.insert(scores.pixel_labels.end(), labels.begin(), labels.end());
        }
        scores.pixels.reserve(scores.pixel_labels.size());
    }

    /// distances: [B, G²], of the pictures that follow those already scored.
    void add_distances(const at::Tensor& distances, const std::vector<Sample>& samples, Scores& scores) const {
        const at::Tensor largest = distances.amax(1).to(at::kCPU);
        for (std::int64_t i = 0; i < largest.size(0); ++i) {
            const auto score = largest[i].item<float>();
            if (std::isnan(score))
                fail(samples[scores.images.size()].file, ": its distance to the training pictures is not a number; ",
                     "the feature store ", store_.folder().string(), " may be damaged (--verify-features repairs it)");
            scores.images.push_back(score);
        }
        if (scores.pixel_labels.empty()) return;
        const at::Tensor maps = anomaly_maps(distances, config_.scoring.map_size).to(at::kCPU).contiguous();
        const float* const data = maps.const_data_ptr<float>();
        scores.pixels.insert(scores.pixels.end(), data, data + maps.numel());
    }

    void summarize(const std::string& name, const ClassSamples& samples, const Scores& scores) {
        const auto defective = std::count(scores.image_labels.begin(), scores.image_labels.end(), 1);
        ProbeClass out{.name = name,
                       .train = static_cast<std::int64_t>(samples.bank.size()),
                       .test_good = static_cast<std::int64_t>(samples.test.size()) - defective,
                       .test_defective = defective};
        out.figures.image.auroc = auroc(scores.images, scores.image_labels);
        out.figures.pixel.auroc = auroc(scores.pixels, scores.pixel_labels);
        if (!out.figures.image.auroc)
            log_warning(text(name, ": its test pictures are all ", out.test_good > 0 ? "good" : "defective",
                             ", so it has no image figure and is left out of the mean"));
        else if (scores.pixel_labels.empty())
            log_warning(text(name, ": no masks, so it has an image figure only"));
        result_.classes.push_back(std::move(out));
    }

    const Config& config_;
    const FeatureStore& store_;
    at::Device device_;
    ProbeResult& result_;
};

Figures mean_of(const ProbeResult& result) {
    std::vector<Figures> classes;
    for (const ProbeClass& c : result.classes) classes.push_back(c.figures);
    return mean_figures(classes);
}

json aurocs_of(const Figures& figures) {
    const json all = to_json(figures);
    return {{"image_auroc", all["image_auroc"]}, {"pixel_auroc", all["pixel_auroc"]}};
}

}  // namespace

ProbeResult probe_encoder(const Config& config, const ProbeOptions& options) {
    if (options.images < 1) throw UsageError(text("--images: ", options.images, " is too few; at least 1 is needed"));
    const c10::NoGradGuard no_grad;
    const at::Device device = prepare_device(config);
    const Dataset dataset = list_dataset(config.dataset);
    const auto classes = group_samples(dataset, options.images);
    const AlignModel encoder(config.encoder.path, device, precision_of(config.encoder.precision));
    const FeatureLayout layout = feature_layout(config, encoder);
    FeatureStore store = open_store(config, encoder, layout);
    if (options.verify_features) verify_features(store);
    std::vector<std::filesystem::path> files;
    for (const auto& [name, samples] : classes)
        for (const auto* list : {&samples.bank, &samples.test})
            for (const Sample& sample : *list) files.push_back(dataset.root / sample.file);
    check_masks(config.dataset, dataset.test, static_cast<std::size_t>(at::get_num_threads()));
    encode_missing(store, encoder, layout, files, config.features.batch_size);

    ProbeResult result{.encoder = config.encoder.path,
                       .taps = layout.taps,
                       .grid = layout.grid,
                       .image_size = layout.image_size,
                       .images = options.images};
    Progress progress("probe", dataset.test.size(), "images");
    Probe probe(config, store, device, result);
    for (const auto& [name, samples] : classes) probe.add_class(name, samples, progress);
    if (result.empty_masks > 0)
        log_warning(text(counted(result.empty_masks, "defective picture"), " with a mask that is empty at ",
                         config.scoring.map_size, " x ", config.scoring.map_size, " pixels"));
    return result;
}

std::string format_probe_table(const ProbeResult& result) {
    TableRows rows{{"class", "train", "good", "defective", "image", "pixel"}};
    ProbeClass sum{.name = "Avg", .figures = mean_of(result)};
    const auto add = [&](const ProbeClass& c) {
        rows.push_back({c.name, std::to_string(c.train), std::to_string(c.test_good), std::to_string(c.test_defective),
                        percent(c.figures.image.auroc), percent(c.figures.pixel.auroc)});
    };
    for (const ProbeClass& c : result.classes) {
        add(c);
        sum.train += c.train;
        sum.test_good += c.test_good;
        sum.test_defective += c.test_defective;
    }
    add(sum);
    return format_rows(rows, 1, 1);
}

json to_json(const ProbeResult& result) {
    json classes = json::array();
    for (const ProbeClass& c : result.classes) {
        json item = aurocs_of(c.figures);
        item.update(
            {{"name", c.name}, {"train", c.train}, {"test_good", c.test_good}, {"test_defective", c.test_defective}});
        classes.push_back(item);
    }
    return {{"format", "ltad-probe/1"},
            {"encoder", result.encoder},
            {"taps", result.taps},
            {"grid", result.grid},
            {"image_size", result.image_size},
            {"images", result.images},
            {"empty_masks", result.empty_masks},
            {"classes", classes},
            {"mean", aurocs_of(mean_of(result))}};
}

}  // namespace ltad
