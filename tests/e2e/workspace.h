#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "e2e/process.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/json.h"
#include "support/temporary_folder.h"

namespace ltad::test {

/// A folder with a tiny generated data set, a tiny encoder and a config; everything a user has before the first
/// training.
class Workspace {
public:
    Workspace() {
        expect_done(call("ltad-synth", {"--out", "data", "--classes", "3", "--train", "8", "--test-good", "3",
                                        "--test-defective", "1", "--size", "64"}));
        write_json(folder_ / "encoder.json",
                   {{"model_type", "align"},
                    {"projection_dim", 80},
                    {"vision_config", {{"width_coefficient", 0.25}, {"depth_coefficient", 0.2}}},
                    {"text_config",
                     {{"vocab_size", 200},
                      {"hidden_size", 16},
                      {"num_hidden_layers", 1},
                      {"num_attention_heads", 2},
                      {"intermediate_size", 32},
                      {"max_position_embeddings", 16}}}});
        expect_done(call("ltad-pretrain", {"init", "--config", "encoder.json", "--out", "encoder"}));
        write_json(folder_ / "config.json", config());
    }

    /// The smallest config that does everything.
    static json config() {
        return {{"name", "tiny"},
                {"seed", 7},
                {"dataset", {{"layout", "mvtec"}, {"root", "data"}, {"image_size", 64}}},
                {"split", {{"type", "step"}, {"imbalance_factor", 4}}},
                {"encoder", {{"path", "encoder"}}},
                {"phase1", {{"epochs", 3}, {"batch_size", 4}}},
                {"decoder", {{"resolution", "grid"}}},
                {"phase2", {{"epochs", 3}, {"batch_size", 4}}},
                {"reconstruction",
                 {{"hidden_dim", 16},
                  {"heads", 2},
                  {"encoder_layers", 1},
                  {"decoder_layers", 1},
                  {"feedforward_dim", 32},
                  {"neighbor_size", 3}}}};
    }

    Outcome call(const std::string& command, const std::vector<std::string>& arguments, RunOptions options = {}) const {
        options.folder = folder_.path();
        return run(command, arguments, options);
    }

    /// `ltad-train PHASE` or `ltad-eval` with the config and more arguments.
    Outcome train(const std::string& phase, std::vector<std::string> more = {}, const RunOptions& options = {}) const {
        more.insert(more.begin(), {phase, "--config", "config.json"});
        return call("ltad-train", more, options);
    }
    Outcome evaluate(std::vector<std::string> more = {}, const RunOptions& options = {}) const {
        more.insert(more.begin(), {"--config", "config.json"});
        return call("ltad-eval", more, options);
    }

    std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

    /// Relative path → sha256 of all files below a folder.
    std::map<std::string, std::string> files_in(const std::string& name) const {
        std::map<std::string, std::string> files;
        if (std::filesystem::exists(folder_ / name))
            for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / name))
                if (entry.is_regular_file())
                    files[std::filesystem::relative(entry.path(), folder_ / name).string()] = sha256_file(entry.path());
        return files;
    }

    static void expect_done(const Outcome& outcome) { ASSERT_EQ(outcome.status, 0) << outcome.err; }

private:
    TemporaryFolder folder_;
};

}  // namespace ltad::test
