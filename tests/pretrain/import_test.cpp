#include "ltad/pretrain/import.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/align/align_model.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "pretrain/updates.h"
#include "support/lite_weights.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

/// One picture's map in plain loops and doubles.
struct Map {
    std::size_t channels = 0, side = 0;
    std::vector<double> values;

    double& at(std::size_t c, std::size_t y, std::size_t x) { return values[(c * side + y) * side + x]; }
};

/// EfficientNet-Lite as its authors wrote it: TensorFlow's "same" convolutions, batch norm, relu6, no squeeze-excite.
class PlainLite {
public:
    explicit PlainLite(const Weights& weights) {
        for (const auto& [name, tensor] : weights) weights_[name] = values_of(tensor);
    }

    /// [S, S, 3] uint8 → mean of the last block's map.
    std::vector<double> pooled(const at::Tensor& picture) {
        Map x{.channels = 3, .side = static_cast<std::size_t>(picture.size(0)), .values = {}};
        for (const double level : values_of(picture.permute({2, 0, 1}))) x.values.push_back((level - 127) / 128);
        x = relu6(norm(convolve(x, "_conv_stem", 32, 3, 2, false), "_bn0"));
        for (std::size_t i = 0; i < lite_blocks.size(); ++i) x = block(x, lite_blocks[i], text("_blocks.", i, "."));
        std::vector<double> means(x.channels, 0);
        for (std::size_t i = 0; i < x.values.size(); ++i)
            means[i / (x.side * x.side)] += x.values[i] / static_cast<double>(x.side * x.side);
        return means;
    }

    bool clipped = false;  ///< whether any activation reached 6

private:
    Map block(const Map& input, const LiteBlock& spec, const std::string& name) {
        Map x = input;
        const auto expanded = static_cast<std::size_t>(spec.expanded());
        if (spec.expand != 1) x = relu6(norm(convolve(x, name + "_expand_conv", expanded, 1, 1, false), name + "_bn0"));
        x = convolve(x, name + "_depthwise_conv", expanded, static_cast<std::size_t>(spec.kernel),
                     static_cast<std::size_t>(spec.stride), true);
        x = relu6(norm(x, name + "_bn1"));
        x = norm(convolve(x, name + "_project_conv", static_cast<std::size_t>(spec.out), 1, 1, false), name + "_bn2");
        if (spec.residual())
            for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] += input.values[i];
        return x;
    }

    Map convolve(Map x, const std::string& name, std::size_t out, std::size_t kernel, std::size_t stride,
                 bool depthwise) {
        const std::vector<double>& weight = weights_.at(name + ".weight");
        const std::size_t in = depthwise ? 1 : x.channels;
        Map y{.channels = out, .side = (x.side + stride - 1) / stride, .values = {}};
        const std::size_t needed = (y.side - 1) * stride + kernel;
        const std::size_t before = needed > x.side ? (needed - x.side) / 2 : 0;
        y.values.assign(out * y.side * y.side, 0);
        for (std::size_t o = 0; o < out; ++o)
            for (std::size_t i = 0; i < in; ++i)
                for (std::size_t p = 0; p < y.side * y.side; ++p)
                    for (std::size_t k = 0; k < kernel * kernel; ++k) {
                        const std::size_t row = p / y.side * stride + k / kernel - before;  // wraps above the edge
                        const std::size_t column = p % y.side * stride + k % kernel - before;
                        if (row < x.side && column < x.side)
                            y.values[o * y.side * y.side + p] +=
                                weight[(o * in + i) * kernel * kernel + k] * x.at(depthwise ? o : i, row, column);
                    }
        return y;
    }

    Map norm(Map x, const std::string& name) {
        for (std::size_t i = 0; i < x.values.size(); ++i) {
            const std::size_t c = i / (x.side * x.side);
            const auto get = [&](const char* part) { return weights_.at(name + part)[c]; };
            x.values[i] =
                (x.values[i] - get(".running_mean")) / std::sqrt(get(".running_var") + 1e-3) * get(".weight") +
                get(".bias");
        }
        return x;
    }

    Map relu6(Map x) {
        for (double& value : x.values) {
            clipped = clipped || value > 6;
            value = std::min(std::max(value, 0.0), 6.0);
        }
        return x;
    }

    std::map<std::string, std::vector<double>> weights_;
};

class Import : public ::testing::Test {
protected:
    void SetUp() override {
        save_weights(folder / "lite.safetensors", lite_weights(), {});
        make_tiny_bert(folder / "bert");
    }

    [[nodiscard]] ImportOptions options(const std::string& out = "model") const {
        return {.image = folder / "lite.safetensors", .text = folder / "bert", .projection = {}, .out = folder / out};
    }
    [[nodiscard]] json sources() const {
        const auto source = [](const std::filesystem::path& file) {
            return json{{"file", file.filename().string()}, {"sha256", sha256(read_file(file))}};
        };
        return {{"image", source(folder / "lite.safetensors")},
                {"text", source(folder / "bert" / "model.safetensors")}};
    }
    /// Says why an import is refused, and that nothing is left that could be taken for a model.
    std::string refusal(const ImportOptions& wrong) const {
        try {
            import_model_directory(wrong);
        } catch (const Error& error) {
            EXPECT_FALSE(std::filesystem::exists(wrong.out / "config.json"));
            EXPECT_FALSE(std::filesystem::exists(wrong.out / "model.safetensors"));
            return error.what();
        }
        return "it was imported";
    }

    TemporaryFolder folder;
};

TEST_F(Import, TheImageEncoderIsEfficientNetLite) {
    import_model_directory(options());
    const AlignModel model(folder / "model", at::kCPU);
    PlainLite plain(lite_weights());
    for (const std::uint64_t seed : {1, 2}) {
        const at::Tensor picture = (random_tensor({32, 32, 3}, seed) * 60 + 120).clamp(0, 255).to(at::kByte);
        const auto out = model.image().forward(model.preprocess(picture.unsqueeze(0)), {});
        EXPECT_CLOSE_WITHIN(out.pooled[0], at::tensor(plain.pooled(picture)), 1e-5);
    }
    EXPECT_TRUE(plain.clipped) << "relu would have done as well as relu6";
}

TEST_F(Import, TheTextEncoderIsTheBertOfTheFolder) {
    import_model_directory(options());
    const AlignModel model(folder / "model", at::kCPU);
    const BertConfig config = parse_bert_config(read_json(folder / "bert" / "config.json"), "config");
    const TextEncoder original(config, load_weights(folder / "bert" / "model.safetensors"), at::zeros({1, 48}),
                               at::zeros({1}), at::kCPU);
    const at::Tensor ids = at::tensor(model.tokenizer().encode("a broken bottlecap")).unsqueeze(0);
    EXPECT_EQ(ids.size(1), 6);
    const auto states = model.text().hidden_states(model.text().word_embeddings(ids));
    const auto expected = original.hidden_states(original.word_embeddings(ids));
    ASSERT_EQ(states.size(), expected.size());
    for (std::size_t i = 0; i < states.size(); ++i) EXPECT_TRUE(at::equal(states[i], expected[i])) << i;
}

TEST_F(Import, WithoutAProjectionItIsRandomOfTheSeedAndSaysSo) {
    for (const auto& [name, seed] : {std::pair("a", 3), {"b", 3}, {"c", 4}}) {
        ImportOptions seeded = options(name);
        seeded.seed = seed;
        import_model_directory(seeded);
    }
    const auto weights = [&](const char* name) { return read_file(folder / name / "model.safetensors"); };
    EXPECT_EQ(weights("a"), weights("b"));
    EXPECT_NE(weights("a"), weights("c"));
    const AlignModel model(folder / "a", at::kCPU);
    EXPECT_TRUE(model.config().random_projection);
    EXPECT_FALSE(model.config().random_weights);
    EXPECT_EQ(model.text().text_dim(), 64) << "the image embedding's";
    const at::Tensor projection = read_model_weights(folder / "a").at("text_projection.weight");
    EXPECT_NEAR(projection.std().item<double>(), 1 / std::sqrt(48.0), 0.01);
}

TEST_F(Import, TheDirectorySaysWhatItWasMadeFrom) {
    import_model_directory(options());
    const json config = read_json(folder / "model" / "config.json");
    EXPECT_EQ(config["ltad_sources"], sources());
    EXPECT_EQ(config["model_type"], "align");
    EXPECT_EQ(config["projection_dim"], 64);
    Metadata metadata;
    const Weights weights = load_weights(folder / "model" / "model.safetensors", &metadata);
    EXPECT_EQ(metadata["format"], "pt") << "transformers asks for it";
    for (const auto& [name, tensor] : weights) EXPECT_THAT(name, AllOf(Not(HasSubstr("head")), Not(HasSubstr("fc"))));
    EXPECT_EQ(weights.at("vision_model.embeddings.batchnorm.num_batches_tracked").scalar_type(), at::kLong)
        << "transformers looks for them";
}

TEST_F(Import, AlignDirectoriesAndTransformersWeightsServeAsSources) {
    make_align_tiny(folder / "align");
    write_text(folder / "align" / "tokenizer_config.json", "{}");
    import_model_directory({.image = folder / "align" / "model.safetensors",
                            .text = folder / "align",
                            .projection = {},
                            .out = folder / "model"});
    EXPECT_TRUE(std::filesystem::exists(folder / "model" / "tokenizer_config.json"));
    const AlignModel from(folder / "align", at::kCPU);
    const AlignModel to(folder / "model", at::kCPU);
    const at::Tensor picture = (random_tensor({1, 64, 64, 3}, 1) * 60 + 120).clamp(0, 255).to(at::kByte);
    EXPECT_TRUE(at::equal(to.image().forward(to.preprocess(picture), {}).pooled,
                          from.image().forward(from.preprocess(picture), {}).pooled));
    const at::Tensor words = from.text().word_embeddings(at::tensor({2, 5, 6, 3}).unsqueeze(0));
    EXPECT_TRUE(at::equal(to.text().hidden_states(words).back(), from.text().hidden_states(words).back()));
}

TEST_F(Import, TextWeightsInSeveralFilesAreOneSource) {
    import_model_directory(options("one"));
    const std::string whole = AlignModel(folder / "one", at::kCPU).fingerprint();
    const Weights all = load_weights(folder / "bert" / "model.safetensors");
    std::map<std::string, Weights> parts;
    json map;
    for (const auto& [name, tensor] : all) {
        const std::string part = map.size() % 2 == 0 ? "a.safetensors" : "b.safetensors";
        parts[part][name] = tensor;
        map[name] = part;
    }
    for (const auto& [name, weights] : parts) save_weights(folder / "bert" / name, weights, {});
    write_json(folder / "bert" / "model.safetensors.index.json", {{"weight_map", map}});
    std::filesystem::remove(folder / "bert" / "model.safetensors");
    import_model_directory(options("several"));
    EXPECT_EQ(AlignModel(folder / "several", at::kCPU).fingerprint(), whole);
    const json source = read_json(folder / "several" / "config.json")["ltad_sources"]["text"];
    EXPECT_EQ(source["file"], "model.safetensors.index.json");

    // A part that changes changes the source.
    auto& [name, tensor] = *parts["a.safetensors"].begin();
    parts["a.safetensors"][name] = tensor + 1;
    save_weights(folder / "bert" / "a.safetensors", parts["a.safetensors"], {});
    import_model_directory(options("changed"));
    EXPECT_NE(read_json(folder / "changed" / "config.json")["ltad_sources"]["text"]["sha256"], source["sha256"]);
}

TEST_F(Import, UpdatesOfTheSameSourcesArePutIn) {
    const std::string target = "text_model.encoder.layer.0.output.dense.weight";
    const at::Tensor projection = random_tensor({64, 48}, 1);
    const at::Tensor down = random_tensor({2, 96}, 2);
    const at::Tensor up = random_tensor({48, 2}, 3);
    write_updates(folder / "updates.safetensors",
                  {{{"text_projection.weight", projection},
                    {"temperature", at::full({}, 0.07f)},
                    {target + ".down", down},
                    {target + ".up", up}},
                   sources()},
                  {});
    ImportOptions with = options();
    with.projection = folder / "updates.safetensors";
    import_model_directory(with);
    const Weights weights = read_model_weights(folder / "model");
    EXPECT_TRUE(at::equal(weights.at("text_projection.weight"), projection));
    EXPECT_FLOAT_EQ(weights.at("temperature").item<float>(), 0.07f);
    const at::Tensor before = load_weights(folder / "bert" / "model.safetensors").at(target.substr(11));
    EXPECT_CLOSE_WITHIN(weights.at(target), before.to(at::kDouble) + at::matmul(up, down).to(at::kDouble), 1e-6);
    EXPECT_FALSE(AlignModel(folder / "model", at::kCPU).config().random_projection);
    EXPECT_EQ(read_json(folder / "model" / "config.json")["ltad_sources"]["projection"]["file"], "updates.safetensors");
}

TEST_F(Import, UpdatesForOtherWeightsAreRefusedSayingWhich) {
    ImportOptions with = options();
    with.projection = folder / "updates.safetensors";
    const auto said_of = [&](const Weights& tensors, const json& trained_for) {
        std::filesystem::remove(with.projection);
        write_updates(with.projection, {tensors, trained_for}, {});
        return refusal(with);
    };
    for (const std::string part : {"image", "text"}) {
        json other = sources();
        other[part]["sha256"] = "1234";
        EXPECT_THAT(said_of({}, other), AllOf(HasSubstr("updates.safetensors"), HasSubstr("other " + part + " weights"),
                                              HasSubstr("1234")));
        other.erase(part);
        EXPECT_THAT(said_of({}, other), HasSubstr("a model that was not imported"));
    }
    EXPECT_THAT(said_of({{"visual_projection.weight", at::zeros({2})}}, sources()),
                AllOf(HasSubstr("updates.safetensors"), HasSubstr("'visual_projection.weight'")));
    EXPECT_THAT(said_of({{"text_projection.weight", at::zeros({64, 47})}}, sources()), HasSubstr("[64, 47]"));
    write_text(with.projection, "no such file");
    EXPECT_THAT(refusal(with), HasSubstr("updates.safetensors"));
}

TEST_F(Import, WhatDoesNotFitIsNamedAndLeavesNothing) {
    ImportOptions wrong = options();
    wrong.image = folder / "other.safetensors";
    EXPECT_THAT(refusal(wrong), HasSubstr("other.safetensors"));
    const auto said_of = [&](const std::string& name, const at::Tensor& tensor) {
        Weights weights = lite_weights();
        weights[name] = tensor;
        std::filesystem::remove(wrong.image);
        save_weights(wrong.image, weights, {});
        return refusal(wrong);
    };
    EXPECT_THAT(said_of("_blocks.2._bn1.bias", at::zeros({47})), AllOf(HasSubstr("blocks.2."), HasSubstr("[47]")));
    EXPECT_THAT(said_of("_conv_stem.weight", at::zeros({32, 4, 3, 3})), HasSubstr("[32, 4, 3, 3]"));
    EXPECT_THAT(said_of("_blocks.0._se_reduce.weight", at::zeros({8, 32, 1, 1})), HasSubstr("squeeze-excite"));

    wrong = options();
    std::filesystem::rename(folder / "bert" / "vocab.txt", folder / "vocab.txt");
    EXPECT_THAT(refusal(wrong), HasSubstr("vocab.txt"));
    std::filesystem::rename(folder / "vocab.txt", folder / "bert" / "vocab.txt");
    wrong.text = folder / "nobody";
    EXPECT_THAT(refusal(wrong), HasSubstr("nobody"));
    EXPECT_FALSE(std::filesystem::exists(folder / "model"));
}

TEST_F(Import, AModelThatIsThereIsKept) {
    import_model_directory(options());
    const std::string before = read_file(folder / "model" / "model.safetensors");
    EXPECT_THAT([&] { import_model_directory(options()); },
                ThrowsMessage<Error>(AllOf(HasSubstr("already"), HasSubstr((folder / "model").string()))));
    EXPECT_EQ(read_file(folder / "model" / "model.safetensors"), before);
    std::filesystem::remove(folder / "model" / "config.json");
    EXPECT_NO_THROW(import_model_directory(options()));
}

}  // namespace
}  // namespace ltad::test
