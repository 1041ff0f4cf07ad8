#include <map>
#include <sstream>

#include <gmock/gmock.h>

#include "e2e/workspace.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;

TEST(Pipeline, RunsFromPicturesToTable) {
    const Workspace work;
    const Outcome phase1 = work.train("phase1");
    Workspace::expect_done(phase1);
    EXPECT_THAT(phase1.out, HasSubstr("D(noise,t)"));
    EXPECT_THAT(phase1.err, HasSubstr("RANDOM"));
    Workspace::expect_done(work.train("phase2"));
    const Outcome table = work.evaluate();
    Workspace::expect_done(table);
    for (const char* word : {"Avg", "High", "Low", "ltad", "reconstruction", "semantic", "woven"})
        EXPECT_THAT(table.out, HasSubstr(word));

    for (const char* file : {"config.json", "split/train.jsonl", "split/test.jsonl", "split/split.json",
                             "phase1/model.safetensors", "phase1/metrics.jsonl", "phase1/report.json",
                             "phase2/reconstruction.safetensors", "phase2/semantic.safetensors", "phase2/metrics.jsonl",
                             "phase2/statistics.json", "eval/results.json", "eval/table.md", "eval/scores.csv"})
        EXPECT_TRUE(std::filesystem::exists(work / ("runs/tiny/" + std::string(file)))) << file;
    for (const auto& [file, hash] : work.files_in("runs/tiny")) EXPECT_EQ(file.find(".tmp"), std::string::npos) << file;
}

TEST(Pipeline, WritesTheResultsThatTheContractNames) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2"));
    const Outcome printed = work.evaluate({"--format", "json"});
    Workspace::expect_done(printed);
    const json results = read_json(work / "runs/tiny/eval/results.json");
    EXPECT_EQ(json::parse(printed.out), results);
    EXPECT_EQ(results.at("format"), "ltad-results/1");
    EXPECT_EQ(results.at("config_sha256").get<std::string>().size(), 64u);
    ASSERT_EQ(results.at("classes").size(), 3u);
    for (const json& c : results["classes"]) {
        EXPECT_EQ(c.at("test_good"), 3);
        EXPECT_EQ(c.at("test_defective"), 5);
        EXPECT_EQ(c.at("train"), c.at("group") == "high" ? 8 : 2);
        for (const char* score : {"ltad", "reconstruction", "semantic"})
            for (const char* figure : {"image_auroc", "pixel_auroc"}) {
                const double value = c.at("scores").at(score).at(figure);
                EXPECT_TRUE(value >= 0 && value <= 1) << c;
            }
    }
    // Means: plain averages over the classes of a group.
    for (const char* subset : {"all", "high", "low"}) {
        double sum = 0;
        int count = 0;
        for (const json& c : results["classes"]) {
            if (std::string(subset) != "all" && c["group"] != subset) continue;
            sum += c["scores"]["ltad"]["pixel_auroc"].get<double>();
            ++count;
        }
        EXPECT_NEAR(results.at("mean").at(subset).at("ltad").at("pixel_auroc").get<double>(), sum / count, 1e-12);
    }

    std::istringstream scores(slurp(work / "runs/tiny/eval/scores.csv"));
    std::string line;
    std::getline(scores, line);
    EXPECT_EQ(line, "file,class,label,ltad,reconstruction,semantic");
    int lines = 0;
    while (std::getline(scores, line)) ++lines;
    EXPECT_EQ(lines, 3 * 8);
    for (const char* format : {"table", "markdown", "csv"})
        EXPECT_THAT(work.evaluate({"--format", format}).out, HasSubstr("woven")) << format;
}

TEST(Pipeline, FitTrainsWhateverTheMethodNeeds) {
    const Workspace work;
    for (const std::string method : {"ltad", "uniad", "patchcore"}) {
        const std::vector<std::string> options = {"--set", "method=" + method, "--set", "output=" + method};
        const Outcome early = work.evaluate(options);
        EXPECT_EQ(early.status, 1);
        EXPECT_THAT(early.err, HasSubstr("ltad-train"));
        Workspace::expect_done(work.train("fit", options));
        const auto trained = work.files_in(method);
        const Outcome table = work.evaluate(options);
        Workspace::expect_done(table);
        EXPECT_THAT(table.out, HasSubstr(method));
        EXPECT_EQ(read_json(work / (method + "/eval/results.json"))["method"], method);
        const Outcome again = work.train("fit", options);
        Workspace::expect_done(again);
        EXPECT_THAT(again.err, HasSubstr("--force"));
        auto after = work.files_in(method);
        for (const auto& [file, hash] : trained) EXPECT_EQ(after[file], hash) << file;
    }
    const Outcome phase = work.train("phase1", {"--set", "method=uniad"});
    EXPECT_EQ(phase.status, 2);
    EXPECT_THAT(phase.err, HasSubstr("ltad-train fit"));
    const Outcome part = work.evaluate({"--set", "method=uniad", "--set", "output=uniad", "--only", "semantic"});
    EXPECT_EQ(part.status, 2);
    EXPECT_THAT(part.err, HasSubstr("--only"));
}

TEST(Pipeline, OneModuleCanBeTrainedAndEvaluatedAlone) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2", {"--only", "semantic"}));
    EXPECT_EQ(work.evaluate().status, 1);
    const Outcome table = work.evaluate({"--only", "semantic"});
    Workspace::expect_done(table);
    EXPECT_THAT(table.out, ::testing::Not(HasSubstr("reconstruction")));
    EXPECT_EQ(read_json(work / "runs/tiny/eval/results.json")["mean"]["all"].size(), 1u);
}

TEST(Pipeline, SecondRunDoesNothingAgain) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2"));
    Workspace::expect_done(work.evaluate());
    const auto features = work.files_in("features");
    const auto run = work.files_in("runs");
    for (const char* phase : {"phase1", "phase2"}) {
        const Outcome again = work.train(phase);
        Workspace::expect_done(again);
        EXPECT_THAT(again.err, HasSubstr("already finished")) << phase;
    }
    Workspace::expect_done(work.evaluate());
    EXPECT_EQ(work.files_in("features"), features);
    EXPECT_EQ(work.files_in("runs"), run);

    // Another split of the same pictures encodes nothing either.
    const Outcome other = work.train("phase1", {"--set", "split.imbalance_factor=2", "--set", "output=runs/other"});
    Workspace::expect_done(other);
    EXPECT_EQ(work.files_in("features"), features);
}

TEST(Pipeline, ForceTrainsToTheSameBytes) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2"));
    const auto run = work.files_in("runs");
    Workspace::expect_done(work.train("phase1", {"--force"}));
    Workspace::expect_done(work.train("phase2", {"--force"}));
    EXPECT_EQ(work.files_in("runs"), run);
}

TEST(Pipeline, ModulesCanBeTrainedOneByOne) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2", {"--set", "output=runs/tiny"}));
    const auto together = work.files_in("runs/tiny/phase2");
    std::filesystem::remove_all(work / "runs/tiny/phase2");
    Workspace::expect_done(work.train("phase2", {"--only", "semantic"}));
    const Outcome early = work.evaluate();
    EXPECT_EQ(early.status, 1);
    EXPECT_THAT(early.err, HasSubstr("reconstruction.safetensors"));
    Workspace::expect_done(work.train("phase2", {"--only", "reconstruction"}));
    EXPECT_EQ(work.files_in("runs/tiny/phase2"), together);
    Workspace::expect_done(work.evaluate());
}

TEST(Pipeline, DataLabelledByImageHasImageFiguresOnly) {
    const Workspace work;
    for (const auto& entry : std::filesystem::directory_iterator(work / "data"))
        std::filesystem::remove_all(entry.path() / "ground_truth");
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2"));
    const Outcome table = work.evaluate();
    Workspace::expect_done(table);
    EXPECT_THAT(table.out, HasSubstr("n/a"));
    EXPECT_THAT(table.err, HasSubstr("no masks"));
    const json results = read_json(work / "runs/tiny/eval/results.json");
    EXPECT_TRUE(results["mean"]["all"]["ltad"]["pixel_auroc"].is_null());
    EXPECT_TRUE(results["mean"]["all"]["ltad"]["image_auroc"].is_number());
}

TEST(Pipeline, AnImportedSplitIsUsed) {
    const Workspace work;
    Workspace::expect_done(work.call("ltad-split", {"make", "--layout", "mvtec", "--root", "data", "--type", "exp",
                                                    "--imbalance", "4", "--seed", "3", "--out", "mine"}));
    Workspace::expect_done(
        work.call("ltad-split", {"import", "--train", "mine/train.jsonl", "--test", "mine/test.jsonl", "--layout",
                                 "mvtec", "--root", "data", "--out", "theirs"}));
    const Outcome verdict = work.call("ltad-split", {"verify", "theirs"});
    Workspace::expect_done(verdict);
    EXPECT_THAT(verdict.out, HasSubstr("sound"));
    for (const char* phase : {"phase1", "phase2"})
        Workspace::expect_done(work.train(phase, {"--set", "split.path=theirs"}));
    Workspace::expect_done(work.evaluate({"--set", "split.path=theirs"}));
    const json results = read_json(work / "runs/tiny/eval/results.json");
    EXPECT_EQ(results["classes"][0]["train"], 8);
    EXPECT_EQ(results["classes"][2]["train"], 2);
}

/// Columns of scores.csv by their names, the file column left out.
std::map<std::string, std::vector<std::string>> columns_of(const std::filesystem::path& file) {
    std::istringstream in(slurp(file));
    std::string line;
    std::vector<std::string> names;
    std::map<std::string, std::vector<std::string>> columns;
    while (std::getline(in, line)) {
        std::istringstream cells(line);
        std::string cell;
        for (std::size_t i = 0; std::getline(cells, cell, ','); ++i) {
            if (columns.size() <= i && names.size() <= i)
                names.push_back(cell);
            else
                columns[names[i]].push_back(cell);
        }
    }
    return columns;
}

TEST(Pipeline, ExchangedNamesChangeTheSemanticScoreAlone) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1", {"--set", "phase1.learning_rate=0.01"}));
    Workspace::expect_done(work.train("phase2", {"--set", "phase1.learning_rate=0.01"}));
    Workspace::expect_done(work.evaluate({"--set", "phase1.learning_rate=0.01"}));
    const auto own = columns_of(work / "runs/tiny/eval/scores.csv");
    Workspace::expect_done(work.evaluate({"--set", "phase1.learning_rate=0.01", "--set", "scoring.names=exchanged"}));
    const auto exchanged = columns_of(work / "runs/tiny/eval/scores.csv");
    ASSERT_EQ(own.at("semantic").size(), 24u);
    EXPECT_EQ(own.at("reconstruction"), exchanged.at("reconstruction"));
    EXPECT_NE(own.at("semantic"), exchanged.at("semantic"));
}

TEST(Pipeline, UnlearnedNamesAreExchangedWithoutATrace) {
    const Workspace work;
    const std::vector<std::string> fixed{"--set", "prompts.learned=false"};
    const Outcome phase1 = work.train("phase1", fixed);
    Workspace::expect_done(phase1);
    EXPECT_THAT(phase1.out, HasSubstr("moved by 0.0000"));
    Workspace::expect_done(work.train("phase2", fixed));
    Workspace::expect_done(work.evaluate(fixed));
    const auto own = columns_of(work / "runs/tiny/eval/scores.csv");
    Workspace::expect_done(work.evaluate({"--set", "prompts.learned=false", "--set", "scoring.names=exchanged"}));
    EXPECT_EQ(own, columns_of(work / "runs/tiny/eval/scores.csv")) << "all classes are called \"object object\"";
}

TEST(Pipeline, PicturesOf448WithA28GridGoThrough) {
    const Workspace work;
    const std::vector<std::string> large{"--set", "dataset.image_size=448", "--set", "phase1.epochs=1",
                                         "--set", "phase2.epochs=1",        "--set", "reconstruction.neighbor_size=7"};
    Workspace::expect_done(work.train("phase1", large));
    Workspace::expect_done(work.train("phase2", large));
    Workspace::expect_done(work.evaluate(large));
    EXPECT_EQ(read_json(work / "runs/tiny/eval/config.json").at("encoder").at("grid"), 0);  // image_size / 16
    const std::filesystem::path store =
        work / "features" / std::filesystem::path(work.files_in("features").begin()->first).parent_path();
    EXPECT_EQ(read_json(store / "settings.json").at("grid"), 28);
}

TEST(Pipeline, PredictedClassesAndOtherOptionsRun) {
    const Workspace work;
    const std::vector<std::string> options{
        "--set", "phase2.sampling=class_aware",      "--set", "phase2.jitter_scale=channel",
        "--set", "semantic.projection=concatenated", "--set", "decoder.norm=group",
        "--set", "prompts.init=class_name"};
    Workspace::expect_done(work.train("phase1", options));
    Workspace::expect_done(work.train("phase2", options));
    auto predicted = options;
    predicted.insert(predicted.end(), {"--set", "scoring.class=predicted", "--set", "scoring.lambda=2.5"});
    Workspace::expect_done(work.evaluate(predicted));
    EXPECT_EQ(read_json(work / "runs/tiny/eval/results.json").at("lambda"), 2.5);
}

}  // namespace
}  // namespace ltad::test
