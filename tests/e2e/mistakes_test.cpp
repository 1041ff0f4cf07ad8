// The mistakes that users make: each ends in a clear message, the right exit status, and nothing half-written.
#include <algorithm>

#include <gmock/gmock.h>

#include "e2e/workspace.h"
#include "ltad/core/image.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;

/// The message is on stderr, in one line that says "error" (a list of mistakes may follow), without a stack trace.
void expect_refused(const Outcome& outcome, int status, const std::vector<std::string>& words) {
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
    std::size_t errors = 0;
    for (std::size_t at = 0; (at = outcome.err.find(" error: ", at)) != std::string::npos; ++at) ++errors;
    EXPECT_EQ(errors, 1u) << outcome.err;
    for (const char* noise : {"Exception raised", "frame #", "terminate called"})
        EXPECT_EQ(outcome.err.find(noise), std::string::npos) << outcome.err;
}

TEST(Mistakes, NoSuchDataSet) {
    const Workspace work;
    expect_refused(work.train("phase1", {"--set", "dataset.root=nowhere"}), 1, {"nowhere", "dataset.root"});
    expect_refused(work.call("ltad-split", {"make", "--layout", "mvtec", "--root", "nowhere", "--type", "exp",
                                            "--imbalance", "10", "--out", "s"}),
                   1, {"nowhere"});
    EXPECT_TRUE(work.files_in("runs").empty());
    EXPECT_FALSE(std::filesystem::exists(work / "s"));
}

TEST(Mistakes, AnEmptyClass) {
    const Workspace work;
    std::filesystem::create_directories(work / "data/empty/train/good");
    expect_refused(work.train("phase1"), 1, {"'empty'", "train/good"});
    EXPECT_TRUE(work.files_in("runs").empty());
}

TEST(Mistakes, OneClassOnlyStillTrains) {
    const Workspace work;
    for (const char* name : {"brushed", "washer"}) std::filesystem::remove_all(work / ("data/" + std::string(name)));
    const Outcome outcome = work.train("phase1");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("only class"));
    Workspace::expect_done(work.train("phase2"));
    const Outcome table = work.evaluate();
    Workspace::expect_done(table);
    EXPECT_THAT(table.out, HasSubstr("n/a"));  // no majority class
}

TEST(Mistakes, UnreadablePictures) {
    for (const char* content : {"", "this is not a picture"}) {
        const Workspace work;
        write_file_atomically(work / "data/woven/train/good/000.png", content);
        expect_refused(work.train("phase1"), 1, {"data/woven/train/good/000.png"});
        EXPECT_FALSE(std::filesystem::exists(work / "runs/tiny/phase1/model.safetensors"));
        expect_refused(work.call("ltad-split", {"make", "-c", "config.json", "--root", "nowhere", "--out", "s"}), 1,
                       {});
    }
}

TEST(Mistakes, AMaskOfAnotherSize) {
    const Workspace work;
    const Mask mask{.width = 10, .height = 10, .pixels = std::vector<std::uint8_t>(100, 1)};
    const auto file = work / "data/woven/ground_truth/pit/000_mask.png";
    const std::string sound = slurp(file);
    write_file_atomically(file, encode_png(mask));
    expect_refused(work.train("phase1"), 1, {"woven/ground_truth/pit/000_mask.png", "10 x 10", "64 x 64"});
    const auto first = work / "data/woven/ground_truth/crack/000_mask.png";
    const std::string sound_first = slurp(first);
    std::filesystem::remove_all(work / "features");
    write_file_atomically(first, encode_png(mask));
    expect_refused(work.train("phase1"), 1, {"woven/ground_truth/crack/000_mask.png", "10 x 10", "64 x 64"});
    EXPECT_TRUE(work.files_in("features").empty()) << "masks of another size are noticed before encoding";
    write_file_atomically(first, sound_first);
    write_file_atomically(file, sound);
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2"));
    write_file_atomically(file, encode_png(mask));
    expect_refused(work.evaluate(), 1, {"woven/ground_truth/pit/000_mask.png", "10 x 10", "64 x 64"});
    EXPECT_TRUE(work.files_in("runs/tiny/eval").empty());
    Workspace::expect_done(work.call("ltad-split", {"make", "-c", "config.json", "--out", "s"}));
    const Outcome verdict = work.call("ltad-split", {"verify", "s"});
    EXPECT_EQ(verdict.status, 1);
    EXPECT_THAT(verdict.err, HasSubstr("10 x 10"));
}

TEST(Mistakes, AMissingMask) {
    const Workspace work;
    std::filesystem::remove(work / "data/woven/ground_truth/pit/000_mask.png");
    expect_refused(work.train("phase1"), 1, {"woven/test/pit/000.png", "000_mask.png"});
}

TEST(Mistakes, FiveInOneConfigAreAllReported) {
    const Workspace work;
    json config = Workspace::config();
    config["phase1"]["epochs"] = 0;
    config["phase2"]["learning_rate"] = "fast";
    config["split"]["type"] = "linear";
    config["recontruction"] = {{"heads", 4}};
    config["semantic"]["temprature"] = 2;
    write_json(work / "config.json", config);
    expect_refused(work.train("phase1"), 2,
                   {"5 mistakes", "phase1.epochs: 0", "phase2.learning_rate: \"fast\"", "split.type: \"linear\"",
                    "recontruction.heads", "did you mean reconstruction.heads", "did you mean semantic.temperature",
                    "config.json"});
    EXPECT_TRUE(work.files_in("runs").empty());
}

TEST(Mistakes, AnImbalanceFactorOfZero) {
    const Workspace work;
    expect_refused(work.train("phase1", {"--set", "split.imbalance_factor=0"}), 2,
                   {"split.imbalance_factor: 0", "from 1"});
    expect_refused(work.call("ltad-split", {"make", "--layout", "mvtec", "--root", "data", "--type", "exp",
                                            "--imbalance", "0", "--out", "s"}),
                   2, {"imbalance_factor"});
}

TEST(Mistakes, Phase2BeforePhase1) {
    const Workspace work;
    expect_refused(work.train("phase2"), 1, {"phase 1 is not finished", "ltad-train phase1"});
    expect_refused(work.evaluate(), 1, {"phase 1 is not finished"});
    EXPECT_TRUE(work.files_in("features").empty() || work.files_in("features").size() == 1)
        << "pictures were encoded first";
}

TEST(Mistakes, AnotherEncoderThanTrainedWith) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2"));
    Workspace::expect_done(
        work.call("ltad-pretrain", {"init", "--config", "encoder.json", "--seed", "5", "--out", "other"}));
    expect_refused(work.evaluate({"--set", "encoder.path=other"}), 1, {"model.safetensors", "encoder: "});
    EXPECT_TRUE(work.files_in("runs/tiny/eval").empty());
}

TEST(Mistakes, ACheckpointFromAnotherConfiguration) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    expect_refused(work.train("phase1", {"--set", "phase1.kl_weight=0.5"}), 1,
                   {"phase1.kl_weight: 0.01 there, 0.5 now"});
    EXPECT_EQ(read_json(work / "runs/tiny/config.json")["phase1"]["kl_weight"], 0.01) << "of what was trained";
    Workspace::expect_done(work.train("phase2"));
    expect_refused(work.evaluate({"--set", "semantic.temperature=2"}), 1, {"semantic.temperature: 1.0 there, 2.0 now"});
    expect_refused(work.train("phase1", {"--set", "seed=8"}), 1, {"split"});  // the split on disk is another one
}

TEST(Mistakes, OptionsThatCannotBeMeantTogether) {
    const Workspace work;
    expect_refused(work.train("phase1", {"--resume", "--force"}), 2, {"--resume", "--force"});
    expect_refused(work.evaluate({"--more", "--format", "json"}), 2, {"--more", "--format"});
    expect_refused(work.evaluate({"--only", ""}), 2, {"--only", "reconstruction"});
    expect_refused(work.evaluate({"--report", "page"}), 1, {"phase 1 is not finished"});
    EXPECT_FALSE(std::filesystem::exists(work / "page")) << "nothing to report on";
    EXPECT_TRUE(work.files_in("runs").empty());
}

TEST(Mistakes, AMistakenEvaluationPinsNothing) {
    const Workspace work;
    expect_refused(work.evaluate(), 1, {"phase 1 is not finished"});
    EXPECT_TRUE(work.files_in("runs").empty());
    Workspace::expect_done(work.train("phase1", {"--set", "split.imbalance_factor=2"}));
    expect_refused(work.train("phase1", {"--set", "split.imbalance_factor=4"}), 1, {"split"});
    Workspace::expect_done(work.train("phase1", {"--set", "split.imbalance_factor=4", "--force"}));
}

TEST(Mistakes, ADamagedFeatureStoreIsRepaired) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    std::filesystem::path segment;
    for (const auto& [file, hash] : work.files_in("features"))
        if (file.find("features-0.npy") != std::string::npos) segment = work / ("features/" + file);
    std::string bytes = slurp(segment);
    bytes[bytes.size() - 5] ^= 1;
    write_file_atomically(segment, bytes);
    const Outcome outcome = work.train("phase2", {"--verify-features"});
    Workspace::expect_done(outcome);
    EXPECT_THAT(outcome.err, HasSubstr("its bytes differ"));
    EXPECT_FALSE(std::filesystem::exists(segment) && slurp(segment) == bytes);
    EXPECT_THAT(work.train("phase1", {"--verify-features", "--force"}).err, HasSubstr(" 0 problems"));
}

TEST(Mistakes, DamagedCheckpoints) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1"));
    Workspace::expect_done(work.train("phase2"));
    const auto file = work / "runs/tiny/phase2/semantic.safetensors";
    const std::string bytes = slurp(file);
    write_file_atomically(file, bytes.substr(0, bytes.size() / 2));
    expect_refused(work.evaluate(), 1, {"semantic.safetensors"});
    write_file_atomically(file, "");
    expect_refused(work.evaluate(), 1, {"semantic.safetensors"});
}

TEST(Mistakes, AFullDisk) {
    const Workspace work;
    const RunOptions full{.folder = {}, .signal_after = {}, .signal = 0, .largest_file = 20'000};
    const Outcome outcome = work.train("phase1", {}, full);
    expect_refused(outcome, 1, {"cannot write"});
    for (const auto& [file, hash] : work.files_in("features")) EXPECT_EQ(file.find(".npy"), std::string::npos) << file;
    EXPECT_FALSE(std::filesystem::exists(work / "runs/tiny/phase1/model.safetensors"));
    Workspace::expect_done(work.train("phase1"));  // with room again
}

TEST(Mistakes, OnTheCommandLine) {
    const Workspace work;
    expect_refused(work.train("phase3"), 2, {"phase3"});
    expect_refused(work.call("ltad-train", {"phase1"}), 2, {"--config"});
    expect_refused(work.call("ltad-train", {"phase1", "--config", "none.json"}), 2, {"none.json"});
    expect_refused(work.train("phase1", {"--set", "phase1.epochs"}), 2, {"KEY=VALUE"});
    expect_refused(work.train("phase2", {"--only", "everything"}), 2, {"everything"});
    expect_refused(work.evaluate({"--format", "pdf"}), 2, {"pdf"});
    expect_refused(work.call("ltad-synth", {"--out", "data"}), 1, {"data"});
    expect_refused(work.call("ltad-synth", {"--out", "x", "--classes", "0"}), 2, {"--classes"});
    expect_refused(work.call("ltad-pretrain", {"init", "--config", "encoder.json", "--out", "encoder"}), 1,
                   {"encoder"});
    write_file_atomically(work / "broken.json", "{\"phase1\": {");
    expect_refused(work.call("ltad-train", {"phase1", "-c", "broken.json"}), 2, {"broken.json", "JSON"});
    for (const char* command : {"ltad-synth", "ltad-split", "ltad-train", "ltad-eval", "ltad-pretrain"}) {
        const Outcome help = work.call(command, {"--help"});
        EXPECT_EQ(help.status, 0);
        EXPECT_THAT(help.out, HasSubstr("--help"));
        const Outcome version = work.call(command, {"--version"});
        EXPECT_EQ(version.status, 0);
        EXPECT_THAT(version.out, HasSubstr(command));
        expect_refused(work.call(command, {"--frobnicate"}), 2, {});
    }
}

TEST(Mistakes, TheConfigCanBePrinted) {
    const Workspace work;
    const Outcome printed = work.train("phase1", {"--print-config", "--set", "phase1.epochs=9"});
    Workspace::expect_done(printed);
    EXPECT_EQ(json::parse(printed.out).at("phase1").at("epochs"), 9);
    write_file_atomically(work / "printed.json", printed.out);
    EXPECT_EQ(work.call("ltad-eval", {"-c", "printed.json", "--print-config"}).out, printed.out);
}

}  // namespace
}  // namespace ltad::test
