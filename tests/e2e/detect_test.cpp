#include <sstream>

#include <gmock/gmock.h>

#include "e2e/workspace.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Detect, ScoresPicturesWithoutLabels) {
    const Workspace work;
    Workspace::expect_done(work.train("fit"));
    Workspace::expect_done(work.evaluate({"--report", "report", "--maps", "maps", "--more"}));
    for (const char* file : {"report/index.html", "maps/maps.json", "runs/tiny/thresholds.json"})
        EXPECT_TRUE(std::filesystem::exists(work / file)) << file;
    std::filesystem::rename(work / "data", work / "moved");

    const Outcome found = work.call("ltad-detect", {"--run", "runs/tiny", "--set", "threads=1", "--overlays",
                                                    "overlays", "moved/woven/test", "moved/washer/test/good/000.png"});
    Workspace::expect_done(found);
    std::istringstream in(found.out);
    int lines = 0;
    for (std::string line; std::getline(in, line); ++lines) {
        const json item = json::parse(line);
        EXPECT_TRUE(item.at("score").is_number());
        EXPECT_TRUE(item.at("verdict") == "good" || item.at("verdict") == "defective");
        EXPECT_EQ(item.at("class_from"), "predicted");
        EXPECT_TRUE(std::filesystem::exists(work / ("overlays/" + item.at("file").get<std::string>() + ".png")));
    }
    EXPECT_EQ(lines, 9);

    const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
        {{"--run", "runs/tiny", "--set", "encoder.path=elsewhere", "moved"}, "where it was trained"},
        {{"--run", "runs/other", "moved"}, "runs/other"},
        {{"--run", "runs/tiny", "--class", "gear", "moved"}, "woven"},
        {{"--run", "runs/tiny", "--class", "", "moved"}, "must not be empty"},
        {{"--run", "runs/tiny", "none.png"}, "none.png"},
        {{"--run", "runs/tiny"}, "pictures"}};
    for (const auto& [arguments, word] : mistakes) {
        const Outcome outcome = work.call("ltad-detect", arguments);
        EXPECT_EQ(outcome.status, 2) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(word));
    }
    std::ofstream(work / "broken.png") << "no picture";
    const Outcome broken = work.call("ltad-detect", {"--run", "runs/tiny", "broken.png", "moved/washer/test/good"});
    EXPECT_EQ(broken.status, 1);
    EXPECT_THAT(broken.err, HasSubstr("1 of 4 pictures"));
    EXPECT_THAT(broken.out, AllOf(HasSubstr("\"error\""), HasSubstr("\"verdict\"")));
}

}  // namespace
}  // namespace ltad::test
