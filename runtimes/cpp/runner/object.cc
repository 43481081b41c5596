// SPDX-License-Identifier: Apache-2.0
#include "object.h"

#include <dlfcn.h>
#include <unistd.h>

namespace nuclio::runner {

std::expected<const nuclio_module_table*, std::string> load_object(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) return std::unexpected("there is no " + path + "; build the function again");
  // Everything is resolved now: a library that is missing should fail the deploy, not the first event.
  void* object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) return std::unexpected("cannot load the function: " + std::string(dlerror()));
  void* symbol = dlsym(object, NUCLIO_MODULE_SYMBOL);
  if (symbol == nullptr)
    return std::unexpected(path + " is no function: it has no symbol " NUCLIO_MODULE_SYMBOL
                                  "; include <nuclio/nuclio.h> and say NUCLIO_HANDLER(handler) in its source");
  const nuclio_module_table* module = reinterpret_cast<nuclio_module_function>(symbol)();
  if (module->abi_version != NUCLIO_ABI_VERSION)
    return std::unexpected(path + " was built for version " + std::to_string(module->abi_version) +
                           " of the interface between Nuclio and C++ functions, this is version " +
                           std::to_string(NUCLIO_ABI_VERSION) + "; build the function again");
  return module;
}

}  // namespace nuclio::runner
