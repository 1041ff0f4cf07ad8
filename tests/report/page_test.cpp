#include "ltad/report/page.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "report/sample_report.h"
#include "report/xml.h"

namespace ltad {
namespace {

using test::Element;
using test::noisy_picture;
using test::sample_report;
using test::Xml;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;
using testing::ThrowsMessage;

const std::vector<std::string> three = {"ltad", "reconstruction", "semantic"};

std::vector<std::string> attribute(const std::vector<Element>& elements, const std::string& name) {
    std::vector<std::string> values;
    for (const Element& element : elements) values.push_back(element.get(name));
    return values;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

TEST(Page, IsWellFormedAndHasEverySection) {
    const Xml xml(render_report(sample_report(three, 4)));
    EXPECT_THAT(xml.texts("h1"), ElementsAre("demo run"));
    EXPECT_THAT(xml.texts("h2"), ElementsAre("Results", "The long tail", "ROC curves", "Scores", "Gallery",
                                             "Learned names", "Training", "Configuration"));
    EXPECT_THAT(xml.texts("h3"), ElementsAre("Verdicts without labels", "Worst misses", "Worst false alarms",
                                             "Typical hits", "Phase 1", "Phase 2"));
    EXPECT_THAT(xml.texts("dd"), Contains("0.02"));
    EXPECT_THAT(xml.texts("pre"), ElementsAre("{\n  \"name\": \"demo run\"\n}"));
    // Two bar charts; image and pixel ROC of 4 classes; histograms of 4 classes and 3 scores; 3 training curves.
    EXPECT_THAT(xml.named("svg"), SizeIs(2 + 2 * 4 + 4 * 3 + 3));
}

TEST(Page, NeedsNothingFromOutside) {
    const std::string page = render_report(sample_report(three, 3));
    EXPECT_EQ(count(page, "http:"), count(page, "xmlns=\"http:"));
    EXPECT_EQ(count(page, "https:"), 0u);
    const Xml xml(page);
    EXPECT_THAT(xml.named("script"), IsEmpty());
    EXPECT_THAT(xml.named("link"), IsEmpty());
    const auto pictures = attribute(xml.named("img"), "src");
    EXPECT_THAT(pictures, Each(testing::StartsWith("data:image/")));
    EXPECT_THAT(pictures, AllOf(Contains(HasSubstr("/jpeg;")), Contains(HasSubstr("/png;"))));  // whichever is smaller
    EXPECT_THAT(attribute(xml.named("a"), "href"), Each(testing::StartsWith("#")));
    EXPECT_THAT(attribute(xml.named("meta"), "content"), Contains(HasSubstr("default-src 'none'")));
    for (const std::string& style : xml.texts("style")) EXPECT_THAT(style, Not(HasSubstr("url(")));
}

TEST(Page, CanBeUsedWithKeyboardAndScreenReader) {
    const Xml xml(render_report(sample_report(three, 3)));
    EXPECT_EQ(xml.elements()[0].get("lang"), "en");
    EXPECT_THAT(xml.named("main"), SizeIs(1));
    EXPECT_THAT(xml.named("header"), SizeIs(1));
    EXPECT_THAT(xml.named("nav"), SizeIs(1));
    std::set<std::string> ids;
    for (const Element& element : xml.elements())
        if (!element.get("id").empty()) {
            EXPECT_TRUE(ids.insert(element.get("id")).second) << element.get("id");
        }
    for (const Element& link : xml.named("a")) EXPECT_TRUE(ids.contains(link.get("href").substr(1)));
    for (const Element& section : xml.named("section")) EXPECT_TRUE(ids.contains(section.get("aria-labelledby")));
    EXPECT_THAT(attribute(xml.named("th"), "scope"), Each(Not(IsEmpty())));
    EXPECT_THAT(attribute(xml.named("img"), "alt"), Each(HasSubstr(" of class 0/test/bad/")));
    EXPECT_THAT(attribute(xml.named("svg"), "role"), Each("img"));
    EXPECT_EQ(xml.named("desc").size(), xml.named("svg").size());
    EXPECT_EQ(xml.named("caption").size(), xml.named("table").size());
    int level = 0;
    for (const Element& element : xml.elements())
        if (element.name.size() == 2 && element.name[0] == 'h' && std::isdigit(element.name[1]) != 0) {
            EXPECT_LE(element.name[1] - '0', level + 1);  // no level is left out
            level = element.name[1] - '0';
        }
}

TEST(Page, FiguresArePercentOrNotThere) {
    Report report = sample_report(three, 2);
    report.classes[0].scores[0].figures = {.image_auroc = 0.81249};
    report.classes[0].scores[1].figures = {.image_auroc = 0.9};
    report.classes[0].scores[2].figures = {};
    const std::string page = render_report(report);
    const Xml xml(page);
    EXPECT_THAT(xml.texts("td"), IsSupersetOf({"81.25", "n/a"}));
    EXPECT_THAT(xml.texts("b"), AllOf(Contains("90.00"), Not(Contains("81.25"))));  // the best of the row
    for (const ReportClass& one : report.classes) EXPECT_THAT(xml.texts("th"), Contains(one.name));
    EXPECT_THAT(xml.texts("th"), IsSupersetOf({"Avg", "High", "Low", "ltad", "semantic", "AUPRO", "image F1-max"}));
}

TEST(Page, CountsWhatTheThresholdsFind) {
    Report report = sample_report({"ltad"}, 3);
    const auto set = [&](std::size_t c, std::vector<double> good, std::vector<double> defective, double threshold) {
        ReportClass& one = report.classes[c];
        one.test_good = static_cast<std::int64_t>(good.size());
        one.test_defective = static_cast<std::int64_t>(defective.size());
        one.scores[0].good = std::move(good);
        one.scores[0].defective = std::move(defective);
        one.scores[0].normal_threshold = threshold;
    };
    set(0, {1, 3}, {2, 2.5, 3, 4}, 2);  // which only a higher score exceeds
    set(1, {0, 0, 7}, {1}, 5);
    report.classes[2].scores[0].normal_threshold.reset();
    const std::string page = render_report(report);
    for (const char* cells :
         {"<td>3 of 4</td><td>1 of 2</td>", "<td>0 of 1</td><td>1 of 3</td>", "<td>3 of 5</td><td>2 of 5</td>"})
        EXPECT_EQ(count(page, cells), 1u) << cells;
    for (ReportClass& one : report.classes) one.scores[0].normal_threshold.reset();
    EXPECT_EQ(count(render_report(report), "Verdicts"), 0u);
}

TEST(Page, SortsTheTailByTrainingPictures) {
    Report report = sample_report(three, 3);
    report.classes[0].train = 5;
    report.classes[1].train = 50;
    report.classes[2].train = 20;
    const auto texts = Xml(render_report(report)).texts("desc");
    EXPECT_THAT(texts[0], testing::ContainsRegex("class 1: 50 pictures.*class 2: 20 pictures.*class 0: 5 pictures"));
}

TEST(Page, AnyNumberOfScores) {
    const Xml one(render_report(sample_report({"patchcore"}, 2)));
    EXPECT_THAT(one.texts("th"), Contains("patchcore"));
    EXPECT_THAT(one.named("p", "legend"), IsEmpty());
    EXPECT_NO_THROW(Xml(render_report(sample_report({"a", "b", "c", "d", "e", "f", "g"}, 2))));
}

TEST(Page, EscapesAllNames) {
    Report report = sample_report({"<s>&\"'"}, 1);
    const std::string nasty = "</style><script>alert(1)</script>&\"'\xFF";
    report.title = report.config = nasty;
    report.facts = {{nasty, nasty}};
    report.notes = {nasty};
    report.classes[0].name = report.classes[0].group = report.means[0].name = nasty;
    report.classes[0].name_words = {{{nasty, 0.5}}};
    report.gallery[0].file = report.gallery[0].class_name = report.gallery[0].panels[0].caption = nasty;
    report.training[0].phase = report.training[0].term = nasty;
    const std::string page = render_report(report);
    const Xml xml(page);
    EXPECT_THAT(xml.named("script"), IsEmpty());
    const std::string read = "</style><script>alert(1)</script>&\"'\xEF\xBF\xBD";
    EXPECT_THAT(xml.texts("h1"), ElementsAre(read));
    EXPECT_THAT(xml.texts("th"), IsSupersetOf({read, std::string("<s>&\"'")}));
    EXPECT_THAT(xml.texts("figcaption"), Contains(read));
    EXPECT_THAT(xml.texts("pre"), ElementsAre(read));
}

TEST(Page, KeepsItsBudgetAndSaysWhatIsLeftOut) {
    Report report = sample_report(three, 1);
    report.gallery.resize(1);
    report.gallery[0].panels[0].image = noisy_picture(224, 1);
    report.gallery.resize(8, report.gallery[0]);
    const std::size_t one = render_report(report).size() / 8;  // a bit more than an item
    const std::string page = render_report(report, 3 * one);
    EXPECT_THAT(Xml(page).named("img"), SizeIs(3 * 3));
    EXPECT_THAT(page, HasSubstr("Shown are the 3 pictures most worth looking at; 5 more were left out"));
    EXPECT_THAT(render_report(report), Not(HasSubstr("left out")));
    EXPECT_THAT(Xml(render_report(report, 0)).named("img"), IsEmpty());
}

TEST(Page, ReducesLargePictures) {
    Report report = sample_report(three, 1);
    report.gallery.resize(1);
    report.gallery[0].panels = {{"picture", noisy_picture(224, 1)}};
    const std::size_t small = render_report(report).size();
    report.gallery[0].panels = {{"picture", noisy_picture(900, 1)}};
    EXPECT_LT(render_report(report).size(), small);  // reduced noise is smoother
}

TEST(Page, LeavesOutWhatIsNotThere) {
    Report report;
    report.title = "empty";
    report.score_names = {"uniad"};
    const Xml empty(render_report(report));
    EXPECT_THAT(empty.named("section"), IsEmpty());
    EXPECT_THAT(empty.named("nav"), IsEmpty());

    report.classes = {{.name = "bottle", .group = "", .scores = {{}}, .name_words = {}}};
    const Xml bare(render_report(report));
    EXPECT_THAT(bare.texts("h2"), ElementsAre("Results", "The long tail"));
    EXPECT_THAT(bare.named("details"), IsEmpty());
    EXPECT_THAT(bare.named("svg"), SizeIs(1));  // no pixel figures, no second chart
}

TEST(Page, RefusesClassesWithoutTheirScores) {
    Report report = sample_report(three, 2);
    report.classes[1].scores.pop_back();
    EXPECT_THAT([&] { (void)render_report(report); },
                ThrowsMessage<Error>(AllOf(HasSubstr("class 1"), HasSubstr("2 scores, expected 3"))));
    report = sample_report(three, 2);
    report.means[1].scores.clear();
    EXPECT_THAT([&] { (void)render_report(report); }, ThrowsMessage<Error>(HasSubstr("High")));
    report.score_names.clear();
    EXPECT_THAT([&] { (void)render_report(report); }, ThrowsMessage<Error>(HasSubstr("names")));
}

}  // namespace
}  // namespace ltad
