#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/data/dataset.h"
#include "support/dataset_tree.h"

namespace ltad {
namespace {

using test::put_file;
using test::TemporaryFolder;
using test::write_visa_tree;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* heading = "object,split,label,image,mask\n";

/// A data set whose files all exist, and its CSV replaced.
class VisaLayout : public testing::Test {
protected:
    VisaLayout() {
        config_ =
            write_visa_tree(folder_ / "set", {{.name = "candle", .train = 2, .test_good = 1, .test_defective = 1}});
    }

    void write_csv(const std::string& text) { put_file(csv(), text); }
    [[nodiscard]] std::filesystem::path csv() const { return folder_ / "set/split_csv/1cls.csv"; }
    [[nodiscard]] Dataset list() const { return list_dataset(config_); }

    void expect_error(const std::string& text, const std::string& says) {
        SCOPED_TRACE(text);
        write_csv(text);
        EXPECT_THAT([&] { (void)list(); }, ThrowsMessage<Error>(HasSubstr(says)));
    }

    TemporaryFolder folder_;
    DatasetConfig config_;
};

TEST_F(VisaLayout, FindsSamplesAndMasksSorted) {
    const Dataset dataset = list();
    EXPECT_THAT(dataset.train, ElementsAre(Sample{"candle/Data/Images/Normal/000.png", "candle", false, ""},
                                           Sample{"candle/Data/Images/Normal/001.png", "candle", false, ""}));
    EXPECT_THAT(dataset.test, ElementsAre(Sample{"candle/Data/Images/Anomaly/000.png", "candle", true,
                                                 "candle/Data/Masks/Anomaly/000.png"},
                                          Sample{"candle/Data/Images/Normal/002.png", "candle", false, ""}));
}

TEST_F(VisaLayout, TakesCrlfEmptyLinesAndNoFinalNewline) {
    const Dataset before = list();
    std::string text = read_file(csv());
    std::string crlf;
    for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    write_csv(crlf + "\r\n\r\n");
    EXPECT_EQ(list().train, before.train);
    EXPECT_EQ(list().test, before.test);
    text.pop_back();
    write_csv(text);
    EXPECT_EQ(list().test, before.test);
}

TEST_F(VisaLayout, TakesQuotedFieldsAndColumnsInAnyOrder) {
    put_file(folder_ / "set/a, \"b\".png", "x");
    put_file(folder_ / "set/plain.png", "x");
    write_csv(
        "\"mask\",image,note,object,label,split\n"
        ",\"a, \"\"b\"\".png\",\"one, two\",\"candle\",\"normal\",train\n"
        ",plain.png,,candle,normal,\"test\"\n");
    EXPECT_THAT(list().train, ElementsAre(Sample{"a, \"b\".png", "candle", false, ""}));
    EXPECT_THAT(list().test, ElementsAre(Sample{"plain.png", "candle", false, ""}));
}

TEST_F(VisaLayout, NamesFileAndLineOfAMistake) {
    const std::string good = "candle,train,normal,candle/Data/Images/Normal/000.png,\n";
    const std::string file = csv().string();
    const std::string h = heading;
    expect_error("object,split,label,image\n" + good, "no column 'mask'");
    expect_error("split,label,image,mask\n", "no column 'object'");
    expect_error(h + good + "candle,test,broken,x.png,\n", file + ":3: label normal or anomaly");
    expect_error(h + good + "candle,validation,normal,x.png,\n",
                 file + ":3: label normal or anomaly and split train or test");
    expect_error(h + "candle,train,normal\n", file + ":2: 5 fields were expected, found 3");
    expect_error(h + "candle,train,normal,a.png,,\n", file + ":2: 5 fields were expected, found 6");
    expect_error(h + good + "candle,train,anomaly,candle/Data/Images/Anomaly/000.png,\n",
                 file + ":3: a defective picture among");
}

TEST_F(VisaLayout, NamesWhatIsNotThere) {
    const std::string rows = std::string(heading) + "candle,train,normal,candle/Data/Images/Normal/000.png,\n";
    expect_error(rows + "candle,test,normal,candle/gone.png,\n", (folder_ / "set/candle/gone.png").string());
    expect_error(rows + "candle,test,anomaly,candle/Data/Images/Anomaly/000.png,candle/gone-mask.png\n",
                 "candle/gone-mask.png");
    expect_error(rows + "candle,test,normal,candle/Data/Images,\n", "candle/Data/Images");  // a folder is no picture
    expect_error("", (folder_ / "set").string());
    std::filesystem::remove(csv());
    EXPECT_THAT([&] { (void)list(); }, ThrowsMessage<Error>(HasSubstr(csv().string())));
}

TEST_F(VisaLayout, NamesTheLineWithoutImage) {
    const std::string rows = std::string(heading) + "candle,train,normal,candle/Data/Images/Normal/000.png,\n";
    expect_error(rows + "candle,test,normal,,\n", csv().string());
}

TEST_F(VisaLayout, NamesTheDefectivePictureWithoutMask) {
    put_file(folder_ / "set/candle/other.png", "x");
    const std::string text = read_file(csv());
    expect_error(text + "candle,test,anomaly,candle/other.png,\n", (folder_ / "set/candle/other.png").string());
}

TEST_F(VisaLayout, AClassWithoutMasksIsLabelledByImage) {
    const auto config = write_visa_tree(folder_ / "own", {{.name = "candle"}, {.name = "fryum", .masks = false}});
    for (const Sample& sample : list_dataset(config).test)
        EXPECT_EQ(sample.mask.empty(), !sample.defective || sample.class_name == "fryum") << sample.file;
}

TEST_F(VisaLayout, NamesARepeatedPicture) {
    const std::string text = read_file(csv());
    expect_error(text + "candle,train,normal,candle/Data/Images/Normal/000.png,\n",
                 "candle/Data/Images/Normal/000.png is listed twice");
    // In both halves: the test set would have been trained on.
    expect_error(text + "candle,test,normal,candle/Data/Images/Normal/001.png,\n",
                 "candle/Data/Images/Normal/001.png is listed twice");
}

TEST_F(VisaLayout, TakesWhatSpreadsheetsMakeOfIt) {
    const Dataset before = list();
    const std::string plain = read_file(csv());
    std::string spaced, old_mac;
    for (const char c : plain) {
        spaced += c == ',' ? std::string(", ") : std::string(1, c);
        old_mac += c == '\n' ? '\r' : c;
    }
    for (const std::string& bytes : {"\xEF\xBB\xBF" + plain, spaced, old_mac, "\xEF\xBB\xBF" + old_mac}) {
        write_csv(bytes);
        EXPECT_EQ(list().train, before.train);
        EXPECT_EQ(list().test, before.test);
    }
    expect_error(std::string("\xFF\xFEo\0b\0", 6), "UTF-16");
}

TEST_F(VisaLayout, HeadingsAreThereOnce) {
    expect_error("object,split,label,image,mask,split,split,split,label\na,b,c,d,e\n", "column 'split' is there twice");
    expect_error("object;split;label;image;mask\n",
                 "no column 'object' in its heading line (object,split,label,image,mask "
                 "was expected): object;split;label;image;mask");
}

TEST_F(VisaLayout, PathsAreNormalAndStayInside) {
    const Dataset before = list();
    std::string text = read_file(csv());
    for (std::size_t at = 0; (at = text.find("candle/Data", at)) != std::string::npos; at += 12)
        text.replace(at, 11, "./candle//Data");
    write_csv(text);
    EXPECT_EQ(list().train, before.train);
    EXPECT_EQ(list().test, before.test);
    const std::string h = heading;
    expect_error(h + "candle,train,normal,../set/candle/Data/Images/Normal/000.png,\n", csv().string() + ":2: ../set");
    expect_error(h + "candle,train,normal,/etc/passwd,\n", "relative to the data set's root");
    expect_error(h + "candle,test,anomaly,candle/Data/Images/Anomaly/000.png,candle/../../m.png\n", "without '..'");
}

}  // namespace
}  // namespace ltad
