/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IndexSaver: see index-saver.h. Owns the process that writes, a reference to the index that it has to
 * write, and the timer of the next attempt.
 *
 * A write to a disk may take as long as the disk likes, and in slices each of them may; so another process
 * writes. It is a fork, which has the index already, and nothing else: it closes all descriptors first, so
 * that no connection of a client stays open for its sake. Nobody waits for it; systemd ends it together with
 * lkmd.
 *
 * At boot the directory may not be there yet, or not be writable: there are a few more attempts, at longer
 * and longer intervals.
 */

#include "daemon/config/index-saver.h"

#include <assert.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "daemon/base/log.h"
#include "daemon/config/image-file.h"

#define AGAIN_USEC (4U * 1000U * 1000U) /* to the second attempt; then four times as long each */
#define ATTEMPTS_MAX 5U

struct IndexSaver {
        sd_event *event;
        char *dir, *module_root;
        index_saved_t saved;
        void *userdata;
        const Index *index;             /* to be written; NULL: nothing to do */
        bool changed;                   /* since the process began */
        unsigned n_attempts;            /* to write this one */
        sd_event_source *timer;         /* NULL: there was none so far */
        sd_event_source *ended;         /* of the process; NULL: none */
        int pid_fd;
        pid_t pid;
};

/* In the other process. Return: 0; negative errno. */
static int write_image(const IndexSaver *s) {
        _cleanup_(freep) void *image = NULL;
        size_t size;
        int r;

        r = index_compose_image(s->index, &image, &size);
        if (r >= 0)
                r = image_file_write(s->dir, index_get_release(s->index), image, size);
        if (r >= 0)
                (void) image_file_tidy(s->dir, index_get_release(s->index), s->module_root);
        return r;
}

static _Noreturn void run_child(const IndexSaver *s) {
        sigset_t none;

        if (close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
                _exit(errno);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL); /* SIGTERM ends it */
        _exit(-write_image(s));
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata);
static int on_ended(sd_event_source *source, int fd, uint32_t events, void *userdata);

static void try_again(IndexSaver *s, int error) {
        uint64_t usec = AGAIN_USEC << 2 * (s->n_attempts - 1);
        int r;

        log_debug("%s: the image of the index cannot be written: %s", s->dir, strerror(error));
        if (error == EAGAIN || s->n_attempts == ATTEMPTS_MAX) {
                s->index = index_unref(s->index);
                return;
        }
        if (s->timer)
                r = sd_event_source_set_time_relative(s->timer, usec);
        else
                r = sd_event_add_time_relative(s->event, &s->timer, CLOCK_MONOTONIC, usec, 0, on_time, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                s->index = index_unref(s->index);
}

static void forget_child(IndexSaver *s) {
        s->ended = sd_event_source_disable_unref(s->ended);
        closep(&s->pid_fd);
        s->pid_fd = -EBADF;
        s->pid = 0;
}

static int start(IndexSaver *s) {
        int r;

        s->n_attempts++;
        s->pid = fork();
        if (s->pid < 0)
                return -errno;
        if (s->pid == 0)
                run_child(s);
        s->pid_fd = pidfd_open(s->pid, 0);
        r = s->pid_fd < 0 ? -errno : sd_event_add_io(s->event, &s->ended, s->pid_fd, EPOLLIN, on_ended, s);
        if (r < 0) {
                (void) kill(s->pid, SIGKILL);
                (void) waitpid(s->pid, NULL, 0);
                forget_child(s);
        }
        return r;
}

static void begin(IndexSaver *s) {
        int r = start(s);

        if (r < 0)
                try_again(s, -r);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        IndexSaver *s = userdata;

        if (s->index && !s->ended)
                begin(s);
        return 0;
}

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        IndexSaver *s = userdata;
        siginfo_t info = {};

        if (waitid(P_PIDFD, (id_t) s->pid_fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                return 0;
        forget_child(s);
        if (s->changed) {
                s->changed = false;
                begin(s);
        } else if (info.si_code == CLD_EXITED && info.si_status == 0) {
                s->index = index_unref(s->index);
                s->saved(s->userdata);
        } else
                try_again(s, info.si_code == CLD_EXITED ? info.si_status : EINTR);
        return 0;
}

/**
 * index_saver_new() - nothing is written yet
 * @dir:         of the images
 * @module_root: with a directory for each kernel; the images of others are removed
 * @saved:       called when an image was written
 *
 * Return: 0; -ENOMEM.
 */
int index_saver_new(IndexSaver **ret, sd_event *event, const char *dir, const char *module_root,
                    index_saved_t saved, void *userdata) {
        _cleanup_(index_saver_freep) IndexSaver *s = NULL;

        assert(ret && event && dir && module_root && saved);

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->pid_fd = -EBADF;
        s->event = event;
        s->saved = saved;
        s->userdata = userdata;
        s->dir = strdup(dir);
        s->module_root = strdup(module_root);
        if (!s->dir || !s->module_root)
                return -ENOMEM;

        *ret = STEAL_PTR(s);
        return 0;
}

/* A process that still writes is left to itself. Return: NULL. */
IndexSaver *index_saver_free(IndexSaver *s) {
        if (!s)
                return NULL;

        forget_child(s);
        sd_event_source_disable_unref(s->timer);
        index_unref(s->index);
        free(s->dir);
        free(s->module_root);
        free(s);
        return NULL;
}

/**
 * index_saver_save() - write the image of an index, in place of one that is not written yet
 *
 * Whether that works is nobody's concern: without an image, lkmd reads depmod's files.
 */
void index_saver_save(IndexSaver *s, const Index *index) {
        assert(s && index);

        index_unref(s->index);
        s->index = index_ref(index);
        s->n_attempts = 0;
        if (s->ended)
                s->changed = true;
        else
                begin(s);
}
