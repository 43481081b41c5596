// SPDX-License-Identifier: Apache-2.0
#include "nuctl/logins.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "loop/descriptor.h"
#include "schema/json.h"

namespace nuclio::nuctl {

namespace json = boost::json;

Result<Logins> Logins::read(const std::string& path) {
  Logins out{path};
  std::ifstream file(path, std::ios::binary);
  if (!file) return out;
  std::ostringstream text;
  text << file.rdbuf();
  auto value = schema::parse_json(std::move(text).str());
  if (!value || !value->is_object()) return fail(Why::invalid, path + " is no JSON object; remove it and log in again");
  for (const auto& [server, token] : value->get_object())
    if (token.is_string()) out.tokens_[server] = token.get_string();
  return out;
}

std::string Logins::token(const std::string& server) const {
  const auto found = tokens_.find(server);
  return found == tokens_.end() ? std::string() : found->second;
}

Result<void> Logins::save(const std::string& server, const std::string& token) {
  if (token.empty()) {
    tokens_.erase(server);
  } else {
    tokens_[server] = token;
  }
  json::object all;
  for (const auto& [each, its_token] : tokens_) all[each] = its_token;
  const std::string text = json::serialize(all) + "\n";
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  const std::string fresh = path_ + ".new";
  Descriptor file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) return fail_errno("opening " + fresh);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0)
    return fail_errno("writing " + fresh);
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) return fail_errno("renaming " + fresh);
  return {};
}

}  // namespace nuclio::nuctl
