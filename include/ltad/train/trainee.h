#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/model/parameters.h"
#include "ltad/train/adamw.h"

namespace ltad {

/// What a training was asked to do beside training.
struct TrainOptions {
    bool resume = false;           ///< go on with an unfinished training
    bool force = false;            ///< start over, whatever is there
    bool verify_features = false;  ///< rehash the feature store first
    bool from_shell = true;        ///< by `ltad-train`: phase 1's report is printed, and messages name its options

    [[nodiscard]] const char* hint_force() const { return from_shell ? "; --force trains it again" : ""; }
};

/// How a learning rate falls: not at all, along half a cosine, or to a tenth after four fifths of the steps (UniAD).
enum class Decay { constant, cosine, step };

/// A config's "constant", "cosine" or "step".
[[nodiscard]] Decay decay_named(const std::string& name);

/// How long a training is, and how its learning rate changes.
struct Schedule {
    std::int64_t total_steps = 0;
    Decay decay = Decay::constant;
    std::int64_t warmup_steps = 0;

    /// What the learning rate is multiplied with at a step, counted from 0: in the warm-up (step + 1) / (warm-up + 1),
    /// then 1, or with t from 0 at its end to 1 at the training's (1 + cos(π t)) / 2, or 0.1 from t = 0.8 on.
    [[nodiscard]] double rate(std::int64_t step) const;
};

/// Keys of two settings documents whose values differ, "a.b: 1 there, 2 here" each.
[[nodiscard]] std::vector<std::string> differing_settings(const json& there, const json& here);

/// A file that `save_weights` wrote, as `load_weights` reads it. Throws Error where the hashes of its tensors or of its
/// metadata are missing, too: nothing would tell whether it is what a training wrote.
[[nodiscard]] Weights load_checkpoint(const std::filesystem::path& file, Metadata& metadata);

/// What a checkpoint says of itself.
[[nodiscard]] Metadata checkpoint_metadata(const json& settings);

/// Why a checkpoint is not one of ours with the settings of now, listing what differs; empty where it is.
[[nodiscard]] std::string why_unfit(const Metadata& saved, const json& now);

/// The history in a checkpoint's metadata, as `Trainee::history` gives it; empty where there is none, or none that a
/// training wrote.
[[nodiscard]] json history_in(const Metadata& metadata);

/// The steps that an unfinished training has done, as its state's metadata say; 0 where they say nothing.
[[nodiscard]] std::int64_t steps_in(const Metadata& metadata);

/// Where the unfinished state of what becomes this file is kept.
[[nodiscard]] std::filesystem::path state_file_of(const std::filesystem::path& file);

/// Throws Error, listing what differs, unless a checkpoint's metadata has our format and the settings of now.
void check_checkpoint(const Metadata& saved, const json& now, const std::filesystem::path& file);

/// A module in training: its parameters, optimiser, position and history, and their two files:
///   <name>.safetensors         the finished module
///   <name>.state.safetensors   an unfinished one, with all that going on needs
/// Neither holds anything that varies between runs of the same settings, so an interrupted and resumed training ends in
/// the same bytes as an uninterrupted one.
class Trainee {
public:
    /// `settings`: all that the result depends on. Looks at what is on disk: loads a finished module, or with
    /// options.resume the unfinished one; options.force ignores both. Throws Error when there is an unfinished one and
    /// neither was asked for, or when saved settings differ.
    Trainee(std::filesystem::path folder, std::string name, json settings, Parameters& parameters,
            AdamWOptions optimizer, Schedule schedule, double checkpoint_seconds, TrainOptions options);

    /// Removes what is of no use once the training goes on: an older module, an older state, what a kill left
    /// half-written. To be called when everything that can be wrong has been checked.
    void clear_leftovers();

    [[nodiscard]] bool finished() const { return finished_; }
    /// Steps behind us; the next one has this number.
    [[nodiscard]] std::int64_t steps_done() const { return steps_done_; }
    [[nodiscard]] std::filesystem::path file() const { return folder_ / (name_ + ".safetensors"); }

    /// Backward, update, and the means of the step's terms into the epoch's. `terms`: named scalars for the history,
    /// the first one being the loss. Throws Error when the loss is not finite.
    void step(const at::Tensor& loss, const std::vector<std::pair<std::string, double>>& terms, double weight);

    /// Ends an epoch: its means go into the history. Returns the mean of the first term.
    double end_epoch();

    /// Saves the state if the last save was long ago, or in any case.
    void save_now_and_then();
    void save_state();
    /// Writes the finished module and removes the state.
    void finish();

    /// One object per finished epoch: {"epoch", term, term, …}.
    [[nodiscard]] const json& history() const { return history_; }

private:
    [[nodiscard]] std::filesystem::path state_file() const { return state_file_of(file()); }
    void load_finished();
    void load_state();
    void read_position(const json& position, const std::string& where);
    [[nodiscard]] Metadata metadata() const;

    std::filesystem::path folder_;
    std::string name_;
    json settings_;
    Parameters& parameters_;
    AdamW optimizer_;
    Schedule schedule_;
    std::chrono::duration<double> checkpoint_interval_;
    std::chrono::steady_clock::time_point last_save_;
    bool finished_ = false;
    std::int64_t steps_done_ = 0;
    json history_ = json::array();
    /// Weighted sums of the epoch so far, in the order of the terms.
    std::vector<std::pair<std::string, double>> sums_;
    double weight_sum_ = 0;
};

}  // namespace ltad
