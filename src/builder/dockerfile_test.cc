// SPDX-License-Identifier: Apache-2.0
#include "builder/dockerfile.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace nuclio::builder {
namespace {

using ::testing::HasSubstr;

const DockerfileParts kParts{"python:3.11-slim", {"0.tar.gz", "1.tar.gz"}, {"/usr/local/bin/processor"}, "words", 8080};

TEST(Dockerfile, HasOurLayersBetweenWhatComesBeforeAndAfterThem) {
  spec::Build build;
  build.args = {{"LEVEL", "5"}};
  build.commands = {"apt-get update", "@nuclio.postCopy", "ls /opt \\", "/srv"};
  build.directives = {{"preCopy", {{"ENV", "A=1"}}}, {"postCopy", {{"HEALTHCHECK", "NONE"}}}};
  auto text = make_dockerfile(build, kParts);
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_EQ(*text,
            "FROM python:3.11-slim\nARG LEVEL\nENV A=1\nRUN apt-get update\nADD 0.tar.gz /\nADD 1.tar.gz /\n"
            "EXPOSE 8080\nCMD [\"/usr/local/bin/processor\"]\nLABEL org.opencontainers.image.title=\"words\"\n"
            "HEALTHCHECK NONE\nRUN ls /opt  /srv\n");
}

TEST(Dockerfile, NoLineOfADirectiveBecomesAnInstructionOfItsOwn) {
  spec::Build build;
  build.directives = {{"preCopy", {{"LABEL", "a=1\nUSER root"}}}};
  auto text = make_dockerfile(build, kParts);
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_THAT(*text, HasSubstr("LABEL a=1 \\\nUSER root\nADD"));
}

TEST(Dockerfile, RefusesKindsThatAreNoWordsAndOtherPlaces) {
  spec::Build build;
  build.directives = {{"preCopy", {{"RUN rm", "x"}}}};
  auto text = make_dockerfile(build, kParts);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().what, HasSubstr("is \"RUN rm\""));
  build.directives = {{"midCopy", {}}};
  EXPECT_FALSE(make_dockerfile(build, kParts));
}

}  // namespace
}  // namespace nuclio::builder
