/* The floor: what the system's own calls cost, and nothing else. It upgrades whoever asks, and sends each the same 100 bytes
 * in a WebSocket frame, 20 times a second: one send() for each. Usage: floor PORT */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { MOST = 20000, PAYLOAD = 100, TICK_NS = 50000000 };
static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
static char upgraded[MOST];

static void watch(int poll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) { perror("epoll_ctl"); exit(1); }
}

int main(int count, char **words) {
  if (count != 2) return 2;
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1, port = socket(AF_INET, SOCK_STREAM, 0), clock = timerfd_create(CLOCK_MONOTONIC, 0), poll = epoll_create1(0);
  setsockopt(port, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(port, (struct sockaddr *)&here, sizeof here) || listen(port, 1024)) { perror("listen"); return 1; }
  struct itimerspec ticks = {{0, TICK_NS}, {0, TICK_NS}};
  timerfd_settime(clock, 0, &ticks, NULL);
  watch(poll, port);
  watch(poll, clock);
  unsigned char frame[2 + PAYLOAD] = {0x82, PAYLOAD};
  char read_into[4096];
  for (;;) {
    struct epoll_event events[64];
    int ready = epoll_wait(poll, events, 64, -1);
    for (int n = 0; n < ready; n++) {
      int fd = events[n].data.fd;
      if (fd == port) {
        int peer = accept4(port, NULL, NULL, SOCK_NONBLOCK);
        if (peer < 0) continue;
        if (peer >= MOST) { close(peer); continue; }
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        upgraded[peer] = 0;
        watch(poll, peer);
      } else if (fd == clock) {
        unsigned long long due;
        if (read(clock, &due, sizeof due) < 0) continue;
        frame[2]++;
        for (int peer = 0; peer < MOST; peer++)
          if (upgraded[peer] && send(peer, frame, sizeof frame, MSG_NOSIGNAL) < 0 && errno != EAGAIN) upgraded[peer] = 0;
      } else {
        ssize_t got = read(fd, read_into, sizeof read_into);
        if (got <= 0) {
          upgraded[fd] = 0;
          close(fd);
        } else if (!upgraded[fd] && got >= 4 && !memcmp(read_into + got - 4, "\r\n\r\n", 4)) {
          if (send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) > 0) upgraded[fd] = 1;
        }
      }
    }
  }
}
