#include "ltad/train/run.h"

#include <array>
#include <set>
#include <utility>

#include <ATen/Parallel.h>

#include "ltad/align/device.h"
#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/data/dataset.h"
#include "ltad/data/mask.h"
#include "ltad/data/sample_bits.h"
#include "ltad/features/extract.h"
#include "ltad/kernels/gemm.h"
#include "ltad/split/kept_files.h"

namespace ltad {
namespace {

/// What commands write into a run's folder, but for modules, whose names no data set's files have.
constexpr std::array own_files = {"config.json",          "lock",
                                  "thresholds.json",      "split/train.jsonl",
                                  "split/test.jsonl",     "split/split.json",
                                  "eval/results.json",    "eval/table.md",
                                  "eval/scores.csv",      "eval/config.json",
                                  "phase1/metrics.jsonl", "phase1/report.json",
                                  "phase2/metrics.jsonl", "phase2/statistics.json",
                                  "uniad/metrics.jsonl"};
constexpr std::array store_files = {"settings.json", "lock", "index-0.json", "features-0.npy", "latents-0.npy"};

/// Everything that a list of samples says, in one string.
std::string fingerprint(const Split& split) {
    std::string all = format_sample_list(split.train) + format_sample_list(split.test);
    for (const ClassSplit& c : split.classes) all += text(c.name, ' ', name_of(c.group), '\n');
    return sha256(all);
}

std::vector<Sample> left_out(const Dataset& dataset, const Split& split) {
    std::set<std::string> kept;
    for (const Sample& sample : split.train) kept.insert(sample.file);
    std::vector<Sample> rest;
    for (const Sample& sample : dataset.train)
        if (!kept.contains(sample.file)) rest.push_back(sample);
    return rest;
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& root,
                                            std::initializer_list<const std::vector<Sample>*> lists) {
    std::vector<std::filesystem::path> files;
    for (const auto* samples : lists)
        for (const Sample& sample : *samples) files.push_back(root / sample.file);
    return files;
}

/// Says at once what would else be said one after the other.
Config checked(Config config, Listing listing) {
    const auto is_there = [](const std::string& folder) { return std::filesystem::is_directory(folder); };
    if (listing != Listing::split_only && !is_there(config.dataset.root) && !is_there(config.encoder.path))
        fail("two folders of the config are not there: dataset.root, ", config.dataset.root, ", and encoder.path, ",
             config.encoder.path);
    return config;
}

}  // namespace

at::Device prepare_device(const Config& config) {
    set_threads(config.threads);
    const at::Device device = choose_device(config.device);
    for (const auto& [key, precision] : {std::pair("encoder.precision", config.encoder.precision),
                                         std::pair("reconstruction.precision", config.reconstruction.precision)})
        if (precision == "bfloat16" && !(device.is_cpu() && has_bfloat16()))
            throw UsageError(text(key, ": \"bfloat16\" runs on processors with AVX-512 BF16 only; use \"float32\""));
    return device;
}

void verify_features(FeatureStore& store) {
    const auto problems = store.verify();
    for (const std::string& problem : problems) log_warning(text(problem, "; it is encoded again"));
    log_info(text(store.folder().string(), ": ", store.size(), " pictures verified, ", problems.size(), " problems"));
}

Run::Run(Config config, Listing listing)
    : config_(checked(std::move(config), listing)),
      output_(config_.output_path()),
      device_(prepare_device(config_)),
      split_([this, listing] {
          if (listing == Listing::split_only) return read_split(output_ / "split");
          const Dataset dataset = list_dataset(config_.dataset);
          Split split = config_.split.path.empty() ? make_split(dataset, config_.split, config_.seed)
                                                   : read_split(config_.split.path);
          held_out_ = left_out(dataset, split);
          return split;
      }()),
      encoder_(config_.encoder.path, device_, precision_of(config_.encoder.precision)),
      layout_(feature_layout(config_, encoder_)),
      store_(open_store(config_, encoder_, layout_)) {
    for (const ClassSplit& c : split_.classes) {
        class_index_[c.name] = static_cast<std::int64_t>(class_names_.size());
        class_names_.push_back(c.name);
    }
}

void Run::check_split() const {
    const auto folder = output_ / "split";
    if (std::filesystem::exists(folder / "split.json") && fingerprint(read_split(folder)) != fingerprint(split_))
        fail(folder.string(),
             ": this split is not the one that the config and the data set give now; use another name, or "
             "start over with `ltad-train fit --force`");
}

void Run::check_method() const {
    const auto file = output_ / "config.json";
    if (!std::filesystem::exists(file)) return;
    const json document = read_json(file);
    const json there = document.is_object() ? document.value("method", json(Config().method)) : json();
    if (!there.is_string()) fail(file.string(), ": damaged, its method is no text; --force starts over");
    if (there != config_.method)
        fail(output_.string(), ": a run of method ", there.dump(), " is here, not one of \"", config_.method,
             "\"; --set method=", there.get<std::string>(), " goes on with it, --set name=", config_.name, '-',
             config_.method, " makes another one");
}

void Run::keep_data_set(Outputs& outputs) const {
    ltad::keep_data_set(outputs, config_.dataset, {&split_.train, &split_.test, &held_out_});
    std::error_code code;
    const std::filesystem::path imported = config_.split.path;
    if (imported.empty() || std::filesystem::equivalent(imported, output_ / "split", code)) return;
    for (const char* name : {"train.jsonl", "test.jsonl", "split.json"})
        outputs.keep(imported / name, "a list of split.path");
}

void Run::check_output() const {
    Outputs outputs;
    keep_data_set(outputs);
    for (const char* name : own_files) outputs.claim(output_ / name, text("output, ", output_.string()));
    for (const char* name : store_files)
        outputs.claim(store_.folder() / name, text("features.path, ", config_.features.path));
}

FileLock Run::claim(bool start_over) const {
    check_output();
    const auto folder = output_ / "split";
    FileLock lock(output_ / "lock", "it is training in " + output_.string());
    if (!start_over) {
        check_method();
        check_split();
    }
    const bool there = std::filesystem::exists(folder / "split.json");
    if (!there || start_over) write_split(folder, split_, config_.dataset);
    return lock;
}

void Run::prepare_features(bool verify) {
    if (verify) verify_features(store_);
    check_masks(config_.dataset, split_.test, static_cast<std::size_t>(at::get_num_threads()));
    // The store holds the whole data set, whatever the split: other splits of it then start at once.
    encode_missing(store_, encoder_, layout_, files_of(config_.dataset.root, {&split_.train, &split_.test, &held_out_}),
                   config_.features.batch_size, hash_of_);
    warn_of_copies(config_.dataset.root, split_, [this](const Sample& sample) {
        const std::filesystem::path root = config_.dataset.root;
        return store_.sha256_of(std::filesystem::weakly_canonical(root / sample.file).string());
    });
    warn_of_unused_bits();
}

void Run::warn_of_unused_bits() const {
    if (config_.dataset.bits > 0) return;
    SampleBits bits;
    const std::filesystem::path root = config_.dataset.root;
    for (const auto* samples : {&split_.train, &split_.test})
        for (const Sample& sample : *samples)
            bits.add(sample, samples == &split_.train,
                     store_.get(std::filesystem::weakly_canonical(root / sample.file).string()).largest);
    for (const std::string& warning : bits.warnings()) log_warning_once(warning);
}

void Run::prepare_training_features() {
    encode_missing(store_, encoder_, layout_, files_of(config_.dataset.root, {&split_.train}),
                   config_.features.batch_size, hash_of_);
}

FeatureSet Run::features_of(const std::vector<Sample>& samples) const {
    return {store_, config_.dataset.root, samples, class_index_, device_};
}

json Run::common_settings() const {
    json settings = {{"seed", config_.seed},
                     {"encoder", encoder_.fingerprint()},
                     {"encoder_precision", config_.encoder.precision},
                     {"taps", layout_.taps},
                     {"grid", layout_.grid},
                     {"image_size", layout_.image_size},
                     {"classes", class_names_},
                     {"training_list", sha256(format_sample_list(split_.train))}};
    if (layout_.bits > 0) settings["bits"] = layout_.bits;
    return settings;
}

void Run::write_config() const {
    json document = to_json(config_);
    document["program"] = {{"version", version()}, {"revision", git_revision()}};
    write_json(output_ / "config.json", document);
}

}  // namespace ltad
