/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AuditTrail: see audit-trail.h. Owns a connection to lkmd-trail, which systemd starts for it; it is closed when there
 * has been nothing to write for a while, and the process ends with it. Never waits: what does not fit into the socket
 * is dropped and counted.
 */

#include "daemon/history/audit-trail.h"

#include <assert.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/limits.h"
#include "daemon/base/log.h"
#include "daemon/privileged/trail/trail-protocol.h"

struct AuditTrail {
        struct sockaddr_un address;
        int fd;                         /* -EBADF: not connected */
        sd_event_source *idle;          /* closes it */
        uint64_t n_dropped;             /* since the last that was sent */
        bool absent;                    /* there is no lkmd-trail here, which was said */
};

static void hang_up(AuditTrail *t) {
        closep(&t->fd);
        t->fd = -EBADF;
        (void) sd_event_source_set_enabled(t->idle, SD_EVENT_OFF);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        hang_up(userdata);
        return 0;
}

/**
 * audit_trail_new() - without a connection
 * @address: path of lkmd-trail's socket, copied
 *
 * Return: 0; -ENAMETOOLONG; -ENOMEM; what sd_event_add_time(3) says.
 */
int audit_trail_new(AuditTrail **ret, sd_event *event, const char *address) {
        _cleanup_(audit_trail_freep) AuditTrail *t = NULL;
        int r;

        assert(ret && event && address);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->fd = -EBADF;
        t->address.sun_family = AF_UNIX;
        if (strlen(address) >= sizeof(t->address.sun_path))
                return -ENAMETOOLONG;
        (void) stpcpy(t->address.sun_path, address);
        r = sd_event_add_time(event, &t->idle, CLOCK_MONOTONIC, 0, 0, on_idle, t);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(t->idle, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(t);
        return 0;
}

/* Return: NULL. */
AuditTrail *audit_trail_free(AuditTrail *t) {
        if (!t)
                return NULL;

        hang_up(t);
        sd_event_source_disable_unref(t->idle);
        free(t);
        return NULL;
}

/* Cuts off what does not fit. */
static void put(char *buffer, size_t size, const char *text) {
        (void) snprintf(buffer, size, "%s", text ?: "");
}

static void describe(TrailPacket *p, const Request *request, bool allowed, const char *module,
                     const PlanRuling *ruling) {
        const Requester *who = request->requester;

        *p = (TrailPacket) { .magic = TRAIL_MAGIC, .flags = allowed ? TRAIL_ALLOWED : 0 };
        if (who && who->has_process) {
                p->flags |= TRAIL_HAS_PROCESS;
                p->pid = (uint32_t) who->pid;
                p->uid = who->uid;
                put(p->command, sizeof(p->command), who->command);
                put(p->executable, sizeof(p->executable), who->executable);
                put(p->unit, sizeof(p->unit), who->unit);
        } else if (request->has_peer) {
                p->flags |= TRAIL_HAS_PROCESS;
                p->pid = (uint32_t) request->pid;
                p->uid = request->uid;
                put(p->command, sizeof(p->command), request->command);
                put(p->unit, sizeof(p->unit), request->unit);
        }
        if (who && who->has_login_uid) {
                p->flags |= TRAIL_HAS_LOGIN_UID;
                p->login_uid = who->login_uid;
        }
        put(p->alias, sizeof(p->alias), request->key);
        put(p->module, sizeof(p->module), module);
        if (ruling && ruling->file)
                (void) snprintf(p->rule, sizeof(p->rule), "%s:%u", ruling->file, ruling->line);
}

static int open_connection(AuditTrail *t) {
        _cleanup_(closep) int fd = -EBADF;

        if (t->fd >= 0)
                return 0;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &t->address, sizeof(t->address)) < 0)
                return -errno;
        t->fd = STEAL_FD(fd);
        return 0;
}

static int send_packet(AuditTrail *t, const TrailPacket *p) {
        int r;

        r = open_connection(t);
        if (r < 0)
                return r;
        return send(t->fd, p, sizeof(*p), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void note_failure(AuditTrail *t, int error) {
        t->n_dropped++;
        if (error == -ENOENT || error == -ECONNREFUSED) { /* a kernel without audit, or a build */
                if (!t->absent)
                        log_debug("%s: nobody listens, so that there are no audit records",
                                  t->address.sun_path);
                t->absent = true;
                t->n_dropped = 0;
        } else if (t->n_dropped == 1)
                log_warning("cannot pass requests to lkmd-trail, so that audit records are missing: %s",
                            strerror(-error));
}

/**
 * audit_trail_write() - have a record written
 * @allowed: false: it was refused
 * @module:  NULL: not known, or several
 * @ruling:  what decided; NULL: nothing that is written anywhere
 */
void audit_trail_write(AuditTrail *t, const Request *request, bool allowed, const char *module,
                       const PlanRuling *ruling) {
        TrailPacket packet;
        int r;

        assert(t && request);

        describe(&packet, request, allowed, module, ruling);
        r = send_packet(t, &packet);
        if (r == -EPIPE || r == -ECONNRESET) { /* that process has ended, systemd starts another one */
                hang_up(t);
                r = send_packet(t, &packet);
        }
        if (r < 0) {
                note_failure(t, r);
                return;
        }
        if (t->n_dropped > 0)
                log_warning("audit records are written again, %" PRIu64 " are missing", t->n_dropped);
        t->n_dropped = 0;
        t->absent = false;
        if (sd_event_source_set_time_relative(t->idle, AUDIT_TRAIL_IDLE_USEC) < 0 ||
            sd_event_source_set_enabled(t->idle, SD_EVENT_ONESHOT) < 0)
                hang_up(t);
}
