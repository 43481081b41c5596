// SPDX-License-Identifier: Apache-2.0
// Templates that an operator keeps somewhere else: in a git repository, or in a zip.
#pragma once
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "builder/origin.h"
#include "dashboard/function_template.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::dashboard {

// As flags and environment give it; "" for what they do not.
struct TemplateFlags {
  std::string git_repository;
  std::string git_reference;  // refs/heads/main or a commit; "" for the repository's own
  std::string git_username;
  std::string git_password;
  std::string github_access_token;
  std::string git_ca_cert;      // PEM, or that in base64, as Nuclio takes it
  std::string archive_address;  // file:///…, http or https
};

// Where the templates stand in what is got.
enum class TemplateLayout { any_folder, folders_of_the_first };

struct TemplateSource {
  builder::Origin origin;
  TemplateLayout layout = TemplateLayout::any_folder;
};

// Why::invalid names the flag that cannot be so. Asks nobody.
Result<std::vector<TemplateSource>> template_sources(const TemplateFlags& flags);

struct TemplateLimits {
  std::size_t templates = 500;
  Bytes file{1u << 20};
  Bytes total{16u << 20};  // of all texts, as they are kept
};

// The templates in a folder, each named like its own, by name. What is none, or too much, is left out and logged.
// Links are not followed.
Task<std::vector<FunctionTemplate>> read_templates(Loop& loop, std::string folder, TemplateLayout layout,
                                                   TemplateLimits limits);

}  // namespace nuclio::dashboard
