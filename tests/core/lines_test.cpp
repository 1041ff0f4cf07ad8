#include "ltad/core/lines.h"

#include <gmock/gmock.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

TEST(TextLines, EndInAnyWay) {
    for (const char* bytes : {"a\nb\n", "a\r\nb\r\n", "a\rb\r", "a\nb",
                              "\xEF\xBB\xBF"
                              "a\rb",
                              "a\r\nb\r"})
        EXPECT_THAT(text_lines(bytes, "f"), ElementsAre("a", "b")) << bytes;
    EXPECT_THAT(text_lines("a\n\n b \n", "f"), ElementsAre("a", "", " b "));
    EXPECT_THAT(text_lines("a\n\rb", "f"), ElementsAre("a", "", "b"));
    EXPECT_THAT(text_lines("", "f"), IsEmpty());
    EXPECT_THAT(text_lines("\xEF\xBB\xBF", "f"), IsEmpty());
}

TEST(TextLines, AreNoUtf16) {
    for (const char* bytes : {"\xFF\xFE"
                              "a",
                              "\xFE\xFF"
                              "a"})
        EXPECT_THAT([&] { (void)text_lines(bytes, "list.csv"); },
                    ThrowsMessage<Error>(HasSubstr("list.csv: is UTF-16")));
}

}  // namespace
}  // namespace ltad
