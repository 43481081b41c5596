// SPDX-License-Identifier: Apache-2.0
// nuctl get, create and delete apigateways, with Nuclio's flags and columns.
#include <boost/json.hpp>

#include "nuctl/api_gateway_client.h"
#include "nuctl/commands.h"
#include "nuctl/function_client.h"
#include "nuctl/function_flags.h"
#include "nuctl/output.h"
#include "schema/document.h"

namespace nuclio::nuctl {
namespace {

namespace json = boost::json;

// The function of an upstream that is the canary, or of the one that is not; "" when there is none.
struct Upstreams {
  std::string primary, canary, percentage;
};
Upstreams upstreams_of(const json::object& gateway) {
  Upstreams out;
  const json::value* list = value_at(gateway, "spec.upstreams");
  if (!list || !list->is_array()) return out;
  for (const json::value& each : list->get_array()) {
    if (!each.is_object()) continue;
    const std::string name = text_at(each.get_object(), "nucliofunction.name");
    const json::value* percentage = value_at(each.get_object(), "percentage");
    const bool is_canary = list->get_array().size() > 1 && percentage && percentage->is_number();
    (is_canary ? out.canary : out.primary) = name;
    if (is_canary) out.percentage = std::to_string(percentage->to_number<long>());
  }
  return out;
}

class GetApiGateways final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.optional_argument("name", name_, "Only this API gateway");
    flags.text({"output", 'o'}, format_, "text, wide, yaml, json, name");
    flags.text({"function-name", 'f'}, function_, "Only API gateways that lead to this function");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(Format format, parse_format(format_));
    CO_TRY(auto gateways, co_await list_api_gateways(session, function_));
    if (!name_.empty())
      std::erase_if(gateways, [&](const json::object& each) { return text_at(each, "metadata.name") != name_; });
    if (gateways.empty() && format != Format::json && format != Format::yaml) {
      session.print("No api gateways found\n");
    } else if (format == Format::text || format == Format::wide) {
      session.print(table(gateways).text());
    } else {
      session.print(print_objects(format, gateways, !name_.empty()));
    }
    co_return gateways.empty() && !name_.empty() ? 1 : 0;
  }

 private:
  static Table table(const std::vector<json::object>& gateways) {
    Table out{{"Namespace", "Name", "Host", "Path", "Primary", "Canary", "Percentage"}};
    for (const json::object& each : gateways) {
      Upstreams upstreams = upstreams_of(each);
      out.add({text_at(each, "metadata.namespace"), text_at(each, "metadata.name"), text_at(each, "spec.host"),
               text_at(each, "spec.path"), upstreams.primary, upstreams.canary, upstreams.percentage});
    }
    return out;
  }

  std::string name_, function_;
  std::string format_ = "text";
};

class CreateApiGateway final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.argument("name", name_, "Name of the API gateway");
    flags.text({"project"}, project_, "Project that it belongs to");
    flags.text({"host"}, host_, "Host name under which it answers");
    flags.text({"description"}, description_, "What it is for");
    flags.text({"path"}, path_, "Path under which it answers");
    flags.text({"authentication-mode"}, mode_, "none, basicAuth, accessKey or oauth2");
    flags.text({"basic-auth-username"}, username_, "User name of basicAuth");
    flags.text({"basic-auth-password"}, password_, "Password of basicAuth");
    flags.text({"function"}, function_, "Function that it leads to");
    flags.text({"canary-function"}, canary_, "Function that gets a share of the requests");
    flags.number({"canary-percentage"}, percentage_, "That share, 1 to 100");
    flags.text({"labels"}, labels_, "Labels for the function's ingress, name=value,…");
    flags.text({"canary-labels"}, canary_labels_, "Labels for the canary's ingress, name=value,…");
    flags.text({"attrs"}, attributes_, "Fields of the spec, as JSON; they win over the flags");
  }

  Task<Result<int>> run(Session& session) override {
    CO_TRY(json::object spec, this->spec());
    json::object metadata{{"name", name_}};
    if (!project_.empty()) metadata["labels"] = json::object{{"nuclio.io/project-name", project_}};
    json::object gateway{{"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
    CO_TRY_DO(co_await create_api_gateway(session, std::move(gateway)));
    session.print("API gateway " + name_ + " created\n");
    co_return 0;
  }

 private:
  static Result<json::object> upstream(const std::string& function, const std::string& labels, std::string_view flag) {
    json::object out{{"kind", "nucliofunction"}, {"nucliofunction", {{"name", function}}}};
    if (!labels.empty()) TRY_DO(add_pairs(object_at(out, "extraLabels"), labels, flag));
    return out;
  }

  Result<json::object> spec() const {
    json::object spec{{"name", name_}};
    for (const auto& [key, value] :
         {std::pair{"host", &host_}, {"description", &description_}, {"path", &path_}, {"authenticationMode", &mode_}})
      if (!value->empty()) spec[key] = *value;
    if (!username_.empty() || !password_.empty())
      object_at(spec, "authentication")["basicAuth"] = json::object{{"username", username_}, {"password", password_}};
    json::array upstreams;
    if (!function_.empty()) {
      TRY(json::object primary, upstream(function_, labels_, "labels"));
      upstreams.push_back(std::move(primary));
    }
    if (!canary_.empty()) {
      TRY(json::object canary, upstream(canary_, canary_labels_, "canary-labels"));
      if (percentage_) canary["percentage"] = *percentage_;
      upstreams.push_back(std::move(canary));
    }
    spec["upstreams"] = std::move(upstreams);
    if (attributes_.empty()) return spec;
    auto attributes = schema::parse_document(attributes_);
    if (!attributes) return std::unexpected(std::move(attributes).error().in("--attrs"));
    if (!attributes->value.is_object())
      return fail(Why::invalid, "--attrs must be an object as in '{\"path\": \"/shop\"}', is " + attributes_);
    for (auto& [key, value] : attributes->value.get_object()) spec[key] = std::move(value);
    return spec;
  }

  std::string name_, project_, host_, description_, path_, mode_, username_, password_, function_, canary_, labels_,
      canary_labels_, attributes_;
  std::optional<long> percentage_;
};

class DeleteApiGateway final : public Command {
 public:
  void declare(Flags& flags) override { flags.argument("name", name_, "Name of the API gateway"); }

  Task<Result<int>> run(Session& session) override {
    CO_TRY_DO(co_await delete_api_gateway(session, name_));
    co_return 0;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_get_api_gateways() { return std::make_unique<GetApiGateways>(); }
std::unique_ptr<Command> make_create_api_gateway() { return std::make_unique<CreateApiGateway>(); }
std::unique_ptr<Command> make_delete_api_gateway() { return std::make_unique<DeleteApiGateway>(); }

}  // namespace nuclio::nuctl
