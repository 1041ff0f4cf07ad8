#include "ltad/repro/paper.h"

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/json.h"

namespace ltad {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

json source() { return read_json(std::string(LTAD_CONFIGS) + "/paper_tables.json").at("tables"); }

std::size_t figures_in(const PaperTable& table) {
    std::size_t count = 0;
    for (const PaperRow& row : table.rows) count += row.figures.size();
    return count;
}

TEST(Paper, HasEveryFigureOfTheMethodsTables) {
    for (const char* name : {"table3", "table4", "table5"}) {
        const json table = source().at(name);
        const PaperTable& read = paper_table(name);
        EXPECT_EQ(read.dataset, table.at("dataset"));
        EXPECT_EQ(read.rows.size(), table.at("methods").size());
        std::size_t count = 0;
        for (const json& line : table.at("rows")) {
            const std::string column = line.at("config").get<std::string>() + " " + line.at("task").get<std::string>();
            for (const PaperRow& row : read.rows) {
                if (row.settings.at("method") != line.at("method")) continue;
                EXPECT_EQ(row.figures.contains(column), line.at("auroc").is_number()) << name << line;
                if (line.at("auroc").is_null()) continue;
                EXPECT_EQ(row.figures.at(column), line.at("auroc")) << name << line;
                ++count;
            }
        }
        EXPECT_EQ(figures_in(read), count) << name;
    }
    EXPECT_EQ(figures_in(paper_table("table3")), 56u);
    EXPECT_EQ(figures_in(paper_table("table4")), 56u);
    EXPECT_EQ(figures_in(paper_table("table5")), 60u);
}

TEST(Paper, HasEveryFigureOfTheAblations) {
    for (const char* name : {"table6", "table7", "table8"}) {
        const json rows = source().at(name).at("rows");
        const PaperTable& read = paper_table(name);
        EXPECT_THAT(read.splits, ElementsAre("step100"));
        ASSERT_EQ(read.rows.size(), rows.size());
        for (std::size_t r = 0; r < rows.size(); ++r) {
            EXPECT_EQ(read.rows[r].settings.at("id"), rows[r].at("id"));
            EXPECT_EQ(read.rows[r].figures.size(), 6u);
            for (const std::string task : {"image", "pixel"})
                for (const std::string subset : {"all", "high", "low"})
                    EXPECT_EQ(read.rows[r].figures.at(task + " " + subset), rows[r].at(task).at(subset));
        }
    }
    const json prompts = source().at("table9").at("rows");
    ASSERT_EQ(paper_table("table9").rows.size(), prompts.size());
    for (std::size_t r = 0; r < prompts.size(); ++r) {
        const PaperRow& row = paper_table("table9").rows[r];
        EXPECT_TRUE(row.is("normal", prompts[r].at("normal")) && row.is("abnormal", prompts[r].at("abnormal"))) << r;
        EXPECT_EQ(row.figures.size(), 2u);
        EXPECT_EQ(row.figures.at("image all"), prompts[r].at("image"));
        EXPECT_EQ(row.figures.at("pixel all"), prompts[r].at("pixel"));
    }
}

TEST(Paper, KnowsTheImbalanceFactorsAndTheSplits) {
    EXPECT_THAT(paper_factors("MVTec AD"), ElementsAre(100, 200));
    EXPECT_THAT(paper_factors("VisA"), ElementsAre(100, 200, 500));
    EXPECT_THAT(paper_factors("DAGM"), ElementsAre(50, 100, 200, 500));
    EXPECT_THAT(paper_table("table3").splits, ElementsAre("exp100", "exp200", "step100", "step200"));
    EXPECT_THAT([] { (void)paper_factors("BTAD"); }, ThrowsMessage<Error>(HasSubstr("no data set 'BTAD'")));
    EXPECT_THAT([] { (void)paper_table("table2"); }, ThrowsMessage<Error>(HasSubstr("no AUROC table 'table2'")));
}

}  // namespace
}  // namespace ltad
