// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

namespace nuclio::wire {

// Whether two processes of this control group can run at the same time: two CPUs by affinity and by quota. As it was
// when first asked. Any thread.
bool several_cpus();

// CPUs that the text of a cgroup's cpu.max allows: "150000 100000" is 1.5. No limit, also for what is not understood,
// is infinite.
double quota_of(std::string_view cpu_max);

}  // namespace nuclio::wire
