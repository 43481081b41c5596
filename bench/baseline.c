// SPDX-License-Identifier: Apache-2.0
// What this machine can do at all: one thread, one epoll, a fixed answer to everything that ends in an empty line. It
// knows no limits, no bodies and no time-outs, so nothing real can be faster; figures are only comparable beside it.
// Prints its port and serves until it is killed.
#define _GNU_SOURCE  // accept4
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char kAnswer[] =
    "HTTP/1.1 200 OK\r\nServer: baseline\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\nHello from Nuclio";

enum { kMostAnswers = 64 };

static void must(int result, const char* doing) {
  if (result >= 0) return;
  perror(doing);
  exit(1);
}

// Returns 0 when the connection is over.
static int serve(int connection) {
  char request[16384], answers[kMostAnswers * sizeof kAnswer];
  ssize_t size = read(connection, request, sizeof request - 1);
  if (size <= 0) return 0;
  request[size] = 0;
  size_t written = 0;
  int count = 0;
  for (char* end = request; count < kMostAnswers && (end = strstr(end, "\r\n\r\n")); end += 4, ++count) {
    memcpy(answers + written, kAnswer, sizeof kAnswer - 1);
    written += sizeof kAnswer - 1;
  }
  return write(connection, answers, written) == (ssize_t)written;
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

  int epoll = epoll_create1(0);
  must(epoll, "epoll_create1");
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
  for (;;) {
    struct epoll_event ready[256];
    int count = epoll_wait(epoll, ready, 256, -1);
    for (int i = 0; i < count; ++i) {
      int fd = ready[i].data.fd;
      if (fd != listener) {
        if (!serve(fd)) close(fd);
        continue;
      }
      int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (connection < 0) continue;
      int one = 1;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      event = (struct epoll_event){.events = EPOLLIN, .data.fd = connection};
      must(epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event), "epoll_ctl");
    }
  }
}
