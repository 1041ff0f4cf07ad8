#include "ltad/features/extract.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <thread>

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Image picture(int width, int height, std::uint64_t seed) {
    Image image{.width = width, .height = height, .pixels = {}};
    Random random(RandomUse::test, {seed});
    for (int i = 0; i < width * height * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    return image;
}

class ExtractTest : public ::testing::Test {
protected:
    ExtractTest() {
        test::make_align_tiny(folder / "model");
        config.encoder.path = (folder / "model").string();
        config.features.path = (folder / "features").string();
        config.dataset.image_size = 64;
        for (int i = 0; i < 7; ++i)
            files.push_back(save("p" + std::to_string(i) + ".png", 50 + i, 70 - i, static_cast<std::uint64_t>(i)));
    }
    fs::path save(const std::string& name, int width, int height, std::uint64_t seed) const {
        write_file_atomically(folder / name, encode_png(picture(width, height, seed)));
        return folder / name;
    }
    const AlignModel& model() {
        if (!model_) model_ = std::make_unique<AlignModel>(config.encoder.path, at::kCPU);
        return *model_;
    }
    FeatureLayout layout() { return feature_layout(config, model()); }
    FeatureStore store() { return open_store(config, model(), layout()); }
    void fill(FeatureStore& store) { encode_missing(store, model(), layout(), files, 3); }
    static std::size_t segments(const FeatureStore& store) {
        std::size_t count = 0;
        for (const auto& entry : fs::directory_iterator(store.folder()))
            count += entry.path().filename().string().starts_with("index-");
        return count;
    }
    void expect_holds(const FeatureStore& store, const fs::path& file) {
        const Image image = read_image(file);
        const ExtractedFeatures expected = extract_features(model(), layout(), picture_tensor(image, 64).unsqueeze(0));
        const ImageFeatures found = store.get(fs::canonical(file).string());
        const auto tensor = [](std::span<const float> values) {
            return at::tensor(at::ArrayRef<float>(values.data(), values.size()), at::kFloat);
        };
        EXPECT_CLOSE(tensor(found.map), expected.maps.flatten()) << file;
        EXPECT_CLOSE(tensor(found.latent), expected.latents.flatten()) << file;
        EXPECT_EQ(found.width, image.width);
        EXPECT_EQ(found.height, image.height);
    }

    const test::TemporaryFolder folder;
    Config config;
    std::vector<fs::path> files;
    std::unique_ptr<AlignModel> model_;
};

TEST_F(ExtractTest, FeaturesAreTheTapsResizedWithCornersAlignedAndConcatenated) {
    config.encoder.grid = 5;  // some taps are larger, some smaller
    const FeatureLayout l = layout();
    EXPECT_THAT(l.taps, ElementsAre(1, 4, 7, 15));
    EXPECT_THAT(l.channels, ElementsAre(8, 8, 16, 32));
    const at::Tensor pictures =
        at::stack({picture_tensor(picture(64, 64, 1), 64), picture_tensor(picture(80, 40, 2), 64)});
    const ExtractedFeatures features = extract_features(model(), l, pictures);
    ASSERT_EQ(features.maps.sizes().vec(), (std::vector<std::int64_t>{2, 64, 5, 5}));
    ASSERT_EQ(features.latents.sizes().vec(), (std::vector<std::int64_t>{2, 80}));
    EXPECT_TRUE(features.maps.is_contiguous());
    const auto encoded = model().image().forward(model().preprocess(pictures), l.taps);
    EXPECT_CLOSE_WITHIN(features.latents, encoded.pooled, 1e-6);
    std::int64_t first = 0;
    for (std::size_t tap = 0; tap < 4; ++tap) {
        const at::Tensor map = encoded.taps[tap].to(at::kDouble).contiguous();
        const std::int64_t side = map.size(2);
        const auto in = map.accessor<double, 4>();
        at::Tensor expected = at::empty({2, map.size(1), 5, 5}, at::kDouble);
        auto out = expected.accessor<double, 4>();
        const double scale = static_cast<double>(side - 1) / 4;
        for (std::int64_t n = 0; n < 2; ++n)
            for (std::int64_t c = 0; c < map.size(1); ++c)
                for (std::int64_t y = 0; y < 5; ++y)
                    for (std::int64_t x = 0; x < 5; ++x) {
                        const double row = static_cast<double>(y) * scale, column = static_cast<double>(x) * scale;
                        const auto top = std::min(side - 2, static_cast<std::int64_t>(row));
                        const auto left = std::min(side - 2, static_cast<std::int64_t>(column));
                        const double v = row - static_cast<double>(top), u = column - static_cast<double>(left);
                        out[n][c][y][x] = (1 - v) * ((1 - u) * in[n][c][top][left] + u * in[n][c][top][left + 1]) +
                                          v * ((1 - u) * in[n][c][top + 1][left] + u * in[n][c][top + 1][left + 1]);
                    }
        EXPECT_CLOSE_WITHIN(features.maps.narrow(1, first, map.size(1)), expected, 1e-5) << "tap " << tap;
        first += map.size(1);
    }
}

TEST_F(ExtractTest, FeaturesDoNotDependOnTheBatch) {
    std::vector<at::Tensor> all;
    for (const auto& file : files) all.push_back(picture_tensor(read_image(file), 64));
    const ExtractedFeatures together = extract_features(model(), layout(), at::stack(all));
    for (std::size_t i = 0; i < all.size(); ++i) {
        const ExtractedFeatures alone = extract_features(model(), layout(), all[i].unsqueeze(0));
        EXPECT_CLOSE_WITHIN(alone.maps[0], together.maps[static_cast<std::int64_t>(i)], 1e-5) << i;
        EXPECT_CLOSE_WITHIN(alone.latents[0], together.latents[static_cast<std::int64_t>(i)], 1e-5) << i;
    }
}

TEST_F(ExtractTest, PictureTensorsHoldTheResizedPixels) {
    const Image image = picture(30, 20, 1);
    const at::Tensor same = picture_tensor(picture(16, 16, 2), 16);
    EXPECT_EQ(same.sizes().vec(), (std::vector<std::int64_t>{16, 16, 3}));
    EXPECT_EQ(same[3][5][2].item<int>(), picture(16, 16, 2).pixels[(3 * 16 + 5) * 3 + 2]);
    const Image resized = resize_bilinear(image, 16, 16);
    EXPECT_EQ(picture_tensor(image, 16)[7][9][1].item<int>(), resized.pixels[(7 * 16 + 9) * 3 + 1]);
}

TEST_F(ExtractTest, LayoutNamesTapsThatAreNotThere) {
    EXPECT_EQ(layout().grid, 4);  // image_size / 16
    EXPECT_EQ(layout().latent, 80);
    EXPECT_EQ(layout().total_channels(), 64);
    config.encoder.taps = {3, 22};
    EXPECT_THAT(layout().channels, ElementsAre(8, 80));
    config.encoder.taps = {3, 23};
    EXPECT_THAT([&] { (void)layout(); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("encoder.taps"), HasSubstr("23"), HasSubstr("0 to 22"))));
}

TEST_F(ExtractTest, EncodesWhatIsMissingAndNoMore) {
    FeatureStore first = store();
    fill(first);
    EXPECT_EQ(first.size(), files.size());
    for (const auto& file : files) expect_holds(first, file);
    EXPECT_EQ(segments(first), 1u);
    FeatureStore again = store();
    fill(again);
    EXPECT_EQ(segments(again), 1u) << "nothing was missing";
    files.push_back(save("new.png", 64, 64, 70));
    save("p3.png", 64, 64, 71);  // another picture under an old name
    fill(again);
    EXPECT_EQ(segments(again), 2u);
    EXPECT_EQ(read_json(again.folder() / "index-1.json")["images"].size(), 2u);
    for (const auto& file : files) expect_holds(again, file);
    EXPECT_TRUE(again.verify().empty());
}

TEST_F(ExtractTest, ATruncatedSegmentIsEncodedAgain) {
    FeatureStore first = store();
    fill(first);
    const fs::path features = first.folder() / "features-0.npy";
    const std::string bytes = read_file(features);
    write_file_atomically(features, bytes.substr(0, bytes.size() / 2));
    FeatureStore second = store();
    EXPECT_EQ(second.size(), 0u);
    fill(second);
    for (const auto& file : files) expect_holds(second, file);
    EXPECT_EQ(segments(second), 1u);
    EXPECT_TRUE(store().verify().empty());
}

TEST_F(ExtractTest, TwoAtOnceShareTheWork) {
    FeatureStore one = store(), two = store();
    const FeatureLayout l = layout();
    std::thread other([&] { encode_missing(one, model(), l, files, 2); });
    encode_missing(two, model(), l, files, 3);
    other.join();
    EXPECT_EQ(segments(one), 1u);
    for (const auto& file : files) {
        expect_holds(one, file);
        expect_holds(two, file);
    }
}

TEST_F(ExtractTest, UnreadablePicturesAreNamed) {
    files.push_back(folder / "broken.png");
    write_file_atomically(files.back(), read_file(files[0]).substr(0, 40));
    FeatureStore s = store();
    EXPECT_THAT([&] { fill(s); }, ThrowsMessage<Error>(HasSubstr("broken.png")));
    files.back() = folder / "gone.png";
    EXPECT_THAT([&] { fill(s); }, ThrowsMessage<Error>(HasSubstr("gone.png")));
    files.pop_back();
    fill(s);  // the lock is free, the rest in order
    for (const auto& file : files) expect_holds(s, file);
}

TEST_F(ExtractTest, EveryPictureKeepsItsPlaceWithAnyNumberOfThreads) {
    const int before = at::get_num_threads();
    for (const int threads : {1, 2, 5}) {  // 5: more than a batch has pictures
        at::set_num_threads(threads);
        config.features.path = (folder / ("features" + std::to_string(threads))).string();
        FeatureStore s = store();
        fill(s);
        for (const auto& file : files) expect_holds(s, file);
    }
    at::set_num_threads(before);
}

TEST_F(ExtractTest, FeaturesThatAreNotFiniteAreRefused) {
    const fs::path weights = fs::path(config.encoder.path) / "model.safetensors";
    Weights broken = load_weights(test::golden_path("align_tiny/model.safetensors"));
    at::Tensor& bias = broken.at("vision_model.encoder.blocks.22.projection.project_bn.bias");
    bias = at::full_like(bias, std::nan(""));
    save_weights(weights, broken, {});
    FeatureStore s = store();
    EXPECT_THAT([&] { fill(s); }, ThrowsMessage<Error>(AllOf(HasSubstr("p0.png"), HasSubstr("not finite"))));
    EXPECT_EQ(store().size(), 0u);
}

TEST_F(ExtractTest, EverySettingThatChangesFeaturesHasAStoreOfItsOwn) {
    const fs::path original = store().folder();
    const auto folder_with = [&](const std::function<void(Config&)>& change) {
        const Config kept = config;
        change(config);
        const fs::path found = store().folder();
        config = kept;
        return found;
    };
    EXPECT_NE(folder_with([](Config& c) { c.encoder.taps = {1, 2}; }), original);
    EXPECT_NE(folder_with([](Config& c) { c.encoder.grid = 3; }), original);
    EXPECT_NE(folder_with([](Config& c) { c.dataset.image_size = 80; }), original);
    EXPECT_EQ(folder_with([](Config& c) {
                  c.seed = 9, c.features.batch_size = 1, c.encoder.taps = {1, 4, 7, 15};
              }),
              original);
    test::patch_json(fs::path(config.encoder.path) / "preprocessor_config.json", {{"rescale_offset", false}});
    model_.reset();
    EXPECT_NE(store().folder(), original);
}

// A camera's 12 bits in 16: what the store keeps of them, and what the key changes.
TEST_F(ExtractTest, KeepsTheLargestSampleOfSixteenBitPictures) {
    const fs::path camera = folder / "camera.tif";
    fs::copy_file(fs::path(LTAD_TEST_DATA) / "pictures/camera12.tif", camera);
    files.push_back(camera);
    const auto largest = read_picture(camera).largest;
    ASSERT_GT(largest, 2048);
    FeatureStore first = store();
    fill(first);
    EXPECT_EQ(store().get(fs::weakly_canonical(camera).string()).largest, largest);
    EXPECT_EQ(store().get(fs::weakly_canonical(files[0]).string()).largest, 0);

    // Indices of before have no such field.
    for (const auto& entry : fs::directory_iterator(first.folder()))
        if (entry.path().filename().string().starts_with("index-")) {
            json index = read_json(entry.path());
            for (json& item : index.at("images")) item.erase("largest");
            write_json(entry.path(), index);
        }
    EXPECT_EQ(store().size(), files.size());
    EXPECT_EQ(store().get(fs::weakly_canonical(camera).string()).largest, 0);
}

TEST_F(ExtractTest, BitsScaleTheSamplesAndAreAKeyOnlyWhereSet) {
    const fs::path camera = folder / "camera.tif";
    fs::copy_file(fs::path(LTAD_TEST_DATA) / "pictures/camera12.tif", camera);
    files.push_back(camera);
    FeatureStore plain = store();
    fill(plain);
    config.dataset.bits = 16;
    EXPECT_EQ(store().folder(), plain.folder());
    config.dataset.bits = 12;
    FeatureStore scaled = store();
    EXPECT_NE(scaled.folder(), plain.folder());
    fill(scaled);
    const auto latent = [](const FeatureStore& s, const fs::path& file) {
        const auto values = s.get(fs::weakly_canonical(file).string()).latent;
        return std::vector<float>(values.begin(), values.end());
    };
    EXPECT_NE(latent(plain, camera), latent(scaled, camera));
    EXPECT_EQ(latent(plain, files[0]), latent(scaled, files[0]));
    config.dataset.bits = 10;
    FeatureStore narrow = store();
    EXPECT_THAT([&] { fill(narrow); },
                ThrowsMessage<Error>(AllOf(HasSubstr(camera.string()), HasSubstr("dataset.bits to 12"))));
}

}  // namespace
}  // namespace ltad
