#include "ltad/eval/results.h"

#include <gmock/gmock.h>

namespace ltad::test {
namespace {

ClassResult class_result(const std::string& name, Group group, double image, std::optional<double> pixel) {
    ClassResult c{.name = name, .group = group, .train = 10, .test_good = 4, .test_defective = 6};
    for (int s = 0; s < 3; ++s) {
        c.scores.push_back({.image = {.auroc = image, .average_precision = image / 4},
                            .pixel = {.auroc = pixel, .f1_max = pixel},
                            .region_overlap = pixel});
        image /= 2;
    }
    return c;
}

Results example() {
    Results results{
        .config_sha256 = "abc", .method = "ltad", .scores = {"ltad", "reconstruction", "semantic"}, .lambda = 2.5};
    results.classes = {class_result("bottle", Group::high, 0.9, 0.8),
                       class_result("cable, red", Group::low, 0.7, std::nullopt),
                       class_result("nut", Group::low, 0.4, 0.6)};
    results.images = {{"a \"b\".png", "bottle", false, {0.25f, 1e-10f, 3.0f}},
                      {"c,d.png", "nut", true, {1.0f / 3, 0, -1}}};
    results.mixed = {{.image = {.auroc = 0.5}, .pixel = {.auroc = 0.25}}, {.image = {.auroc = 0.6}}, {}};
    return results;
}

TEST(Results, MeansAreOverTheClassesThatHaveTheFigure) {
    const Results results = example();
    EXPECT_DOUBLE_EQ(*mean_scores(results, Subset::all)[0].image.auroc, (0.9 + 0.7 + 0.4) / 3);
    EXPECT_DOUBLE_EQ(*mean_scores(results, Subset::all)[0].pixel.auroc, (0.8 + 0.6) / 2);
    EXPECT_DOUBLE_EQ(*mean_scores(results, Subset::low)[0].image.auroc, (0.7 + 0.4) / 2);
    EXPECT_DOUBLE_EQ(*mean_scores(results, Subset::low)[0].pixel.auroc, 0.6);
    EXPECT_DOUBLE_EQ(*mean_scores(results, Subset::high)[1].image.auroc, 0.45);
    Results none = results;
    none.classes.pop_back();
    EXPECT_FALSE(mean_scores(none, Subset::low)[0].pixel.auroc);
}

TEST(Results, TableShowsPercentWithTwoDecimals) {
    EXPECT_EQ(format_table(example()),
              "                                                 ltad            reconstruction  semantic\n"
              "  class       group    train    good  defective   image   pixel   image   pixel   image   pixel\n"
              "-----------------------------------------------------------------------------------------------\n"
              "  bottle      high        10       4          6   90.00   80.00   45.00   80.00   22.50   80.00\n"
              "  cable, red  low         10       4          6   70.00     n/a   35.00     n/a   17.50     n/a\n"
              "  nut         low         10       4          6   40.00   60.00   20.00   60.00   10.00   60.00\n"
              "-----------------------------------------------------------------------------------------------\n"
              "  Avg                     30      12         18   66.67   70.00   33.33   70.00   16.67   70.00\n"
              "  High                    10       4          6   90.00   80.00   45.00   80.00   22.50   80.00\n"
              "  Low                     20       8         12   55.00   60.00   27.50   60.00   13.75   60.00\n"
              "  Mixed                   30      12         18   50.00   25.00   60.00     n/a     n/a     n/a\n");
}

TEST(Results, MoreFiguresAreOfOneScore) {
    const std::string table = format_more_figures(example(), 1);
    EXPECT_EQ(table.substr(0, table.find('\n')), "reconstruction");
    EXPECT_THAT(table,
                ::testing::HasSubstr("  bottle      high        10       4          6     11.25     n/a       n/a   "
                                     "80.00   80.00\n"));
    EXPECT_THAT(table, ::testing::HasSubstr("AUPRO"));
}

TEST(Figures, MeansLeaveOutWhatIsNotThereAndThresholds) {
    const Figures a{.image = {.auroc = 0.5, .f1_max = 0.25, .f1_threshold = 7.0}, .region_overlap = 0.5};
    const Figures b{.image = {.auroc = 1.0}, .pixel = {.average_precision = 0.5}};
    const Figures mean = mean_figures({a, b});
    EXPECT_EQ(mean.image.auroc, 0.75);
    EXPECT_EQ(mean.image.f1_max, 0.25);
    EXPECT_EQ(mean.image.f1_threshold, std::nullopt);
    EXPECT_EQ(mean.pixel.average_precision, 0.5);
    EXPECT_EQ(mean.pixel.auroc, std::nullopt);
    EXPECT_EQ(mean.region_overlap, 0.5);
    const json document = to_json(a);
    EXPECT_EQ(document["image_f1_threshold"], 7.0);
    EXPECT_EQ(document["pixel_aupro"], 0.5);
    EXPECT_TRUE(document["pixel_ap"].is_null());
    EXPECT_EQ(document.size(), 9u);
}

TEST(Results, CsvQuotesWhatItMust) {
    EXPECT_EQ(format_image_scores(example()),
              "file,class,label,ltad,reconstruction,semantic\n"
              "\"a \"\"b\"\".png\",bottle,0,0.25,1e-10,3\n"
              "\"c,d.png\",nut,1,0.33333334,0,-1\n");
    EXPECT_THAT(format_csv(example()), ::testing::HasSubstr("\"cable, red\",low,10,4,6,70.00,n/a"));
}

TEST(Results, MarkdownHasOneRowForEachLine) {
    const std::string markdown = format_markdown(example());
    EXPECT_EQ(std::count(markdown.begin(), markdown.end(), '\n'), 2 + 3 + 4);
    EXPECT_THAT(markdown, ::testing::HasSubstr("| ---: |"));
}

TEST(Results, JsonHasTheKeysOfTheContract) {
    const json document = to_json(example());
    EXPECT_EQ(document["format"], "ltad-results/1");
    EXPECT_EQ(document["config_sha256"], "abc");
    EXPECT_EQ(document["classes"][0]["scores"]["ltad"]["image_auroc"], 0.9);
    EXPECT_EQ(document["classes"][1]["group"], "low");
    EXPECT_TRUE(document["classes"][1]["scores"]["semantic"]["pixel_auroc"].is_null());
    EXPECT_EQ(document["mean"]["low"]["ltad"]["pixel_auroc"], 0.6);
    EXPECT_EQ(document["method"], "ltad");
    EXPECT_EQ(document["mixed"]["ltad"]["pixel_auroc"], 0.25);
    EXPECT_TRUE(document["mixed"]["semantic"]["image_auroc"].is_null());
    for (const char* subset : {"all", "high", "low"}) EXPECT_EQ(document["mean"][subset].size(), 3u);
}

}  // namespace
}  // namespace ltad::test
