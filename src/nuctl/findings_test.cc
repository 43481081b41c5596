// SPDX-License-Identifier: Apache-2.0
#include "nuctl/findings.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace nuclio::nuctl {
namespace {

TEST(Findings, StandInColumnsWithTheRemedyBelow) {
  EXPECT_EQ(line_of("namespace", well("media")), "ok    namespace   media\n");
  EXPECT_EQ(line_of("registry", wrong("no answer\nat all", "start it")),
            "FAIL  registry    no answer\n"
            "                  at all\n"
            "                  start it\n");
  EXPECT_EQ(line_of("kubeconfig", skipped("no")), "skip  kubeconfig  no\n");
}

TEST(Findings, TakeTheRemedyFromAnErrorThatKnowsOne) {
  EXPECT_EQ(wrong(Error{Why::forbidden, "no login\nlog in"}, "else").remedy, "log in");
  EXPECT_EQ(wrong(Error{Why::forbidden, "no login"}, "else").remedy, "else");
}

TEST(Findings, AreWellUnlessOneFailed) {
  std::string heard;
  Findings findings{[&](std::string_view subject, const Finding&) { heard += subject; }};
  findings.add("a", well("fine"));
  findings.add("b", skipped("not asked for"));
  EXPECT_TRUE(findings.all_well());
  findings.add("c", wrong("broken", "mend it"));
  EXPECT_FALSE(findings.all_well());
  EXPECT_EQ(heard, "abc");
  EXPECT_EQ(boost::json::serialize(findings.json()),
            R"({"well":false,"checks":[{"name":"a","outcome":"ok","text":"fine"},)"
            R"({"name":"b","outcome":"skip","text":"not asked for"},)"
            R"({"name":"c","outcome":"FAIL","text":"broken","remedy":"mend it"}]})");
}

}  // namespace
}  // namespace nuclio::nuctl
