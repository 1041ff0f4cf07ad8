#include "ltad/train/trainee.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

#include <ATen/ATen.h>

#include "ltad/core/error.h"
#include "ltad/core/log.h"

namespace ltad {
namespace {

constexpr const char* checkpoint_format = "ltad-checkpoint/1";

void compare(const json& there, const json& here, const std::string& key, std::vector<std::string>& differences) {
    if (there.is_object() && here.is_object()) {
        json keys = there;
        keys.update(here);
        for (const auto& item : keys.items()) {
            const std::string& name = item.key();
            compare(there.value(name, json()), here.value(name, json()), key.empty() ? name : key + "." + name,
                    differences);
        }
    } else if (there != here) {
        differences.push_back(text(key, ": ", there.dump(), " there, ", here.dump(), " now"));
    }
}

/// A document from a file's metadata; null where it is missing or none.
json document_in(const Metadata& metadata, const char* key) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) return {};
    try {
        return parse_handwritten_json(found->second, key);
    } catch (const Error&) {
        return {};
    }
}

/// From 0 to `most`. (JSON's own comparison takes unsigned numbers beyond 2^63 for negative ones.)
bool is_count(const json& value, std::int64_t most) {
    return value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
}

/// An object for each finished epoch, in order: its number, and terms.
bool is_history(const json& history) {
    if (!history.is_array()) return false;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (!history[i].is_object() || history[i].value("epoch", json()) != i + 1) return false;
        for (const json& term : history[i])
            if (!term.is_number() && !term.is_null()) return false;  // null: one that was infinite
    }
    return true;
}

/// Doubles that survive the way through JSON bit by bit.
json sums_to_json(const std::vector<std::pair<std::string, double>>& sums, double weight) {
    json out = {{"weight", weight}, {"sums", json::array()}};
    for (const auto& [name, value] : sums) out["sums"].push_back({name, value});
    return out;
}

}  // namespace

std::vector<std::string> differing_settings(const json& there, const json& here) {
    std::vector<std::string> differences;
    compare(there, here, "", differences);
    return differences;
}

Weights load_checkpoint(const std::filesystem::path& file, Metadata& metadata) {
    const SafetensorsFile head(file);
    for (const char* hash : {"tensors_sha256", "metadata_sha256"})  // as save_weights calls them
        if (!head.metadata().contains(hash))
            fail(file.string(), ": its metadata have no \"", hash,
                 "\", which every file of a training has; remove it, or train again with --force");
    return load_weights(file, &metadata);
}

Metadata checkpoint_metadata(const json& settings) {
    return {{"format", checkpoint_format}, {"settings", settings.dump()}};
}

std::string why_unfit(const Metadata& saved, const json& now) {
    const auto get = [&](const char* key) {
        const auto found = saved.find(key);
        return found == saved.end() ? std::string() : found->second;
    };
    if (get("format") != checkpoint_format)
        return text("format \"", get("format"), "\", \"", checkpoint_format,
                    "\" was expected; it is not one of this version's checkpoints");
    const json there = document_in(saved, "settings");
    if (!there.is_object()) return "its settings are damaged";
    std::string differences;
    for (const std::string& difference : differing_settings(there, now)) differences += "\n  " + difference;
    return differences.empty() ? "" : "was trained with other settings" + differences;
}

json history_in(const Metadata& metadata) {
    json history = document_in(metadata, "history");
    return is_history(history) ? history : json::array();
}

std::int64_t steps_in(const Metadata& metadata) {
    const json position = document_in(metadata, "position");
    const json steps = position.is_object() ? position.value("steps", json()) : json();
    return is_count(steps, INT64_MAX) ? steps.get<std::int64_t>() : 0;
}

std::filesystem::path state_file_of(const std::filesystem::path& file) {
    return std::filesystem::path(file).replace_extension(".state.safetensors");
}

void check_checkpoint(const Metadata& saved, const json& now, const std::filesystem::path& file) {
    const std::string why = why_unfit(saved, now);
    if (!why.empty())
        fail(file.string(), ": ", why, "\n  use those settings, another name, or train again with --force");
}

Decay decay_named(const std::string& name) {
    if (name == "cosine") return Decay::cosine;
    return name == "step" ? Decay::step : Decay::constant;
}

double Schedule::rate(std::int64_t step) const {
    if (step < warmup_steps) return static_cast<double>(step + 1) / static_cast<double>(warmup_steps + 1);
    if (decay == Decay::constant) return 1;
    if (decay == Decay::step) return 5 * (step - warmup_steps) >= 4 * (total_steps - warmup_steps) ? 0.1 : 1;
    const double t = static_cast<double>(step - warmup_steps) / static_cast<double>(total_steps - warmup_steps);
    return 0.5 * (1 + std::cos(std::numbers::pi * t));
}

Trainee::Trainee(std::filesystem::path folder, std::string name, json settings, Parameters& parameters,
                 AdamWOptions optimizer, Schedule schedule, double checkpoint_seconds, TrainOptions options)
    : folder_(std::move(folder)),
      name_(std::move(name)),
      settings_(std::move(settings)),
      parameters_(parameters),
      optimizer_(parameters, optimizer),
      schedule_(schedule),
      checkpoint_interval_(checkpoint_seconds),
      last_save_(std::chrono::steady_clock::now()) {
    const bool has_state = std::filesystem::exists(state_file());
    if (options.force) return;
    if (std::filesystem::exists(file())) {
        load_finished();
    } else if (has_state && !options.resume) {
        fail(state_file().string(), ": an unfinished training is here; --resume goes on with it, --force starts over");
    } else if (has_state) {
        load_state();
    }
}

void Trainee::clear_leftovers() {
    std::filesystem::remove(file());
    if (steps_done_ == 0) std::filesystem::remove(state_file());
    remove_temporary_files(folder_);
}

Metadata Trainee::metadata() const {
    Metadata all = checkpoint_metadata(settings_);
    all["history"] = history_.dump();
    return all;
}

void Trainee::load_finished() {
    Metadata saved;
    const Weights weights = load_checkpoint(file(), saved);
    check_checkpoint(saved, settings_, file());
    parameters_.load(weights, file().string());
    history_ = document_in(saved, "history");
    if (!is_history(history_)) fail(file().string(), ": its history is damaged; --force trains it again");
    std::filesystem::remove(state_file());  // left by a kill just after the last save
    steps_done_ = schedule_.total_steps;
    finished_ = true;
}

void Trainee::load_state() {
    Metadata saved;
    const Weights weights = load_checkpoint(state_file(), saved);
    const std::string where = state_file().string();
    check_checkpoint(saved, settings_, state_file());
    parameters_.load(with_prefix(weights, "module."), where);
    optimizer_.load(with_prefix(weights, "optimizer."), where);
    try {
        read_position(document_in(saved, "position"), where);
    } catch (const json::exception& error) {
        fail(where, ": its position is damaged: ", words_of(error), "; --force starts over");
    }
    history_ = document_in(saved, "history");
    if (!is_history(history_)) fail(where, ": its history is damaged; --force starts over");
    log_info(text(name_, ": going on after step ", steps_done_, " of ", schedule_.total_steps));
}

void Trainee::read_position(const json& position, const std::string& where) {
    const json& steps = position.at("steps");
    if (!is_count(steps, schedule_.total_steps))
        fail(where, ": its position is damaged: ", steps.dump(), " steps done, a whole number up to ",
             schedule_.total_steps, " was expected; --force starts over");
    steps_done_ = steps.get<std::int64_t>();
    const json& epoch = position.at("epoch");
    weight_sum_ = epoch.at("weight").get<double>();
    for (const json& item : epoch.at("sums"))
        sums_.emplace_back(item.at(0).get<std::string>(), item.at(1).get<double>());
    if (!(weight_sum_ >= 0) || (weight_sum_ > 0) == sums_.empty())
        fail(where, ": its position is damaged: the sums of the epoch do not go with their weight, ", weight_sum_,
             "; --force starts over");
}

void Trainee::step(const at::Tensor& loss, const std::vector<std::pair<std::string, double>>& terms, double weight) {
    if (!std::isfinite(terms.front().second))
        fail(name_, ": the loss became ", terms.front().second, " at step ", steps_done_,
             "; a smaller learning rate may help, or --verify-features, which finds damaged features (the last saved "
             "state is kept)");
    loss.backward();
    optimizer_.step(schedule_.rate(steps_done_));
    ++steps_done_;
    if (sums_.empty())
        for (const auto& [term, value] : terms) sums_.emplace_back(term, 0.0);
    for (std::size_t i = 0; i < terms.size(); ++i) sums_[i].second += weight * terms[i].second;
    weight_sum_ += weight;
}

double Trainee::end_epoch() {
    json line = {{"epoch", history_.size() + 1}};
    for (const auto& [term, sum] : sums_) line[term] = sum / weight_sum_;
    const double mean = sums_.empty() ? 0 : sums_.front().second / weight_sum_;
    history_.push_back(std::move(line));
    sums_.clear();
    weight_sum_ = 0;
    return mean;
}

void Trainee::save_now_and_then() {
    if (std::chrono::steady_clock::now() - last_save_ >= checkpoint_interval_) save_state();
}

void Trainee::save_state() {
    Weights all;
    for (const auto& [name, tensor] : parameters_.all()) all["module." + name] = tensor;
    for (const auto& [name, tensor] : optimizer_.state()) all["optimizer." + name] = tensor;
    Metadata extended = metadata();
    extended["position"] = json{{"steps", steps_done_}, {"epoch", sums_to_json(sums_, weight_sum_)}}.dump();
    save_weights(state_file(), all, extended);
    last_save_ = std::chrono::steady_clock::now();
}

void Trainee::finish() {
    save_weights(file(), parameters_.all(), metadata());
    std::filesystem::remove(state_file());
    finished_ = true;
}

}  // namespace ltad
