/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Peer: who connected, by SO_PEERCRED and SO_PEERGROUPS of unix(7). Read once, when the connection is accepted, so
 * that everything that depends on it (places, rights, records) uses the same answer. Owns the name of a container.
 *
 * The ID of the admin group is cached, since each connection needs it and anybody may make many connections. It is
 * looked up again when /etc/group has changed, and once a minute in case the group is defined elsewhere.
 */

#include "daemon/clients/peer.h"

#include <assert.h>
#include <grp.h>
#include <sys/stat.h>
#include <systemd/sd-login.h>

#include "common/base/clock.h"
#include "common/base/control-group.h"
#include "common/base/paths.h"
#include "common/base/util.h"
#include "daemon/base/log.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77                 /* Linux 6.5 */
#endif

#define GROUP_FILE "/etc/group"
#define ASK_AGAIN_USEC (60U * 1000U * 1000U)

static void admin_group_refresh(AdminGroup *g) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        const struct group *group;
        struct stat st = {};

        (void) stat(GROUP_FILE, &st);
        if (g->asked_usec > 0 && now - g->asked_usec < ASK_AGAIN_USEC && st.st_mtim.tv_sec == g->file_sec &&
            st.st_mtim.tv_nsec == g->file_nsec && st.st_ino == g->file_inode)
                return;

        group = getgrnam(LKMD_ADMIN_GROUP); /* not thread-safe; there is one thread */
        *g = (AdminGroup) {
                .exists = group != NULL,
                .gid = group ? group->gr_gid : 0,
                .asked_usec = now,
                .file_sec = st.st_mtim.tv_sec,
                .file_nsec = st.st_mtim.tv_nsec,
                .file_inode = st.st_ino,
        };
}

/* Return: 1 or 0, or what getsockopt(2) says. */
static int is_in_group(int fd, gid_t wanted) {
        _cleanup_(freep) gid_t *groups = NULL;
        socklen_t size = 64 * sizeof(gid_t);

        for (;;) {
                gid_t *grown = realloc(groups, size);

                if (!grown)
                        return -ENOMEM;
                groups = grown;
                if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) >= 0)
                        break;
                if (errno != ERANGE)    /* else size is the size needed */
                        return -errno;
        }

        for (size_t i = 0; i < size / sizeof(gid_t); i++)
                if (groups[i] == wanted)
                        return 1;
        return 0;
}

/**
 * peer_set() - a peer whose credentials are known already
 * @fd:    borrowed as long as the peer is used
 * @ucred: its supplementary groups count for nothing
 */
void peer_set(Peer *ret, int fd, const struct ucred *ucred, AdminGroup *group) {
        assert(ret && ucred && group);

        *ret = (Peer) { .uid = ucred->uid, .gid = ucred->gid, .pid = ucred->pid, .fd = fd, .admin = ucred->uid == 0 };
        if (ret->admin)
                return;
        admin_group_refresh(group);
        ret->admin = group->exists && ucred->gid == group->gid;
}

/**
 * peer_read() - the peer of a connection, as the kernel knows it
 * @fd: a connected socket, borrowed as long as the peer is used
 *
 * Return: 0 or what getsockopt(2) says. A peer whose groups cannot be read is no admin.
 */
int peer_read(Peer *ret, int fd, AdminGroup *group) {
        struct ucred ucred;
        socklen_t size = sizeof(ucred);
        int r;

        assert(ret && group);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) < 0)
                return -errno;
        peer_set(ret, fd, &ucred, group);
        if (ret->admin || !group->exists)
                return 0;
        r = is_in_group(fd, group->gid);
        if (r < 0)
                log_warning("cannot read the groups of a client: %s", strerror(-r));
        ret->admin = r > 0;
        return 0;
}

/**
 * peer_read_container() - who it is as a client of the broker
 *
 * By its pidfd: a PID may have been reused, by a process of another container. So there is no answer on a kernel
 * without SO_PEERPIDFD, before Linux 6.5, nor when the process has ended. A container that a user has made does not
 * count, since that user has named it.
 *
 * Return: 0 or -ENOMEM.
 */
int peer_read_container(Peer *peer) {
        _cleanup_(closep) int pidfd = -EBADF;
        _cleanup_(freep) char *path = NULL, *container = NULL;
        socklen_t size = sizeof(pidfd);
        int r;

        assert(peer);

        peer->by_broker = true;
        peer->admin = false;
        if (peer->fd < 0 || getsockopt(peer->fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0) {
                pidfd = -EBADF;
                return 0;
        }
        r = sd_pidfd_get_cgroup(pidfd, &path);
        if (r >= 0)
                r = control_group_container(path, &container);
        if (r == -ENOMEM)
                return r;
        if (container && !control_group_is_users(container))
                peer->container = STEAL_PTR(container);
        return 0;
}

void peer_clear(Peer *peer) {
        assert(peer);

        free(peer->container);
        peer->container = NULL;
}

/*
 * The systemd unit of the process. By its pidfd where the kernel supports that, since a PID may have been reused.
 * Return: owned by the caller; NULL: not known.
 */
char *peer_get_unit(const Peer *peer) {
        _cleanup_(closep) int pidfd = -EBADF;
        socklen_t size = sizeof(pidfd);
        char *unit = NULL;
        int r;

        assert(peer);

        if (peer->fd < 0)
                return NULL;
        if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) >= 0)
                r = sd_pidfd_get_unit(pidfd, &unit);
        else {
                pidfd = -EBADF;
                r = sd_peer_get_unit(peer->fd, &unit);
        }
        return r < 0 ? NULL : unit;
}
