// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <compare>
#include <string>
#include <utility>

namespace nuclio {

// A value with a name: FunctionName and Namespace are both text, and still cannot be swapped at a call.
template <class Tag, class T>
class Named {
 public:
  using Value = T;
  constexpr explicit Named(T value) : value_(std::move(value)) {}
  constexpr const T& value() const { return value_; }
  friend auto operator<=>(const Named&, const Named&) = default;

 private:
  T value_;
};

using Namespace = Named<struct NamespaceTag, std::string>;
using FunctionName = Named<struct FunctionNameTag, std::string>;
using ProjectName = Named<struct ProjectNameTag, std::string>;
using Port = Named<struct PortTag, int>;

enum class Force : bool { no, yes };

}  // namespace nuclio
