/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trail: writes records of the type USER, audit(7) and ausearch(8), for requests that were refused or that somebody
 * without privilege made. It decides nothing: the manager, which may be compromised, says what it wants. What is
 * checked is that a text cannot look like another field, or like a record of somebody else. Owns nothing; borrows both
 * descriptors.
 */

#include "daemon/privileged/trail/trail.h"

#include <assert.h>
#include <errno.h>
#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/util.h"

static bool ends(const char *text, size_t size) {
        return memchr(text, '\0', size);
}

static bool is_valid(const TrailPacket *p) {
        return p->magic == TRAIL_MAGIC && ends(p->command, sizeof(p->command)) &&
               ends(p->executable, sizeof(p->executable)) && ends(p->unit, sizeof(p->unit)) &&
               ends(p->alias, sizeof(p->alias)) && ends(p->module, sizeof(p->module)) &&
               ends(p->rule, sizeof(p->rule)) && p->alias[0] != '\0';
}

/* libaudit writes a text with anything but printable ASCII, or with a quote, as hexadecimal digits. */
static int put(FILE *f, const char *name, const char *value) {
        char *pair;

        if (value[0] == '\0')
                return 0;
        pair = audit_encode_nv_string(name, value, 0);
        if (!pair)
                return -ENOMEM;
        (void) fprintf(f, " %s", pair);
        free(pair);
        return 0;
}

/**
 * trail_format() - the text of a record
 * @ret: owned by the caller
 *
 * The kernel writes pid=, uid= and auid= of lkmd-trail before it, libaudit exe= of lkmd-trail behind it, and
 * ausearch(8) takes several fields of one name for one. So those of the requester have names of their own.
 *
 * Return: 0; -EBADMSG for a packet that lkmd does not send; -ENOMEM.
 */
int trail_format(const TrailPacket *packet, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f;
        int r = 0;

        assert(packet && ret);

        if (!is_valid(packet))
                return -EBADMSG;
        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        (void) fputs("op=request-module", f);
        if (packet->flags & TRAIL_HAS_PROCESS)
                (void) fprintf(f, " req_pid=%u req_uid=%u", packet->pid, packet->uid);
        if (packet->flags & TRAIL_HAS_LOGIN_UID)
                (void) fprintf(f, " req_auid=%u", packet->login_uid);
        else
                (void) fputs(" req_auid=unset", f);
        if (put(f, "comm", packet->command) < 0 || put(f, "req_exe", packet->executable) < 0 ||
            put(f, "unit", packet->unit) < 0 || put(f, "alias", packet->alias) < 0 ||
            put(f, "module", packet->module) < 0 || put(f, "rule", packet->rule) < 0)
                r = -ENOMEM;
        if (fclose(f) != 0)
                r = -ENOMEM;
        if (r < 0)
                return r;
        *ret = STEAL_PTR(text);
        return 0;
}

static int write_record(int audit_fd, const TrailPacket *packet) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = trail_format(packet, &text);
        if (r < 0)
                return r;
        r = audit_log_user_message(audit_fd, AUDIT_USER, text, /* hostname= */ NULL, /* addr= */ NULL,
                                   /* tty= */ NULL, packet->flags & TRAIL_ALLOWED ? 1 : 0);
        return r > 0 ? 0 : -errno;
}

/**
 * trail_serve() - write a record for each packet, until the manager hangs up
 *
 * Return: 0; -EBADMSG for what is no packet; what the audit subsystem says.
 */
int trail_serve(int connection_fd, int audit_fd) {
        for (;;) {
                TrailPacket packet;
                ssize_t n = recv(connection_fd, &packet, sizeof(packet), MSG_TRUNC);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                if (n != sizeof(packet))
                        return -EBADMSG;
                r = write_record(audit_fd, &packet);
                if (r < 0)
                        return r;
        }
}
