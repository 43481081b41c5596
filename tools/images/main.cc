// SPDX-License-Identifier: Apache-2.0
// nuclio_image: makes and pushes the images of `./dev images`, which calls it. See README.md.
#include <fmt/core.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "images/make_image.h"
#include "images/push_image.h"
#include "loop/loop.h"
#include "loop/run.h"
#include "loop/signals.h"

namespace nuclio::images {
namespace {

constexpr std::string_view kUsage =
    "usage: nuclio_image make RECIPE LAYOUT           makes an image in a layout and prints its digest\n"
    "       nuclio_image check [--plain-http] IMAGE   says whether it could be pushed there\n"
    "       nuclio_image push [--plain-http] LAYOUT SPDX IMAGE\n";

int report(const Error& error) {
  fmt::print(stderr, "nuclio_image: {}\n", error.what);
  return 1;
}

int make(Loop& loop, const std::string& path, const std::string& layout) {
  auto recipe = read_recipe(path);
  if (!recipe) return report(recipe.error());
  auto digest = run_until_done(loop, make_image(loop, *recipe, layout));
  if (!digest) return report(digest.error());
  fmt::print("{}\n", digest->text());
  return 0;
}

// `words` are what a person gave behind the command, without --plain-http.
int meet_registry(Loop& loop, std::string_view command, const std::vector<std::string>& words,
                  oci::PlainHttp plain_http) {
  std::vector<std::string> environment;
  for (char** each = environ; *each; ++each) environment.emplace_back(*each);
  oci::Keychain keychain{environment};
  if (const std::string path = oci::docker_config_path(environment); !path.empty())
    if (auto added = keychain.add_docker_config(path); !added) return report(added.error());
  auto image = parse_image_reference(words.back());
  if (!image) return report(image.error());
  Target target{std::move(*image), plain_http};
  auto done = command == "check"
                  ? run_until_done(loop, check_target(loop, keychain, std::move(target)))
                  : run_until_done(loop, push_layout(loop, keychain, words[0], words[1], std::move(target)));
  return done ? 0 : report(done.error());
}

int run(std::vector<std::string> words) {
  ignore_broken_pipes();
  const auto plain_http = std::erase(words, "--plain-http") > 0 ? oci::PlainHttp::yes : oci::PlainHttp::no;
  const std::string command = words.empty() ? "" : words.front();
  if (!words.empty()) words.erase(words.begin());
  Loop loop;
  if (command == "make" && words.size() == 2) return make(loop, words[0], words[1]);
  if (command == "check" && words.size() == 1) return meet_registry(loop, command, words, plain_http);
  if (command == "push" && words.size() == 3) return meet_registry(loop, command, words, plain_http);
  fmt::print(stderr, "{}", kUsage);
  return 2;
}

}  // namespace
}  // namespace nuclio::images

int main(int count, char** words) { return nuclio::images::run({words + 1, words + count}); }
