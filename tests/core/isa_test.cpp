#include "ltad/core/isa.h"

#include <cstdlib>

#include <gmock/gmock.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Sets LTAD_ISA and puts back what was there. What is in use was chosen before.
class LtadIsa : public testing::Test {
protected:
    LtadIsa() : before_(std::getenv("LTAD_ISA") == nullptr ? "" : std::getenv("LTAD_ISA")) {}
    ~LtadIsa() override { set(before_.c_str()); }
    LtadIsa(const LtadIsa&) = delete;
    LtadIsa& operator=(const LtadIsa&) = delete;

    static void set(const char* value) { ::setenv("LTAD_ISA", value, 1); }

private:
    std::string before_;
};

TEST_F(LtadIsa, TakesTheNamesOfWhatTheProcessorHas) {
    const Isa in_use = isa();
    for (const Isa one : {Isa::plain, Isa::avx2, Isa::avx512}) {
        if (one > in_use) continue;
        set(std::string(name_of(one)).c_str());
        EXPECT_NO_THROW(check_isa());
    }
    set("");
    EXPECT_NO_THROW(check_isa());
    EXPECT_EQ(isa(), in_use);  // does not change while the program runs
}

TEST_F(LtadIsa, RefusesOtherWords) {
    for (const char* word : {"sse", "AVX2", "avx512 ", "0"}) {
        set(word);
        EXPECT_THAT([] { check_isa(); }, ThrowsMessage<UsageError>(HasSubstr("none of plain, avx2, avx512")));
    }
}

}  // namespace
}  // namespace ltad
