/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PathTrace: see path-trace.h. It resolves paths as path_resolution(7) says. Owns nothing. */

#include "common/base/path-trace.h"

#include <assert.h>
#include <fcntl.h>

#include "common/base/util.h"

#define LINKS_MAX 40U                   /* MAXSYMLINKS, include/linux/namei.h */

typedef struct Way {
        char *here;                     /* PATH_MAX; without links; "" for the root */
        struct stat here_stat;
        char rest[PATH_MAX];            /* not resolved yet */
        unsigned n_links;
} Way;

static int go_to_root(Way *w) {
        *w->here = '\0';
        return stat("/", &w->here_stat) < 0 ? -errno : 0;
}

static int go_up(Way *w) {
        char *slash = strrchr(w->here, '/');

        if (slash)
                *slash = '\0';
        return stat(*w->here ? w->here : "/", &w->here_stat) < 0 ? -errno : 0;
}

/* Puts the target of a link in front of the rest. */
static int follow(Way *w, const char *link) {
        char rest[PATH_MAX];
        int n;

        if (++w->n_links > LINKS_MAX)
                return -ELOOP;
        n = snprintf(rest, sizeof(rest), "%s/%s", link, w->rest);
        if (n < 0 || (size_t) n >= sizeof(rest))
                return -ENAMETOOLONG;
        memcpy(w->rest, rest, (size_t) n + 1);
        return link[0] == '/' ? go_to_root(w) : 0;
}

/* Moves the first part of the rest to @name. Return: 1; 0: nothing is left; -ENAMETOOLONG. */
static int take_part(Way *w, char name[static NAME_MAX + 1]) {
        size_t skipped = strspn(w->rest, "/"), n = strcspn(w->rest + skipped, "/");

        if (n > NAME_MAX)
                return -ENAMETOOLONG;
        memcpy(name, w->rest + skipped, n);
        name[n] = '\0';
        memmove(w->rest, w->rest + skipped + n, strlen(w->rest + skipped + n) + 1);
        return n > 0;
}

/* Looks up one name, reports it, and goes there. */
static int go_to(Way *w, const char *name, path_trace_hop_t hop, void *userdata) {
        char directory[PATH_MAX], link[PATH_MAX];
        PathHop told = { .directory = directory, .directory_stat = &w->here_stat, .name = name };
        size_t length = strlen(w->here);
        struct stat st;
        int r, error;

        (void) stpcpy(directory, length > 0 ? w->here : "/");
        if (length + strlen(name) + 2 > PATH_MAX)
                return -ENAMETOOLONG;
        (void) stpcpy(stpcpy(w->here + length, "/"), name);
        error = fstatat(AT_FDCWD, w->here, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0 ? errno : 0;
        if (error == 0) {
                told.stat = &st;
                if (S_ISLNK(st.st_mode)) {
                        ssize_t n = readlink(w->here, link, sizeof(link) - 1);

                        if (n < 0)
                                return -errno;
                        link[n] = '\0';
                        told.link = link;
                }
        }
        r = hop(&told, userdata);
        if (r < 0 || error > 0)
                return r < 0 ? r : -error;
        if (told.link) {
                w->here[length] = '\0';
                return follow(w, link);
        }
        if (!S_ISDIR(st.st_mode) && w->rest[0] != '\0')
                return -ENOTDIR;
        w->here_stat = st;
        return 0;
}

/**
 * path_trace() - resolve a path, and report each hop
 * @path:     absolute
 * @ret_path: where it leads, without links; after a failure, as far as it was resolved
 * @ret_stat: of that file
 *
 * Return: 0; -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG as the kernel would; what @hop returned.
 */
int path_trace(const char *path, path_trace_hop_t hop, void *userdata, char ret_path[static PATH_MAX],
               struct stat *ret_stat) {
        Way w = { .here = ret_path };
        char name[NAME_MAX + 1];
        int r;

        assert(path && path[0] == '/' && hop && ret_stat);

        if (strlen(path) >= sizeof(w.rest))
                return -ENAMETOOLONG;
        (void) stpcpy(w.rest, path);
        r = go_to_root(&w);
        while (r >= 0) {
                r = take_part(&w, name);
                if (r == 0)
                        break;
                if (r > 0)
                        r = streq(name, ".") ? 0 : streq(name, "..") ? go_up(&w) : go_to(&w, name, hop, userdata);
        }
        if (*ret_path == '\0')
                (void) stpcpy(ret_path, "/");
        *ret_stat = w.here_stat;
        return r;
}
