/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Request: who asked for what. Every record and every entry in the journal names it. Owns its strings; has a reference
 * count, since the plan that runs for it, the jobs and the ledger all keep it.
 */

#include "daemon/history/request.h"

#include <assert.h>
#include <fcntl.h>

#include "common/base/limits.h"
#include "common/base/text.h"

/**
 * request_new() - a request with origin and key only
 *
 * Return: 0; -ENOMEM; -E2BIG for a key longer than REQUEST_KEY_MAX.
 */
int request_new(Request **ret, RequestOrigin origin, const char *key) {
        _cleanup_(request_unrefp) Request *r = NULL;

        assert(ret && key);

        if (strlen(key) > REQUEST_KEY_MAX)
                return -E2BIG;

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->n_ref = 1;
        r->origin = origin;
        r->client_fd = -EBADF;
        r->key = strdup(key);
        if (!r->key)
                return -ENOMEM;

        *ret = STEAL_PTR(r);
        return 0;
}

/**
 * request_new_device() - a request for the driver of a device
 * @key:       modalias or the like
 * @device:    its path below /sys
 * @subsystem: NULL if it has none
 * @driver:    that is bound to it; NULL if none is
 *
 * Return: as request_new().
 */
int request_new_device(Request **ret, const char *key, const char *device, const char *subsystem,
                       const char *driver) {
        _cleanup_(request_unrefp) Request *request = NULL;
        int r;

        assert(ret && device);

        r = request_new(&request, ORIGIN_DEVICE, key);
        if (r < 0)
                return r;

        request->device = strdup(device);
        if (!request->device)
                return -ENOMEM;
        if (subsystem && !(request->subsystem = strdup(subsystem)))
                return -ENOMEM;
        if (driver && !(request->driver = strdup(driver)))
                return -ENOMEM;

        *ret = STEAL_PTR(request);
        return 0;
}

/* The PID may be that of another process by now; the name is for people only, and decides nothing. */
static char *read_command(pid_t pid) {
        _cleanup_(fclosep) FILE *f = NULL;
        char path[sizeof("/proc//comm") + 3 * sizeof(pid_t)];
        char line[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/comm", (int) pid);
        f = fopen(path, "re");
        if (!f || !fgets(line, sizeof(line), f))
                return NULL;
        line[strcspn(line, "\n")] = '\0';
        return strdup(line);
}

/**
 * request_new_client() - a request over varlink
 * @unit: systemd unit of the process; NULL if that is not known
 *
 * Return: as request_new().
 */
int request_new_client(Request **ret, const char *key, uid_t uid, pid_t pid, const char *unit) {
        _cleanup_(request_unrefp) Request *request = NULL;
        int r;

        assert(ret);

        r = request_new(&request, ORIGIN_CLIENT, key);
        if (r < 0)
                return r;

        request->has_peer = true;
        request->uid = uid;
        request->pid = pid;
        request->command = read_command(pid);
        if (unit && !(request->unit = strdup(unit)))
                return -ENOMEM;

        *ret = STEAL_PTR(request);
        return 0;
}

/**
 * request_new_kernel() - a request of the kernel's own, request_module()
 * @requester: the process in whose system call it asks, referenced; NULL: not known
 *
 * Return: as request_new().
 */
int request_new_kernel(Request **ret, const char *key, Requester *requester) {
        int r = request_new(ret, ORIGIN_KERNEL, key);

        if (r >= 0 && requester)
                (*ret)->requester = requester_ref(requester);
        return r;
}

/**
 * request_new_container() - a request that a container makes through the broker
 * @uid:       outside of all containers
 * @unit:      systemd unit of the process; NULL if that is not known
 * @container: that the process is in
 *
 * Return: as request_new().
 */
int request_new_container(Request **ret, const char *key, pid_t pid, uid_t uid, const char *unit,
                          const char *container) {
        _cleanup_(requester_unrefp) Requester *process = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;
        int r;

        assert(ret && container);

        r = requester_new(&process);
        if (r < 0)
                return r;
        process->has_process = true;
        process->pid = pid;
        process->uid = uid;
        process->command = read_command(pid);
        process->container = strdup(container);
        if (!process->container || (unit && !(process->unit = strdup(unit))))
                return -ENOMEM;
        r = request_new(&request, ORIGIN_CONTAINER, key);
        if (r < 0)
                return r;
        request->requester = STEAL_PTR(process);
        *ret = STEAL_PTR(request);
        return 0;
}

/**
 * request_new_listed() - a request of a list of the boot, modules-load.d(5)
 * @file: that has it, or KERNEL_COMMAND_LINE_FILE
 * @line: in the file; 0 for the kernel command line
 *
 * Return: as request_new().
 */
int request_new_listed(Request **ret, const char *key, const char *file, unsigned line) {
        _cleanup_(request_unrefp) Request *request = NULL;
        int r;

        assert(ret && file);

        r = request_new(&request, ORIGIN_BOOT, key);
        if (r < 0)
                return r;
        request->file = strdup(file);
        if (!request->file)
                return -ENOMEM;
        request->line = line;

        *ret = STEAL_PTR(request);
        return 0;
}

/**
 * request_keep_client() - keep a second descriptor of the client's connection, for lkmd-loader to check
 * @fd: borrowed
 *
 * Return: 0 or what dup(2) says.
 */
int request_keep_client(Request *r, int fd) {
        assert(r && r->client_fd < 0);

        r->client_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return r->client_fd < 0 ? -errno : 0;
}

/* Close that descriptor: nothing has to be proved any more, and the request may stay in the ledger for days. */
void request_drop_client(Request *r) {
        assert(r);

        closep(&r->client_fd);
        r->client_fd = -EBADF;
}

Request *request_ref(Request *r) {
        assert(r && r->n_ref > 0);

        r->n_ref++;
        return r;
}

/* Return: NULL. */
Request *request_unref(Request *r) {
        if (!r || --r->n_ref > 0)
                return NULL;

        closep(&r->client_fd);
        free(r->key);
        free(r->device);
        free(r->subsystem);
        free(r->driver);
        free(r->file);
        free(r->command);
        free(r->unit);
        requester_unref(r->requester);
        free(r);
        return NULL;
}

/**
 * request_describe_place() - where a request of a list is listed: "/etc/modules-load.d/a.conf:3"
 * @ret: owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int request_describe_place(const Request *r, char **ret) {
        _cleanup_(freep) char *file = NULL;
        int n;

        assert(r && r->file && ret);

        n = text_escape(r->file, &file);
        if (n >= 0)
                n = r->line > 0 ? asprintf(ret, "%s:%u", file, r->line) : asprintf(ret, "%s", file);
        if (n < 0)
                *ret = NULL;
        return n < 0 ? -ENOMEM : 0;
}

/**
 * request_describe_whom() - to be put behind "for": "python3 (pid 4711, uid 65534, a.service), as net-pf-38",
 *                           "/etc/modules-load.d/a.conf:3"
 * @client: what stands for a client; NULL: its key
 * @ret:    owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int request_describe_whom(const Request *r, const char *client, char **ret) {
        _cleanup_(freep) char *process = NULL;

        assert(r && ret);

        if (r->file)
                return request_describe_place(r, ret);
        if (r->origin != ORIGIN_KERNEL && r->origin != ORIGIN_CONTAINER) {
                *ret = strdup(r->device ?: client ?: r->key);
                return *ret ? 0 : -ENOMEM;
        }
        if (requester_describe(r->requester, &process) < 0 ||
            asprintf(ret, "%s, as %s", process, r->key) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

long long request_get_uid(const Request *r) {
        assert(r);

        if (r->requester)
                return r->requester->has_process ? (long long) r->requester->uid : -1;
        return r->has_peer ? (long long) r->uid : -1;
}

long long request_get_pid(const Request *r) {
        assert(r);

        if (r->requester)
                return r->requester->has_process ? (long long) r->requester->pid : -1;
        return r->has_peer ? (long long) r->pid : -1;
}

const char *request_get_command(const Request *r) {
        assert(r);

        return r->requester ? r->requester->command : r->command;
}

const char *request_get_unit(const Request *r) {
        assert(r);

        return r->requester ? r->requester->unit : r->unit;
}

PolicyRequester request_get_requester(const Request *r) {
        long long uid;

        assert(r);

        uid = request_get_uid(r);
        return (PolicyRequester) {
                .origin = r->origin,
                .key = r->key,
                .subsystem = r->subsystem,
                .driver = r->driver,
                .unit = request_get_unit(r),
                .command = r->origin != ORIGIN_CONTAINER && r->requester ? r->requester->command : NULL,
                .container = r->requester ? r->requester->container : NULL,
                .has_uid = uid >= 0,
                .uid = uid >= 0 ? (uid_t) uid : 0,
        };
}
