/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FileWatch: inotify on directories whose files were read. Owns one watch a directory. A directory that is
 * not there is watched for through the nearest one above it that is; after every change file_watch_refresh()
 * moves such watches down or up. A file being written says nothing until it is closed, so nobody is told of
 * half a file.
 */

#include "daemon/file-watch.h"

#include <assert.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "daemon/log.h"

#define DIRECTORY_MASK (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | \
                        IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

#define TRIES_MAX 8U                    /* against somebody who makes and removes directories in a loop */

typedef struct Target {
        FileWatch *watch;
        char *path;                     /* the directory */
        char *prefix, *suffix;          /* of the names that matter in it; "": any */
        char *watched;                  /* the directory itself, or the one above that stands in for it */
        sd_event_source *source;
} Target;

struct FileWatch {
        sd_event *event;
        file_watch_changed_t changed;
        void *userdata;
        Target **targets;
        size_t n_targets;
};

static Target *target_free(Target *t) {
        if (!t)
                return NULL;

        sd_event_source_disable_unref(t->source);
        free(t->path);
        free(t->prefix);
        free(t->suffix);
        free(t->watched);
        free(t);
        return NULL;
}
DEFINE_CLEANUP(Target, target_free);

int file_watch_new(FileWatch **ret, sd_event *event, file_watch_changed_t changed, void *userdata) {
        FileWatch *w;

        assert(ret && event && changed);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (FileWatch) { .event = sd_event_ref(event), .changed = changed, .userdata = userdata };

        *ret = w;
        return 0;
}

/* Return: NULL. */
FileWatch *file_watch_free(FileWatch *w) {
        if (!w)
                return NULL;

        for (size_t i = 0; i < w->n_targets; i++)
                target_free(w->targets[i]);
        free(w->targets);
        sd_event_unref(w->event);
        free(w);
        return NULL;
}

static bool name_matters(const Target *t, const char *name) {
        size_t n = strlen(name), n_suffix = strlen(t->suffix);

        return startswith(name, t->prefix) && n >= n_suffix && streq(name + n - n_suffix, t->suffix);
}

/* In a directory that only stands in, what matters is the next part of the way down. */
static bool leads_to_target(const Target *t, const char *name) {
        const char *rest = t->path + strlen(t->watched);

        rest += strspn(rest, "/");
        return strncmp(rest, name, strlen(name)) == 0 &&
               (rest[strlen(name)] == '/' || rest[strlen(name)] == '\0');
}

/*
 * A file made by open(2) says more when it is closed. One that is made by symlink(2) or link(2) says nothing
 * else, and is how a file is masked.
 */
static bool will_be_closed(const Target *t, const char *name) {
        char path[PATH_MAX];
        struct stat st;
        int n;

        n = snprintf(path, sizeof(path), "%s/%s", t->watched, name);
        if (n < 0 || (size_t) n >= sizeof(path) || lstat(path, &st) < 0)
                return false;
        return S_ISREG(st.st_mode) && st.st_nlink == 1;
}

static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Target *t = userdata;
        bool itself = streq(t->watched, t->path);

        if (event->len > 0 && !(event->mask & IN_Q_OVERFLOW)) {
                if (itself ? !name_matters(t, event->name) : !leads_to_target(t, event->name))
                        return 0;
                if ((event->mask & IN_CREATE) && will_be_closed(t, event->name))
                        return 0;
        }
        t->watch->changed(t->watch->userdata);
        return 0;
}

/*
 * Is the next part of the way from @armed to the target a directory? Then it came while the watch was being
 * put up.
 */
static bool way_goes_on(const Target *t, const char *armed) {
        _cleanup_(freep) char *next = NULL;
        const char *rest = t->path + strlen(armed);
        struct stat st;

        rest += strspn(rest, "/");
        if (*rest == '\0')
                return false;
        next = strndup(t->path, (size_t) (rest - t->path) + strcspn(rest, "/"));
        return next && stat(next, &st) >= 0 && S_ISDIR(st.st_mode);
}

/* One try to watch the target itself, or what is nearest to it. */
static int arm_nearest(Target *t, sd_event_source **ret, char path[static PATH_MAX]) {
        int r;

        (void) stpcpy(path, t->path);   /* fits: file_watch_add() saw to it */
        for (;;) {
                char *slash;

                r = sd_event_add_inotify(t->watch->event, ret, path, DIRECTORY_MASK, on_inotify, t);
                if (r != -ENOENT && r != -ENOTDIR)
                        return r;
                slash = strrchr(path, '/');
                if (!slash || streq(path, "/"))
                        return r;
                slash[slash == path ? 1 : 0] = '\0';
        }
}

static int target_arm(Target *t) {
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *source = NULL;
        char path[PATH_MAX];
        unsigned tries = 0;
        int r;

        do {
                source = sd_event_source_disable_unref(source);
                r = arm_nearest(t, &source, path);
                if (r < 0)
                        return r;
        } while (way_goes_on(t, path) && ++tries < TRIES_MAX);

        /* before the events of devices, so that a look-up never uses what a finished depmod has replaced */
        (void) sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT - 10);
        (void) sd_event_source_set_description(source, path);
        sd_event_source_disable_unref(t->source);
        t->source = STEAL_PTR(source);
        free(t->watched);
        t->watched = strdup(path);
        return t->watched ? 0 : -ENOMEM;
}

/**
 * file_watch_add() - watch a directory, there or not
 * @name_prefix, @name_suffix: names of the files that matter; "" for any
 *
 * Return: 0, -ENOMEM, or what inotify_add_watch(2) says but for a missing directory.
 */
int file_watch_add(FileWatch *w, const char *path, const char *name_prefix, const char *name_suffix) {
        _cleanup_(target_freep) Target *t = NULL;
        Target **grown;
        int r;

        assert(w && path && path[0] == '/' && name_prefix && name_suffix);

        if (strlen(path) >= PATH_MAX)
                return -ENAMETOOLONG;
        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->watch = w;
        t->path = strdup(path);
        t->prefix = strdup(name_prefix);
        t->suffix = strdup(name_suffix);
        if (!t->path || !t->prefix || !t->suffix)
                return -ENOMEM;

        grown = reallocarray(w->targets, w->n_targets + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        w->targets = grown;

        r = target_arm(t);
        if (r < 0)
                return r;
        w->targets[w->n_targets++] = STEAL_PTR(t);
        return 0;
}

/**
 * file_watch_refresh() - before the files are read again: directories may have come and gone
 *
 * Return: 0, or the last failure to watch one (the others are watched).
 */
int file_watch_refresh(FileWatch *w) {
        int result = 0;

        assert(w);

        for (size_t i = 0; i < w->n_targets; i++) {
                int r = target_arm(w->targets[i]);

                if (r < 0)
                        result = r;
        }
        return result;
}
