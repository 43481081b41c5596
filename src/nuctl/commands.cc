// SPDX-License-Identifier: Apache-2.0
#include "nuctl/commands.h"

#include <cstdio>

namespace nuclio::nuctl {

// Names, aliases and their meaning are Nuclio's; `call`, `logs`, `dev` and `doctor` are ours.
const std::vector<CommandEntry>& command_table() {
  static const std::vector<CommandEntry> table{
      {"build", {"bu"}, "Make an image of a function, or a folder that a processor runs", make_build},
      {"deploy", {}, "Build a function and run it", make_deploy},
      {"invoke", {}, "Send an event to a function", make_invoke},
      {"call", {}, "Send an HTTP request to a URL, again and again until it is taken", make_call},
      {"logs", {}, "Show what a function logs", make_logs},
      {"dev", {}, "Run a function from a file and reload it on every save", make_dev},
      {"get",
       {},
       "Show resources",
       nullptr,
       {{"functions", {"function", "fn", "fu"}, "Functions, or one", make_get_functions},
        {"projects", {"project", "prj", "proj"}, "Projects, or one", make_get_projects},
        {"functionevents", {"functionevent", "fe"}, "Saved events, or one", make_get_function_events},
        {"apigateways", {"apigateway", "agw"}, "API gateways, or one", make_get_api_gateways}}},
      {"create",
       {"cre"},
       "Create resources",
       nullptr,
       {{"project", {"projects", "prj", "proj"}, "A project", make_create_project},
        {"functionevent",
         {"functionevents", "fe"},
         "An event, saved to invoke a function with",
         make_create_function_event},
        {"apigateway",
         {"apigateways", "agw"},
         "A host name and path under which functions answer",
         make_create_api_gateway}}},
      {"update",
       {"upd"},
       "Change resources",
       nullptr,
       {{"function", {"functions", "fn", "fu"}, "Change fields of a function and redeploy it", make_update_function}}},
      {"delete",
       {"del"},
       "Delete resources",
       nullptr,
       {{"functions", {"function", "fn", "fu"}, "Functions", make_delete_function},
        {"projects", {"project", "prj", "proj"}, "Projects", make_delete_project},
        {"functionevents", {"functionevent", "fe"}, "Saved events", make_delete_function_event},
        {"apigateways", {"apigateway", "agw"}, "API gateways", make_delete_api_gateway}}},
      {"export",
       {},
       "Print resources so that they can be imported elsewhere",
       nullptr,
       {{"functions", {"function", "fn", "fu"}, "Functions, or one", make_export_functions},
        {"projects", {"project", "prj", "proj"}, "Projects with all that is in them, or one", make_export_projects}}},
      {"import",
       {},
       "Create resources from an export",
       nullptr,
       {{"functions", {"function", "fn", "fu"}, "Functions from a file or standard input", make_import_functions},
        {"projects", {"project", "prj", "proj"}, "Projects from a file or standard input", make_import_projects}}},
      {"login", {}, "Log in at the dashboard of --server, or of this machine", make_login},
      {"logout", {}, "Forget that login, and revoke its token", make_logout},
      {"doctor", {}, "Say what is well and what is not with the cluster, or this machine", make_doctor},
      {"version", {"ver"}, "Print the version", make_version},
      {"completion", {}, "Print the completion script of a shell: bash, zsh", make_completion},
  };
  return table;
}

int print_completions(const std::vector<std::string>& arguments, const std::function<void(Flags&)>& globals) {
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  std::string partial;
  if (!words.empty()) {
    partial = words.back();
    words.pop_back();
  }
  for (const std::string& word : completions(words, partial, command_table(), globals)) std::puts(word.c_str());
  return 0;
}

}  // namespace nuclio::nuctl
