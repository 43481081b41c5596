// SPDX-License-Identifier: Apache-2.0
#include "nuctl/flags.h"

#include <CLI/CLI.hpp>
#include <deque>

#include "base/names.h"
#include "nuctl/command.h"

namespace nuclio::nuctl {
namespace {

// Declares flags on a CLI11 application. Help leaves out CLI11's type names: the doc line says what a value is.
class AppFlags final : public Flags {
 public:
  AppFlags(CLI::App& app, const std::function<const char*(const char*)>& environment)
      : app_(app), environment_(environment) {}

  void text(Name name, std::string& target, std::string_view doc) override {
    if (const char* value = from_environment(name)) target = value;
    auto* option = app_.add_option(spelled(name), target, described(name, doc))->type_name("TEXT");
    if (!target.empty()) option->default_str(target);
  }
  void number(Name name, std::optional<long>& target, std::string_view doc) override {
    app_.add_option(spelled(name), target, described(name, doc))->type_name("NUMBER");
  }
  void yes(Name name, bool& target, std::string_view doc) override {
    if (const char* value = from_environment(name)) target = std::string_view{value} == "true" || *value == '1';
    app_.add_flag(spelled(name), target, described(name, doc));
  }
  void list(Name name, std::vector<std::string>& target, std::string_view doc) override {
    app_.add_option(spelled(name), target, described(name, doc))->type_name("TEXT")->expected(1)->take_all();
  }
  void argument(std::string_view name, std::string& target, std::string_view doc) override {
    app_.add_option(std::string(name), target, std::string(doc))->type_name("")->required();
  }
  void optional_argument(std::string_view name, std::string& target, std::string_view doc) override {
    app_.add_option(std::string(name), target, std::string(doc))->type_name("");
  }
  void optional_arguments(std::string_view name, std::vector<std::string>& target, std::string_view doc) override {
    app_.add_option(std::string(name), target, std::string(doc))->type_name("");
  }

 private:
  const char* from_environment(Name name) const {
    if (name.environment.empty()) return nullptr;
    return environment_(std::string(name.environment).c_str());
  }
  static std::string spelled(Name name) {
    std::string out = name.letter ? std::string("-") + name.letter + "," : "";
    return out + "--" + std::string(name.name);
  }
  static std::string described(Name name, std::string_view doc) {
    std::string out(doc);
    if (!name.environment.empty()) out += " [" + std::string(name.environment) + "]";
    return out;
  }

  CLI::App& app_;
  const std::function<const char*(const char*)>& environment_;
};

// The CLI11 side of the command table. A command is made when its flags are declared, for the whole table: that costs
// some microseconds and lets help and completion know everything.
class Tree {
 public:
  Tree(const std::vector<CommandEntry>& commands, const std::function<void(Flags&)>& globals,
       const std::function<const char*(const char*)>& environment)
      : app_("nuctl: functions from the command line", "nuctl"), environment_(environment) {
    AppFlags flags{app_, environment_};
    globals(flags);
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    app_.get_formatter()->column_width(34);
    add(app_, commands);
  }

  CLI::App& app() { return app_; }

  // The deepest command that the line named.
  CLI::App* chosen() {
    CLI::App* at = &app_;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return at;
  }

  std::unique_ptr<Command> take(CLI::App* app) {
    for (Made& made : made_)
      if (made.app == app) return std::move(made.command);
    return nullptr;
  }

 private:
  struct Made {
    CLI::App* app;
    std::unique_ptr<Command> command;
  };

  void add(CLI::App& parent, const std::vector<CommandEntry>& commands) {
    for (const CommandEntry& entry : commands) {
      CLI::App* app = parent.add_subcommand(std::string(entry.name), std::string(entry.doc));
      for (std::string_view alias : entry.aliases) app->alias(std::string(alias));
      app->fallthrough();
      if (entry.make) {
        made_.push_back({app, entry.make()});
        AppFlags flags{*app, environment_};
        made_.back().command->declare(flags);
      }
      if (!entry.below.empty()) {
        app->require_subcommand(0, 1);
        add(*app, entry.below);
      }
    }
  }

  CLI::App app_;
  std::function<const char*(const char*)> environment_;
  std::deque<Made> made_;
};

std::string words_of(CLI::App* app) {
  std::string out = app->get_name();
  for (CLI::App* parent = app->get_parent(); parent; parent = parent->get_parent())
    out = parent->get_name() + " " + out;
  return out;
}

std::string help_of(CLI::App* app) {
  return app->help(app->get_parent() ? words_of(app->get_parent()) : "", CLI::AppFormatMode::Normal);
}

// "unknown command "deplo"; did you mean deploy?" is what a person needs to read, and CLI11 does not know the nearest.
Error what_is_wrong(CLI::App* chosen, const CLI::Error& error) {
  std::string see = "\nsee: " + words_of(chosen) + " --help";
  std::vector<std::string> rest = chosen->remaining();
  if (rest.empty() || rest.front().starts_with('-') || chosen->get_subcommands(nullptr).empty())
    return {Why::invalid, error.what() + see};
  std::vector<std::string> names;
  for (const CLI::App* below : chosen->get_subcommands(nullptr)) names.push_back(below->get_name());
  std::vector<std::string_view> known(names.begin(), names.end());
  return {Why::invalid, "unknown command \"" + rest.front() + "\"" + did_you_mean(rest.front(), known) + see};
}

}  // namespace

Result<Parsed> parse_command_line(const std::vector<std::string>& arguments, const std::vector<CommandEntry>& commands,
                                  const std::function<void(Flags&)>& globals,
                                  const std::function<const char*(const char*)>& environment) {
  Tree tree{commands, globals, environment};
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // CLI11 takes them from the back
    tree.app().parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return Parsed{nullptr, help_of(tree.chosen())};
  } catch (const CLI::Error& error) {
    return std::unexpected(what_is_wrong(tree.chosen(), error));
  }
  CLI::App* chosen = tree.chosen();
  auto command = tree.take(chosen);
  if (!command) return Parsed{nullptr, help_of(chosen)};
  return Parsed{std::move(command), ""};
}

std::vector<std::string> completions(const std::vector<std::string>& words, std::string_view partial,
                                     const std::vector<CommandEntry>& commands,
                                     const std::function<void(Flags&)>& globals) {
  Tree tree{commands, globals, [](const char*) { return nullptr; }};
  CLI::App* at = &tree.app();
  for (const std::string& word : words)
    for (CLI::App* next : at->get_subcommands(nullptr))
      if (next->check_name(word)) {
        at = next;
        break;
      }

  std::vector<std::string> out;
  if (partial.starts_with('-')) {
    for (CLI::App* app = at; app; app = app->get_parent())
      for (const CLI::Option* option : app->get_options())
        for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  } else {
    for (const CLI::App* app : at->get_subcommands(nullptr)) out.push_back(app->get_name());
  }
  std::erase_if(out, [&](const std::string& word) { return !word.starts_with(partial); });
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace nuclio::nuctl
