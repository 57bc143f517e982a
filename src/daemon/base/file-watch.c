/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FileWatch: inotify on everything that decides what is read from directories of files: the directory itself, each
 * directory and each link on the path to it, and the same for each of its files that is a link. A path that does not
 * exist yet is watched as far as it exists, and file_watch_refresh() moves the watches when paths have changed. A file
 * that is being written is reported when it is closed, so nobody reads half a file.
 *
 * What lkmd may not watch, since only root may read it, FileAccess has watched by its helper: with one inotify
 * descriptor for all of it, so that each event of it counts. It is made anew with each walk that needs it.
 *
 * Mounts, which inotify does not report, come from /proc/self/mountinfo. Where something cannot be watched, because
 * there are no inotify watches left or the helper may not read a directory either, the paths and the files are
 * compared with what they were: every two seconds, and before a decision. That is reported as a problem, and watching
 * is retried from time to time.
 *
 * Owns the targets, a spot for each directory or file with a watch on it, and a digest of everything that was seen
 * when the watches were set.
 */

#include "daemon/base/file-watch.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/file-access.h"
#include "common/base/hash.h"
#include "common/base/limits.h"
#include "common/base/path-trace.h"
#include "daemon/base/log.h"
#include "daemon/base/loop-order.h"

#define FILE_MASK (IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
#define DIRECTORY_MASK (FILE_MASK | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)

#define TRIES_MAX 8U                    /* against somebody who makes and removes directories in a loop */
#define NAMES_MAX 64U                   /* of one directory; if more matter, all do */
#define LOOK_USEC (2U * 1000U * 1000U)  /* between comparisons of what cannot be watched */
#define LOOK_AGAIN_USEC (LOOK_USEC / 10U) /* at least, between those before decisions */
#define LOOKS_MAX 32U                   /* at most, until watching is retried */

typedef struct Target {
        char *path;                     /* the directory */
        char *prefix, *suffix;          /* of the names that matter in it; "": any */
} Target;

typedef struct Spot {
        FileWatch *watch;
        char *path;                     /* without links */
        dev_t device;
        ino_t inode;
        bool seen;                      /* in the walk under way */
        bool any;                       /* all names matter */
        char **names;                   /* of path components in it that were followed */
        size_t n_names;
        const Target **targets;         /* that have this directory */
        size_t n_targets;
        sd_event_source *source;        /* NULL: it cannot be watched */
        bool gone;                      /* its inode was removed, and the number may have been reused */
} Spot;

struct FileWatch {
        sd_event *event;
        file_watch_changed_t changed;
        void *userdata;
        Target **targets;
        size_t n_targets;
        Spot **spots;
        size_t n_spots;
        uint64_t digest;                /* of what was seen in the last walk */
        bool mounts_changed;            /* since the last walk */
        int mounts_fd;
        sd_event_source *mounts_source, *timer;
        sd_event_source *anchor;        /* NULL: there is none, and it takes a bit longer */
        ProblemList problems;           /* of what cannot be watched */
        size_t n_unwatched;
        int unwatched_error;            /* of the first */
        char *unwatched_path;
        int hidden_fd;                  /* inotify for what lkmd may not watch; -EBADF: there is nothing */
        sd_event_source *hidden_source;
        uint64_t looked_usec;           /* CLOCK_MONOTONIC */
        unsigned n_looks, looks_until_retry;
};

typedef struct Walk {
        FileWatch *watch;
        bool arm;                       /* set watches; else only make the digest */
        bool moved;                     /* a watch was set, or something vanished meanwhile */
        bool hidden;                    /* lkmd may not read some directory of the path under way */
        uint64_t digest;
        size_t n_links;                 /* of the target's files */
        const Target *target;
} Walk;

/* ---------------------------------------------------------------------------------------------------- digest */

static uint64_t mix_number(uint64_t digest, uint64_t n) {
        return hash_bytes(digest, &n, sizeof(n));
}

static uint64_t mix_identity(uint64_t digest, const struct stat *st) {
        return mix_number(mix_number(mix_number(digest, st->st_dev), st->st_ino), st->st_mode);
}

/* A file, with everything that changes when its content does. */
static uint64_t mix_file(uint64_t digest, const struct stat *st) {
        digest = mix_number(mix_identity(digest, st), (uint64_t) st->st_size);
        digest = mix_number(mix_number(digest, (uint64_t) st->st_mtim.tv_sec), (uint64_t) st->st_mtim.tv_nsec);
        return mix_number(mix_number(digest, (uint64_t) st->st_ctim.tv_sec), (uint64_t) st->st_ctim.tv_nsec);
}

/* --------------------------------------------------------------------------------------------------- targets */

static Target *target_free(Target *t) {
        if (!t)
                return NULL;

        free(t->path);
        free(t->prefix);
        free(t->suffix);
        free(t);
        return NULL;
}
DEFINE_CLEANUP(Target, target_free);

static bool name_matters(const Target *t, const char *name) {
        return startswith(name, t->prefix) && endswith(name, t->suffix);
}

/**
 * file_watch_add() - watch a directory, which need not exist, from the next file_watch_refresh() on
 * @name_prefix, @name_suffix: names of the files that matter; "" for any
 *
 * Return: 0; -ENOMEM; -ENAMETOOLONG.
 */
int file_watch_add(FileWatch *w, const char *path, const char *name_prefix, const char *name_suffix) {
        _cleanup_(target_freep) Target *t = NULL;
        Target **grown;

        assert(w && path && path[0] == '/' && name_prefix && name_suffix);

        if (strlen(path) >= PATH_MAX)
                return -ENAMETOOLONG;
        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->path = strdup(path);
        t->prefix = strdup(name_prefix);
        t->suffix = strdup(name_suffix);
        if (!t->path || !t->prefix || !t->suffix)
                return -ENOMEM;

        grown = reallocarray(w->targets, w->n_targets + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        w->targets = grown;
        w->targets[w->n_targets++] = STEAL_PTR(t);
        return 0;
}

/* ----------------------------------------------------------------------------------------------------- spots */

static void spot_forget(Spot *s) {
        for (size_t i = 0; i < s->n_names; i++)
                free(s->names[i]);
        free(s->names);
        free(s->targets);
        s->names = NULL;
        s->targets = NULL;
        s->n_names = s->n_targets = 0;
        s->any = s->seen = false;
}

static Spot *spot_free(Spot *s) {
        if (!s)
                return NULL;

        sd_event_source_disable_unref(s->source);
        spot_forget(s);
        free(s->path);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Spot, spot_free);

/*
 * A file that open(2) made causes another event when it is closed. One made by symlink(2) or link(2) does not; that is
 * how a file is masked.
 */
static bool will_be_closed(const Spot *s, const char *name) {
        char path[PATH_MAX];
        struct stat st;
        int n;

        n = snprintf(path, sizeof(path), "%s/%s", s->path, name);
        if (n < 0 || (size_t) n >= sizeof(path) || lstat(path, &st) < 0)
                return false;
        return S_ISREG(st.st_mode) && st.st_nlink == 1;
}

static bool spot_minds(const Spot *s, const char *name) {
        if (s->any)
                return true;
        for (size_t i = 0; i < s->n_names; i++)
                if (streq(s->names[i], name))
                        return true;
        for (size_t i = 0; i < s->n_targets; i++)
                if (name_matters(s->targets[i], name))
                        return true;
        return false;
}

static int on_inotify(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Spot *s = userdata;

        if (event->mask & (IN_DELETE_SELF | IN_IGNORED | IN_UNMOUNT))
                s->gone = true;
        if (event->len > 0 && !(event->mask & IN_Q_OVERFLOW)) {
                if (!spot_minds(s, event->name))
                        return 0;
                if ((event->mask & IN_CREATE) && will_be_closed(s, event->name))
                        return 0;
        }
        s->watch->changed(s->watch->userdata);
        return 0;
}

static Spot *find_spot(const FileWatch *w, const char *path) {
        for (size_t i = 0; i < w->n_spots; i++)
                if (streq(w->spots[i]->path, path))
                        return w->spots[i];
        return NULL;
}

static void *append(void *array, size_t n, size_t size) {
        void **items = reallocarray(*(void **) array, n + 1, size);

        if (items)
                *(void **) array = items;
        return items;
}

static Spot *add_spot(FileWatch *w, const char *path) {
        _cleanup_(spot_freep) Spot *s = calloc(1, sizeof(*s));

        if (!s)
                return NULL;
        s->watch = w;
        s->path = strdup(path);
        if (!s->path || !append(&w->spots, w->n_spots, sizeof(*w->spots)))
                return NULL;
        return w->spots[w->n_spots++] = STEAL_PTR(s);
}

static int add_name(Spot *s, const char *name) {
        for (size_t i = 0; i < s->n_names; i++)
                if (streq(s->names[i], name))
                        return 0;
        if (s->n_names >= NAMES_MAX) {
                s->any = true;
                return 0;
        }
        if (!append(&s->names, s->n_names, sizeof(*s->names)))
                return -ENOMEM;
        s->names[s->n_names] = strdup(name);
        return s->names[s->n_names++] ? 0 : -ENOMEM;
}

static int add_target(Spot *s, const Target *t) {
        for (size_t i = 0; i < s->n_targets; i++)
                if (s->targets[i] == t)
                        return 0;
        if (!append(&s->targets, s->n_targets, sizeof(*s->targets)))
                return -ENOMEM;
        s->targets[s->n_targets++] = t;
        return 0;
}

/* ---------------------------------------------------------------------------------------------- what cannot be */

static const char *explain(int error) {
        switch (error) {
        case -ENOSPC:
                return "the user lkmd has no inotify watches left, raise fs.inotify.max_user_watches with sysctl(8)";
        case -EMFILE:
                return "there are no inotify instances left, raise fs.inotify.max_user_instances with sysctl(8)";
        case -EACCES:
                return "lkmd may not read it, nor may lkmd-reader, unless it and all directories to it belong to root and nobody "
                       "else can write them";
        case -E2BIG:
                return "there are too many links on the way to what is read, put files in their place";
        default:
                return strerrordesc_np(-error);
        }
}

/* Notes that something cannot be watched. Return: 0; -ENOMEM, also as @error. */
static int complain(FileWatch *w, const char *path, int error) {
        if (error == -ENOMEM)
                return error;
        if (w->n_unwatched++ > 0)
                return 0;
        w->unwatched_error = error;
        w->unwatched_path = strdup(path);
        return w->unwatched_path ? 0 : -ENOMEM;
}

/* One is named and the others are counted: usually the reason is the same. */
static int describe_unwatched(FileWatch *w) {
        char others[64] = "";

        if (w->n_unwatched == 0)
                return 0;
        if (w->n_unwatched > 1)
                (void) snprintf(others, sizeof(others), ", nor can %zu more", w->n_unwatched - 1);
        return problem_list_add(&w->problems, w->unwatched_path, 0,
                                "it cannot be watched for changes%s, so lkmd looks every %u s: %s", others,
                                (unsigned) (LOOK_USEC / 1000000U), explain(w->unwatched_error));
}

static void forget_unwatched(FileWatch *w) {
        problem_list_clear(&w->problems);
        w->n_unwatched = 0;
        free(w->unwatched_path);
        w->unwatched_path = NULL;
}

/* --------------------------------------------------------------------------------- what lkmd may not read */

static int on_hidden(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
        FileWatch *w = userdata;

        while (read(fd, events, sizeof(events)) > 0)
                ;
        w->changed(w->userdata);
        return 0;
}

static void hidden_close(FileWatch *w) {
        w->hidden_source = sd_event_source_disable_unref(w->hidden_source);
        closep(&w->hidden_fd);
        w->hidden_fd = -EBADF;
}

static int hidden_open(FileWatch *w) {
        int r;

        if (w->hidden_fd >= 0)
                return 0;
        w->hidden_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (w->hidden_fd < 0)
                return -errno;
        r = sd_event_add_io(w->event, &w->hidden_source, w->hidden_fd, EPOLLIN, on_hidden, w);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(w->hidden_source, "hidden files");
        return sd_event_source_set_priority(w->hidden_source, LOOP_FILES);
}

/* Return: 0, also for what is not there; -ENOMEM. */
static int watch_hidden(Walk *walk, const char *path) {
        int r;

        if (!walk->arm)
                return 0;
        r = hidden_open(walk->watch);
        if (r >= 0)
                r = file_access_watch(path, walk->watch->hidden_fd);
        return r >= 0 || r == -ENOENT || r == -ENOTDIR ? 0 : complain(walk->watch, path, r);
}

/* ------------------------------------------------------------------------------------------------------ walk */

/* Sets the watch, unless there is one on the same inode. Return: 0; -EACCES: lkmd may not read it; -ENOMEM. */
static int arm(Walk *walk, Spot *s, const struct stat *st) {
        int r;

        if (s->source && !s->gone && s->device == st->st_dev && s->inode == st->st_ino)
                return 0;
        s->source = sd_event_source_disable_unref(s->source);
        s->device = st->st_dev;
        s->inode = st->st_ino;
        s->gone = false;
        r = sd_event_add_inotify(s->watch->event, &s->source, s->path,
                                 S_ISDIR(st->st_mode) ? DIRECTORY_MASK : FILE_MASK, on_inotify, s);
        walk->moved |= r >= 0 || r == -ENOENT || r == -ENOTDIR;
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;               /* it vanished meanwhile: put_up() is tried again */
        if (r < 0)
                return r == -EACCES ? r : complain(s->watch, s->path, r);
        /* before the events of devices, so that a look-up never uses an index that depmod has replaced */
        (void) sd_event_source_set_priority(s->source, LOOP_FILES);
        (void) sd_event_source_set_description(s->source, s->path);
        return 0;
}

/* Return: 0 with the watched spot of a path, or with NULL if there are too many or lkmd may not read it; -ENOMEM. */
static int visit(Walk *walk, const char *path, const struct stat *st, Spot **ret) {
        FileWatch *w = walk->watch;
        Spot *s = find_spot(w, path);
        int r;

        *ret = NULL;
        if (!s && w->n_spots >= FILE_WATCHES_MAX)
                return complain(w, path, -E2BIG);
        if (!s)
                s = add_spot(w, path);
        if (!s)
                return -ENOMEM;
        *ret = s;
        if (s->seen)
                return 0;
        s->seen = true;
        r = arm(walk, s, st);
        if (r != -EACCES)
                return r;
        s->seen = false;                /* it is dropped */
        *ret = NULL;
        walk->hidden = true;
        return 0;
}

static int on_hop(const PathHop *hop, void *userdata) {
        Walk *walk = userdata;
        Spot *s;
        int r;

        walk->digest = mix_identity(walk->digest, hop->directory_stat);
        walk->digest = hash_bytes(walk->digest, hop->name, strlen(hop->name) + 1);
        if (hop->stat)
                walk->digest = mix_identity(walk->digest, hop->stat);
        if (hop->link)
                walk->digest = hash_bytes(walk->digest, hop->link, strlen(hop->link) + 1);
        if (!walk->arm)
                return 0;
        r = visit(walk, hop->directory, hop->directory_stat, &s);
        return r < 0 || !s ? r : add_name(s, hop->name);
}

static bool is_mounted(const char *path) {
        struct statx st;

        return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &st) >= 0 &&
               (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/*
 * A file with more than one hard link, or a bind-mounted one, may be written by its other name, which only a watch on
 * the file itself reports. @listed: the inode by the directory, which does not know of mounts; 0: not known.
 */
static int walk_file(Walk *walk, const char *path, const struct stat *st, ino_t listed) {
        Spot *s;

        walk->digest = mix_file(walk->digest, st);
        if (!walk->arm || !S_ISREG(st->st_mode) || (st->st_nlink == 1 && (listed == st->st_ino || !is_mounted(path))))
                return 0;
        return visit(walk, path, st, &s);
}

static int walk_link(Walk *walk, const char *path) {
        char real[PATH_MAX];
        struct stat st;
        int r;

        if (walk->n_links++ >= FILE_WATCHES_MAX)
                return walk->arm ? complain(walk->watch, path, -E2BIG) : 0;
        walk->hidden = false;
        r = path_trace(path, on_hop, walk, real, &st);
        if (r >= 0)
                r = walk_file(walk, real, &st, 0);
        if (r == -ENOMEM)
                return r;
        return walk->hidden || r == -EACCES ? watch_hidden(walk, path) : 0;
}

static int walk_entry(Walk *walk, int dir_fd, const char *dir, const struct dirent *entry) {
        char path[PATH_MAX];
        struct stat st;
        int n, r;

        walk->digest = hash_bytes(walk->digest, entry->d_name, strlen(entry->d_name) + 1);
        n = snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (n < 0 || (size_t) n >= sizeof(path))
                return 0;
        if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
                return errno == EACCES ? watch_hidden(walk, path) : 0;
        if (S_ISLNK(st.st_mode))
                return walk_link(walk, path);
        walk->hidden = false;
        r = walk_file(walk, path, &st, entry->d_ino);
        return r >= 0 && walk->hidden ? watch_hidden(walk, path) : r;
}

/* The order of the entries does not matter: the digest is the sum of theirs. */
static int walk_directory(Walk *walk, const Target *t, const char *path) {
        _cleanup_(closedirp) DIR *dir = file_access_opendir(path);
        uint64_t before = walk->digest, sum = 0;
        struct dirent *entry;
        int r = 0;

        while (r >= 0 && dir && (entry = readdir(dir))) {
                if (streq(entry->d_name, ".") || streq(entry->d_name, "..") || !name_matters(t, entry->d_name))
                        continue;
                walk->digest = 0;
                r = walk_entry(walk, dirfd(dir), path, entry);
                sum += walk->digest;
        }
        walk->digest = mix_number(before, sum);
        return r;
}

/* Behind a directory that lkmd may not search. */
static int walk_hidden_target(Walk *walk, const Target *t) {
        int r = watch_hidden(walk, t->path);

        return r < 0 ? r : walk_directory(walk, t, t->path);
}

static int walk_target(Walk *walk, const Target *t) {
        char path[PATH_MAX];
        struct stat st;
        Spot *s = NULL;
        int r;

        walk->n_links = 0;
        walk->hidden = false;
        r = path_trace(t->path, on_hop, walk, path, &st);
        if (r == -EACCES)
                return walk_hidden_target(walk, t);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* watched as far as it exists */
        if (!S_ISDIR(st.st_mode))
                return 0;
        walk->digest = mix_identity(walk->digest, &st);
        if (walk->arm) {
                r = visit(walk, path, &st, &s);
                if (r >= 0 && s)
                        r = add_target(s, t);
                if (r >= 0 && walk->hidden)
                        r = watch_hidden(walk, t->path);
                if (r < 0)
                        return r;
        }
        return walk_directory(walk, t, path);
}

static int walk_all(Walk *walk) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < walk->watch->n_targets; i++)
                r = walk_target(walk, walk->watch->targets[i]);
        return r;
}

/* Removes watches that are on no path any more. */
static void drop_unseen(FileWatch *w) {
        size_t n = 0;

        for (size_t i = 0; i < w->n_spots; i++)
                if (w->spots[i]->seen)
                        w->spots[n++] = w->spots[i];
                else
                        spot_free(w->spots[i]);
        w->n_spots = n;
}

/* One try to watch everything. Return: as walk_all(); *ret_moved: another try is needed. */
static int put_up(FileWatch *w, bool *ret_moved) {
        Walk walk = { .watch = w, .arm = true };
        int r;

        forget_unwatched(w);
        hidden_close(w);
        for (size_t i = 0; i < w->n_spots; i++)
                spot_forget(w->spots[i]);
        r = walk_all(&walk);
        if (r >= 0)
                drop_unseen(w);
        if (r >= 0)
                r = describe_unwatched(w);
        w->digest = walk.digest;
        *ret_moved = walk.moved;
        return r;
}

static void report_problems(FileWatch *w, size_t n_before) {
        if (w->n_unwatched == 0 && n_before > 0)
                log_info("all files that are read are watched for changes again");
        if (w->n_unwatched > 0 && n_before == 0)
                for (size_t i = 0; i < w->problems.n_items; i++)
                        log_problem(w->problems.items + i);
}

/**
 * file_watch_refresh() - to be called before the files are read: set the watches where the paths lead now
 *
 * What cannot be watched is among the problems, and is compared from time to time.
 */
void file_watch_refresh(FileWatch *w) {
        size_t n_before;
        bool moved;
        int r;

        assert(w);

        n_before = w->n_unwatched;
        for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
                r = put_up(w, &moved);
                if (r < 0 || !moved)
                        break;
        }
        if (r < 0) {                    /* no memory: the spots are not reliable */
                log_warning("cannot watch files for changes: %s", strerror(-r));
                w->n_unwatched = MAX(w->n_unwatched, (size_t) 1);
        }
        report_problems(w, n_before);
        w->mounts_changed = false;
        w->looked_usec = clock_usec(CLOCK_MONOTONIC);
        if (w->n_unwatched == 0)
                w->looks_until_retry = 1;
        else if (sd_event_source_set_time_relative(w->timer, LOOK_USEC) >= 0)
                (void) sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* ----------------------------------------------------------------------------------------------------- looks */

/* Compares what is there with the digest. */
static void look(FileWatch *w) {
        Walk walk = { .watch = w };

        w->mounts_changed = false;
        w->looked_usec = clock_usec(CLOCK_MONOTONIC);
        if (walk_all(&walk) >= 0 && walk.digest != w->digest) {
                w->digest = walk.digest;
                w->changed(w->userdata);
        }
}

/**
 * file_watch_look() - to be called before a decision: find changes that inotify does not report
 *
 * Costs nothing while everything is watched and nothing was mounted, and little if it was called just before.
 */
void file_watch_look(FileWatch *w) {
        assert(w);

        if (w->mounts_changed ||
            (w->n_unwatched > 0 && clock_usec(CLOCK_MONOTONIC) - w->looked_usec >= LOOK_AGAIN_USEC))
                look(w);
}

static void look_within(FileWatch *w, uint64_t usec) {
        if (sd_event_source_set_time_relative(w->timer, usec) >= 0)
                (void) sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/*
 * Something was mounted or unmounted somewhere. Users can cause that at any rate (FUSE), so the comparison is done
 * before the next decision, or once a little later.
 */
static int on_mounts(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        FileWatch *w = userdata;

        if (!w->mounts_changed)
                look_within(w, LOOK_AGAIN_USEC);
        w->mounts_changed = true;
        return 0;
}

/* Retries to watch everything. A change since the last comparison has not been read yet, so it is reported. */
static void retry(FileWatch *w) {
        uint64_t digest = w->digest;

        file_watch_refresh(w);
        if (w->digest != digest)
                w->changed(w->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        FileWatch *w = userdata;

        look(w);
        if (w->n_unwatched == 0)
                return 0;
        if (++w->n_looks >= w->looks_until_retry) {
                w->n_looks = 0;
                w->looks_until_retry = MIN(2 * w->looks_until_retry, LOOKS_MAX);
                retry(w);
        }
        if (w->n_unwatched > 0)
                look_within(w, LOOK_USEC);
        return 0;
}

/* -------------------------------------------------------------------------------------------------- object */

/* Without /proc, as in some tests, mounts are not noticed. */
static int watch_mounts(FileWatch *w) {
        int r;

        w->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (w->mounts_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        r = sd_event_add_io(w->event, &w->mounts_source, w->mounts_fd, EPOLLPRI, on_mounts, w);
        if (r < 0)
                return r;
        return sd_event_source_set_priority(w->mounts_source, LOOP_FILES);
}

static int on_anchor(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        return 0;                       /* "/" is not removed */
}

/*
 * sd-event has an inotify descriptor for each priority, makes a new source with the usual one, and closes a descriptor
 * without watches, for which the kernel has to wait. One watch that stays keeps it from doing so for each spot.
 */
static void drop_anchor(FileWatch *w) {
        (void) sd_event_add_inotify(w->event, &w->anchor, "/", IN_DELETE_SELF | IN_ONLYDIR, on_anchor, w);
}

/**
 * file_watch_new() - nothing is watched yet
 * @changed: called after changes, from the event loop and from file_watch_look()
 *
 * Return: 0; -ENOMEM; why there can be no event sources.
 */
int file_watch_new(FileWatch **ret, sd_event *event, file_watch_changed_t changed, void *userdata) {
        _cleanup_(file_watch_freep) FileWatch *w = NULL;
        int r;

        assert(ret && event && changed);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (FileWatch) {
                .event = sd_event_ref(event),
                .changed = changed,
                .userdata = userdata,
                .mounts_fd = -EBADF,
                .hidden_fd = -EBADF,
                .looks_until_retry = 1,
        };
        r = sd_event_add_time_relative(event, &w->timer, CLOCK_MONOTONIC, LOOK_USEC, 0, on_timer, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = watch_mounts(w);
        if (r < 0)
                return r;
        drop_anchor(w);

        *ret = STEAL_PTR(w);
        return 0;
}

/* Return: NULL. */
FileWatch *file_watch_free(FileWatch *w) {
        if (!w)
                return NULL;

        for (size_t i = 0; i < w->n_spots; i++)
                spot_free(w->spots[i]);
        free(w->spots);
        for (size_t i = 0; i < w->n_targets; i++)
                target_free(w->targets[i]);
        free(w->targets);
        forget_unwatched(w);
        hidden_close(w);
        sd_event_source_disable_unref(w->timer);
        sd_event_source_disable_unref(w->mounts_source);
        sd_event_source_disable_unref(w->anchor);
        closep(&w->mounts_fd);
        sd_event_unref(w->event);
        free(w);
        return NULL;
}

/* What cannot be watched, and what would help. */
const ProblemList *file_watch_get_problems(const FileWatch *w) {
        assert(w);

        return &w->problems;
}
