#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad::test {

/// The value at a dotted key.
inline json at(json document, const std::string& key) {
    std::string pointer = "/" + key;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    return document.at(json::json_pointer(pointer));
}

/// {"a": {"b": value}} for "a.b".
inline json nested(const std::string& key, const json& value) {
    std::string pointer = "/" + key;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    json document;
    document[json::json_pointer(pointer)] = value;
    return document;
}

class LoadConfig : public ::testing::Test {
protected:
    std::filesystem::path put(const std::string& name, const std::string& content) const {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::filesystem::remove(folder_ / name);
        append_to_file(folder_ / name, content);
        return folder_ / name;
    }
    std::filesystem::path put(const std::string& name, const json& content) const { return put(name, content.dump()); }

    /// The least a config needs, changed by the given settings.
    static Config with(std::vector<std::string> overrides) {
        overrides.insert(overrides.begin(), "dataset.root=data");
        return load_config({}, overrides);
    }

    /// What is said about the settings; "" where nothing is wrong with them.
    static std::string complaint(const std::filesystem::path& file, const std::vector<std::string>& overrides = {}) {
        try {
            (void)load_config(file, overrides);
            return "";
        } catch (const UsageError& error) {
            return error.what();
        }
    }
    static std::string complaint_with(std::vector<std::string> overrides) {
        overrides.insert(overrides.begin(), "dataset.root=data");
        return complaint(std::filesystem::path(), overrides);
    }
    /// The same of a config file that holds only this key beside dataset.root.
    std::string complaint_about(const std::string& key, const json& value) const {
        json document = {{"dataset", {{"root", "data"}}}};
        document.merge_patch(nested(key, value));
        if (value.is_null()) document[json::json_pointer("/" + key)] = nullptr;
        return complaint(put("one.json", document));
    }

    TemporaryFolder folder_;
};

/// The line of a message that speaks of this key; mistakes stand on lines of their own.
inline std::string line_about(const std::string& message, const std::string& key) {
    const std::size_t start = message.find("\n  " + key + ":");
    if (start == std::string::npos) return "nothing about " + key + " in: " + message;
    return message.substr(start + 3, message.find('\n', start + 1) - start - 3);
}
/// Another allowed value than the default for every key there is.
inline const std::vector<std::pair<std::string, json>>& other_values() {
    static const std::vector<std::pair<std::string, json>> values = {
        {"name", "ü \"x\""},
        {"method", "patchcore"},
        {"seed", std::numeric_limits<std::int64_t>::max()},
        {"device", "cpu"},
        {"threads", 2},
        {"checkpoint_seconds", 0.5},
        {"dataset.layout", "jsonl"},
        {"dataset.root", "/data/with space"},
        {"dataset.train", "train.jsonl"},
        {"dataset.test", "test.jsonl"},
        {"dataset.image_size", 448},
        {"dataset.masks", "background"},
        {"dataset.bits", 12},
        {"split.type", "exp"},
        {"split.imbalance_factor", 1.5},
        {"split.class_order", {"zebra", "ant"}},
        {"split.reverse", true},
        {"split.path", "splits/x"},
        {"encoder.path", "models/align-lite"},
        {"encoder.taps", {0, 2, 7}},
        {"encoder.grid", 20},
        {"encoder.precision", "bfloat16"},
        {"features.path", "f"},
        {"features.batch_size", 3},
        {"prompts.length", 4},
        {"prompts.init", "random"},
        {"prompts.learned", false},
        {"prompts.normal", {"a", "a perfect"}},
        {"prompts.abnormal", ""},
        {"phase1.epochs", 7},
        {"phase1.batch_size", 9},
        {"phase1.learning_rate", 0.1 + 0.2},
        {"phase1.schedule", "cosine"},
        {"phase1.weight_decay", 0.0},
        {"phase1.kl_weight", 1e-300},
        {"phase1.generator", "autoencoder"},
        {"decoder.resolution", "grid"},
        {"decoder.norm", "group"},
        {"decoder.norm_momentum", 1.0},
        {"decoder.seed_size", 5},
        {"phase2.epochs", 11},
        {"phase2.batch_size", 12},
        {"phase2.learning_rate", 1.0 / 3},
        {"phase2.schedule", "step"},
        {"phase2.weight_decay", 1e-5},
        {"phase2.real_probability", 1.0},
        {"phase2.sampling", "class_aware"},
        {"phase2.jitter", 0.0},
        {"phase2.jitter_scale", "channel"},
        {"reconstruction.hidden_dim", 24},
        {"reconstruction.heads", 3},
        {"reconstruction.encoder_layers", 1},
        {"reconstruction.decoder_layers", 2},
        {"reconstruction.feedforward_dim", 33},
        {"reconstruction.dropout", 0.0},
        {"reconstruction.neighbor_size", 0},
        {"reconstruction.precision", "bfloat16"},
        {"semantic.projection", "concatenated"},
        {"semantic.pooling", "mean"},
        {"semantic.text", "free"},
        {"semantic.temperature", 0.07},
        {"semantic.normalize_text", false},
        {"scoring.lambda", 0.25},
        {"scoring.class", "predicted"},
        {"scoring.names", "exchanged"},
        {"scoring.image_pooling", 1},
        {"scoring.map_size", 256},
        {"scoring.mixed_pixels", false},
        {"scoring.threshold_quantile", 0.5},
        {"uniad.clip_norm", 0.0},
        {"patchcore.coreset", 0.25},
        {"patchcore.projection_dim", 0},
        {"patchcore.neighborhood", 1},
        {"patchcore.smoothing", 0.0},
        {"output", "out/put"},
    };
    return values;
}

}  // namespace ltad::test
