// The configs that ship with the project.
#include <gmock/gmock.h>

#include "ltad/config/load.h"

namespace ltad {
namespace {

struct Setting {
    std::string dataset, type;
    double factor;
    double lambda;
    bool reversed = false;
};

std::vector<Setting> settings_of_the_paper() {
    std::vector<Setting> all;
    for (const char* type : {"exp", "step"}) {
        for (const double factor : {100, 200}) all.push_back({"mvtec", type, factor, 500});
        for (const double factor : {100, 200, 500}) all.push_back({"visa", type, factor, 400});
        for (const double factor : {50, 100, 200, 500})
            for (const bool reversed : {false, true}) all.push_back({"dagm", type, factor, 300, reversed});
    }
    return all;
}

TEST(Configs, HaveEverySettingOfThePaperAndItsHyperParameters) {
    EXPECT_EQ(settings_of_the_paper().size(), 18u + 8u);
    for (const Setting& s : settings_of_the_paper()) {
        const std::string name = s.type + std::to_string(static_cast<int>(s.factor)) + (s.reversed ? "-reversed" : "");
        const Config c = load_config(std::string(LTAD_CONFIGS) + "/" + s.dataset + "/" + name + ".json", {});
        EXPECT_EQ(c.name, s.dataset + "-" + name);
        EXPECT_EQ(c.dataset.layout, s.dataset);
        EXPECT_EQ(c.dataset.image_size, 224);
        EXPECT_EQ(c.split.type, s.type);
        EXPECT_EQ(c.split.imbalance_factor, s.factor);
        EXPECT_EQ(c.split.reverse, s.reversed);
        EXPECT_EQ(c.scoring.lambda, s.lambda);
        EXPECT_EQ(c.encoder.taps, (std::vector<std::int64_t>{3, 10, 17, 37}));
        EXPECT_EQ(c.grid(), 14);
        EXPECT_EQ(c.phase1.epochs, 100);
        EXPECT_EQ(c.phase2.epochs, 500);
        for (const auto& [rate, decay, batch] :
             {std::tuple(c.phase1.learning_rate, c.phase1.weight_decay, c.phase1.batch_size),
              std::tuple(c.phase2.learning_rate, c.phase2.weight_decay, c.phase2.batch_size)}) {
            EXPECT_EQ(rate, 1e-4);
            EXPECT_EQ(decay, 1e-4);
            EXPECT_EQ(batch, 8);
        }
        EXPECT_EQ(c.phase2.real_probability, 0.5);
        EXPECT_EQ(c.phase2.jitter, 20);
        EXPECT_EQ(c.decoder.resolution, "native");
    }
}

Config load(const std::string& name) {
    return load_config(std::string(LTAD_CONFIGS) + "/" + name, {"dataset.root=data/any"});
}

TEST(Configs, TheDemoUsesTheDefaultEncoderOrARandomOne) {
    EXPECT_EQ(load("demo/demo.json").name, "demo");
    EXPECT_EQ(load("demo/demo.json").encoder.path, "models/align-lite");
    EXPECT_EQ(load("demo/random.json").name, "demo-random");
    EXPECT_EQ(load("demo/random.json").encoder.path, "models/demo-random");
}

TEST(Configs, LargePicturesHaveTheFineGrid) {
    for (const char* name : {"align-lite-448.json", "demo/demo-448.json"}) {
        EXPECT_EQ(load(name).dataset.image_size, 448) << name;
        EXPECT_EQ(load(name).grid(), 28) << name;
        EXPECT_EQ(load(name).encoder.path, "models/align-lite") << name;
    }
}

TEST(Configs, PretrainingsLoad) {
    for (const char* name : {"align-lite", "align-lite-low-rank", "align-lite-image"})
        EXPECT_EQ(load_pretrain_config(std::string(LTAD_CONFIGS) + "/pretrain/" + name + ".json", {}).name, name);
}

}  // namespace
}  // namespace ltad
