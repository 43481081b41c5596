// SPDX-License-Identifier: Apache-2.0
#include "k8s/lease.h"

#include <algorithm>
#include <boost/json.hpp>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "k8s/json.h"
#include "k8s/time.h"

namespace nuclio::k8s {
namespace {

namespace json = boost::json;

// How often those who do not lead look; as client-go does.
constexpr std::chrono::milliseconds kLookEvery{2'000};
constexpr std::chrono::milliseconds kCallPatience{5'000};

std::chrono::nanoseconds scattered(std::chrono::nanoseconds pause) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return pause * std::uniform_int_distribution<int>{75, 125}(random) / 100;
}

std::int64_t seconds_of(std::chrono::milliseconds duration) {
  return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(duration).count(), 1);
}

std::string now_text() { return micro_time(std::chrono::system_clock::now()); }

json::object spec_of(const json::object& lease) {
  const json::object* spec = object_of(lease, "spec");
  return spec ? *spec : json::object{};
}

}  // namespace

Lease::Lease(Loop& loop, Api& api, LeaseOptions options) : loop_(loop), api_(api), options_(std::move(options)) {
  // Else two would lead at the same time.
  CHECK(options_.renew_every < options_.give_up_after && options_.give_up_after < options_.duration);
}

Task<void> Lease::acquire() {
  bool complained = false;
  for (;;) {
    const auto leads = co_await try_to_lead(Deadline::in(kCallPatience));
    if (leads && *leads) co_return;
    // Another one was faster, which is what a lease is for.
    const bool failed = !leads && leads.error().why != Why::conflict;
    if (failed && !complained)
      log::warn("The lease cannot be had", {{"lease", options_.name.text()}, {"error", leads.error().what}});
    if (!failed && complained)
      log::info("The lease is in sight again", {{"lease", options_.name.text()}, {"holder", holder()}});
    complained = failed;
    co_await loop_.sleep(scattered(std::min(kLookEvery, options_.renew_every)));
  }
}

// True when we lead from now on.
Task<Result<bool>> Lease::try_to_lead(Deadline deadline) {
  const SteadyTime begun = std::chrono::steady_clock::now();
  auto found = co_await api_.get(kLeases, options_.name, deadline);
  if (!found && found.error().why != Why::not_found) co_return fail(std::move(found).error());
  look_at(found ? std::move(*found) : json::object{});
  if (!holder().empty() && holder() != options_.identity && !is_over()) co_return false;
  CO_TRY_DO(co_await write(with_us_as_holder(), deadline));
  renewed_at_ = begun;
  co_return true;
}

void Lease::look_at(json::object object) {
  if (seen_.empty() || spec_of(seen_) != spec_of(object)) seen_at_ = std::chrono::steady_clock::now();
  seen_ = std::move(object);
}

std::string Lease::holder() const {
  const json::object* spec = object_of(seen_, "spec");
  return spec ? std::string(text_of(*spec, "holderIdentity")) : std::string{};
}

bool Lease::is_over() const {
  const json::object* spec = object_of(seen_, "spec");
  const std::chrono::seconds lasts{spec ? number_of(*spec, "leaseDurationSeconds") : 0};
  return seen_at_ + std::max<std::chrono::nanoseconds>(lasts, std::chrono::seconds{1}) <=
         std::chrono::steady_clock::now();
}

json::object Lease::with_us_as_holder() const {
  json::object object = seen_;
  json::object& spec = object_in(object, "spec");
  const std::string now = now_text();
  if (holder() != options_.identity) {
    const std::int64_t transitions = number_of(spec, "leaseTransitions");
    spec["leaseTransitions"] = seen_.empty() ? 0 : transitions + 1;
    spec["acquireTime"] = now;
    spec["holderIdentity"] = options_.identity;
  }
  spec["leaseDurationSeconds"] = seconds_of(options_.duration);
  spec["renewTime"] = now;
  return object;
}

// Over the very version that was seen, so that of two who try one fails.
Task<Result<void>> Lease::write(json::object object, Deadline deadline) {
  json::object& metadata = object_in(object, "metadata");
  metadata["namespace"] = options_.name.namespace_name;
  metadata["name"] = options_.name.name;
  const bool is_new = resource_version_of(object).empty();
  auto call =
      is_new ? api_.create(kLeases, std::move(object), deadline) : api_.replace(kLeases, std::move(object), deadline);
  CO_TRY(json::object written, co_await std::move(call));
  look_at(std::move(written));
  co_return Result<void>{};
}

Task<Error> Lease::hold() {
  bool complained = false;
  for (;;) {
    const SteadyTime until = renewed_at_ + options_.give_up_after;
    // Early after a failure: there is time for some attempts before we have to give up.
    const auto pause = complained ? options_.renew_every / 4 : options_.renew_every;
    co_await loop_.sleep_until(earlier(Deadline::in(scattered(pause)), Deadline::at(until)));
    const SteadyTime begun = std::chrono::steady_clock::now();
    Result<void> renewed = fail(Why::timeout, "there was no time to renew it");
    if (begun < until) renewed = co_await renew(earlier(Deadline::at(until), Deadline::in(kCallPatience)));
    if (renewed) {
      if (std::exchange(complained, false)) log::info("The lease is renewed again", {{"lease", options_.name.text()}});
      renewed_at_ = begun;
    } else if (renewed.error().why == Why::conflict) {
      co_return std::move(renewed).error();
    } else if (std::chrono::steady_clock::now() >= until) {
      co_return std::move(renewed).error().in("the lease " + options_.name.text() + " could not be renewed for " +
                                              std::to_string(options_.give_up_after.count()) + " ms");
    } else if (!std::exchange(complained, true)) {
      log::warn("The lease could not be renewed", {{"lease", options_.name.text()}, {"error", renewed.error().what}});
    }
  }
}

// Why::conflict when another one holds it.
Task<Result<void>> Lease::renew(Deadline deadline) {
  auto renewed = co_await write(with_us_as_holder(), deadline);
  if (renewed) co_return renewed;
  const Why why = renewed.error().why;
  // Changed by somebody, by ourselves perhaps, in a call whose answer did not arrive; or removed.
  if (why != Why::conflict && why != Why::not_found) co_return renewed;
  auto found = co_await api_.get(kLeases, options_.name, deadline);
  if (!found && found.error().why != Why::not_found) co_return fail(Why::unavailable, found.error().what);
  look_at(found ? std::move(*found) : json::object{});
  if (!seen_.empty() && holder() != options_.identity)
    co_return fail(Why::conflict, "the lease " + options_.name.text() + " is held by " +
                                      (holder().empty() ? "nobody" : "\"" + holder() + "\"") + " now");
  renewed = co_await write(with_us_as_holder(), deadline);
  if (!renewed && renewed.error().why == Why::conflict) co_return fail(Why::unavailable, renewed.error().what);
  co_return renewed;
}

Task<void> Lease::release(Deadline deadline) {
  auto found = co_await api_.get(kLeases, options_.name, deadline);
  if (!found) {
    log::warn("The lease could not be given back", {{"lease", options_.name.text()}, {"error", found.error().what}});
    co_return;
  }
  look_at(std::move(*found));
  if (holder() != options_.identity) co_return;
  json::object object = seen_;
  json::object& spec = object_in(object, "spec");
  spec.erase("holderIdentity");
  spec["leaseDurationSeconds"] = 1;
  spec["renewTime"] = spec["acquireTime"] = now_text();
  const auto released = co_await write(std::move(object), deadline);
  if (!released)
    log::warn("The lease could not be given back", {{"lease", options_.name.text()}, {"error", released.error().what}});
}

}  // namespace nuclio::k8s
