/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Rights: one table says who may call which method; one that is not in it may be called by nobody. The
 * kernel says who the client is (SO_PEERCRED and SO_PEERGROUPS of unix(7), as of the time when it
 * connected).
 */

#include "daemon/rights.h"

#include <assert.h>
#include <grp.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/names.h"
#include "common/util.h"
#include "daemon/log.h"

typedef enum Right {
        RIGHT_NOBODY,
        RIGHT_ANYONE,
        RIGHT_ADMIN,                    /* root and members of LKMD_ADMIN_GROUP */
} Right;

static const struct {
        const char *method;
        Right right;
} rights[] = {
        { "Load", RIGHT_ADMIN },
        { "Unload", RIGHT_ADMIN },
        { "Reload", RIGHT_ADMIN },
        { "Grant", RIGHT_ADMIN },
        { "Revoke", RIGHT_ADMIN },
        { "Audit", RIGHT_ANYONE },
        { "Status", RIGHT_ANYONE },
        { "DescribeModule", RIGHT_ANYONE },
        { "List", RIGHT_ANYONE },
        { "Monitor", RIGHT_ANYONE },
        { "Wait", RIGHT_ANYONE },
};

static Right find_right(const char *method) {
        for (size_t i = 0; i < ARRAY_LEN(rights); i++)
                if (streq(rights[i].method, method))
                        return rights[i].right;
        return RIGHT_NOBODY;
}

/* Return: 1, 0, or negative errno when it cannot be found out. */
static int peer_is_in_group(int fd, gid_t wanted) {
        _cleanup_(freep) gid_t *groups = NULL;
        socklen_t size = 64 * sizeof(gid_t);

        for (;;) {
                gid_t *grown = realloc(groups, size);

                if (!grown)
                        return -ENOMEM;
                groups = grown;
                if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) >= 0)
                        break;
                if (errno != ERANGE)    /* else the size that is needed is in size */
                        return -errno;
        }

        for (size_t i = 0; i < size / sizeof(gid_t); i++)
                if (groups[i] == wanted)
                        return 1;
        return 0;
}

static bool peer_is_admin(sd_varlink *link) {
        const struct group *group;
        uid_t uid;
        gid_t gid;
        int r;

        if (sd_varlink_get_peer_uid(link, &uid) < 0)
                return false;
        if (uid == 0)
                return true;

        group = getgrnam(LKMD_ADMIN_GROUP); /* one thread, nothing else asks */
        if (!group)
                return false;
        if (sd_varlink_get_peer_gid(link, &gid) >= 0 && gid == group->gr_gid)
                return true;

        r = peer_is_in_group(sd_varlink_get_fd(link), group->gr_gid);
        if (r < 0)
                log_warning("cannot read the groups of a client: %s", strerror(-r));
        return r > 0;
}

/**
 * rights_check() - may this client call that method?
 * @method: without the interface's name
 *
 * Return: 0: it may; otherwise what a method handler returns: the refusal was sent.
 */
int rights_check(sd_varlink *link, const char *method) {
        Right right = find_right(method);
        int r;

        assert(link && method);

        if (right == RIGHT_ANYONE || (right == RIGHT_ADMIN && peer_is_admin(link)))
                return 0;

        r = sd_varlink_error(link, SD_VARLINK_ERROR_PERMISSION_DENIED, NULL);
        return r < 0 ? r : 1;
}
