// SPDX-License-Identifier: Apache-2.0
// What nuctl can do: the table, and the maker of each command in it.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nuctl/command.h"
#include "nuctl/flags.h"

namespace nuclio::nuctl {

const std::vector<CommandEntry>& command_table();

std::unique_ptr<Command> make_build();
std::unique_ptr<Command> make_deploy();
std::unique_ptr<Command> make_update_function();
std::unique_ptr<Command> make_dev();
std::unique_ptr<Command> make_invoke();
std::unique_ptr<Command> make_call();
std::unique_ptr<Command> make_logs();
std::unique_ptr<Command> make_get_functions();
std::unique_ptr<Command> make_get_projects();
std::unique_ptr<Command> make_get_function_events();
std::unique_ptr<Command> make_get_api_gateways();
std::unique_ptr<Command> make_delete_function();
std::unique_ptr<Command> make_delete_project();
std::unique_ptr<Command> make_delete_function_event();
std::unique_ptr<Command> make_delete_api_gateway();
std::unique_ptr<Command> make_create_project();
std::unique_ptr<Command> make_create_function_event();
std::unique_ptr<Command> make_create_api_gateway();
std::unique_ptr<Command> make_export_functions();
std::unique_ptr<Command> make_export_projects();
std::unique_ptr<Command> make_import_functions();
std::unique_ptr<Command> make_import_projects();
std::unique_ptr<Command> make_login();
std::unique_ptr<Command> make_logout();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_version();
std::unique_ptr<Command> make_completion();

// `nuctl __complete WORD... PARTIAL` is what the completion script asks.
inline constexpr const char* kCompleteWord = "__complete";
int print_completions(const std::vector<std::string>& arguments, const std::function<void(Flags&)>& globals);

}  // namespace nuclio::nuctl
