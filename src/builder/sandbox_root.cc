// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox_root.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "loop/descriptor.h"
#include "oci/beneath.h"

namespace nuclio::builder {
namespace {

constexpr const char* kNoOverlay =
    "mounting an overlay file system in the builder's cache (it must lie on a file system such as ext4, xfs or tmpfs, "
    "not on a container's own; otherwise use --builder-kind buildah or docker)";
constexpr const char* kForbidden =
    "making the root of the commands (in a container, its seccomp and AppArmor profiles must allow mounts)";

struct Setting {
  const char* name;
  std::string value = {};  // a flag has none
};

// A new file system that is not in sight yet.
Result<Descriptor> new_mount(const char* kind, const std::vector<Setting>& settings, unsigned attributes) {
  const Descriptor made{::fsopen(kind, FSOPEN_CLOEXEC)};
  if (!made) return fail_errno(std::string("making the file system ") + kind);
  for (const Setting& setting : settings)
    if (::fsconfig(made.get(), setting.value.empty() ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, setting.name,
                   setting.value.empty() ? nullptr : setting.value.c_str(), 0) != 0)
      return fail_errno(std::string("making the file system ") + kind);
  if (::fsconfig(made.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return fail_errno(std::string("making the file system ") + kind);
  Descriptor mount{::fsmount(made.get(), FSMOUNT_CLOEXEC, attributes)};
  if (!mount) return fail_errno(std::string("making the file system ") + kind);
  return mount;
}

Result<void> put_mount(const Descriptor& mount, int folder, const char* name, const std::string& what) {
  // Where the last part is a link, it is not followed: the mount fails.
  if (::move_mount(mount.get(), "", folder, name, MOVE_MOUNT_F_EMPTY_PATH) != 0) return fail_errno("mounting " + what);
  return {};
}

// What this machine has at `path`, to be seen elsewhere.
Result<Descriptor> copy_of_mount(const char* path, std::uint64_t attributes) {
  Descriptor copy{::open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)};
  if (!copy) return fail_errno(std::string("opening ") + path);
  mount_attr attr{};
  attr.attr_set = attributes;
  if (::mount_setattr(copy.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) != 0)
    return fail_errno(std::string("mounting ") + path);
  return copy;
}

Result<void> make_devices(const oci::Beneath& root) {
  TRY(const oci::Place place, root.find("dev"));
  TRY(const Descriptor mount, new_mount("tmpfs", {{"size", "64m"}, {"nr_inodes", "10000"}, {"mode", "0755"}},
                                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  TRY_DO(put_mount(mount, place.folder.get(), "dev", "/dev"));
  const int dev = mount.get();
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    TRY(const Descriptor device,
        copy_of_mount((std::string("/dev/") + name).c_str(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
    const Descriptor file{::openat(dev, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
    if (!file) return fail_errno(std::string("making /dev/") + name);
    TRY_DO(put_mount(device, dev, name, std::string("/dev/") + name));
  }
  constexpr std::array<std::array<const char*, 2>, 4> kLinks{{{"fd", "/proc/self/fd"},
                                                              {"stdin", "/proc/self/fd/0"},
                                                              {"stdout", "/proc/self/fd/1"},
                                                              {"stderr", "/proc/self/fd/2"}}};
  for (const auto& [name, target] : kLinks)
    if (::symlinkat(target, dev, name) != 0) return fail_errno(std::string("making /dev/") + name);
  if (::mkdirat(dev, "shm", 01777) != 0 || ::fchmodat(dev, "shm", 01777, 0) != 0) return fail_errno("making /dev/shm");
  return {};
}

// Names of the network are this machine's, when it has them in files.
Result<void> show_names(const oci::Beneath& root) {
  for (const char* name : {"etc/resolv.conf", "etc/hosts"}) {
    const std::string path = std::string("/") + name;
    auto file =
        copy_of_mount(path.c_str(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (!file && file.error().why == Why::not_found) continue;
    if (!file) return fail(std::move(file).error());
    TRY(const oci::Place place, root.find(name));
    TRY_DO(put_mount(*file, place.folder.get(), place.name.c_str(), path));
  }
  return {};
}

// What is mounted from then on is seen by this process and its children only.
Result<void> make_mounts_private() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return fail_errno("making mounts private");
  return {};
}

Result<void> mount_overlay(const RootFolders& folders) {
  std::string lower;
  for (const std::string& folder : folders.lower) lower += (lower.empty() ? "" : ":") + folder;
  // A layer is made of what is on disk once all is over, so that nothing need be synchronized before.
  auto overlay = new_mount("overlay",
                           {{"lowerdir", std::move(lower)},
                            {"upperdir", folders.upper},
                            {"workdir", folders.work},
                            {"index", "off"},
                            {"userxattr"},
                            {"volatile"}},
                           MOUNT_ATTR_NODEV);
  if (!overlay) return fail(Error{Why::unavailable, std::move(overlay).error().what}.in(kNoOverlay));
  return put_mount(*overlay, AT_FDCWD, folders.merged.c_str(), "the root of the commands");
}

void write_setting(const char* path, const std::string& value) {
  const Descriptor file{::open(path, O_WRONLY | O_CLOEXEC)};
  if (file) (void)!::write(file.get(), value.data(), value.size());
}

Result<void> enter(const RootFolders& folders, const LogLine& log) {
  TRY_DO(make_mounts_private());
  TRY_DO(mount_overlay(folders));
  TRY(const oci::Beneath root, oci::Beneath::open(folders.merged));

  TRY(const oci::Place proc, root.find("proc"));
  auto processes = new_mount("proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (processes) {
    TRY_DO(put_mount(*processes, proc.folder.get(), "proc", "/proc"));
  } else {
    // In a container whose own /proc is covered in parts, the kernel lets nobody see the whole of another one.
    log("there is no /proc for the commands, since this container's own is masked (Kubernetes' procMount: Unmasked "
        "leaves "
        "it); those that need it will fail");
  }
  TRY_DO(make_devices(root));
  TRY_DO(show_names(root));

  // The old root is put over the new one, and then taken away with all that is mounted beneath it.
  if (::chdir(folders.merged.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0)
    return fail_errno("making the overlay the root");
  constexpr std::string_view kName = "localhost";  // which /etc/hosts has, so that sudo and others find it
  if (::sethostname(kName.data(), kName.size()) != 0) return fail_errno("setting the name of the host");
  return {};
}

Result<void> explained(Result<void> done) {
  if (done || done.error().why != Why::forbidden) return done;
  return fail(std::move(done).error().in(kForbidden));
}

}  // namespace

Result<Overlay> Overlay::mount(const RootFolders& folders) {
  const auto mount = [&]() -> Result<void> {
    if (::unshare(CLONE_NEWNS) != 0) return fail_errno("making a namespace of mounts");
    TRY_DO(make_mounts_private());
    return mount_overlay(folders);
  };
  TRY_DO(explained(mount()));
  return Overlay{folders.merged};
}

Overlay::~Overlay() {
  if (!merged_.empty()) (void)::umount2(merged_.c_str(), MNT_DETACH);
}

Result<void> enter_root(const RootFolders& folders, const LogLine& log) { return explained(enter(folders, log)); }

Result<void> bring_up_loopback() {
  const Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return fail_errno("finding the loopback");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return fail_errno("bringing up the loopback");
  return {};
}

// Both belong to this namespace; where /proc/sys is only to be read, or the kernel is older, it goes without.
void limit_namespace(std::size_t processes) {
  constexpr std::size_t kLeastOfKernel = 301;
  write_setting("/proc/sys/user/max_user_namespaces", "0");
  write_setting("/proc/sys/kernel/pid_max", std::to_string(std::max(processes, kLeastOfKernel)));
}

void leave_abstract_sockets() {
  // As <linux/landlock.h> has it since version 6 of its interface; older kernels refuse it.
  struct {
    std::uint64_t file_system = 0;
    std::uint64_t network = 0;
    std::uint64_t scoped = 1;  // LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
  } rules;
  const Descriptor ruleset{static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0))};
  if (ruleset) (void)::syscall(SYS_landlock_restrict_self, ruleset.get(), 0);
}

Result<void> drop_capabilities() {
  constexpr std::array kKept{CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_FSETID,    CAP_KILL,
                             CAP_SETGID, CAP_SETUID,       CAP_SETPCAP, CAP_SYS_CHROOT};
  std::uint64_t kept = 0;
  for (const int capability : kKept) kept |= std::uint64_t{1} << capability;
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    if (!(kept >> capability & 1) && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      return fail_errno("dropping a capability");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<std::uint32_t>(kept);
  const auto high = static_cast<std::uint32_t>(kept >> 32);
  __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
  if (::syscall(SYS_capset, &header, data) != 0) return fail_errno("dropping capabilities");
  return {};
}

}  // namespace nuclio::builder
