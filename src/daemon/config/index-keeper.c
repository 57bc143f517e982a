/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IndexKeeper: owns the index in force and the watch on its files. After a change, the next
 * index_keeper_get() builds another index; without a call it is built when the files have not changed for a
 * while, since depmod writes a dozen. A broken or missing index does not replace a whole one, nor does one
 * that lacks a file which could not be read; the problems are kept for the status.
 *
 * The tables of an index are mapped from their image if there is one of exactly these files. If there is
 * none, it is written when lkmd is through with the devices (index_keeper_settle()), and then takes the
 * place of what is in memory.
 */

#include "daemon/config/index-keeper.h"

#include <assert.h>
#include <limits.h>
#include <malloc.h>
#include <sys/utsname.h>

#include "common/base/config-dirs.h"
#include "common/base/paths.h"
#include "daemon/base/log.h"
#include "daemon/config/index-saver.h"
#include "daemon/config/stale-watch.h"

#define CACHE_SIZE (128U << 10)         /* bytes: some 900 modaliases, rather more than a machine has */
#define MALLOC_DEFAULT (128 * 1024)     /* of the three thresholds, mallopt(3) */
#define MALLOC_KEEP (64 * 1024 * 1024)
#define MALLOC_STEP (1024 * 1024)
#define AGE_USEC (4U * 1000U * 1000U)   /* until files that depmod has just written are no longer young */
#define SETTLE_USEC (1000U * 1000U) /* after the devices, in case they lead to others */

struct IndexKeeper {
        char *root, *image_dir;
        const char *image_reason;       /* why an image was not used last; what was logged */
        IndexSaver *saver;              /* NULL: nothing is written */
        sd_event_source *settle_timer;
        bool settled;                   /* lkmd has been through with the devices before */
        const Index *index;
        LookupCache *cache;             /* what was looked up in it lately */
        ProblemList problems;
        StaleWatch *watch;
        uint64_t generation;            /* number of rebuilds */
        index_swapped_t swapped;
        index_read_t read;
        bool has_unread;                /* the index in force lacks what some file says */
        void *userdata;
};

static const char *const config_dirs[] = { MODPROBE_DIRS };

static void on_quiet(void *userdata) {
        (void) index_keeper_get(userdata);
}

static int watch_files(IndexKeeper *k) {
        char path[PATH_MAX];
        struct utsname u;
        int r;

        if (uname(&u) < 0)
                return -errno;
        (void) snprintf(path, sizeof(path), "%s" MODULE_ROOT "/%s", k->root ?: "", u.release);
        for (size_t i = 0; i < ARRAY_LEN(config_dirs); i++) {
                r = stale_watch_add(k->watch, config_dirs[i], "", ".conf");
                if (r < 0)
                        return r;
        }
        return stale_watch_add(k->watch, path, "modules.", "");
}

/* Takes the list; logs it if it has changed. */
static void keep_problems(IndexKeeper *k, ProblemList *problems) {
        if (!problem_list_equal(&k->problems, problems)) {
                for (size_t i = 0; i < problems->n_items; i++)
                        log_problem(problems->items + i);
                if (problems->n_dropped > 0)
                        log_warning("and %zu more like these", problems->n_dropped);
        }
        problem_list_clear(&k->problems);
        k->problems = *problems;
        *problems = (ProblemList) {};
}

/*
 * While an index is built, files of a MiB each are read, and tables grow as large. By default malloc(3)
 * returns each of them to the kernel, and allocating the next ones anew takes a twentieth of the time until
 * lkmd is ready.
 */
static void malloc_keep(bool keep) {
        (void) mallopt(M_MMAP_THRESHOLD, keep ? MALLOC_KEEP / 2 : MALLOC_DEFAULT); /* its upper limit */
        (void) mallopt(M_TRIM_THRESHOLD, keep ? MALLOC_KEEP : MALLOC_DEFAULT);
        (void) mallopt(M_TOP_PAD, keep ? MALLOC_STEP : MALLOC_DEFAULT);
}

static int read_index(IndexKeeper *k, const Index **ret, ProblemList *problems) {
        const char *reason;
        int r;

        malloc_keep(true);
        r = index_new(ret, &(IndexSources) { .root = k->root, .image_dir = k->image_dir }, problems);
        malloc_keep(false);
        if (r >= 0 && !index_is_mapped(*ret, &reason) && reason && !streq_ptr(reason, k->image_reason)) {
                log_debug("%s/%s is not used: %s", k->image_dir, index_get_release(*ret), reason);
                k->image_reason = reason;
        }
        return r;
}

/* Does the new index lack what the one in force has? */
static bool is_worse(const IndexKeeper *k, const Index *index) {
        if (!k->index)
                return false;
        return (index_is_whole(k->index) && !index_is_whole(index)) ||
               (!k->has_unread && index_keeper_get_unread(k));
}

/**
 * index_keeper_rebuild() - read the files now, whether they changed or not
 *
 * Return: 0, also when the old index stays in force because the files are broken; -ENOMEM or the like.
 */
int index_keeper_rebuild(IndexKeeper *k) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        bool became_complete;
        int r;

        assert(k);

        k->generation++;
        stale_watch_refresh(k->watch);

        r = read_index(k, &index, &problems);
        if (r < 0)
                return r;
        keep_problems(k, &problems);

        if (is_worse(k, index)) {
                k->read(k->userdata);
                return 0;
        }
        k->has_unread = index_keeper_get_unread(k) != NULL;
        became_complete = index_is_complete(index) && (!k->index || !index_is_complete(k->index));
        lookup_cache_clear(k->cache);
        index_unref(k->index);
        k->index = STEAL_PTR(index);
        (void) malloc_trim(0); /* building it took as much memory again, which is free now */
        if (k->settled)
                index_keeper_settle(k);
        k->swapped(became_complete, k->userdata);
        k->read(k->userdata);
        return 0;
}

/*
 * Reads the same index once more, in case it is better now, and tells nobody. Not if its files have changed: the next
 * index_keeper_get() reads them.
 */
static void read_again(IndexKeeper *k, bool (*is_better)(const Index *index)) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(index_unrefp) const Index *index = NULL;

        if (stale_watch_is_stale(k->watch))
                return;
        if (read_index(k, &index, &problems) < 0 || !is_better(index))
                return;
        lookup_cache_clear(k->cache);
        index_unref(k->index);
        k->index = STEAL_PTR(index);
        k->generation++;                /* its modules are elsewhere */
        (void) malloc_trim(0);
}

static bool is_mapped(const Index *index) {
        const char *reason;

        return index_is_mapped(index, &reason);
}

static bool has_image(const Index *index) {
        return index_is_whole(index) && !index_is_young(index);
}

/* What is looked up right after the change would be in memory for good, so that is given back once more. */
static void on_saved(void *userdata) {
        IndexKeeper *k = userdata;

        read_again(k, is_mapped);
        if (is_mapped(k->index) && sd_event_source_set_time_relative(k->settle_timer, SETTLE_USEC) >= 0)
                (void) sd_event_source_set_enabled(k->settle_timer, SD_EVENT_ONESHOT);
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        IndexKeeper *k = userdata;

        if (k->saver && index_is_young(k->index))
                read_again(k, has_image);
        if (is_mapped(k->index))
                index_rest(k->index);
        else if (k->saver)
                index_saver_save(k->saver, k->index);
        (void) malloc_trim(0);          /* what the devices took */
        return 0;
}

static int open_saver(IndexKeeper *k, const IndexKeeperOptions *options) {
        _cleanup_(freep) char *module_root = NULL;

        if (!options->image_dir)
                return 0;
        k->image_dir = strdup(options->image_dir);
        if (!k->image_dir || asprintf(&module_root, "%s" MODULE_ROOT, k->root ?: "") < 0) {
                module_root = NULL;
                return -ENOMEM;
        }
        return index_saver_new(&k->saver, options->event, k->image_dir, module_root, on_saved, k);
}

static int open_all(IndexKeeper *k, const IndexKeeperOptions *options) {
        int r;

        if (options->root && !(k->root = strdup(options->root)))
                return -ENOMEM;
        r = lookup_cache_new(&k->cache, CACHE_SIZE);
        if (r < 0)
                return r;
        r = open_saver(k, options);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(options->event, &k->settle_timer, CLOCK_MONOTONIC, SETTLE_USEC, 0,
                                       on_settled, k);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(k->settle_timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = stale_watch_new(&k->watch, options->event, on_quiet, k);
        return r < 0 ? r : watch_files(k);
}

/**
 * index_keeper_new() - build the first index
 * @options: swapped is called whenever the index was replaced, the first one included; read whenever the files
 *           were read, after swapped
 *
 * Return: 0, -ENOMEM, or why there is no inotify. Missing and broken files are problems, not errors.
 */
int index_keeper_new(IndexKeeper **ret, const IndexKeeperOptions *options) {
        _cleanup_(index_keeper_freep) IndexKeeper *k = NULL;
        int r;

        assert(ret && options && options->event && options->swapped && options->read);

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        k->swapped = options->swapped;
        k->read = options->read;
        k->userdata = options->userdata;
        r = open_all(k, options);
        if (r < 0)
                return r;
        r = index_keeper_rebuild(k);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(k);
        return 0;
}

/**
 * index_keeper_settle() - lkmd has seen all devices
 *
 * Soon afterwards memory is given back, and the image of the index is written if there is none.
 */
void index_keeper_settle(IndexKeeper *k) {
        assert(k);

        k->settled = true;
        if (sd_event_source_set_time_relative(k->settle_timer,
                                              index_is_young(k->index) ? AGE_USEC : SETTLE_USEC) >= 0)
                (void) sd_event_source_set_enabled(k->settle_timer, SD_EVENT_ONESHOT);
}

/* Return: NULL. */
IndexKeeper *index_keeper_free(IndexKeeper *k) {
        if (!k)
                return NULL;

        stale_watch_free(k->watch);
        sd_event_source_disable_unref(k->settle_timer);
        index_saver_free(k->saver);
        problem_list_clear(&k->problems);
        lookup_cache_free(k->cache);
        index_unref(k->index);
        free(k->image_dir);
        free(k->root);
        free(k);
        return NULL;
}

/* The index in force, rebuilt first if its files have changed. Borrowed until the next call. */
const Index *index_keeper_get(IndexKeeper *k) {
        assert(k);

        if (stale_watch_is_stale(k->watch)) {
                int r = index_keeper_rebuild(k);

                if (r < 0)
                        log_error("cannot read the module index anew: %s", strerror(-r));
        }
        return k->index;
}

/* For look-ups in the index in force; borrowed as long as the keeper is there. */
LookupCache *index_keeper_get_cache(const IndexKeeper *k) {
        assert(k);

        return k->cache;
}

/* Changes whenever the index may have been replaced. Reads no file. */
uint64_t index_keeper_get_generation(const IndexKeeper *k) {
        assert(k);

        return k->generation;
}

/* What is wrong with the files that were read last. */
const ProblemList *index_keeper_get_problems(const IndexKeeper *k) {
        assert(k);

        return &k->problems;
}

/* Which of them cannot be watched for changes. */
const ProblemList *index_keeper_get_watch_problems(const IndexKeeper *k) {
        assert(k);

        return stale_watch_get_problems(k->watch);
}

/* The first file that could not be read when the files were read last; NULL: all could. */
const Problem *index_keeper_get_unread(const IndexKeeper *k) {
        assert(k);

        return problem_list_find_unread(&k->problems);
}
