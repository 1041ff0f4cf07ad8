#pragma once

#include <string>
#include <vector>

#include "ltad/config/load.h"
#include "ltad/core/json.h"
#include "ltad/pretrain/init.h"
#include "ltad/synth/dataset.h"
#include "ltad/train/run.h"
#include "support/temporary_folder.h"

namespace ltad::test {

/// The folder, data set, encoder and config of a run small enough for unit tests: 3 classes of 64 x 64 pixels, 8, 8 and
/// 2 training pictures after the split.
class TinyRun {
public:
    explicit TinyRun(const std::vector<std::string>& overrides = {}) {
        write_synth_dataset(folder_ / "data",
                            {.classes = 3, .train = 8, .test_good = 2, .test_defective = 1, .size = 64, .seed = 0});
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
        init_model_directory(folder_ / "encoder.json", 1, folder_ / "encoder");
        overrides_ = {"dataset.root=" + (folder_ / "data").string(),
                      "dataset.image_size=64",
                      "encoder.path=" + (folder_ / "encoder").string(),
                      "features.path=" + (folder_ / "features").string(),
                      "output=" + (folder_ / "run").string(),
                      "seed=7",
                      "split.imbalance_factor=4",
                      "decoder.resolution=grid",
                      "phase1.batch_size=4",
                      "phase2.batch_size=4",
                      "phase1.epochs=2",
                      "phase2.epochs=2",
                      "reconstruction.hidden_dim=16",
                      "reconstruction.heads=2",
                      "reconstruction.encoder_layers=1",
                      "reconstruction.decoder_layers=1",
                      "reconstruction.feedforward_dim=32",
                      "reconstruction.neighbor_size=3",
                      "threads=1"};
        overrides_.insert(overrides_.end(), overrides.begin(), overrides.end());
    }

    /// A run with the features encoded.
    [[nodiscard]] Run open(const std::vector<std::string>& more = {}) const {
        auto all = overrides_;
        all.insert(all.end(), more.begin(), more.end());
        Run run(load_config("", all));
        run.prepare_features(false);
        return run;
    }

    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

private:
    TemporaryFolder folder_;
    std::vector<std::string> overrides_;
};

}  // namespace ltad::test
