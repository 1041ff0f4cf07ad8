#include "ltad/detect/inspection.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <future>
#include <new>
#include <ostream>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "ltad/config/load.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/parallel.h"
#include "ltad/core/visible.h"
#include "ltad/data/image.h"
#include "ltad/data/sample_bits.h"
#include "ltad/detect/find_pictures.h"
#include "ltad/features/extract.h"

namespace ltad {
namespace {

/// The run's own.
Config config_of(const InspectionOptions& options) {
    const auto file = options.run / "config.json";
    if (!std::filesystem::exists(file))
        throw UsageError(
            text("--run: ", file.string(), " is not there; a run's folder was expected, such as runs/demo"));
    Config config = load_config(file, options.overrides);
    config.output = options.run.string();
    if (!std::filesystem::exists(config.encoder.path))
        throw UsageError(text(config.encoder.path,
                              ": the run's encoder is not there; a run's paths start where it was "
                              "trained: call ltad-detect there, or give --set encoder.path=DIR"));
    return config;
}

/// Below the folder under the picture's own path, as far as that has one: pictures of the same name in two folders stay
/// apart, also those above the working folder.
std::filesystem::path overlay_file(const std::filesystem::path& folder, const std::string& picture) {
    std::filesystem::path path = folder;
    for (const auto& part : std::filesystem::path(picture).lexically_normal().relative_path())
        path /= part == ".." ? std::filesystem::path(".._") : part;
    path += ".png";
    return path;
}

/// Throws UsageError where an overlay would take the place of a picture, such as one that an earlier call has made, of
/// a file of the run's data set, or of another picture's overlay.
void check_overlays(const Run& run, const std::filesystem::path& folder,
                    const std::vector<std::filesystem::path>& pictures) {
    Outputs outputs;
    for (const auto& picture : pictures) outputs.keep(picture, "one of the pictures");
    run.keep_data_set(outputs);
    for (const auto& picture : pictures)
        outputs.claim(overlay_file(folder, picture.string()), "--overlays " + folder.string(),
                      std::filesystem::weakly_canonical(picture).string());
}

void write_overlay(const std::filesystem::path& folder, const Finding& finding) {
    const auto file = overlay_file(folder, finding.file);
    make_directories(file.parent_path());
    write_file_atomically(file, encode_png(*finding.overlay));
}

}  // namespace

Inspector::Inspector(const Run& run, const Detector& detector, const Thresholds& thresholds, std::string class_name,
                     bool overlays)
    : run_(run), detector_(detector), thresholds_(thresholds), class_name_(std::move(class_name)), overlays_(overlays) {
    const auto& known = run.class_names();
    if (class_name_.empty() || std::find(known.begin(), known.end(), class_name_) != known.end()) return;
    std::string names;
    for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
    throw UsageError(text("--class: '", class_name_, "' is none of the run's classes: ", names));
}

std::vector<InspectedPicture> read_pictures(std::span<const std::filesystem::path> files, const FeatureLayout& layout,
                                            bool keep) {
    std::vector<InspectedPicture> pictures(files.size());
    for_each_index(files.size(), static_cast<std::size_t>(at::get_num_threads()), [&](std::size_t i) {
        pictures[i].file = files[i];
        try {
            DecodedPicture picture = read_picture(files[i], static_cast<int>(layout.bits));
            pictures[i].width = picture.image.width;
            pictures[i].height = picture.image.height;
            pictures[i].largest = picture.largest;
            pictures[i].input = picture_tensor(picture.image, layout.image_size);
            if (keep) pictures[i].image = std::move(picture.image);
        } catch (const Error& error) {
            pictures[i].error = error.what();
        } catch (const std::bad_alloc&) {
            pictures[i].error = files[i].string() + ": there is not enough memory for it";
        }
    });
    return pictures;
}

std::string Inspector::class_of(const at::Tensor& embedding) const {
    if (!class_name_.empty()) return class_name_;
    return thresholds_.nearest_class({embedding.const_data_ptr<float>(), static_cast<std::size_t>(embedding.numel())});
}

std::vector<Finding> Inspector::inspect(const std::vector<InspectedPicture>& pictures) const {
    std::vector<Finding> findings(pictures.size());
    std::vector<at::Tensor> inputs;
    std::vector<std::filesystem::path> files;
    std::vector<std::size_t> readable;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        findings[i].file = pictures[i].file.string();
        findings[i].error = pictures[i].error;
        if (!pictures[i].error.empty()) continue;
        readable.push_back(i);
        inputs.push_back(pictures[i].input);
        files.push_back(pictures[i].file);
    }
    if (readable.empty()) return findings;
    const ExtractedFeatures features =
        extract_features(run_.encoder(), run_.layout(), at::stack(inputs).to(run_.device()));
    const at::Tensor embeddings = features.latents.to(at::kCPU).contiguous();
    const auto& known = run_.class_names();
    std::vector<std::int64_t> classes;
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < readable.size(); ++row) {
        Finding& finding = findings[readable[row]];
        finding.class_predicted = class_name_.empty();
        finding.class_name = class_of(embeddings[static_cast<std::int64_t>(row)]);
        classes.push_back(std::find(known.begin(), known.end(), finding.class_name) - known.begin());
        rows.push_back(row);
    }
    const Detection found = detector_.detect(FeatureSet(features, files, classes, run_.device()), rows);
    for (const std::size_t row : rows)
        describe(findings[readable[row]], found, static_cast<std::int64_t>(row), pictures[readable[row]]);
    return findings;
}

void Inspector::describe(Finding& finding, const Detection& found, std::int64_t row,
                         const InspectedPicture& picture) const {
    for (const at::Tensor& images : found.images) finding.scores.push_back(images[row].item<double>());
    if (std::isnan(finding.scores.front())) {
        finding.error = "its score is not a number";
        return;
    }
    const NormalScore& normal = thresholds_.of(finding.class_name).front();
    finding.threshold = normal.threshold;

    if (found.maps.empty()) return;
    const at::Tensor map = found.maps.front()[row].contiguous();
    const auto side = static_cast<int>(map.size(0));
    const HeatMap heat{{map.const_data_ptr<float>(), static_cast<std::size_t>(map.numel())}, side};
    std::optional<Box> box;
    if (finding.defective()) {
        box = worst_region(heat, heat_range(normal).low);
        finding.box = box_in_picture(*box, side, picture.width, picture.height);
    }
    if (!overlays_) return;
    const Mask outline = box ? mask_of(*box, side) : Mask{};
    finding.overlay = overlay_heat_map(picture.image, heat, heat_range(normal), overlay_side(picture.image, heat),
                                       box ? &outline : nullptr);
}

json to_json(const Finding& finding, const std::vector<std::string>& score_names) {
    if (!finding.error.empty()) return {{"file", finding.file}, {"error", finding.error}};
    json scores = json::object();
    for (std::size_t s = 0; s < score_names.size(); ++s) scores[score_names[s]] = finding.scores[s];
    json box;
    if (finding.box) box = {finding.box->left, finding.box->top, finding.box->width, finding.box->height};
    return {{"file", finding.file},
            {"score", finding.scores.front()},
            {"threshold", finding.threshold},
            {"verdict", finding.defective() ? "defective" : "good"},
            {"class", finding.class_name},
            {"class_from", finding.class_predicted ? "predicted" : "given"},
            {"box", box},
            {"scores", scores}};
}

void inspect_pictures(const InspectionOptions& options, std::ostream& out) {
    const FoundPictures pictures = find_pictures(options.pictures, options.overlays);
    for (const std::string& folder : pictures.unreadable) log_warning(text("cannot read the folder ", folder));
    for (const std::string& what : pictures.passed_over) log_warning(text("passed over: ", what));
    Run run(config_of(options), Listing::split_only);
    const auto detector = load_detector(run);
    if (!options.overlays.empty() && !detector->gives_maps())
        throw UsageError(text("--overlays: method \"", run.config().method,
                              "\" scores whole pictures, and has no maps to lay over them"));
    if (!options.overlays.empty()) check_overlays(run, options.overlays, pictures.files);
    if (!options.overlays.empty()) make_directories(options.overlays);  // a wrong one is found before the work
    const Thresholds thresholds = thresholds_of(run, *detector);
    const Inspector inspector(run, *detector, thresholds, options.class_name, !options.overlays.empty());
    const std::span<const std::filesystem::path> all(pictures.files);
    const auto per_batch = static_cast<std::size_t>(run.config().features.batch_size);
    const auto read = [&](std::size_t first) {  // beside the scoring of the batch before
        const auto batch = all.subspan(first, std::min(per_batch, all.size() - first));
        return std::async(std::launch::async, read_pictures, batch, std::cref(run.layout()), !options.overlays.empty());
    };
    std::size_t without_score = 0;
    SampleBits bits;
    auto next = read(0);
    for (std::size_t first = 0; first < all.size(); first += per_batch) {
        if (interrupt_requested()) throw Interrupted("interrupted; the lines above are complete");
        const auto batch = next.get();
        if (first + per_batch < all.size()) next = read(first + per_batch);
        for (const InspectedPicture& picture : batch) bits.add("16-bit pictures", picture.largest);
        for (const Finding& finding : inspector.inspect(batch)) {
            out << visible_json(
                       to_json(finding, detector->scores()).dump(-1, ' ', false, json::error_handler_t::replace))
                << '\n';
            if (!finding.error.empty()) ++without_score;
            if (finding.overlay) write_overlay(options.overlays, finding);
        }
        if (!out.flush()) fail("cannot write the results to standard output");
    }
    if (run.layout().bits == 0)
        for (const std::string& warning : bits.warnings()) log_warning(warning);
    if (without_score > 0)
        fail("no score for ", without_score, " of ", counted(all.size(), "picture"),
             "; \"error\" in their lines says why");
    if (!pictures.unreadable.empty()) fail(counted(pictures.unreadable.size(), "folder"), " could not be read");
}

}  // namespace ltad
