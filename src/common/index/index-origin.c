/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IndexOrigin: see index-origin.h. Owns its bytes: the version of lkmd and the module directory, each with
 * its NUL, then what stat(2) says of each file.
 *
 * Whoever writes to a file changes its ctime, which cannot be set. But the clock of a file system moves in
 * steps, of up to ten milliseconds: what is written in the same step after the file was read looks like what
 * was read. So files that are not older than YOUNG_SEC when they are read are no origin to rely on.
 */

#include "common/index/index-origin.h"

#include <assert.h>
#include <stdint.h>
#include <time.h>

#include "common/base/file-access.h"
#include "common/base/paths.h"
#include "common/base/util.h"

#define YOUNG_SEC 2                      /* there are file systems with steps of a second */

static const char *const file_names[] = {
        "modules.dep.bin",           "modules.builtin.bin", "modules.alias.bin",
        "modules.builtin.alias.bin", "modules.symbols.bin",
};

typedef struct FileOrigin {             /* no padding */
        uint64_t exists, device, inode, size;
        int64_t modified_sec, modified_nsec, changed_sec, changed_nsec;
} FileOrigin;

static int read_one(FileOrigin *ret, const char *module_dir, const char *name, bool *young) {
        _cleanup_(freep) char *path = NULL;
        struct timespec now;
        struct stat st;
        int64_t age_sec;
        int r;

        if (asprintf(&path, "%s/%s", module_dir, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        (void) clock_gettime(CLOCK_REALTIME, &now);
        r = file_access_stat(path, &st);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        *ret = (FileOrigin) {
                .exists = 1,
                .device = st.st_dev,
                .inode = st.st_ino,
                .size = (uint64_t) st.st_size,
                .modified_sec = st.st_mtim.tv_sec,
                .modified_nsec = st.st_mtim.tv_nsec,
                .changed_sec = st.st_ctim.tv_sec,
                .changed_nsec = st.st_ctim.tv_nsec,
        };
        /* Later than now: the clock was set back, and what is written now looks different. */
        age_sec = (int64_t) (now.tv_sec - st.st_ctim.tv_sec);
        *young = *young || (age_sec >= -YOUNG_SEC && age_sec <= YOUNG_SEC);
        return 0;
}

/**
 * index_origin_read() - look at the files of a module directory
 *
 * Return: 0; -ENOMEM; what stat(2) says of a file, unless it is missing.
 */
int index_origin_read(IndexOrigin *ret, const char *module_dir) {
        _cleanup_(index_origin_clear) IndexOrigin o = {};
        FileOrigin files[ARRAY_LEN(file_names)] = {};
        size_t n_version = sizeof(LKMD_VERSION), n_dir = strlen(module_dir) + 1;
        char *to;

        assert(ret && module_dir);

        for (size_t i = 0; i < ARRAY_LEN(file_names); i++) {
                int r = read_one(&files[i], module_dir, file_names[i], &o.young);

                if (r < 0)
                        return r;
        }

        o.size = n_version + n_dir + sizeof(files);
        o.bytes = to = malloc(o.size);
        if (!to)
                return -ENOMEM;
        to = mempcpy(to, LKMD_VERSION, n_version);
        to = mempcpy(to, module_dir, n_dir);
        (void) memcpy(to, files, sizeof(files));

        *ret = o;
        o = (IndexOrigin) {};
        return 0;
}

void index_origin_clear(IndexOrigin *o) {
        assert(o);

        free(o->bytes);
        *o = (IndexOrigin) {};
}

/* Origins that are not known equal none. */
bool index_origin_equal(const IndexOrigin *a, const IndexOrigin *b) {
        assert(a && b);

        return a->bytes && b->bytes && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}
