#include "ltad/pretrain/probe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/random.h"
#include "ltad/data/dataset.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"
#include "ltad/features/extract.h"
#include "support/all_pairs.h"
#include "support/dataset_tree.h"
#include "support/golden.h"
#include "support/plain_distances.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Makes an ALIGN directory an image-only one.
void keep_image_encoder(const std::filesystem::path& folder) {
    json config = read_json(folder / "config.json")["vision_config"];
    config["model_type"] = "efficientnet";
    write_json(folder / "config.json", config);
    save_weights(folder / "model.safetensors", with_prefix(load_weights(folder / "model.safetensors"), "vision_model."),
                 {{"format", "pt"}});
    std::filesystem::remove(folder / "vocab.txt");
}

/// A data set of two classes, a tiny image encoder, and the settings of a probe of them.
class TinyProbe {
public:
    explicit TinyProbe(const std::vector<std::string>& more = {}) {
        const TreeClass a{.name = "a", .train = 4, .test_good = 3, .test_defective = 2, .size = 40};
        const TreeClass b{.name = "b", .train = 2, .test_good = 2, .test_defective = 3, .size = 40};
        write_mvtec_tree(folder_ / "data", {a, b});
        make_align_tiny(folder_ / "encoder");
        keep_image_encoder(folder_ / "encoder");
        overrides_ = {"dataset.root=" + (folder_ / "data").string(),
                      "dataset.image_size=64",
                      "encoder.path=" + (folder_ / "encoder").string(),
                      "features.path=" + (folder_ / "features").string(),
                      "output=" + (folder_ / "run").string(),
                      "scoring.map_size=20",
                      "scoring.image_pooling=4",
                      "reconstruction.neighbor_size=0",
                      "threads=1"};
        overrides_.insert(overrides_.end(), more.begin(), more.end());
    }

    [[nodiscard]] Config config() const { return load_config("", overrides_); }
    [[nodiscard]] ProbeResult probe(const ProbeOptions& options = {}) const { return probe_encoder(config(), options); }
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

private:
    TemporaryFolder folder_;
    std::vector<std::string> overrides_;
};

/// A picture's features, past the store: [G², C_tot].
at::Tensor patches_of(const Config& config, const AlignModel& encoder, const Sample& sample) {
    const Image image = read_image(std::filesystem::path(config.dataset.root) / sample.file);
    const at::Tensor picture = picture_tensor(image, config.dataset.image_size).unsqueeze(0);
    return extract_features(encoder, feature_layout(config, encoder), picture).maps[0].flatten(1).t().to(at::kDouble);
}

/// Bilinear with corners aligned, at (y, x) of a side × side map.
double interpolate(const std::vector<double>& grid, int cells, int side, int y, int x) {
    const auto place = [&](int i) { return static_cast<double>(i) * (cells - 1) / (side - 1); };
    const auto at = [&](int row, int column) {
        return grid[static_cast<std::size_t>(std::min(row, cells - 1) * cells + std::min(column, cells - 1))];
    };
    const int top = static_cast<int>(place(y));
    const int left = static_cast<int>(place(x));
    const double down = place(y) - top;
    const double right = place(x) - left;
    return (1 - down) * ((1 - right) * at(top, left) + right * at(top, left + 1)) +
           down * ((1 - right) * at(top + 1, left) + right * at(top + 1, left + 1));
}

/// What the probe of a class should give, computed the slow way.
Figures plain_probe(const Config& config, const std::string& name, std::size_t images) {
    const AlignModel encoder(config.encoder.path, at::kCPU);
    const Dataset dataset = list_dataset(config.dataset);
    std::vector<at::Tensor> pictures;
    for (const Sample& sample : dataset.train)
        if (sample.class_name == name && pictures.size() < images)
            pictures.push_back(patches_of(config, encoder, sample));
    at::Tensor bank = at::cat(pictures);
    const at::Tensor mean = bank.mean(0);
    at::Tensor deviation = (bank - mean).square().mean(0).sqrt();
    deviation = at::where(deviation > 1e-9, deviation, at::ones_like(deviation));
    bank = (bank - mean) / deviation;

    std::vector<double> image_scores, pixel_scores;
    std::vector<int> image_labels, pixel_labels;
    const auto side = static_cast<int>(config.scoring.map_size);
    for (const Sample& sample : dataset.test) {
        if (sample.class_name != name) continue;
        const auto grid = values_of(plain_distances((patches_of(config, encoder, sample) - mean) / deviation, bank));
        image_scores.push_back(*std::max_element(grid.begin(), grid.end()));
        image_labels.push_back(sample.defective ? 1 : 0);
        const Mask mask = sample.defective ? resize_nearest(tiny_mask(40), side, side) : Mask{};
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                pixel_scores.push_back(interpolate(grid, static_cast<int>(config.grid()), side, y, x));
                pixel_labels.push_back(sample.defective ? mask.pixels[static_cast<std::size_t>(y * side + x)] : 0);
            }
    }
    return {.image = {.auroc = all_pairs(image_scores, image_labels)},
            .pixel = {.auroc = all_pairs(pixel_scores, pixel_labels)}};
}

/// Pictures of noise whose strength varies and defects that are faint: scores of good and defective ones overlap.
void write_noisy_class(const std::filesystem::path& root, const std::string& name) {
    std::filesystem::remove_all(root / name);
    const auto write = [&](const std::string& file, bool defective) {
        Random random(RandomUse::test, {random_key(name + file)});
        const double strength = 10 + 30 * random.uniform();
        Image image{.width = 40, .height = 40, .pixels = {}};
        for (int i = 0; i < 1600; ++i)
            for (int c = 0; c < 3; ++c) {
                const double faint = defective && in_tiny_defect(i % 40, i / 40, 40) ? 8 : 0;
                const double level = 100 + 15 * c + faint + strength * random.normal();
                image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0)));
            }
        put_file(root / name / file, encode_png(image));
    };
    for (int i = 0; i < 4; ++i) write("train/good/" + tree_number(i) + ".png", false);
    for (int i = 0; i < 7; ++i) {
        write("test/good/" + tree_number(i) + ".png", false);
        write("test/broken/" + tree_number(i) + ".png", true);
        put_file(root / name / ("ground_truth/broken/" + tree_number(i) + "_mask.png"), encode_png(tiny_mask(40)));
    }
}

TEST(Probe, EqualsItsDefinitionComputedSlowly) {
    const TinyProbe tiny;
    for (const std::string name : {"a", "b"}) write_noisy_class(tiny / "data", name);
    const ProbeResult result = tiny.probe({.images = 3});
    ASSERT_EQ(result.classes.size(), 2u);
    for (const ProbeClass& c : result.classes) {
        const Figures expected = plain_probe(tiny.config(), c.name, 3);
        EXPECT_DOUBLE_EQ(*c.figures.image.auroc, *expected.image.auroc) << c.name;
        EXPECT_NEAR(*c.figures.pixel.auroc, *expected.pixel.auroc, 1e-5) << c.name;
        // Figures at either end would hide mistakes.
        for (const double figure : {*expected.image.auroc, *expected.pixel.auroc}) {
            EXPECT_GT(figure, 0.1) << c.name;
            EXPECT_LT(figure, 0.9) << c.name;
        }
    }
}

TEST(Probe, CountsWhatItUsed) {
    const TinyProbe tiny;
    const ProbeResult result = tiny.probe({.images = 3});
    EXPECT_EQ(result.grid, 4);
    EXPECT_EQ(result.image_size, 64);
    EXPECT_EQ(result.taps.size(), 4u);
    EXPECT_EQ(result.classes[0].name, "a");
    EXPECT_EQ(result.classes[0].train, 3);  // of 4
    EXPECT_EQ(result.classes[0].test_good, 3);
    EXPECT_EQ(result.classes[0].test_defective, 2);
    EXPECT_EQ(result.classes[1].train, 2);  // there are no more
    EXPECT_EQ(result.classes[1].test_good, 2);
    EXPECT_EQ(result.classes[1].test_defective, 3);
}

TEST(Probe, ConstantChannelsAreNotBlownUp) {
    const TinyProbe tiny({"encoder.grid=1", "features.batch_size=1"});
    const Config config = tiny.config();
    write_noisy_class(config.dataset.root, "a");
    const auto good = std::filesystem::path(config.dataset.root) / "a/train/good";
    const std::string picture = read_file(good / "000.png");
    // A bank of equal patches: every channel is constant.
    for (int i = 1; i < 4; ++i) put_file(good / (tree_number(i) + ".png"), picture);
    const ProbeResult result = tiny.probe({.images = 3});
    const double expected = *plain_probe(config, "a", 3).image.auroc;
    EXPECT_LT(expected, 0.9);
    EXPECT_DOUBLE_EQ(*result.classes[0].figures.image.auroc, expected);
}

TEST(Probe, WritesOnlyWhatItNeedsIntoTheFeatureStore) {
    const TinyProbe tiny;
    std::set<std::string> before;
    const auto list = [&](auto&& use) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(tiny / ""))
            use(std::filesystem::relative(entry.path(), tiny / "").string());
    };
    list([&](const std::string& path) { before.insert(path); });
    (void)tiny.probe({.images = 3});
    list([&](const std::string& path) { EXPECT_TRUE(before.contains(path) || path.starts_with("features")) << path; });
    const Config config = tiny.config();
    const AlignModel encoder(config.encoder.path, at::kCPU);
    const FeatureStore store = open_store(config, encoder, feature_layout(config, encoder));
    EXPECT_EQ(store.size(), 3u + 2 + 5 + 5);  // not the fourth training picture of a
}

TEST(Probe, AClassOfOneLabelOrWithoutMasksIsNotAvailable) {
    const TinyProbe tiny;
    std::filesystem::remove_all(tiny / "data/a/test/broken");
    std::filesystem::remove_all(tiny / "data/b/ground_truth");
    const ProbeResult result = tiny.probe();
    EXPECT_FALSE(result.classes[0].figures.image.auroc);
    EXPECT_FALSE(result.classes[0].figures.pixel.auroc);
    EXPECT_TRUE(result.classes[1].figures.image.auroc);
    EXPECT_FALSE(result.classes[1].figures.pixel.auroc);
    EXPECT_EQ(to_json(result)["mean"]["image_auroc"], *result.classes[1].figures.image.auroc);
    EXPECT_TRUE(to_json(result)["mean"]["pixel_auroc"].is_null());
}

TEST(Probe, CountsMasksThatTheMapIsTooSmallFor) {
    const TinyProbe tiny;
    Mask speck{.width = 40, .height = 40, .pixels = std::vector<std::uint8_t>(1600, 0)};
    speck.pixels[0] = 1;  // at 20 x 20, the second of each two is read
    put_file(tiny / "data/a/ground_truth/broken/000_mask.png", encode_png(speck));
    EXPECT_EQ(tiny.probe().empty_masks, 1);
}

TEST(Probe, RefusesABankOfNoPicture) {
    const TinyProbe tiny;
    EXPECT_THAT([&] { (void)tiny.probe({.images = 0}); }, ThrowsMessage<UsageError>(HasSubstr("--images: 0")));
}

TEST(Probe, NamesAMaskOfAnotherSize) {
    const TinyProbe tiny;
    put_file(tiny / "data/b/ground_truth/broken/001_mask.png", encode_png(tiny_mask(16)));
    EXPECT_THAT([&] { (void)tiny.probe(); },
                ThrowsMessage<Error>(AllOf(HasSubstr("b/ground_truth/broken/001_mask.png"), HasSubstr("16 x 16"),
                                           HasSubstr("b/test/broken/001.png 40 x 40"))));
}

TEST(Probe, NamesADamagedPictureAndVerifyingRepairsIt) {
    const TinyProbe tiny;
    const json sound = to_json(tiny.probe());
    const std::filesystem::path store = std::filesystem::directory_iterator(tiny / "features")->path();
    std::string bytes = read_file(store / "features-0.npy");
    const float nan = std::numeric_limits<float>::quiet_NaN();
    // The last picture that was encoded.
    std::copy_n(reinterpret_cast<const char*>(&nan), sizeof nan, bytes.end() - sizeof nan);
    put_file(store / "features-0.npy", bytes);
    EXPECT_THAT([&] { (void)tiny.probe(); },
                ThrowsMessage<Error>(AllOf(HasSubstr("b/test/good/001.png"), HasSubstr("--verify-features"))));
    EXPECT_EQ(to_json(tiny.probe({.verify_features = true})), sound);
}

ProbeResult example() {
    ProbeResult result{.encoder = "models/x", .taps = {1, 4}, .grid = 14, .image_size = 224, .images = 60};
    result.classes = {{.name = "bottle",
                       .train = 60,
                       .test_good = 20,
                       .test_defective = 63,
                       .figures = {.image = {.auroc = 0.9}, .pixel = {.auroc = 0.8}}},
                      {.name = "metal_plate",
                       .train = 41,
                       .test_good = 5,
                       .test_defective = 7,
                       .figures = {.image = {.auroc = 0.6}}}};
    return result;
}

TEST(ProbeResult, TableShowsPercentAndMeans) {
    EXPECT_EQ(format_probe_table(example()),
              "  class         train    good  defective   image   pixel\n"
              "--------------------------------------------------------\n"
              "  bottle           60      20         63   90.00   80.00\n"
              "  metal_plate      41       5          7   60.00     n/a\n"
              "--------------------------------------------------------\n"
              "  Avg             101      25         70   75.00   80.00\n");
}

TEST(ProbeResult, JsonSaysWhatWasMeasured) {
    const json document = to_json(example());
    EXPECT_EQ(document["format"], "ltad-probe/1");
    EXPECT_EQ(document["encoder"], "models/x");
    EXPECT_EQ(document["taps"], json({1, 4}));
    EXPECT_EQ(document["images"], 60);
    EXPECT_EQ(document["classes"][1], json::parse(R"({"name": "metal_plate", "train": 41, "test_good": 5,
        "test_defective": 7, "image_auroc": 0.6, "pixel_auroc": null})"));
    EXPECT_EQ(document["mean"]["image_auroc"], 0.75);
    EXPECT_EQ(document["mean"]["pixel_auroc"], 0.8);
}

}  // namespace
}  // namespace ltad::test
