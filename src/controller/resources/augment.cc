// SPDX-License-Identifier: Apache-2.0
#include "controller/resources/augment.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/log.h"
#include "spec/load.h"
#include "spec/merge.h"

namespace nuclio::controller {
namespace {

using Labels = std::map<std::string, std::string>;
using spec::SelectorOperator;

bool holds(const spec::SelectorExpression& expression, const Labels& labels) {
  const auto label = labels.find(expression.key);
  const bool exists = label != labels.end();
  const bool among = exists && std::ranges::find(expression.values, label->second) != expression.values.end();
  switch (expression.is) {
    case SelectorOperator::in: return among;
    case SelectorOperator::not_in: return !among;
    case SelectorOperator::exists: return exists;
    case SelectorOperator::does_not_exist: return !exists;
  }
  return false;
}

bool selects(const spec::LabelSelector& selector, const Labels& labels) {
  return std::ranges::all_of(selector.match_labels,
                             [&](const auto& wanted) {
                               const auto label = labels.find(wanted.first);
                               return label != labels.end() && label->second == wanted.second;
                             }) &&
         std::ranges::all_of(selector.match_expressions, [&](const auto& each) { return holds(each, labels); });
}

}  // namespace

std::vector<const spec::AugmentedConfig*> augmentations(const spec::FunctionConfig& config,
                                                        const spec::PlatformConfig& platform) {
  std::vector<const spec::AugmentedConfig*> out;
  for (const spec::AugmentedConfig& each : platform.function_augmented_configs)
    if (selects(each.label_selector, config.metadata.labels)) out.push_back(&each);
  return out;
}

spec::FunctionConfig augmented(const spec::FunctionConfig& config, const spec::PlatformConfig& platform) {
  const auto matching = augmentations(config, platform);
  if (std::ranges::all_of(matching, [](const auto* each) { return each->function_config.empty(); })) return config;
  boost::json::value merged = spec::to_json(config, spec::Secrets::shown);
  for (const auto* each : matching) merged = spec::merge_function(merged, each->function_config);
  // Both were read as functions before, so what is left to go wrong is what each does to the other's lists.
  auto loaded = spec::read_function(merged, spec::Unknown::warning, spec::Scalars::as_in_yaml);
  if (!loaded) {
    log::warn("functionAugmentedConfigs make no function of this one, so it stays as it is",
              {{"function", config.metadata.name}, {"error", loaded.error().what}});
    return config;
  }
  loaded->config.metadata.name = config.metadata.name;
  loaded->config.metadata.namespace_name = config.metadata.namespace_name;
  return std::move(loaded->config);
}

}  // namespace nuclio::controller
