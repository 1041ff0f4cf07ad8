#include "ltad/align/align_model.h"

#include <cstring>
#include <functional>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/align/device.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

/// golden/align_tiny in a folder of its own, to be changed.
class AlignModelTest : public ::testing::Test {
protected:
    AlignModelTest() : path(folder / "model") { test::make_align_tiny(path); }

    [[nodiscard]] AlignModel load() const { return {path, at::kCPU}; }
    [[nodiscard]] Weights weights() const { return load_weights(path / "model.safetensors"); }
    void save(const Weights& changed) const { save_weights(path / "model.safetensors", changed, {}); }
    /// Everything thrown names the directory (or a file in it) and `part`.
    void expect_refused(const std::string& part) const {
        EXPECT_THAT([&] { (void)load(); }, ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr(part))));
    }

    const test::TemporaryFolder folder;
    const std::filesystem::path path;
    const Weights expected = load_weights(test::golden_path("align_tiny/expected.safetensors"));
};

at::Tensor text_features(const AlignModel& model, const at::Tensor& ids, const at::Tensor& mask) {
    return model.text().forward(model.text().word_embeddings(ids), mask);
}

TEST_F(AlignModelTest, JointEmbeddingsMatchTheReference) {
    const AlignModel model = load();
    const auto unit = [](const at::Tensor& x) { return x / x.norm(2, {1}, true); };
    const at::Tensor image = unit(model.image().forward(expected.at("image64.pixel_values"), {}).pooled);
    const at::Tensor words =
        unit(text_features(model, expected.at("text.input_ids"), expected.at("text.attention_mask"))).slice(0, 0, 2);
    EXPECT_CLOSE(image, expected.at("joint.image_embeds"));
    EXPECT_CLOSE(words, expected.at("joint.text_embeds"));
    EXPECT_CLOSE(at::matmul(image, words.t()) / weights().at("temperature"), expected.at("joint.logits_per_image"));
    EXPECT_EQ(model.directory(), path);
    EXPECT_EQ(model.tokenizer().vocabulary_size(), 128);
}

TEST_F(AlignModelTest, HalfPrecisionWeightsLoad) {
    for (const auto& [type, tolerance] : {std::pair(at::kHalf, 5e-3), std::pair(at::kBFloat16, 5e-2)}) {
        Weights halved = load_weights(test::golden_path("align_tiny/model.safetensors"));
        for (auto& [name, tensor] : halved)
            if (tensor.is_floating_point()) tensor = tensor.to(type);
        save(halved);
        const AlignModel model = load();
        const auto out = model.image().forward(expected.at("image64.pixel_values"), {10});
        EXPECT_CLOSE_WITHIN(out.taps[0], expected.at("image64.hidden_states.11"), tolerance) << type;
        EXPECT_CLOSE_WITHIN(out.pooled, expected.at("image64.pooler_output"), tolerance) << type;
        EXPECT_CLOSE_WITHIN(text_features(model, expected.at("text.input_ids"), expected.at("text.attention_mask")),
                            expected.at("text.text_features"), tolerance)
            << type;
        EXPECT_EQ(out.pooled.scalar_type(), at::kFloat);
    }
}

TEST_F(AlignModelTest, ImageOnlyBackbonesLoad) {
    json config = read_json(path / "config.json")["vision_config"];
    config["model_type"] = "efficientnet";
    write_json(path / "config.json", config);
    std::filesystem::remove(path / "vocab.txt");
    const Weights vision = with_prefix(weights(), "vision_model.");
    std::string fingerprint;
    for (const std::string prefix : {"", "efficientnet."}) {
        Weights renamed = {{"classifier.weight", at::zeros({10, 80})}, {"classifier.bias", at::zeros({10})}};
        if (prefix.empty()) renamed.clear();
        renamed[prefix + "encoder.top_conv.weight"] = at::zeros({80, 80, 1, 1});
        for (const char* part : {"weight", "bias", "running_mean", "running_var"})
            renamed[prefix + "encoder.top_bn." + part] = at::zeros({80});
        for (const auto& [name, tensor] : vision) renamed[prefix + name] = tensor;
        save(renamed);
        const AlignModel model = load();
        EXPECT_CLOSE(model.image().forward(expected.at("image64.pixel_values"), {}).pooled,
                     expected.at("image64.pooler_output"));
        EXPECT_FALSE(model.config().text.has_value());
        EXPECT_EQ(model.fingerprint(), model.image_fingerprint());
        if (fingerprint.empty()) fingerprint = model.fingerprint();
        EXPECT_EQ(model.fingerprint(), fingerprint) << "the same features, another name";
        for (const std::function<void()>& use : {std::function<void()>([&] { (void)model.text(); }),
                                                 std::function<void()>([&] { (void)model.tokenizer(); })})
            EXPECT_THAT(use, ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr("image-only"))));
    }
    Weights more = vision;
    more["encoder.bottom_conv.weight"] = at::zeros({1});
    save(more);
    expect_refused("'encoder.bottom_conv.weight' [1] is not expected");
}

TEST_F(AlignModelTest, WeightsThatDoNotFitNameTheTensor) {
    const std::string bias = "text_model.encoder.layer.1.output.dense.bias";
    Weights changed = weights();
    changed.erase(bias);
    save(changed);
    expect_refused("'" + bias + "' [48] is missing");
    changed[bias] = at::zeros({49});
    save(changed);
    expect_refused("'" + bias + "' has shape [49], expected [48]");
    changed[bias] = at::zeros({48});
    changed["vision_model.encoder.blocks.23.extra"] = at::zeros({2, 2});
    save(changed);
    expect_refused("'vision_model.encoder.blocks.23.extra' [2, 2] is not expected");
    changed.erase("vision_model.encoder.blocks.23.extra");
    changed.erase("text_model.embeddings.position_ids");  // newer transformers leave it out
    save(changed);
    EXPECT_NO_THROW((void)load());
}

TEST_F(AlignModelTest, TruncatedWeightsAndLyingHeadersNameTheFile) {
    const std::string whole = read_file(path / "model.safetensors");
    for (std::size_t size = 0; size < whole.size(); size += 1 + size / 3) {
        test::write_text(path / "model.safetensors", whole.substr(0, size));
        expect_refused("model.safetensors");
    }
    std::string lying = whole;
    const std::size_t at = lying.find("[128, 48]");
    ASSERT_NE(at, std::string::npos);
    lying.replace(at, 9, "[128, 49]");
    test::write_text(path / "model.safetensors", lying);
    expect_refused("text_model.embeddings.word_embeddings.weight");
    lying = whole;
    const std::uint64_t huge = std::uint64_t{1} << 63;
    std::memcpy(lying.data(), &huge, 8);
    test::write_text(path / "model.safetensors", lying);
    expect_refused("header");
}

TEST_F(AlignModelTest, MissingFilesAreNamed) {
    for (const std::string file : {"config.json", "preprocessor_config.json", "model.safetensors", "vocab.txt"}) {
        std::filesystem::rename(path / file, folder / "away");
        expect_refused(file);
        std::filesystem::rename(folder / "away", path / file);
    }
    EXPECT_NO_THROW((void)load());
    EXPECT_THAT([] { (void)AlignModel("/no/such/model", at::kCPU); },
                ThrowsMessage<Error>(HasSubstr("/no/such/model")));
}

TEST_F(AlignModelTest, GitLfsPointersAreNamed) {
    const std::string pointer =
        "version https://git-lfs.github.com/spec/v1\noid "
        "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e"
        "2393\nsize 12345\n";
    const auto refused = [&](const std::string& file) {
        test::write_text(path / file, pointer);
        EXPECT_THAT([&] { (void)load(); },
                    ThrowsMessage<Error>(AllOf(HasSubstr((path / file).string() + ": is a git-lfs pointer"),
                                               HasSubstr("git lfs pull"))));
        std::filesystem::remove(path / file);
    };
    for (const std::string file : {"config.json", "preprocessor_config.json", "vocab.txt", "model.safetensors"}) {
        const std::string kept = read_file(path / file);
        refused(file);
        test::write_text(path / file, kept);
    }
    refused("tokenizer_config.json");
    refused("processor_config.json");
    for (const std::string file : {"tokenizer.json", "spiece.model"}) {  // in the place of vocab.txt
        std::filesystem::remove(path / "vocab.txt");
        refused(file);
    }
    for (const std::string file :
         {"model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}) {
        std::filesystem::remove(path / "model.safetensors");
        refused(file);
    }
    test::write_text(path / "image.pth", pointer);
    EXPECT_THAT([&] { (void)load_any_weights(path / "image.pth"); },
                ThrowsMessage<Error>(HasSubstr("git-lfs pointer")));
}

TEST_F(AlignModelTest, ConfigMistakesNameFileAndKey) {
    const json whole = read_json(path / "config.json");
    const std::vector<std::pair<const char*, const char*>> mistakes = {
        {R"({"model_type": "clip"})", "clip"},
        {R"({"model_type": 5})", "model_type"},
        {R"({"projection_dim": "many"})", "projection_dim"},
        {R"({"projection_dim": 0})", "projection_dim"},
        {R"({"text_config": {"num_attention_heads": 5}})", "num_attention_heads"},
        {R"({"vision_config": {"strides": [1, 2]}})", "strides"},
        {R"({"vision_config": {"hidden_act": "mish"}})",
         "config.json: vision_config: hidden_act 'mish' is not known (swish, silu, relu"},
        {R"({"text_config": {"hidden_act": "quick_gelu"}})", "config.json: text_config: hidden_act 'quick_gelu'"},
        {R"({"text_config": {"hidden_size": 47}})", "hidden_size"},
        {R"({"text_config": {"num_hidden_layers": 4}})", "layer.3"},
        {R"({"vision_config": {"width_coefficient": 0.5}})", "shape"},
        {R"({"ltad_random_weights": "no"})", "ltad_random_weights"},
    };
    for (const auto& [patch, part] : mistakes) {
        SCOPED_TRACE(patch);
        write_json(path / "config.json", whole);
        test::patch_json(path / "config.json", json::parse(patch));
        EXPECT_THAT([&] { (void)load(); }, ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr(part))));
    }
    for (const char* text : {"", "[]", "\"align\"", "{\"model_type\": \"align\"", "{]"}) {
        test::write_text(path / "config.json", text);
        expect_refused("config.json");
    }
}

TEST_F(AlignModelTest, SectionsOfAWrongTypeAreRefused) {
    for (const char* key : {"vision_config", "text_config"}) {
        EXPECT_THAT(([&] {
                        (void)parse_align_config({{"model_type", "align"}, {key, "efficientnet"}}, "here.json");
                    }),
                    ThrowsMessage<Error>(AllOf(HasSubstr("here.json"), HasSubstr(key))));
    }
    // Left out, or null, they are transformers' defaults.
    const AlignConfig config = parse_align_config({{"model_type", "align"}, {"text_config", nullptr}}, "here.json");
    EXPECT_EQ(config.text->hidden_size, 768);
    EXPECT_EQ(config.vision.width_coefficient, 2.0);
}

TEST_F(AlignModelTest, PoolingOtherThanTheMeanIsNotTakenSilently) {
    // transformers' pooling_type: the reference would take the maximum here.
    test::patch_json(path / "config.json", {{"vision_config", {{"pooling_type", "max"}}}});
    try {
        const auto out = load().image().forward(expected.at("image64.pixel_values"), {22});
        EXPECT_CLOSE(out.pooled, out.taps[0].amax({2, 3}));
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("pooling_type"));
    }
}

TEST_F(AlignModelTest, RefusesAVocabularyLargerThanTheEncoders) {
    append_to_file(path / "vocab.txt", "one\nmore\n");
    expect_refused("130");
    expect_refused("128");
}

TEST_F(AlignModelTest, FingerprintsChangeWithWhatTheyStandFor) {
    const std::string image = load().image_fingerprint();
    const std::string all = load().fingerprint();
    EXPECT_EQ(image.size(), 64u);
    EXPECT_NE(image, all);
    const Weights original = weights();
    const auto with = [&](const std::string& name) {
        Weights changed = original;
        changed[name] = changed.at(name).clone();
        changed[name].view(-1)[0] += 1e-3;
        save(changed);
        AlignModel model = load();
        save(original);
        return std::pair(model.image_fingerprint() != image, model.fingerprint() != all);
    };
    const std::pair both(true, true), text_only(false, true);
    EXPECT_EQ(with("vision_model.encoder.blocks.7.squeeze_excite.expand.bias"), both);
    EXPECT_EQ(with("vision_model.embeddings.batchnorm.running_var"), both);
    EXPECT_EQ(with("text_model.encoder.layer.2.attention.self.key.bias"), text_only);
    EXPECT_EQ(with("text_projection.weight"), text_only);

    const auto with_file = [&](const std::string& file, const std::function<void()>& change) {
        const std::string kept = std::filesystem::exists(path / file) ? read_file(path / file) : "";
        change();
        AlignModel model = load();
        if (kept.empty())
            std::filesystem::remove(path / file);
        else
            write_file_atomically(path / file, kept);
        return std::pair(model.image_fingerprint() != image, model.fingerprint() != all);
    };
    const auto patched = [&](const std::string& file, const char* patch) {
        return with_file(file, [&] { test::patch_json(path / file, json::parse(patch)); });
    };
    EXPECT_EQ(patched("preprocessor_config.json", R"({"rescale_offset": false})"), both);
    EXPECT_EQ(patched("preprocessor_config.json", R"({"size": 17})"), std::pair(false, false)) << "it is not used";
    EXPECT_EQ(patched("config.json", R"({"vision_config": {"hidden_act": "relu"}})"), both);
    EXPECT_EQ(patched("config.json", R"({"vision_config": {"batch_norm_eps": 0.01}})"), both);
    EXPECT_EQ(patched("config.json", R"({"vision_config": {"depthwise_padding": [2]}})"), both);
    EXPECT_EQ(patched("config.json", R"({"text_config": {"hidden_act": "relu"}})"), text_only);
    EXPECT_EQ(with_file("vocab.txt", [&] { append_to_file(path / "vocab.txt", ""); }), std::pair(false, false));
    EXPECT_EQ(with_file("vocab.txt",
                        [&] {
                            std::string words = read_file(path / "vocab.txt");
                            words.replace(words.find("broken"), 6, "beaten");
                            write_file_atomically(path / "vocab.txt", words);
                        }),
              text_only);
    save(original);
    EXPECT_EQ(load().fingerprint(), all);
}

TEST_F(AlignModelTest, FingerprintChangesWithSettingsThatChangeTheTexts) {
    const AlignModel before = load();
    const at::Tensor ids = at::tensor(before.tokenizer().encode("a broken object"), at::kLong).unsqueeze(0);
    for (const char* patch :
         {R"({"text_config": {"num_attention_heads": 2}})", R"({"text_config": {"layer_norm_eps": 0.1}})"}) {
        test::patch_json(path / "config.json", json::parse(patch));
        const AlignModel after = load();
        ASSERT_FALSE(at::allclose(text_features(before, ids, {}), text_features(after, ids, {}))) << patch;
        EXPECT_NE(after.fingerprint(), before.fingerprint()) << patch;
        std::filesystem::remove_all(path);
        test::make_align_tiny(path);
    }
    test::write_text(path / "tokenizer_config.json", R"({"do_lower_case": false})");
    ASSERT_NE(load().tokenizer().ids("Object"), before.tokenizer().ids("Object"));
    EXPECT_NE(load().fingerprint(), before.fingerprint());
}

TEST(AlignConfig, DefaultsAreAlignBaseWith172MillionParameters) {
    std::int64_t count = 0;
    for (const auto& [name, shape] : align_shapes(parse_align_config(json::object(), "here")))
        if (name.find(".running_") == std::string::npos)
            count += std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    // EfficientNet-B7 without its top, BERT-base, the projection and the temperature.
    EXPECT_EQ(count, 62'143'440 + 109'482'240 + (768 * 640 + 640) + 1);
    EXPECT_NEAR(static_cast<double>(count), 172e6, 0.5e6);
}

TEST(AlignConfig, ShapesNameTheGoldenFilesTensors) {
    const AlignConfig config = parse_align_config(read_json(test::golden_path("align_tiny/config.json")), "tiny");
    EXPECT_NO_THROW(
        check_weights(load_weights(test::golden_path("align_tiny/model.safetensors")), align_shapes(config), "tiny"));
    EXPECT_EQ(config.projection_dim, 80);
    EXPECT_FALSE(config.random_weights);
}

TEST(Device, TheCpuIsAlwaysThere) {
    EXPECT_EQ(choose_device("cpu"), at::Device(at::kCPU));
    EXPECT_NO_THROW((void)choose_device("auto"));
    if (!choose_device("auto").is_cpu()) GTEST_SKIP() << "there is a CUDA device";
    EXPECT_THAT([] { (void)choose_device("cuda"); }, ThrowsMessage<Error>(AllOf(HasSubstr("cuda"), HasSubstr("cpu"))));
}

}  // namespace
}  // namespace ltad
