/* SPDX-License-Identifier: Apache-2.0 */
/* What parent.py needs: descriptors with a packet, and workers that are the processor's children. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native.h"

enum { MOST_DESCRIPTORS = 8, MOST_BYTES = 64 << 10 };

static PyObject* order_of(const char* data, size_t size, struct msghdr* message) {
  int descriptors[MOST_DESCRIPTORS];
  size_t count = 0;
  for (struct cmsghdr* c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(descriptors, CMSG_DATA(c), count * sizeof(int));
  }
  PyObject* list = PyList_New(0);
  for (size_t i = 0; list && i < count; ++i) {
    PyObject* number = PyLong_FromLong(descriptors[i]);
    if (!number || PyList_Append(list, number) != 0) Py_CLEAR(list);
    Py_XDECREF(number);
  }
  return list ? Py_BuildValue("y#N", data, (Py_ssize_t)size, list) : NULL;
}

PyObject* receive_order(PyObject* module, PyObject* arguments) {
  (void)module;
  int socket;
  if (!PyArg_ParseTuple(arguments, "i:receive_order", &socket)) return NULL;
  char* data = PyMem_Malloc(MOST_BYTES);
  if (!data) return PyErr_NoMemory();
  union {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
  } control;
  struct iovec part = {data, MOST_BYTES};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t size;
  int error;
  do {
    Py_BEGIN_ALLOW_THREADS;
    size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    error = errno;
    Py_END_ALLOW_THREADS;
  } while (size < 0 && error == EINTR && PyErr_CheckSignals() == 0);
  PyObject* order = NULL;
  if (size >= 0) {
    order = order_of(data, (size_t)size, &message);
  } else if (!PyErr_Occurred()) {
    errno = error;
    PyErr_SetFromErrno(PyExc_OSError);
  }
  PyMem_Free(data);
  return order;
}

/* fork(), but the child's parent is ours. The C library keeps the thread's id where the kernel clears it at the
 * thread's end; with that address the kernel writes the child's own id there too. Where the kernel does not tell the
 * address the child goes on with its parent's id, which only matters to who compares it with gettid(). */
static pid_t fork_sibling(void) {
  int* id = NULL;
  unsigned long flags = CLONE_PARENT | SIGCHLD;
  if (prctl(PR_GET_TID_ADDRESS, &id, 0, 0, 0) == 0 && id) flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
#if defined(__s390x__)
  return (pid_t)syscall(SYS_clone, NULL, flags, NULL, id, NULL);
#elif defined(__x86_64__)
  return (pid_t)syscall(SYS_clone, flags, NULL, NULL, id, NULL);
#else
  return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, id);
#endif
}

PyObject* fork_worker(PyObject* module, PyObject* nothing) {
  (void)module;
  (void)nothing;
  pid_t processor = getppid();
  /* A robust list belongs to a process; the kernel does not pass it on. */
  void* robust = NULL;
  size_t robust_size = 0;
  int has_robust = syscall(SYS_get_robust_list, 0, &robust, &robust_size) == 0;
  PyOS_BeforeFork();
  pid_t pid = fork_sibling();
  if (pid == 0) {
    if (has_robust) syscall(SYS_set_robust_list, robust, robust_size);
    /* Whoever dies between these lines is noticed by one of them. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != processor || setpgid(0, 0) != 0) _exit(1);
    PyOS_AfterFork_Child();
    return PyLong_FromLong(0);
  }
  int error = errno;
  PyOS_AfterFork_Parent();
  if (pid > 0) return PyLong_FromLong(pid);
  errno = error;
  return PyErr_SetFromErrno(PyExc_OSError);
}

static int limit_one(int resource, unsigned long long most) {
  struct rlimit limit = {most, most};
  if (most == 0 || setrlimit((__rlimit_resource_t)resource, &limit) == 0) return 0;
  PyErr_SetFromErrno(PyExc_OSError);
  return -1;
}

PyObject* limit_worker(PyObject* module, PyObject* arguments) {
  (void)module;
  unsigned long long memory;
  unsigned long long descriptors;
  if (!PyArg_ParseTuple(arguments, "KK:limit_worker", &memory, &descriptors)) return NULL;
  if (limit_one(RLIMIT_AS, memory) != 0 || limit_one(RLIMIT_NOFILE, descriptors) != 0) return NULL;
  Py_RETURN_NONE;
}
