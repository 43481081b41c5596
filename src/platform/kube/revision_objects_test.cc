// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/revision_objects.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "platform/kube/names.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;

json::object function(const std::string& handler, const std::string& state, int replicas = 1) {
  return {{"metadata",
           {{"name", "f"},
            {"namespace", "media"},
            {"uid", "u"},
            {"labels", {{"nuclio.io/project-name", "p"}}},
            {"annotations",
             {{"a", "b"},
              {"nuclio.io/deployed-by", "ann"},
              {"nuclio.io/function-secret", "s"},
              {"kubectl.kubernetes.io/last-applied-configuration", "{}"}}}}},
          {"spec", {{"handler", handler}, {"replicas", replicas}}},
          {"status", {{"state", state}}}};
}

std::vector<RevisionState> states(const json::object& now, const std::vector<json::object>& revisions) {
  std::vector<RevisionState> out;
  for (const RevisionSummary& each : summaries(now, revisions)) out.push_back(each.state);
  return out;
}

TEST(RevisionObject, HoldsTheFunctionAndBelongsToIt) {
  const json::object made = revision_object(function("main:one", "ready"), Revision{3});
  EXPECT_EQ(k8s::name_of(made).text(), "media/nuclio-f-3");
  EXPECT_EQ(k8s::label_of(made, kFunctionLabel), "f");
  EXPECT_EQ(k8s::label_of(made, kClassLabel), "function");
  EXPECT_EQ(number_of(made), Revision{3});
  EXPECT_TRUE(is_of(made, "u"));
  EXPECT_FALSE(is_of(made, "another"));
  auto held = function_in(made);
  ASSERT_TRUE(held) << held.error().what;
  EXPECT_EQ(held->metadata.name, "f");
  EXPECT_EQ(held->spec.handler, "main:one");
  EXPECT_EQ(held->metadata.labels.at("nuclio.io/project-name"), "p");
  EXPECT_THAT(held->metadata.annotations, ElementsAre(std::pair("a", "b"), std::pair("nuclio.io/deployed-by", "ann")));
  EXPECT_EQ(held->status.state, spec::FunctionState::none);
  EXPECT_EQ(summaries(function("main:one", "ready"), {made}).front().deployed_by, "ann");
}

TEST(RevisionObject, IsTheSameWithOtherReplicas) {
  EXPECT_EQ(spec_hash(function("main:one", "ready", 1)), spec_hash(function("main:one", "error", 5)));
  EXPECT_NE(spec_hash(function("main:one", "ready")), spec_hash(function("main:two", "ready")));
}

TEST(RevisionSummary, SaysWhatEachIsToTheFunctionAsItIsNow) {
  using S = RevisionState;
  const std::vector<json::object> known{revision_object(function("main:two", "ready"), Revision{2}),
                                        revision_object(function("main:one", "ready"), Revision{1})};
  EXPECT_THAT(states(function("main:two", "ready"), known), ElementsAre(S::serving, S::superseded));
  EXPECT_THAT(states(function("main:two", "scaledToZero"), known), ElementsAre(S::serving, S::superseded));
  EXPECT_THAT(states(function("main:two", "configuringResources"), known), ElementsAre(S::deploying, S::serving));
  EXPECT_THAT(states(function("main:two", "error"), known), ElementsAre(S::failed, S::serving));
  // A later one is being built, or could not be.
  EXPECT_THAT(states(function("main:three", "building"), known), ElementsAre(S::serving, S::superseded));
  EXPECT_THAT(states(function("main:three", "error"), known), ElementsAre(S::serving, S::superseded));
}

}  // namespace
}  // namespace nuclio::platform::kube
