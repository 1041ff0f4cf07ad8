#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/align/align_model.h"
#include "ltad/align/preprocessing.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Preprocessing read(const std::string& content) {
    const test::TemporaryFolder folder;
    test::write_text(folder / "preprocessor_config.json", content);
    return read_preprocessing(folder.path());
}

/// What a grey level becomes.
double applied(const Preprocessing& p, std::size_t channel, double level) {
    return level * p.scale[channel] + p.offset[channel];
}

TEST(Preprocessing, AlignBaseMapsGreyLevelsToMinusOneToOne) {
    const Preprocessing p = read(R"({"do_rescale": true, "rescale_factor": 0.00784313725490196, "rescale_offset": true,
                                     "do_normalize": false, "image_mean": [9, 9, 9], "image_std": [9, 9, 9], "include_top": false,
                                     "size": {"height": 346, "width": 346}, "crop_size": {"height": 289}})");
    for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(applied(p, c, 0), -1, 1e-9);
        EXPECT_NEAR(applied(p, c, 127.5), 0, 1e-9);
        EXPECT_NEAR(applied(p, c, 255), 1, 1e-9);
    }
}

TEST(Preprocessing, OtherConventions) {
    const Preprocessing imagenet = read(
        R"({"rescale_factor": 0.00392156862745098, "image_mean": [0.485, 0.456, 0.406],
           "image_std": [0.229, 0.224, 0.225], "include_top": false})");
    EXPECT_NEAR(applied(imagenet, 0, 255), (1 - 0.485) / 0.229, 1e-9);
    EXPECT_NEAR(applied(imagenet, 1, 51), (0.2 - 0.456) / 0.224, 1e-9);
    EXPECT_NEAR(applied(imagenet, 2, 0), -0.406 / 0.225, 1e-9);
    // EfficientNet-Lite: (x − 127) / 128.
    const Preprocessing lite = read(
        R"({"do_rescale": false, "rescale_offset": true, "image_mean": [127, 127, 127],
           "image_std": [128, 128, 128], "include_top": false})");
    EXPECT_NEAR(applied(lite, 1, 127), 0, 1e-12);
    EXPECT_NEAR(applied(lite, 1, 255), 1, 1e-12);
    const Preprocessing both = read(
        R"({"rescale_factor": 0.01, "rescale_offset": true, "image_mean": [0.1, 0.2, 0.3], "image_std": [2, 4, 8],
            "include_top": false})");
    EXPECT_NEAR(applied(both, 2, 200), (200 * 0.01 - 1 - 0.3) / 8, 1e-12);
}

TEST(Preprocessing, MistakesNameFileAndKey) {
    const std::vector<std::pair<const char*, const char*>> mistakes = {
        {R"({"image_std": [0.2, 0, 0.2]})", "image_std"},
        {R"({"image_std": [0.2, -1, 0.2]})", "image_std"},
        {R"({"image_std": [0.2, 0.2]})", "image_std"},
        {R"({"image_mean": "0.5"})", "image_mean"},
        {R"({"image_std": 0})", "image_std"},
        {R"({"do_normalize": false, "image_std": [1, 1, 0]})", "image_std"},
        {R"({"rescale_factor": 0})", "rescale_factor"},
        {R"({"include_top": 1})", "include_top"},
        {R"({"image_processor_type": 5})", "image_processor_type"},
        {R"({"rescale_factor": "1/255"})", "rescale_factor"},
        {R"({"do_rescale": 1})", "do_rescale"},
        {R"({"rescale_offset": "yes"})", "rescale_offset"},
        {R"([1, 2])", "object"},
        {R"({"rescale_factor": )", "JSON"},
        {"", "JSON"},
    };
    for (const auto& [content, part] : mistakes)
        EXPECT_THAT([&] { (void)read(content); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("preprocessor_config.json"), HasSubstr(part))))
            << content;
    EXPECT_THAT([] { (void)read_preprocessing("/no/such"); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr("/no/such: preprocessor_config.json"), HasSubstr("processor_config.json"))));
}

TEST(Preprocessing, KeysLeftOutAreThoseOfTransformers) {
    const json golden = read_json(test::golden_path("preprocessing.json"));
    const auto picture = golden["picture"].get<std::vector<int>>();
    ASSERT_GE(golden["cases"].size(), 12u);
    for (const json& item : golden["cases"]) {
        const Preprocessing p = read(item["document"].dump());
        for (std::size_t i = 0; i < picture.size(); ++i)
            EXPECT_NEAR(applied(p, i % 3, picture[i]), item["values"][i].get<double>(), 1e-5) << item["document"];
    }
    // Null is not there; the newest and older names of the class are the same class.
    const Preprocessing defaults = read("{}");
    for (const char* same : {R"({"do_rescale": null, "image_mean": null, "image_std": null, "include_top": null})",
                             R"({"image_processor_type": "EfficientNetImageProcessorFast"})",
                             R"({"feature_extractor_type": "EfficientNetFeatureExtractor"})"})
        EXPECT_EQ(read(same), defaults) << same;
}

TEST(Preprocessing, AnotherClassMustSayAll) {
    const std::string whole = R"({"image_processor_type": "ViTImageProcessor", "do_rescale": true, "do_normalize": true,
        "rescale_factor": 0.5, "image_mean": [1, 2, 3], "image_std": [2, 2, 2]})";
    const Preprocessing p = read(whole);
    EXPECT_NEAR(applied(p, 2, 10), (10 * 0.5 - 3) / 2, 1e-12) << "it has no include_top";
    for (const char* key : {"do_rescale", "do_normalize", "rescale_factor", "image_mean", "image_std"}) {
        json less = json::parse(whole);
        less[key] = nullptr;
        EXPECT_THAT([&] { (void)read(less.dump()); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(key), HasSubstr("ViTImageProcessor"))));
    }
    for (const char* key : {"rescale_offset", "include_top"}) {
        json more = json::parse(whole);
        more[key] = true;
        EXPECT_THAT([&] { (void)read(more.dump()); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(key), HasSubstr("ViTImageProcessor"))));
    }
    EXPECT_NO_THROW((void)read(R"({"image_processor_type": "CLIPImageProcessor", "do_rescale": false,
                                   "do_normalize": false})"));
}

TEST(Preprocessing, TheFileOfTransformers5) {
    const test::TemporaryFolder folder;
    const auto read_folder = [&] { return read_preprocessing(folder.path()); };
    const auto own = folder / "preprocessor_config.json";
    const auto shared = folder / "processor_config.json";
    test::write_text(shared, R"({"processor_class": "AlignProcessor"})");
    EXPECT_THAT(read_folder, ThrowsMessage<Error>(AllOf(HasSubstr("preprocessor_config.json is missing"),
                                                        HasSubstr("no \"image_processor\""))));
    test::write_text(shared, R"({"image_processor": {"image_mean": 0.25, "include_top": false},
                                 "processor_class": "AlignProcessor"})");
    EXPECT_NEAR(applied(read_folder(), 1, 255), 1.5, 1e-12);
    EXPECT_EQ(read_preprocessing_document(folder.path())["image_mean"], 0.25);
    test::write_text(own, R"({"image_mean": [0.25, 0.25, 0.25], "include_top": false})");
    EXPECT_NEAR(applied(read_folder(), 1, 255), 1.5, 1e-12) << "both say the same";
    test::write_text(own, R"({"include_top": false})");
    EXPECT_THAT(read_folder, ThrowsMessage<Error>(AllOf(HasSubstr(shared.string()),
                                                        HasSubstr("preprocessor_config.json"), HasSubstr("remove"))));
    test::write_text(shared, R"({"image_processor": null})");
    EXPECT_NEAR(applied(read_folder(), 1, 255), 1, 1e-12);
    test::write_text(shared, R"({"image_processor": [1]})");
    EXPECT_THAT(read_folder, ThrowsMessage<Error>(HasSubstr("processor_config.json: image_processor")));
}

TEST(Preprocessing, AFourthChannelIsNotLeftOutSilently) {
    EXPECT_THAT([] { (void)read(R"({"image_mean": [0.5, 0.5, 0.5, 0.5]})"); },
                ThrowsMessage<Error>(HasSubstr("image_mean")));
}

TEST(Preprocessing, IncludeTopDividesByTheDeviationTwice) {
    // ((v / 255 − 0.5) / 0.25 − 0) / 0.25, as transformers' EfficientNetImageProcessor computes it.
    const Preprocessing p = read(
        R"({"rescale_factor": 0.00392156862745098, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25],
            "include_top": true})");
    EXPECT_NEAR(p.scale[0] * 255 + p.offset[0], 8, 1e-6);
    EXPECT_NEAR(p.offset[2], -8, 1e-6);
    const Preprocessing once =
        read(R"({"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "include_top": false})");
    EXPECT_NEAR(once.offset[1], -2, 1e-6);
}

TEST(Preprocessing, AppliesToEachChannelAndKeepsThePixelsInPlace) {
    const test::TemporaryFolder folder;
    test::make_align_tiny(folder / "m");
    test::write_text(folder / "m" / "preprocessor_config.json",
                     R"({"rescale_factor": 0.5, "image_mean": [1, 2, 3], "image_std": [1, 2, 4],
                         "include_top": false})");
    const AlignModel model(folder / "m", at::kCPU);
    at::Tensor pictures = at::empty({2, 3, 5, 3}, at::kByte);
    for (std::int64_t i = 0; i < pictures.numel(); ++i) pictures.view(-1)[i] = (i * 37) % 256;
    const at::Tensor out = model.preprocess(pictures);
    ASSERT_EQ(out.sizes().vec(), (std::vector<std::int64_t>{2, 3, 3, 5}));
    EXPECT_EQ(out.scalar_type(), at::kFloat);
    EXPECT_TRUE(out.is_contiguous(at::MemoryFormat::ChannelsLast));
    const auto in = pictures.accessor<std::uint8_t, 4>();
    const auto result = out.accessor<float, 4>();
    const double deviation[3] = {1, 2, 4};
    for (int n = 0; n < 2; ++n)
        for (int y = 0; y < 3; ++y)
            for (int x = 0; x < 5; ++x)
                for (int c = 0; c < 3; ++c)
                    EXPECT_NEAR(result[n][c][y][x], (in[n][y][x][c] * 0.5 - (c + 1)) / deviation[c], 1e-4);
}

}  // namespace
}  // namespace ltad
