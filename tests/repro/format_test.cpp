#include "ltad/repro/format.h"

#include <algorithm>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

/// Four rows, two columns: the first of both, the second without figures of the paper.
ReproTable small_table() {
    ReproTable table;
    table.name = "tiny";
    table.title = "A tiny table";
    table.label_headings = {"row", "two words"};
    table.columns = {{"image", "Avg", {}, "image", "all"}, {"pixel", "Avg", {}, "pixel", "all"}};
    for (const char* id : {"1", "2", "3", "4"}) table.rows.push_back({id, {id, "yes"}, {"a=b"}, "ltad", ""});
    table.paper_source = "MVTec AD, step100";
    table.paper = {{80.0, {}}, {90.25, {}}, {{}, {}}, {85.5, {}}};
    return table;
}

CellGrid small_grid() {
    CellGrid cells(4, std::vector<CellValues>(2));
    cells[0][0].seeds = {70, 72, 74};
    cells[1][0].seeds = {81};
    cells[2][0].seeds = {60.001};
    cells[3][0].why_empty = "its classes have no names";
    cells[0][1].seeds = {50};
    cells[1][1].seeds = {50.001};
    cells[2][1].seeds = {40};
    return cells;
}

std::vector<std::string> lines(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
}

std::size_t characters(const std::string& line) {
    return static_cast<std::size_t>(
        std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string without_ansi(std::string text) {
    for (std::size_t start; (start = text.find('\x1b')) != std::string::npos;)
        text.erase(start, text.find('m', start) + 1 - start);
    return text;
}

/// A measured cell for every row that can be run.
CellGrid filled(const ReproTable& table, std::size_t seeds) {
    CellGrid cells(table.rows.size(), std::vector<CellValues>(table.columns.size()));
    for (std::size_t r = 0; r < cells.size(); ++r)
        for (std::size_t c = 0; c < cells[r].size() && table.rows[r].unavailable.empty(); ++c)
            for (std::size_t s = 0; s < seeds; ++s)
                cells[r][c].seeds.push_back(70 + static_cast<double>((r * 7 + c * 3) % 20) + static_cast<double>(s));
    return cells;
}

TEST(ReproFormat, PlainTextLooksLikeThis) {
    EXPECT_EQ(
        format_table(small_table(), small_grid(), false),
        "A tiny table\n"
        "\n"
        "     two           image           pixel\n"
        "row  words          Avg             Avg\n"
        "------------------------------------------\n"
        "1    yes    72.00±2.00+ (80.00)     50.00*\n"
        "2    yes         81.00* (90.25)*    50.00*\n"
        "3    yes         60.00      (-)     40.00+\n"
        "4    yes       n/a [1]  (85.50)+  no data\n"
        "\n"
        "AUROC in percent; mean ± sample deviation of 1 to 3 seeds. In parentheses: the paper, on MVTec AD, step100; "
        "other data,\nso that only the order compares. * best, + second of each column.\n"
        "[1] its classes have no names\n");
}

TEST(ReproFormat, AnsiMarksTheSameFigures) {
    const std::string text = format_table(small_table(), small_grid(), true);
    for (const char* part : {"\x1b[4m72.00\x1b[0m±2.00 (80.00)", "\x1b[1m81.00\x1b[0m (\x1b[1m90.25\x1b[0m)",
                             "\x1b[1m50.00\x1b[0m", "(\x1b[4m85.50\x1b[0m)"})
        EXPECT_THAT(text, HasSubstr(part));
    EXPECT_THAT(text, Not(HasSubstr("*")));
    EXPECT_THAT(format_table(small_table(), small_grid(), false), Not(HasSubstr("\x1b")));
    const auto all = lines(without_ansi(text));
    EXPECT_EQ(characters(all[5]), characters(all[6]));
}

TEST(ReproFormat, MarkdownLooksLikeThis) {
    ReproTable table = small_table();
    table.paper_data = true;
    table.note = "A note.";
    EXPECT_EQ(format_markdown(table, small_grid()),
              "### A tiny table\n"
              "\n"
              "| row | two words | image Avg | pixel Avg |\n"
              "| --- | --- | ---: | ---: |\n"
              "| 1 | yes | <u>72.00</u> ± 2.00 (80.00) | **50.00** |\n"
              "| 2 | yes | **81.00** (**90.25**) | **50.00** |\n"
              "| 3 | yes | 60.00 (-) | <u>40.00</u> |\n"
              "| 4 | yes | n/a <sup>1</sup> (<u>85.50</u>) | no data |\n"
              "\n"
              "AUROC in percent; mean ± sample deviation of 1 to 3 seeds. In parentheses: the paper, on MVTec AD, "
              "step100. **Best** and <u>second</u> of each column. A note.\n"
              "\n"
              "<sup>1</sup> its classes have no names\n");
}

TEST(ReproFormat, CsvHasALineForEachCell) {
    ReproTable table = small_table();
    table.rows[1].labels[1] = "a, \"b\"";
    const auto all = lines(format_csv(table, small_grid()));
    ASSERT_EQ(all.size(), 9u);
    EXPECT_EQ(all[0], "table,id,row,two words,column,task,subset,mean,deviation,seeds,values,paper,note");
    EXPECT_EQ(all[1], "tiny,1,1,yes,image Avg,image,all,72,2,3,70 72 74,80,");
    EXPECT_EQ(all[3], "tiny,2,2,\"a, \"\"b\"\"\",image Avg,image,all,81,,1,81,90.25,");
    EXPECT_EQ(all[5], "tiny,3,3,yes,image Avg,image,all,60.001,,1,60.001,,");
    EXPECT_EQ(all[7], "tiny,4,4,yes,image Avg,image,all,,,0,,85.5,its classes have no names");
    EXPECT_EQ(all[8], "tiny,4,4,yes,pixel Avg,pixel,all,,,0,,,");
}

TEST(ReproFormat, JsonHasEveryFigure) {
    const json out = to_json(small_table(), small_grid());
    EXPECT_EQ(out.at("format"), "ltad-repro/1");
    EXPECT_EQ(out.at("table"), "tiny");
    EXPECT_EQ(out.at("columns").size(), 2u);
    EXPECT_EQ(out.at("rows")[0].at("labels"), json({{"row", "1"}, {"two words", "yes"}}));
    const json cell = out.at("rows")[0].at("cells")[0];
    EXPECT_EQ(cell.at("mean"), 72);
    EXPECT_EQ(cell.at("deviation"), 2);
    EXPECT_EQ(cell.at("seeds"), json({70, 72, 74}));
    EXPECT_EQ(cell.at("paper"), 80);
    const json empty = out.at("rows")[3].at("cells")[0];
    EXPECT_TRUE(empty.at("mean").is_null() && empty.at("deviation").is_null() && empty.at("seeds").empty());
    EXPECT_EQ(empty.at("note"), "its classes have no names");
    EXPECT_TRUE(out.at("rows")[2].at("cells")[0].at("paper").is_null());
}

TEST(ReproFormat, AnUnavailableRowSaysWhyOnce) {
    ReproTable table = small_table();
    table.rows[1].unavailable = table.rows[2].unavailable = "not part of ltad";
    CellGrid cells = small_grid();
    for (auto& cell : cells[1]) cell.seeds.clear();
    for (auto& cell : cells[2]) cell.seeds.clear();
    const std::string text = format_table(table, cells, false);
    EXPECT_THAT(text, AllOf(HasSubstr("[1] not part of ltad\n[2] its classes have no names\n"), Not(HasSubstr("[3]"))));
    EXPECT_THAT(text, HasSubstr("2    yes       n/a [1] (90.25)*  n/a [1]\n"));
    EXPECT_THAT(format_csv(table, cells), HasSubstr("tiny,2,2,yes,pixel Avg,pixel,all,,,0,,,not part of ltad\n"));
}

TEST(ReproFormat, FiguresAndSingleRowsHaveNoWinners) {
    ReproTable table = small_table();
    table.ranked = false;
    EXPECT_THAT(format_table(table, small_grid(), false), AllOf(Not(HasSubstr("*")), Not(HasSubstr("+"))));
    table.ranked = true;
    CellGrid one(4, std::vector<CellValues>(2));
    one[2][1].seeds = {50};
    const std::string markdown = format_markdown(table, one);
    EXPECT_THAT(markdown, HasSubstr("| no data (-) | 50.00 |"));
    EXPECT_THAT(markdown, Not(HasSubstr("seeds")));
}

TEST(ReproFormat, NothingMeasuredYetIsATableOfNoData) {
    const CellGrid empty(4, std::vector<CellValues>(2));
    EXPECT_THAT(format_table(small_table(), empty, false), HasSubstr("1    yes    no data (80.00)   no data\n"));
}

TEST(ReproFormat, EveryTableFitsIntoATerminal) {
    ReproOptions paper;
    paper.paper_data = true;
    for (const std::string& name : repro_names()) {
        const ReproTable table = repro_table(name, paper);
        for (const std::size_t seeds : {0, 1, 3})
            for (const bool ansi : {false, true})
                for (const auto& line : lines(without_ansi(format_table(table, filled(table, seeds), ansi))))
                    EXPECT_LE(characters(line), 120u) << name << " " << seeds << "\n" << line;
    }
}

TEST(ReproFormat, TablesOfOneSplitTakeAtMostTwoPartsOfWholeTasks) {
    ReproOptions paper;
    paper.paper_data = true;
    for (const char* name : {"table6", "table7", "table8", "table9"}) {
        const ReproTable table = repro_table(name, paper);
        const std::string text = format_table(table, filled(table, 3), false);
        std::size_t rules = 0;
        for (const auto& line : lines(text)) rules += line.starts_with("-----") ? 1 : 0;
        EXPECT_LE(rules, 2u) << text;
    }
}

TEST(ReproFormat, ANarrowTerminalTakesColumnsApart) {
    const std::string wide = format_table(small_table(), small_grid(), false, 42);
    EXPECT_THAT(wide, HasSubstr("72.00±2.00+ (80.00)     50.00*\n"));
    const std::string narrow = format_table(small_table(), small_grid(), false, 41);
    EXPECT_THAT(narrow, AllOf(HasSubstr("72.00±2.00+ (80.00)\n"), HasSubstr("1    yes      50.00*\n")));
    EXPECT_EQ(format_table(small_table(), small_grid(), false, 1).substr(0, 12), "A tiny table");
}

TEST(ReproFormat, AGridOfAnotherShapeIsAnError) {
    CellGrid cells = small_grid();
    cells[2].pop_back();
    for (const auto& format : {std::function<void()>([&] { (void)format_table(small_table(), cells, false); }),
                               std::function<void()>([&] { (void)format_markdown(small_table(), cells); }),
                               std::function<void()>([&] { (void)format_csv(small_table(), cells); }),
                               std::function<void()>([&] { (void)to_json(small_table(), cells); })})
        EXPECT_THAT(format, ThrowsMessage<Error>(HasSubstr("tiny: the measured cells are not 4 x 2")));
}

}  // namespace
}  // namespace ltad
