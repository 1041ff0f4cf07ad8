#include "ltad/repro/plan.h"

#include <map>
#include <set>

#include <gmock/gmock.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/json.h"
#include "ltad/split/split.h"
#include "repro/inputs.h"
#include "support/dataset_tree.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAre;

class Plan : public ::testing::Test {
protected:
    Plan() { write_json(folder / "config.json", {{"name", "mine"}, {"seed", 5}, {"dataset", {{"root", "data"}}}}); }

    [[nodiscard]] ReproPlan plan(const std::string& name, std::int64_t seeds = 1,
                                 const std::vector<std::string>& overrides = {}) const {
        return make_plan(table(name), folder / "config.json", overrides, seeds, "root");
    }
    [[nodiscard]] static ReproTable table(const std::string& name) {
        return repro_table(name, {.paper_data = false, .factors = {10, 20}, .efficientnet = {}});
    }
    /// Parts of each kind with different keys.
    [[nodiscard]] static std::map<std::string, std::size_t> distinct_parts(const ReproPlan& plan) {
        std::map<std::string, std::set<std::string>> keys;
        for (const PlannedRun& run : plan.runs)
            for (const PlannedPart& part : run.parts) keys[part.part->name].insert(part.key);
        std::map<std::string, std::size_t> counts;
        for (const auto& [name, all] : keys) counts[name] = all.size();
        return counts;
    }

    const TemporaryFolder folder;
};

TEST_F(Plan, TrainsWhatATablesRowsShareOnce) {
    using Counts = std::map<std::string, std::size_t>;
    // 6.1 has no model directory; 6.4 shares phase 1 with 6.8.
    EXPECT_EQ(plan("table6").runs.size(), 7u);
    EXPECT_EQ(distinct_parts(plan("table6")), (Counts{{"phase 1", 5}, {"reconstruction", 6}, {"UniAD", 1}}));
    // The rows of tables 7 to 9 differ in the semantic head alone.
    EXPECT_EQ(distinct_parts(plan("table7")), (Counts{{"phase 1", 1}, {"semantic", 4}}));
    EXPECT_EQ(distinct_parts(plan("table9")), (Counts{{"phase 1", 1}, {"semantic", 16}}));
    EXPECT_EQ(distinct_parts(plan("fig6")), (Counts{{"phase 1", 8}, {"reconstruction", 8}}));
    // Four splits; LTAD's two rows read the same runs.
    EXPECT_EQ(plan("table3").runs.size(), 12u);
    EXPECT_EQ(distinct_parts(plan("table3")),
              (Counts{{"phase 1", 4}, {"reconstruction", 4}, {"semantic", 4}, {"UniAD", 4}, {"PatchCore", 4}}));
}

TEST_F(Plan, ExchangedNamesAreAnotherRunWithTheSameParts) {
    const ReproPlan all = plan("table8");
    ASSERT_EQ(all.runs.size(), 3u);
    EXPECT_NE(all.runs[0].config.output, all.runs[2].config.output);
    EXPECT_EQ(all.runs[0].parts[1].key, all.runs[2].parts[1].key) << "8.1 and 8.3";
    EXPECT_NE(all.runs[1].parts[1].key, all.runs[2].parts[1].key) << "8.2 and 8.3";
    EXPECT_EQ(distinct_parts(all).at("semantic"), 2u);
}

TEST_F(Plan, EachCellHasARunForEachSeed) {
    const ReproPlan all = plan("table7", 3);
    EXPECT_EQ(all.runs.size(), 12u);
    for (const auto& row : all.cells)
        for (const auto& cell : row) {
            ASSERT_EQ(cell.size(), 3u);
            std::vector<std::int64_t> seeds;
            for (const std::size_t run : cell) seeds.push_back(all.runs[run].config.seed);
            EXPECT_THAT(seeds, ElementsAre(5, 6, 7));
        }
    const ReproPlan six = plan("table6");
    EXPECT_TRUE(six.cells[0][0].empty()) << "6.1 is not available";
}

TEST_F(Plan, RunsReadTheScoresOfTheirRows) {
    for (const PlannedRun& run : plan("table3").runs) {
        if (run.config.method == "ltad")
            EXPECT_THAT(run.scores, UnorderedElementsAre("ltad", "reconstruction"));
        else
            EXPECT_THAT(run.scores, ElementsAre(run.config.method));
    }
    for (const PlannedRun& run : plan("table9").runs) EXPECT_THAT(run.scores, ElementsAre("semantic"));
}

TEST_F(Plan, KeysFollowWhatMattersAlone) {
    const auto keys = [&](const std::vector<std::string>& overrides) {
        const ReproPlan all = plan("table7", 1, overrides);
        return std::pair(all.runs[3].parts[0].key, all.runs[3].parts[1].key);
    };
    const auto [phase1, semantic] = keys({});
    // No result depends on these.
    for (const char* idle : {"threads=1", "device=cpu", "name=other", "checkpoint_seconds=5", "features.path=f",
                             "scoring.image_pooling=3", "reconstruction.heads=4"})
        EXPECT_EQ(keys({idle}), std::pair(phase1, semantic)) << idle;
    for (const char* first : {"phase1.epochs=7", "decoder.norm=group", "dataset.root=elsewhere", "encoder.grid=10",
                              "split.imbalance_factor=3", "prompts.length=3"}) {
        EXPECT_NE(keys({first}).first, phase1) << first;
        EXPECT_NE(keys({first}).second, semantic) << first;
    }
    for (const char* second : {"phase2.epochs=7", "semantic.temperature=2"}) {
        EXPECT_EQ(keys({second}).first, phase1) << second;
        EXPECT_NE(keys({second}).second, semantic) << second;
    }
}

TEST_F(Plan, AMethodsKeysFollowWhatItReads) {
    const auto keys = [&](const std::vector<std::string>& overrides) {
        std::map<std::string, std::string> all;
        for (const PlannedRun& run : plan("table3", 1, overrides).runs)
            for (const PlannedPart& part : run.parts) all.try_emplace(part.part->name, part.key);
        return all;
    };
    const auto before = keys({});
    for (const auto& [override, changed] : std::map<std::string, std::set<std::string>>{
             {"patchcore.smoothing=2", {}},
             {"patchcore.coreset=0.2", {"PatchCore"}},
             {"uniad.clip_norm=0.5", {"UniAD"}},
             {"phase2.real_probability=0.4", {"reconstruction", "semantic"}},
             {"phase2.epochs=7", {"reconstruction", "semantic", "UniAD"}},
             {"prompts.abnormal=cracked", {"semantic"}},
             {"prompts.length=3", {"phase 1", "reconstruction", "semantic"}}}) {
        const auto after = keys({override});
        for (const auto& [name, key] : before)
            EXPECT_EQ(after.at(name) != key, changed.contains(name)) << override << ", " << name;
    }
    // Texts are of no use to free vectors.
    const std::string free = "semantic.text=free";
    EXPECT_EQ(keys({free}), keys({free, "prompts.abnormal=cracked"}));
}

TEST_F(Plan, KeysFollowThePicturesAndTheEncoder) {
    const auto keys = [&] {
        const ReproPlan all =
            plan("table7", 1,
                 {"dataset.root=" + (folder / "data").string(), "encoder.path=" + (folder / "encoder").string()});
        return std::tuple(all.runs[3].config.output, all.runs[3].parts[0].key, all.runs[3].parts[1].key);
    };
    std::set<decltype(keys())> seen{keys()};  // nothing is there yet
    const auto expect_new = [&](const char* what) {
        EXPECT_TRUE(seen.insert(keys()).second) << what;
        EXPECT_FALSE(seen.insert(keys()).second) << what;
    };
    for (const char* file : {"train/good/0.png", "test/good/0.png", "test/bad/0.png"})
        put_file(folder / "data/gear" / file, "picture");
    put_file(folder / "data/gear/ground_truth/bad/0_mask.png", "mask");
    expect_new("a data set");
    put_file(folder / "data/gear/train/good/1.png", "picture");
    expect_new("a training picture more");
    put_file(folder / "data/gear/train/good/1.png", "PICTURE");
    expect_new("another of its name and size");
    put_file(folder / "data/gear/ground_truth/bad/0_mask.png", "another mask");
    expect_new("a mask");
    std::filesystem::remove(folder / "data/gear/test/good/0.png");
    expect_new("a test picture less");
    put_file(folder / "encoder/model.safetensors", "weights");
    expect_new("an encoder");
    put_file(folder / "encoder/model.safetensors", "Weights");
    expect_new("other weights");
    const auto there = keys();
    std::filesystem::rename(folder / "data", folder / "moved");
    std::filesystem::rename(folder / "encoder", folder / "moved encoder");
    EXPECT_NE(keys(), there);
    const ReproPlan moved =
        plan("table7", 1,
             {"dataset.root=" + (folder / "moved").string(), "encoder.path=" + (folder / "moved encoder").string()});
    EXPECT_EQ(std::tuple(moved.runs[3].config.output, moved.runs[3].parts[0].key, moved.runs[3].parts[1].key), there)
        << "the same pictures and weights elsewhere";
}

TEST_F(Plan, FilesOfAMethodsOwnAreKnownByContent) {
    Config config;
    const auto named = [&] { return Inputs().named(config, {"features.path"}); };  // any key that is a path
    config.features.path = (folder / "weights").string();
    std::set<std::string> seen{named()};
    for (const char* file : {"weights/a.bin", "weights/deeper/b.bin"}) {
        put_file(folder / file, "weights");
        EXPECT_TRUE(seen.insert(named()).second) << file;
        put_file(folder / file, "WEIGHTS");
        EXPECT_TRUE(seen.insert(named()).second) << file;
    }
    std::filesystem::rename(folder / "weights", folder / "moved");
    config.features.path = (folder / "moved").string();
    EXPECT_FALSE(seen.insert(named()).second) << "the same files elsewhere";
    config.features.path = (folder / "moved/a.bin").string();
    EXPECT_TRUE(seen.insert(named()).second) << "one of them alone";
    EXPECT_EQ(Inputs().named(config, {}), Inputs().named(Config{}, {}));
}

TEST_F(Plan, OneUnreadableFileHidesNoOther) {
    for (const char* file : {"train/good/0.png", "train/good/1.png", "test/good/0.png", "test/bad/0.png"})
        put_file(folder / "data/gear" / file, "picture");
    put_file(folder / "data/gear/ground_truth/bad/0_mask.png", "mask");
    put_file(folder / "encoder/model.safetensors", "weights");
    std::filesystem::create_symlink("round", folder / "encoder/round");  // a link that leads to itself
    std::filesystem::create_symlink(folder / "nowhere", folder / "encoder/gone");
    const auto keys = [&] {
        const ReproPlan all =
            plan("table7", 1,
                 {"dataset.root=" + (folder / "data").string(), "encoder.path=" + (folder / "encoder").string()});
        return all.runs[3].config.output;
    };
    std::set<std::string> seen{keys()};
    put_file(folder / "encoder/model.safetensors", "WEIGHTS");
    EXPECT_TRUE(seen.insert(keys()).second);
    put_file(folder / "data/gear/test/bad/0.png", "PICTURE");
    EXPECT_TRUE(seen.insert(keys()).second);
}

TEST_F(Plan, PartsFollowTrainingPicturesAndRunsAlsoTestPictures) {
    for (const char* file : {"train/good/0.png", "train/good/1.png", "test/good/0.png", "test/bad/0.png"})
        put_file(folder / "data/gear" / file, "picture");
    put_file(folder / "data/gear/ground_truth/bad/0_mask.png", "mask");
    const auto keys = [&] {
        const ReproPlan all = plan("table7", 1, {"dataset.root=" + (folder / "data").string()});
        return std::pair(all.runs[3].config.output, all.runs[3].parts[1].key);
    };
    const auto before = keys();
    for (const char* file : {"test/good/0.png", "ground_truth/bad/0_mask.png"}) {
        put_file(folder / "data/gear" / file, "another one");
        EXPECT_NE(keys().first, before.first) << file;
        EXPECT_EQ(keys().second, before.second) << file;
    }
    const auto changed = keys().first;
    put_file(folder / "data/gear/ground_truth/bad/0_mask.png", "of this size");
    const auto of_one_size = keys().first;
    put_file(folder / "data/gear/ground_truth/bad/0_mask.png", "OF THIS SIZE");
    EXPECT_NE(keys().first, of_one_size) << "masks are known by content";
    EXPECT_NE(changed, of_one_size);
    const auto tested = keys();
    put_file(folder / "data/gear/train/good/1.png", "another one");
    EXPECT_NE(keys().first, tested.first);
    EXPECT_NE(keys().second, tested.second);
}

TEST_F(Plan, ListsAreKnownByThePicturesTheyName) {
    for (const char* file : {"train/good/0.png", "test/good/0.png", "test/bad/0.png"})
        put_file(folder / "data/gear" / file, "picture");
    // Outside the layout: the data set's own listing does not see them.
    for (const char* file : {"elsewhere/train.png", "elsewhere/test.png"}) put_file(folder / "data" / file, "picture");
    Split split;
    split.type = "import";
    split.classes.push_back({.name = "gear", .available = 1, .requested = 1, .kept = 1});

    split.train = {{"elsewhere/train.png", "gear", false, ""}};
    split.test = {{"elsewhere/test.png", "gear", false, ""}};
    DatasetConfig data;
    data.root = (folder / "data").string();
    write_split(folder / "lists", split, data);
    ASSERT_NO_THROW((void)read_split(folder / "lists"));
    const auto keys = [&](const std::string& lists) {
        const ReproPlan all = plan(
            "table7", 1, {"dataset.root=" + (folder / "data").string(), "split.path=" + (folder / lists).string()});
        return std::pair(all.runs[3].config.output, all.runs[3].parts[1].key);
    };
    const auto before = keys("lists");
    put_file(folder / "data/elsewhere/test.png", "another one");
    const auto tested = keys("lists");
    EXPECT_NE(tested.first, before.first);
    EXPECT_EQ(tested.second, before.second);
    put_file(folder / "data/elsewhere/train.png", "another one");
    EXPECT_NE(keys("lists").second, tested.second);
    const auto there = keys("lists");
    std::filesystem::rename(folder / "lists", folder / "moved");
    EXPECT_EQ(keys("moved"), there);
}

TEST_F(Plan, AConfigThatIsWrongAlreadyIsRefusedAtOnce) {
    EXPECT_THAT([&] { (void)plan("table7", 1, {"phase1.epochs=0"}); },
                ThrowsMessage<UsageError>(HasSubstr("phase1.epochs")));
}

// A variant may not fit a config that is allowed as it is: the row says so, the others run.
TEST_F(Plan, ARowThatDoesNotFitIsRefusedAlone) {
    ReproTable two = table("table7");
    two.rows[1].overrides.push_back("prompts.length=0");
    two.rows[1].overrides.push_back("prompts.init=random");
    const ReproPlan all = make_plan(two, folder / "config.json", {}, 1, "root");
    ASSERT_EQ(all.runs.size(), 4u);
    EXPECT_THAT(all.runs[1].refused, HasSubstr("prompts.length"));
    EXPECT_TRUE(all.runs[1].parts.empty());
    EXPECT_EQ(all.runs[2].refused, "");
}

}  // namespace
}  // namespace ltad::test
