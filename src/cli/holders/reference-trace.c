/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ReferenceTrace: see reference-trace.h. An instance of tracefs of its own disturbs nobody who traces as well, and is
 * removed in the end, also after a signal. BPF would tell the same facts, and would bring libbpf and what that needs
 * into lkmctl, whose start-up time most verbs consist of.
 */

#include "cli/holders/reference-trace.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/machine/proc-file.h"
#include "common/base/array.h"

#define COMMAND_WIDTH 16                /* trace_print_context() in kernel/trace/trace_output.c: "%16s-%-7d " */

static const char *const events[] = { "module_get", "module_put" };

/* ------------------------------------------------------------------------------------------------------- parse */

static int add(ReferenceTrace *t, pid_t pid, const char *command, const char *site, bool get) {
        TraceCaller *c;

        for (size_t i = 0; i < t->n_callers; i++) {
                c = t->callers + i;
                if (c->pid == pid && streq(c->site, site) && streq(c->command, command)) {
                        *(get ? &c->gets : &c->puts) += 1;
                        return 0;
                }
        }
        if (array_grow(&t->callers, t->n_callers, sizeof(*t->callers)) < 0)
                return -ENOMEM;
        c = t->callers + t->n_callers;
        *c = (TraceCaller) { .pid = pid, .gets = get, .puts = !get };
        (void) snprintf(c->command, sizeof(c->command), "%s", command);
        c->site = strdup(site);
        if (!c->site)
                return -ENOMEM;
        t->n_callers++;
        return 0;
}

/* The last ": EVENT: " of a line; the name of the process comes before it, and may have anything in it. */
static char *find_event(char *line, bool *ret_get) {
        char *found = NULL;

        for (unsigned i = 0; i < ARRAY_LEN(events); i++) {
                char key[32];

                (void) snprintf(key, sizeof(key), ": %s: ", events[i]);
                for (char *p = line; (p = strstr(p, key)); p++)
                        if (!found || p + strlen(key) > found) {
                                found = p + strlen(key);
                                *ret_get = i == 0;
                        }
        }
        return found;
}

/* "             cat-570     [000] .....   127.920887: module_get: loop call_site=bdev_open refcnt=5" */
static int take_line(ReferenceTrace *t, char *line, const char *module) {
        char command[COMMAND_WIDTH + 1], *event, *words[3];
        bool get = false;
        long pid;

        event = find_event(line, &get);
        if (!event || strlen(line) < COMMAND_WIDTH + 2 || line[COMMAND_WIDTH] != '-')
                return 0;
        if (proc_line_split(event, words, 3) < 2 || !streq(words[0], module) ||
            !startswith(words[1], "call_site="))
                return 0;
        pid = strtol(line + COMMAND_WIDTH + 1, NULL, 10);
        (void) snprintf(command, sizeof(command), "%.*s", COMMAND_WIDTH, line);
        return add(t, (pid_t) pid, command + strspn(command, " "), words[1] + strlen("call_site="), get);
}

static int compare(const void *a, const void *b) {
        const TraceCaller *x = a, *y = b;
        uint64_t n = x->gets + x->puts, k = y->gets + y->puts;

        if (n != k)
                return n > k ? -1 : 1;
        return x->pid != y->pid ? (x->pid < y->pid ? -1 : 1) : strcmp(x->site, y->site);
}

/**
 * reference_trace_parse() - read the file "trace" of tracefs
 * @text: is changed
 * @ret:  the caller clears it, also after a failure
 *
 * Return: 0; -ENOMEM.
 */
int reference_trace_parse(char *text, const char *module, ReferenceTrace *ret) {
        char *rest, *line;
        int r = 0;

        assert(module && ret);

        *ret = (ReferenceTrace) {};
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));) {
                unsigned long long kept, written;

                if (sscanf(line, "# entries-in-buffer/entries-written: %llu/%llu", &kept, &written) == 2)
                        ret->incomplete = kept < written;
                else
                        r = take_line(ret, line, module);
        }
        if (ret->n_callers > 0)
                qsort(ret->callers, ret->n_callers, sizeof(*ret->callers), compare);
        return r;
}

void reference_trace_clear(ReferenceTrace *t) {
        assert(t);

        for (size_t i = 0; i < t->n_callers; i++)
                free(t->callers[i].site);
        free(t->callers);
        *t = (ReferenceTrace) {};
}

/* --------------------------------------------------------------------------------------------------------- run */

static int write_file(const char *directory, const char *name, const char *text) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];

        if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int) sizeof(path))
                return -ENAMETOOLONG;
        fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                return -errno;
        return 0;
}

static int arm(const char *instance, const char *module) {
        char filter[128], name[64];

        (void) snprintf(filter, sizeof(filter), "name == \"%.64s\"", module);
        for (unsigned i = 0; i < ARRAY_LEN(events); i++) {
                int r;

                (void) snprintf(name, sizeof(name), "events/module/%s/filter", events[i]);
                r = write_file(instance, name, filter);
                (void) snprintf(name, sizeof(name), "events/module/%s/enable", events[i]);
                if (r >= 0)
                        r = write_file(instance, name, "1");
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Until the time is over, or a signal asks for the end, which is blocked meanwhile. */
static void wait_until(uint64_t usec, const sigset_t *ends) {
        struct timespec now, end, left;

        (void) clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += (time_t) (usec / 1000000);
        end.tv_nsec += (long) (usec % 1000000 * 1000);
        for (;;) {
                (void) clock_gettime(CLOCK_MONOTONIC, &now);
                left.tv_sec = end.tv_sec - now.tv_sec;
                left.tv_nsec = end.tv_nsec - now.tv_nsec;
                for (; left.tv_nsec < 0; left.tv_nsec += 1000000000L)
                        left.tv_sec--;
                for (; left.tv_nsec >= 1000000000L; left.tv_nsec -= 1000000000L)
                        left.tv_sec++;
                if (left.tv_sec < 0 || sigtimedwait(ends, NULL, &left) >= 0 || errno != EINTR)
                        return;
        }
}

static int trace_with(const char *instance, const char *module, uint64_t usec, const sigset_t *ends,
                      ReferenceTrace *ret, TraceStep *ret_step) {
        _cleanup_(freep) char *text = NULL;
        int r;

        *ret_step = TRACE_ARMS;
        r = arm(instance, module);
        if (r < 0)
                return r;
        wait_until(usec, ends);
        *ret_step = TRACE_READS;
        for (unsigned i = 0; i < ARRAY_LEN(events); i++) {
                char name[64];

                (void) snprintf(name, sizeof(name), "events/module/%s/enable", events[i]);
                (void) write_file(instance, name, "0");
        }
        r = proc_file_new(&text, "%s/trace", instance);
        return r < 0 ? r : reference_trace_parse(text, module, ret);
}

/**
 * reference_trace_run() - look for a time who takes and drops references of a module
 * @tracefs:  where that is mounted
 * @usec:     from now; SIGINT, SIGTERM and SIGHUP end it early, with what was seen so far
 * @ret:      the caller clears it, also after a failure
 * @ret_step: what failed
 *
 * Return: 0; negative errno.
 */
int reference_trace_run(const char *tracefs, const char *module, uint64_t usec, ReferenceTrace *ret,
                        TraceStep *ret_step) {
        sigset_t ends, before;
        char instance[PATH_MAX];
        int r;

        assert(tracefs && module && ret && ret_step);

        *ret = (ReferenceTrace) {};
        *ret_step = TRACE_BEGINS;
        if (snprintf(instance, sizeof(instance), "%s/instances/lkmd-%d", tracefs, getpid()) >=
            (int) sizeof(instance))
                return -ENAMETOOLONG;
        (void) sigemptyset(&ends);
        (void) sigaddset(&ends, SIGINT);
        (void) sigaddset(&ends, SIGTERM);
        (void) sigaddset(&ends, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &ends, &before) < 0)
                return -errno;
        r = mkdir(instance, 0700) < 0 ? -errno : 0;
        if (r >= 0) {
                r = trace_with(instance, module, usec, &ends, ret, ret_step);
                if (rmdir(instance) < 0 && r >= 0)
                        r = -errno;
        }
        (void) sigtimedwait(&ends, NULL, &(struct timespec) {}); /* one more that came meanwhile */
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        return r;
}
