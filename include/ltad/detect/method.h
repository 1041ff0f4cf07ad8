#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/detect/detector.h"
#include "ltad/train/run.h"
#include "ltad/train/trainee.h"

namespace ltad {

/// Something that a method trains: a file in a run's folder, and what making it takes.
struct MethodPart {
    std::string name;                 ///< for people: "phase 1", "UniAD"
    std::filesystem::path file;       ///< below the run's folder: "phase1/model.safetensors"
    std::vector<std::string> scores;  ///< those that need it
    int stage = 0;                    ///< parts of one stage are trained together, from what earlier stages made

    /// What its result depends on beside seed, pictures, encoder and earlier stages: sections or dotted keys of the
    /// config, as `picked` takes them.
    std::vector<std::string> (*keys)(const Config& config) = nullptr;
    /// What its file says that it was made with. Throws Error where an earlier stage is not finished.
    json (*settings)(const Run& run) = nullptr;

    /// How many steps (or whatever its progress counts) the training has on so many pictures.
    std::int64_t (*steps)(const Config& config, std::int64_t pictures) = nullptr;
    /// Seconds that a step takes here, measured over a few of them on random features; nothing is read or written.
    double (*step_seconds)(const Run& run, std::int64_t pictures) = nullptr;
    /// Seconds of each step beside these that parts of a stage, trained together, spend once; null for none.
    double (*shared_seconds)(const Run& run, std::int64_t pictures) = nullptr;
    /// Of the config, what both may depend on.
    std::vector<std::string> cost_keys;

    /// Over its curves, where the file's metadata hold its `history`; parts of one title are drawn together.
    std::string curves_title{};
};

/// A way to find anomalies, and all that the rest of the program knows about it.
struct Method {
    std::string name;                 ///< in config.method
    std::string title;                ///< in tables, as the paper has it: "UniAD"
    std::vector<std::string> scores;  ///< as files and tables spell them, the main one first
    std::vector<MethodPart> parts;    ///< in the order of their stages; none for a method that trains nothing
    /// Keys of the config that change scores of what is trained, as `picked` takes them.
    std::vector<std::string> scoring_keys;
    /// Keys that name files or folders of its own, such as another network's weights: what lies there counts, not
    /// where.
    std::vector<std::string> own_paths{};

    /// Trains what is not trained yet of a stage; with `only`, no more than that score needs. Throws Error,
    /// Interrupted.
    void (*train)(Run& run, int stage, const std::string& only, TrainOptions options) = nullptr;
    /// `only`: one of the scores after the main one; empty for all. Throws as `load_detector`.
    std::unique_ptr<Detector> (*load)(const Run& run, const std::string& only) = nullptr;

    /// Trains all stages, as `fit_detector` does.
    void fit(Run& run, TrainOptions options) const;
    [[nodiscard]] int stages() const { return parts.empty() ? 0 : parts.back().stage + 1; }
    /// Of one score, or with an empty name all parts, in order.
    [[nodiscard]] std::vector<const MethodPart*> parts_for(const std::string& only) const;
};

/// All of them.
[[nodiscard]] const std::vector<Method>& methods();

/// The scores that some method can give without its others: "reconstruction", "semantic".
[[nodiscard]] std::vector<std::string> part_scores();

/// That of config.method. Throws UsageError for an unknown one.
[[nodiscard]] const Method& method_named(const std::string& name);

}  // namespace ltad
