/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A directory for the files of one test. */

#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

#include "must.h"

void scratch_open(Scratch *s) {
        const char *base = getenv("TMPDIR");

        scratch_open_below(s, base && strlen(base) < 40 ? base : "/tmp");
}

void scratch_open_below(Scratch *s, const char *base) {
        must(snprintf(s->dir, sizeof(s->dir), "%s/lkmd-test-XXXXXX", base) > 0, "snprintf");
        must(mkdtemp(s->dir) != NULL, s->dir);
        must(chmod(s->dir, 0755) == 0, s->dir);
}

static int on_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

void scratch_close(Scratch *s) {
        must(nftw(s->dir, on_entry, 16, FTW_DEPTH | FTW_PHYS) == 0, s->dir);
}

const char *scratch_path(const Scratch *s, const char *name) {
        static char paths[8][PATH_MAX];
        static unsigned next;
        char *path = paths[next++ % ARRAY_LEN(paths)];

        must(snprintf(path, PATH_MAX, "%s/%s", s->dir, name) < PATH_MAX, name);
        return path;
}

void scratch_mkdir(const Scratch *s, const char *name) {
        char path[PATH_MAX];

        must(snprintf(path, sizeof(path), "%s/%s", s->dir, name) < PATH_MAX, name);
        for (char *p = path + strlen(s->dir) + 1; (p = strchr(p, '/')); *p++ = '/') {
                *p = '\0';
                must(mkdir(path, 0755) == 0 || errno == EEXIST, path);
        }
        must(mkdir(path, 0755) == 0 || errno == EEXIST, path);
}

static void make_parent(const Scratch *s, const char *name) {
        char parent[PATH_MAX];

        must(snprintf(parent, sizeof(parent), "%s", name) < PATH_MAX, name);
        if (strrchr(parent, '/')) {
                *strrchr(parent, '/') = '\0';
                scratch_mkdir(s, parent);
        }
}

void scratch_write_bytes(const Scratch *s, const char *name, const void *data, size_t size) {
        _cleanup_(fclosep) FILE *f = NULL;

        make_parent(s, name);
        f = fopen(scratch_path(s, name), "we");
        must(f && fwrite(data, 1, size, f) == size && fflush(f) == 0, name);
}

void scratch_write(const Scratch *s, const char *name, const char *text) {
        scratch_write_bytes(s, name, text, strlen(text));
}

void scratch_link(const Scratch *s, const char *name, const char *to) {
        make_parent(s, name);
        must(symlink(to, scratch_path(s, name)) == 0, name);
}

void scratch_remove(const Scratch *s, const char *name) {
        must(remove(scratch_path(s, name)) == 0, name);
}

void scratch_move(const Scratch *s, const char *from, const char *to) {
        must(rename(scratch_path(s, from), scratch_path(s, to)) == 0, from);
}
