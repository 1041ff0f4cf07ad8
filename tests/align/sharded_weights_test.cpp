#include "align/sharded_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/align/align_model.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// golden/align_tiny with its weights in two files and an index, as transformers writes large models.
class ShardedWeights : public ::testing::Test {
protected:
    ShardedWeights() {
        test::make_align_tiny(folder.path());
        const Weights all = load_weights(folder / "model.safetensors");
        std::map<std::string, Weights> shards;
        for (const auto& [name, tensor] : all) {
            const std::string shard = name.starts_with("text") ? second : first;
            map[name] = shard;
            shards[shard][name] = tensor;
        }
        for (const auto& [name, weights] : shards) save_weights(folder / name, weights, {});
        whole = AlignModel(folder.path(), at::kCPU).fingerprint();
        std::filesystem::remove(folder / "model.safetensors");
        write_index(map);
    }
    void write_index(const json& weight_map) const {
        test::write_text(index, json({{"metadata", {{"total_size", 1}}}, {"weight_map", weight_map}}).dump());
    }
    void expect_refused(const std::string& part) const {
        EXPECT_THAT([&] { (void)AlignModel(folder.path(), at::kCPU); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(index.string()), HasSubstr(part))));
    }

    const test::TemporaryFolder folder;
    const std::filesystem::path index = folder / "model.safetensors.index.json";
    const std::string first = "model-00001-of-00002.safetensors";
    const std::string second = "model-00002-of-00002.safetensors";
    json map;
    std::string whole;  ///< fingerprint of the same weights in one file
};

TEST_F(ShardedWeights, AreTheSameModel) {
    EXPECT_EQ(AlignModel(folder.path(), at::kCPU).fingerprint(), whole);
    EXPECT_EQ(model_weights_file(folder.path()), index);
    EXPECT_THAT(weights_files(index), ElementsAre(index, folder / first, folder / second));
    EXPECT_THAT(weights_files(folder / first), ElementsAre(folder / first));
    // An older name of the index; its files are read by what is in them.
    std::filesystem::rename(index, folder / "pytorch_model.bin.index.json");
    EXPECT_EQ(AlignModel(folder.path(), at::kCPU).fingerprint(), whole);
}

TEST_F(ShardedWeights, FilesThatAreMissingOrElsewhereAreNamed) {
    std::filesystem::rename(folder / second, folder / "away");
    expect_refused(second);
    std::filesystem::rename(folder / "away", folder / second);
    const std::string name = map.begin().key();
    for (const json& file : {json("../" + first), json("/etc/passwd"), json("sub/" + first), json(".."), json("."),
                             json(""), json(), json(3), json("model.safetensors.index.json"), json(first + "/")}) {
        json changed = map;
        changed[name] = file;
        write_index(changed);
        expect_refused("'" + name + "'");
    }
}

TEST_F(ShardedWeights, TensorsComeFromTheFileThatTheIndexNames) {
    const std::string name = "temperature";
    json changed = map;
    changed[name] = second;
    write_index(changed);
    expect_refused("tensor 'temperature' is not in " + second);
    changed = map;
    changed["nowhere"] = first;
    write_index(changed);
    expect_refused("tensor 'nowhere' is not in " + first);
    // Of two files that have it, the one that is named.
    Weights more = load_weights(folder / second);
    more[name] = at::full({}, 77.0);
    save_weights(folder / second, more, {});
    write_index(map);
    EXPECT_EQ(AlignModel(folder.path(), at::kCPU).fingerprint(), whole);
}

TEST_F(ShardedWeights, AnIndexThatIsNoneIsNamed) {
    for (const char* content :
         {"", "{}", "[]", "{\"weight_map\": []}", "{\"weight_map\": {}}", "{\"weight_map\": null}"}) {
        test::write_text(index, content);
        expect_refused(std::string(content).empty() ? "JSON" : "weight_map");
    }
}

}  // namespace
}  // namespace ltad
