/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The listening socket of Clients: some connections are accepted in each turn. When file descriptors or memory run
 * out, accepting pauses for a moment.
 */

#include <assert.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/loop-order.h"
#include "daemon/clients/clients-internal.h"
#include "daemon/clients/clients.h"

#define ACCEPTS_AT_ONCE 64U
#define ACCEPT_PAUSE_USEC (100U * 1000U)
#define TELL_AGAIN_USEC (10U * 60U * 1000U * 1000U)

/* File descriptors or memory ran out: try again a little later rather than at every turn. */
static void pause_accepting(Clients *p, int error) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);

        if (p->pause_reported_usec == 0 || now - p->pause_reported_usec >= TELL_AGAIN_USEC) {
                log_warning("clients have to wait: %s", strerror(-error));
                p->pause_reported_usec = now;
        }
        p->acceptable = false;
        if (sd_event_source_set_time_relative(p->pause_source, ACCEPT_PAUSE_USEC) >= 0)
                (void) sd_event_source_set_enabled(p->pause_source, SD_EVENT_ONESHOT);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Clients *p = userdata;

        (void) sd_event_source_set_enabled(p->listen_source, SD_EVENT_ON);
        return 0;
}

static int on_listen(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Clients *p = userdata;

        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF); /* until these are taken in */
        p->acceptable = true;
        clients_arm_turn(p);
        return 0;
}

/* Did the peer hang up without sending anything? Such connections must not take a place and a turn. */
static bool has_gone(int fd) {
        char byte;

        return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void clients_accept_some(Clients *p) {
        for (unsigned i = 0; p->acceptable && i < ACCEPTS_AT_ONCE; i++) {
                int fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), r;
                Peer peer;

                if (fd < 0 && errno == EAGAIN) {
                        p->acceptable = false;
                        (void) sd_event_source_set_enabled(p->listen_source, SD_EVENT_ON);
                        return;
                }
                if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
                        continue;
                if (fd < 0) {
                        pause_accepting(p, -errno);
                        return;
                }
                r = has_gone(fd) ? -ENOTCONN : peer_read(&peer, fd, &p->admins);
                if (r >= 0 && p->is_broker)
                        r = clients_find_container(p, &peer);
                if (r >= 0)
                        (void) clients_admit(p, fd, &peer);
                else
                        (void) close(fd);
        }
}

/**
 * clients_listen() - open a listening socket
 * @mode: of its file
 *
 * Return: the socket, owned by the caller; negative errno.
 */
int clients_listen(const char *address, mode_t mode) {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -EBADF;
        mode_t before;
        int r;

        assert(address);

        if (strlen(address) >= sizeof(name.sun_path))
                return -ENAMETOOLONG;
        (void) stpcpy(name.sun_path, address);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) unlink(address);         /* of one that is gone */
        before = umask(~mode & 0777);
        r = bind(fd, (const struct sockaddr *) &name, sizeof(name)) < 0 ? -errno : 0;
        (void) umask(before);
        if (r < 0)
                return r;
        if (listen(fd, SOMAXCONN) < 0)
                return -errno;
        return STEAL_FD(fd);
}

int clients_open_listening(Clients *p) {
        int flags, r;

        flags = fcntl(p->listen_fd, F_GETFL);
        if (flags < 0 || fcntl(p->listen_fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        if (fcntl(p->listen_fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        r = sd_event_add_io(p->event, &p->listen_source, p->listen_fd, EPOLLIN, on_listen, p);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(p->listen_source, "listen");
        r = sd_event_source_set_priority(p->listen_source, LOOP_CONNECTIONS);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(p->event, &p->pause_source, CLOCK_MONOTONIC, 0, 0, on_pause_over, p);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(p->pause_source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        return sd_event_source_set_priority(p->pause_source, LOOP_CONNECTIONS);
}
