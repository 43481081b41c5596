// SPDX-License-Identifier: Apache-2.0
// What this machine can do at all: one thread, one epoll, and for each request only what HTTP/1.1 cannot do without:
// where its head ends, that its first line is one, and whether the connection is to stay. It knows no bodies, no limits
// but its buffer and no time-outs, so nothing that does can be faster; figures are only comparable beside it.
// Prints its port and serves until it is killed.
#define _GNU_SOURCE  // accept4, memmem
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char kAnswer[] =
    "HTTP/1.1 200 OK\r\nServer: baseline\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\nHello from Nuclio";
static const char kBad[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

enum { kMostHead = 8192, kMostAnswers = 64 };

struct connection {
  int socket;
  size_t size;  // of what has come in and is not answered
  char in[kMostHead];
};

static void must(int result, const char* doing) {
  if (result >= 0) return;
  perror(doing);
  exit(1);
}

// A request line: a method, a target, and the one version.
static bool is_request(const char* head, size_t size) {
  const char* line_end = memchr(head, '\r', size);
  if (!line_end) return false;
  const char* target = memchr(head, ' ', line_end - head);
  if (!target || target == head) return false;
  const char* version = memchr(target + 1, ' ', line_end - target - 1);
  return version && version > target + 1 && line_end - version == 9 && memcmp(version, " HTTP/1.1", 9) == 0;
}

// Looks through the headers for the one that a keep-alive server must know.
static bool keeps(const char* head, size_t size) {
  const char* end = head + size;
  for (const char* line = memchr(head, '\n', size); line && line + 1 < end; line = memchr(line, '\n', end - line)) {
    ++line;
    if ((size_t)(end - line) > 17 && strncasecmp(line, "connection: close", 17) == 0) return false;
  }
  return true;
}

// Returns whether the connection lives on.
static bool serve(struct connection* connection) {
  ssize_t got = read(connection->socket, connection->in + connection->size, kMostHead - connection->size);
  if (got <= 0) return false;
  connection->size += got;

  char answers[kMostAnswers * sizeof kAnswer];
  size_t written = 0, taken = 0;
  bool keep = true;
  for (int count = 0; count < kMostAnswers && keep; ++count) {
    const char* head = connection->in + taken;
    const char* end = memmem(head, connection->size - taken, "\r\n\r\n", 4);
    if (!end) break;
    size_t size = end + 4 - head;
    keep = is_request(head, size);
    const char* answer = keep ? kAnswer : kBad;
    size_t length = keep ? sizeof kAnswer - 1 : sizeof kBad - 1;
    memcpy(answers + written, answer, length);
    written += length;
    taken += size;
    keep = keep && keeps(head, size);
  }
  if (taken < connection->size) memmove(connection->in, connection->in + taken, connection->size - taken);
  connection->size -= taken;
  if (connection->size == kMostHead) return false;
  return (written == 0 || write(connection->socket, answers, written) == (ssize_t)written) && keep;
}

static void greet(int epoll, int listener) {
  int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) return;
  int one = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct connection* connection = malloc(sizeof *connection);
  if (!connection) abort();
  connection->socket = socket;
  connection->size = 0;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
}

int main(void) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  must(listener, "socket");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  must(bind(listener, (struct sockaddr*)&address, size), "bind");
  must(listen(listener, 1024), "listen");
  must(getsockname(listener, (struct sockaddr*)&address, &size), "getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  int epoll = epoll_create1(EPOLL_CLOEXEC);
  must(epoll, "epoll_create1");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
  for (;;) {
    struct epoll_event ready[256];
    int count = epoll_wait(epoll, ready, 256, -1);
    for (int i = 0; i < count; ++i) {
      struct connection* connection = ready[i].data.ptr;
      if (!connection) {
        greet(epoll, listener);
      } else if (!serve(connection)) {
        close(connection->socket);
        free(connection);
      }
    }
  }
}
