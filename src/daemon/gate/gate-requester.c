/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateRequester: describes the process of an event. Who it is comes with the event, told by the kernel in that
 * process. Only the name of its control group is looked up afterwards, which says the unit and the container: in /proc
 * while the process is still the one that began then, else among the control groups, by its number. A process that has
 * only the same number is never described.
 */

#include "daemon/gate/gate-requester.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "common/base/control-group.h"
#include "common/base/read-file.h"
#include "common/base/util.h"

#define NSEC_PER_SEC 1000000000ULL
#define PROC_FILE_MAX (16U << 10)
#define CGROUP_DIR "/sys/fs/cgroup"
#define CGROUPS_MAX 1024U               /* that are looked at, at most .. */
#define CGROUP_DEPTH_MAX 8U             /* .. and so deep */

/* --------------------------------------------------------------------------------------- control groups */

static int read_proc(const char *root, uint32_t pid, const char *name, char **ret) {
        char path[64];
        _cleanup_(freep) char *full = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size;

        (void) snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
        if (asprintf(&full, "%s%s", root, path) < 0) {
                full = NULL;
                return -ENOMEM;
        }
        fd = open(full, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : read_file(fd, PROC_FILE_MAX, ret, &size);
}

/* Did the process with this number begin when that of the event did? Field 22 of proc_pid_stat(5), in ticks. */
static bool is_the_same(const char *root, const GateEvent *event) {
        uint64_t ticks_per_sec = (uint64_t) sysconf(_SC_CLK_TCK), ticks;
        _cleanup_(freep) char *text = NULL;
        const char *p;

        if (read_proc(root, event->tgid, "stat", &text) < 0)
                return false;
        p = strrchr(text, ')');         /* the name before it may have anything in it */
        for (unsigned field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        if (!p)
                return false;
        ticks = strtoull(p, NULL, 10);
        return ticks == event->start_nsec / (NSEC_PER_SEC / ticks_per_sec);
}

/* Return: 0 with the path of the process's control group, as the caller's to free; -ESRCH. */
static int cgroup_of_process(const char *root, const GateEvent *event, char **ret) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line;

        if (read_proc(root, event->tgid, "cgroup", &text) < 0 || !is_the_same(root, event))
                return -ESRCH;
        for (rest = text; (line = strsep(&rest, "\n"));)
                if (startswith(line, "0::/")) {
                        *ret = strdup(line + strlen("0::"));
                        return *ret ? 0 : -ENOMEM;
                }
        return -ESRCH;
}

/* Looks for a directory by its inode, which has the number of the group. Return: 1: *path is it; 0; -ENOMEM. */
static int find_cgroup(char **path, size_t prefix, uint64_t id, unsigned depth, size_t *left) {
        _cleanup_(closedirp) DIR *dir = opendir(*path);
        size_t n = strlen(*path);

        for (const struct dirent *entry; dir && (entry = readdir(dir)) && *left > 0;) {
                char *longer;
                int r;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                (*left)--;
                longer = realloc(*path, n + strlen(entry->d_name) + 2);
                if (!longer)
                        return -ENOMEM;
                *path = longer;
                (void) stpcpy(stpcpy(longer + n, "/"), entry->d_name);
                r = entry->d_ino == id ? 1 : depth > 1 ? find_cgroup(path, prefix, id, depth - 1, left) : 0;
                if (r != 0)
                        return r;
                (*path)[n] = '\0';
        }
        return 0;
}

static int cgroup_of_number(const char *root, uint64_t id, char **ret) {
        _cleanup_(freep) char *path = NULL;
        size_t left = CGROUPS_MAX, prefix;
        int r;

        if (asprintf(&path, "%s" CGROUP_DIR, root) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        prefix = strlen(path);
        r = find_cgroup(&path, prefix, id, CGROUP_DEPTH_MAX, &left);
        if (r <= 0)
                return r < 0 ? r : -ESRCH;
        *ret = strdup(path + prefix);
        return *ret ? 0 : -ENOMEM;
}

/* --------------------------------------------------------------------------------------------- the object */

/* @text: of @size bytes, with NUL or without. NULL for "". */
static int copy_text(const char *text, size_t size, char **ret) {
        if (text[0] == '\0')
                return 0;
        *ret = strndup(text, size);
        return *ret ? 0 : -ENOMEM;
}

static int copy_executable(const GateEvent *event, char **ret) {
        size_t start = 0;

        while (start < sizeof(event->executable) && event->executable[start] == '\0')
                start++;
        if (start == sizeof(event->executable))
                return 0;
        return copy_text(event->executable + start, sizeof(event->executable) - start, ret);
}

/**
 * gate_requester_new() - describe the process of an event
 * @root: prefix of /proc and /sys, for tests; ""
 *
 * Return: 0; -ENOMEM.
 */
int gate_requester_new(Requester **ret, const GateEvent *event, const char *root) {
        _cleanup_(requester_unrefp) Requester *r = NULL;
        _cleanup_(freep) char *cgroup = NULL;
        int q;

        assert(ret && event && root);

        q = requester_new(&r);
        if (q < 0)
                return q;
        r->has_process = true;
        r->pid = (pid_t) event->tgid;
        r->uid = event->uid;
        r->has_login_uid = event->login_uid != UINT32_MAX;
        r->login_uid = event->login_uid;
        q = copy_text(event->command, sizeof(event->command), &r->command);
        if (q >= 0)
                q = copy_executable(event, &r->executable);
        if (q < 0)
                return q;

        q = cgroup_of_process(root, event, &cgroup);
        if (q == -ESRCH)
                q = cgroup_of_number(root, event->cgroup_id, &cgroup);
        if (q >= 0)
                q = control_group_unit(cgroup, &r->unit);
        if (q >= 0)
                q = control_group_container(cgroup, &r->container);
        if (q < 0 && q != -ESRCH)
                return q;
        *ret = STEAL_PTR(r);
        return 0;
}
