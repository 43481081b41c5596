// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/make.h"

#include <string>
#include <utility>
#include <variant>

#include "processor/triggers/cron.h"
#include "processor/triggers/http.h"
#include "processor/triggers/kickstart.h"

namespace nuclio::processor {
namespace {

using Made = Result<std::unique_ptr<Trigger>>;

template <class Kind>
concept Inert = requires { Kind::kInert; };

// The kinds of the spec's list that have an implementation: "http, cron, kickstart".
template <std::size_t... I>
std::string available(std::index_sequence<I...>) {
  std::string list;
  auto add = [&]<class Kind>(std::type_identity<Kind>) {
    if constexpr (!Inert<Kind>) list.append(list.empty() ? "" : ", ").append(Kind::kKind);
  };
  (add(std::type_identity<std::variant_alternative_t<I, spec::AnyTrigger>>{}), ...);
  return list;
}

Made make(const spec::HttpTrigger& kind, const spec::Trigger& config, TriggerContext context) {
  return std::make_unique<HttpTrigger>(config, kind, std::move(context));
}

Made make(const spec::CronTrigger& kind, const spec::Trigger& config, TriggerContext context) {
  return CronTrigger::make(config, kind, context.loop, context.clock, context.handler, context.source);
}

Made make(const spec::KickstartTrigger& kind, const spec::Trigger&, TriggerContext context) {
  return std::make_unique<KickstartTrigger>(kind, context.loop, context.clock, context.handler, context.source);
}

Made make(const Inert auto& kind, const spec::Trigger&, TriggerContext context) {
  return fail(Why::precondition, "trigger " + context.source.name + ": kind " + std::string{kind.kKind} +
                                     " is not available in this build; available: " +
                                     available(std::make_index_sequence<std::variant_size_v<spec::AnyTrigger>>{}));
}

}  // namespace

Result<std::unique_ptr<Trigger>> make_trigger(const spec::Trigger& config, TriggerContext context) {
  return std::visit([&](const auto& kind) { return make(kind, config, std::move(context)); }, config.kind);
}

}  // namespace nuclio::processor
