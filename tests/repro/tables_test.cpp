#include "ltad/repro/tables.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/repro/paper.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

ReproOptions of_the_paper() { return {.paper_data = true, .factors = {}, .efficientnet = "models/other net"}; }

ReproOptions of_ones_own() { return {.paper_data = false, .factors = {10}, .efficientnet = {}}; }

const TableRow& row_of(const ReproTable& table, const std::string& id) {
    for (const TableRow& row : table.rows)
        if (row.id == id) return row;
    throw std::out_of_range(id);
}

Config resolved(const TableRow& row, const TableColumn& column) {
    std::vector<std::string> all = {"dataset.root=data"};
    all.insert(all.end(), row.overrides.begin(), row.overrides.end());
    all.insert(all.end(), column.overrides.begin(), column.overrides.end());
    return load_config({}, all);
}

Config config_of(const std::string& name, const std::string& id) {
    const ReproTable table = repro_table(name, of_the_paper());
    return resolved(row_of(table, id), table.columns[0]);
}

std::set<std::string> keys_of(const std::vector<std::string>& overrides) {
    std::set<std::string> keys;
    for (const std::string& assignment : overrides) keys.insert(assignment.substr(0, assignment.find('=')));
    return keys;
}

TEST(ReproTables, HaveOneShape) {
    for (const std::string& name : repro_names()) {
        for (const ReproOptions& options : {of_the_paper(), of_ones_own()}) {
            const ReproTable table = repro_table(name, options);
            EXPECT_EQ(table.name, name);
            EXPECT_EQ(table.paper.size(), table.rows.size());
            for (const auto& figures : table.paper) EXPECT_EQ(figures.size(), table.columns.size()) << name;
            std::set<std::string> ids;
            for (const TableRow& row : table.rows) {
                EXPECT_TRUE(ids.insert(row.id).second) << name << " " << row.id;
                EXPECT_EQ(row.labels.size(), table.label_headings.size()) << name << " " << row.id;
                EXPECT_TRUE(row.unavailable.empty() ? !row.score.empty() : true) << name << " " << row.id;
            }
        }
    }
}

TEST(ReproTables, EveryOverrideIsASettingThatLoads) {
    for (const std::string& name : repro_names())
        for (const ReproOptions& options : {of_the_paper(), of_ones_own()}) {
            const ReproTable table = repro_table(name, options);
            for (const TableRow& row : table.rows)
                for (const TableColumn& column : table.columns)
                    EXPECT_NO_THROW((void)resolved(row, column)) << name << " " << row.id << " " << column.heading;
        }
}

TEST(ReproTables, EveryRowSetsWhatTheTableVaries) {
    for (const std::string& name : repro_names()) {
        const ReproTable table = repro_table(name, of_the_paper());
        const auto keys = keys_of(table.rows.back().overrides);
        EXPECT_TRUE(keys.contains("method")) << name;
        for (const TableRow& row : table.rows) {
            if (!row.unavailable.empty()) continue;
            auto own = keys_of(row.overrides);
            // Another encoder than the config's is row 6.1's alone.
            const std::size_t others = own.erase("encoder.path") + own.erase("encoder.taps");
            EXPECT_EQ(others, row.id == "6.1" ? 2u : 0u) << name << " " << row.id;
            // So are names as long as the class's own 6.5's and 6.6's.
            if (name == "table6") {
                EXPECT_EQ(own.erase("prompts.length"), row.id == "6.5" || row.id == "6.6" ? 1u : 0u) << row.id;
            }
            EXPECT_EQ(own, keys) << name << " " << row.id;
        }
    }
}

TEST(ReproTables, NoTwoCellsAreTheSame) {
    for (const std::string& name : repro_names()) {
        const ReproTable table = repro_table(name, of_the_paper());
        std::set<std::string> seen;
        for (const TableRow& row : table.rows)
            for (const TableColumn& column : table.columns) {
                if (!row.unavailable.empty()) continue;
                const std::string cell =
                    to_json(resolved(row, column)).dump() + row.score + column.task + column.subset;
                EXPECT_TRUE(seen.insert(cell).second) << name << " " << row.id << " " << column.heading;
            }
    }
}

TEST(ReproTables, ShowEveryFigureOfThePaperInItsPlace) {
    for (const std::string name : {"table3", "table4", "table5", "table6", "table7", "table8", "table9"}) {
        const ReproTable table = repro_table(name, of_the_paper());
        std::size_t known = 0, shown = 0;
        for (const PaperRow& row : paper_table(name).rows) known += row.figures.size();
        for (std::size_t r = 0; r < table.rows.size(); ++r) {
            for (std::size_t c = 0; c < table.columns.size(); ++c) {
                if (!table.paper[r][c]) continue;
                const TableColumn& column = table.columns[c];
                const bool methods = paper_table(name).splits.size() > 1;
                for (const PaperRow& row : paper_table(name).rows) {
                    const bool same = methods            ? row.is("method", table.rows[r].id)
                                      : name == "table9" ? row.is("normal", table.rows[r].labels[0]) &&
                                                               row.is("abnormal", table.rows[r].labels[1])
                                                         : row.is("id", table.rows[r].id);
                    if (!same) continue;
                    EXPECT_EQ(row.figures.at((methods ? column.group : column.task) + " " +
                                             (methods ? column.task : column.subset)),
                              table.paper[r][c]);
                    ++shown;
                }
            }
        }
        EXPECT_EQ(shown, known) << name;
        EXPECT_FALSE(table.paper_source.empty()) << name;
    }
    EXPECT_EQ(repro_table("table3", of_the_paper()).paper.back().front(), 88.86);
    EXPECT_EQ(repro_table("table6", of_the_paper()).paper[3][5], 91.73);
}

TEST(ReproTables, MethodsGoOverThePapersSplitsOrOnesOwn) {
    const ReproTable table = repro_table("table4", of_the_paper());
    ASSERT_EQ(table.columns.size(), 12u);
    EXPECT_EQ(table.columns[3].group, "exp200");
    EXPECT_EQ(table.columns[3].task, "pixel");
    const Config c = resolved(row_of(table, "LTAD w/o SAD"), table.columns[10]);
    EXPECT_EQ(c.method, "ltad");
    EXPECT_EQ(c.split.type, "step");
    EXPECT_EQ(c.split.imbalance_factor, 500);
    EXPECT_EQ(row_of(table, "LTAD w/o SAD").score, "reconstruction");
    EXPECT_EQ(row_of(table, "LTAD").score, "ltad");
    EXPECT_EQ(row_of(table, "UniAD").score, "uniad");
    EXPECT_EQ(resolved(row_of(table, "PatchCore"), table.columns[0]).method, "patchcore");
    EXPECT_EQ(row_of(table, "RegAD").unavailable, "this method is not part of ltad");
    EXPECT_THAT(table.paper[static_cast<std::size_t>(&row_of(table, "PatchCore") - table.rows.data())],
                ::testing::Each(std::nullopt));

    ReproOptions own = of_ones_own();
    own.factors = {2.5, 1e6};
    const ReproTable mine = repro_table("table4", own);
    ASSERT_EQ(mine.columns.size(), 8u);
    EXPECT_EQ(mine.columns[0].group, "exp2.5");
    EXPECT_EQ(resolved(mine.rows[0], mine.columns[6]).split.imbalance_factor, 1e6);
    EXPECT_EQ(mine.rows.size(), 4u);
    for (const TableRow& row : mine.rows) EXPECT_THAT(row.unavailable, IsEmpty());
    for (const auto& figures : mine.paper) EXPECT_THAT(figures, ::testing::Each(std::nullopt));
    EXPECT_THAT(mine.paper_source, IsEmpty());
}

TEST(ReproTables, AFactorOfOnesOwnChoosesAmongThePapersFigures) {
    ReproOptions options = of_the_paper();
    options.factors = {200, 300};
    const ReproTable table = repro_table("table3", options);
    ASSERT_EQ(table.columns.size(), 8u);
    EXPECT_EQ(table.paper.back()[0], 86.05);
    EXPECT_EQ(table.paper.back()[2], std::nullopt);
}

TEST(ReproTables, ASplitDirectoryOfTheConfigDoesNotWinOverTheColumns) {
    const ReproTable table = repro_table("table3", of_the_paper());
    std::vector<std::string> all = {"dataset.root=data", "split.path=lists"};
    all.insert(all.end(), table.columns[0].overrides.begin(), table.columns[0].overrides.end());
    EXPECT_EQ(load_config({}, all).split.path, "");
}

TEST(ReproTables, ReconstructionVariants) {
    for (const char* id : {"6.1", "6.2"}) EXPECT_EQ(config_of("table6", id).method, "uniad");
    EXPECT_EQ(config_of("table6", "6.1").encoder.path, "models/other net");
    EXPECT_EQ(config_of("table6", "6.1").encoder.taps.size(), 0u);
    EXPECT_EQ(config_of("table6", "6.2").encoder.path, Config().encoder.path);
    EXPECT_EQ(config_of("table6", "6.3").phase1.generator, "autoencoder");
    EXPECT_FALSE(config_of("table6", "6.3").prompts.learned);
    EXPECT_EQ(config_of("table6", "6.4").phase2.sampling, "class_aware");
    EXPECT_EQ(config_of("table6", "6.4").prompts.init, "object");
    EXPECT_EQ(config_of("table6", "6.5").prompts.init, "class_name");
    EXPECT_FALSE(config_of("table6", "6.5").prompts.learned);
    EXPECT_EQ(config_of("table6", "6.6").prompts.init, "class_name");
    EXPECT_TRUE(config_of("table6", "6.6").prompts.learned);
    EXPECT_EQ(config_of("table6", "6.6").prompts.length, 0);
    EXPECT_EQ(config_of("table6", "6.7").prompts.init, "random");
    EXPECT_EQ(config_of("table6", "6.7").prompts.length, 2);
    const Config last = config_of("table6", "6.8");
    EXPECT_EQ(last.method, "ltad");
    EXPECT_EQ(last.phase1.generator, "vae");
    EXPECT_EQ(last.phase2.sampling, "constant");
    EXPECT_EQ(last.prompts.init, "object");
    EXPECT_EQ(last.split.type, "step");
    EXPECT_EQ(last.split.imbalance_factor, 100);
    const ReproTable table = repro_table("table6", of_the_paper());
    EXPECT_EQ(row_of(table, "6.2").score, "uniad");
    EXPECT_EQ(row_of(table, "6.3").score, "reconstruction");
    EXPECT_THAT(row_of(table, "6.1").unavailable, IsEmpty());
    EXPECT_THAT(row_of(table, "6.4").labels, ElementsAre("6.4", "LTAD", "yes", "VAE", "yes", "yes", "object"));
    EXPECT_THAT(row_of(table, "6.2").labels, ElementsAre("6.2", "UniAD", "yes", "-", "-", "-", "-"));
    EXPECT_THAT(row_of(repro_table("table6", of_ones_own()), "6.1").unavailable, HasSubstr("EfficientNet"));
}

TEST(ReproTables, SemanticVariants) {
    for (const char* name : {"table7", "table8", "table9"})
        for (const TableRow& row : repro_table(name, of_the_paper()).rows) EXPECT_EQ(row.score, "semantic");
    EXPECT_EQ(config_of("table7", "7.1").semantic.projection, "concatenated");
    EXPECT_EQ(config_of("table7", "7.2").semantic.projection, "per_layer");
    EXPECT_EQ(config_of("table7", "7.2").semantic.pooling, "mean");
    EXPECT_THAT(config_of("table7", "7.3").prompts.normal, ElementsAre("a", "a normal", "a good", "a flawless"));
    EXPECT_THAT(config_of("table7", "7.3").prompts.abnormal,
                ElementsAre("a broken", "a damaged", "an abnormal", "a defective"));
    EXPECT_EQ(config_of("table7", "7.4").semantic.pooling, "max");
    EXPECT_THAT(config_of("table7", "7.4").prompts.normal, ElementsAre("a"));
    EXPECT_THAT(config_of("table7", "7.4").prompts.abnormal, ElementsAre("a broken"));
    EXPECT_EQ(config_of("table8", "8.1").scoring.names, "exchanged");
    EXPECT_EQ(config_of("table8", "8.1").semantic.text, "encoder");
    EXPECT_EQ(config_of("table8", "8.2").scoring.names, "own");
    EXPECT_EQ(config_of("table8", "8.2").semantic.text, "free");
    EXPECT_EQ(config_of("table8", "8.3").semantic.text, "encoder");
    EXPECT_EQ(config_of("table8", "8.3").scoring.names, "own");
    EXPECT_EQ(repro_table("table9", of_the_paper()).rows.size(), 16u);
    EXPECT_THAT(config_of("table9", "a good / an abnormal").prompts.normal, ElementsAre("a good"));
    EXPECT_THAT(config_of("table9", "a good / an abnormal").prompts.abnormal, ElementsAre("an abnormal"));
}

TEST(ReproTables, OnesOwnDataKeepTheirSplitAndSeeThePapersFigures) {
    const ReproTable table = repro_table("table7", of_ones_own());
    for (const TableColumn& column : table.columns) EXPECT_THAT(column.overrides, IsEmpty());
    EXPECT_EQ(table.paper_source, "MVTec AD, step100");
    EXPECT_FALSE(table.paper_data);
    EXPECT_EQ(table.paper[3][0], 84.12);
}

TEST(ReproTables, Figures) {
    const ReproTable six = repro_table("fig6", of_the_paper());
    ASSERT_EQ(six.rows.size(), 8u);
    EXPECT_FALSE(six.ranked);
    EXPECT_EQ(resolved(six.rows[4], six.columns[0]).prompts.length, 5);
    EXPECT_EQ(six.rows[4].score, "reconstruction");
    const ReproTable eight = repro_table("fig8", of_the_paper());
    ASSERT_EQ(eight.rows.size(), 16u);
    const Config reversed = resolved(eight.rows[3], eight.columns[0]);
    EXPECT_TRUE(reversed.split.reverse);
    EXPECT_EQ(reversed.split.imbalance_factor, 100);
    EXPECT_FALSE(resolved(eight.rows[2], eight.columns[0]).split.reverse);
    EXPECT_EQ(repro_table("fig8", of_ones_own()).rows.size(), 4u);
}

TEST(ReproTables, MistakesAreNamed) {
    EXPECT_THAT([] { (void)repro_table("table10", of_the_paper()); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("'table10'"), HasSubstr("table3, table4, table5, table6, "
                                                                                  "table7, table8, table9, fig6, "
                                                                                  "fig8"))));
    for (const char* name : {"table3", "table4", "table5", "fig8"})
        EXPECT_THAT([&] { (void)repro_table(name, {}); }, ThrowsMessage<UsageError>(HasSubstr("imbalance factor")));
}

TEST(ReproTables, AUsersVariantCannotBlurWhatTheyCompare) {
    const auto sets = [](const ReproTable& table, const char* assignment) {
        return std::all_of(table.rows.begin(), table.rows.end(), [&](const TableRow& row) {
            return std::find(row.overrides.begin(), row.overrides.end(), assignment) != row.overrides.end();
        });
    };
    for (const char* name : {"table7", "table9"}) {
        EXPECT_TRUE(sets(repro_table(name, {}), "semantic.text=encoder")) << name;
        EXPECT_TRUE(sets(repro_table(name, {}), "scoring.names=own")) << name;
    }
    EXPECT_TRUE(sets(repro_table("fig6", {}), "phase1.generator=vae"));
}

}  // namespace
}  // namespace ltad
