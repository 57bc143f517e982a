/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Drifts: see image-drift.h. Owns the paths. */

#include "cli/doctor/image-drift.h"

#include <assert.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/array.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"

#define CONTENT_MAX ((size_t) 1 << 20)  /* as in an image */

/* What is copied into an image if it is on disk. */
static const struct {
        const char *pattern;
        bool lkmds;                     /* by lkmd's own hook, if that is switched on */
} copied[] = {
        { "/etc/modprobe.d/*.conf", false },
        { "/usr/lib/modprobe.d/*.conf", false },
        { "/etc/lkmd/lkmd.conf", true },
        { "/etc/lkmd/lkmd.conf.d/*.conf", true },
        { "/etc/lkmd/" LKMD_LIST_DIR "/*.yaml", true },
        { "/etc/lkmd/" LKMD_POLICY_DIR "/*.yaml", true },
        { "/usr/lib/lkmd/" LKMD_POLICY_DIR "/*.yaml", true },
};

/* Below which what is only in an image matters. */
static const char *const compared[] = { "/etc/modprobe.d/", "/usr/lib/modprobe.d/",
                                        "/usr/local/lib/modprobe.d/", "/etc/lkmd/" };

const char *drift_kind_words(DriftKind kind) {
        static const char *const words[_DRIFT_KIND_MAX] = {
                [DRIFT_DIFFERS] = "is another one than on disk",
                [DRIFT_MISSING] = "is missing",
                [DRIFT_ONLY_THERE] = "is still there, but not on disk any more",
        };

        assert(kind >= 0 && kind < _DRIFT_KIND_MAX);

        return words[kind];
}

void drifts_clear(Drifts *l) {
        assert(l);

        for (size_t i = 0; i < l->n_items; i++)
                free(l->items[i].path);
        free(l->items);
        *l = (Drifts) {};
}

static int add(Drifts *l, DriftKind kind, const char *path) {
        Drift d = { kind, strdup(path) };

        if (!d.path || array_grow(&l->items, l->n_items, sizeof(*l->items)) < 0) {
                free(d.path);
                return -ENOMEM;
        }
        l->items[l->n_items++] = d;
        return 0;
}

/* Where the kernel's modprobe.d is in a merged /usr: "/lib/modprobe.d/x" is "/usr/lib/modprobe.d/x" there. */
static const char *merged_name(const char *name, char buf[static PATH_MAX]) {
        if (!startswith(name, "/lib/"))
                return name;
        (void) snprintf(buf, PATH_MAX, "/usr%s", name);
        return buf;
}

static const ImageCopyFile *find_merged(const ImageCopy *image, const char *name) {
        const ImageCopyFile *f = image_copy_find(image, name);

        return f || !startswith(name, "/usr/lib/") ? f : image_copy_find(image, name + strlen("/usr"));
}

/* Where a link in the image leads, if that is in the directory of the link or an absolute path, as they mostly are. */
static const ImageCopyFile *follow(const ImageCopy *image, const ImageCopyFile *link) {
        const char *slash = strrchr(link->name, '/');
        char path[PATH_MAX];

        if (link->content[0] == '/')
                return find_merged(image, link->content);
        if (strchr(link->content, '/'))
                return NULL;
        (void) snprintf(path, sizeof(path), "%.*s/%s", (int) (slash - link->name), link->name,
                        link->content);
        return image_copy_find(image, path);
}

static bool is_same_link(const ImageCopyFile *f, const char *path) {
        char target[PATH_MAX];
        ssize_t n = readlink(path, target, sizeof(target));

        return n >= 0 && (size_t) n == f->size && memcmp(target, f->content, f->size) == 0;
}

/* Return: 1: it is the same, or nobody knows; 0; -ENOMEM. */
static int is_same(const ImageCopy *image, const ImageCopyFile *f, const char *path) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size;
        int r;

        if (f->kind == IMAGE_COPY_LINK) {
                if (is_same_link(f, path))
                        return 1;
                f = follow(image, f);
        }
        if (!f || f->kind != IMAGE_COPY_FILE)
                return 1;
        fd = read_file_open(path);
        if (fd < 0)
                return 1;               /* it may not be read, or is just being replaced */
        r = read_file(fd, CONTENT_MAX, &text, &size);
        if (r < 0)
                return r == -ENOMEM ? r : r != -EFBIG;
        return size == f->size && memcmp(text, f->content, size) == 0;
}

static bool has_lkmds(const ImageCopy *image) {
        for (size_t i = 0; i < image->n_items; i++)
                if (startswith(image->items[i].name, "/etc/lkmd/") ||
                    startswith(image->items[i].name, "/usr/lib/lkmd/"))
                        return true;
        return false;
}

static int look_on_disk(const ImageCopy *image, const char *root, const char *pattern, Drifts *ret) {
        _cleanup_(globfree) glob_t found = {};
        char full[PATH_MAX];
        int r = 0;

        (void) snprintf(full, sizeof(full), "%s%s", root, pattern);
        r = glob(full, 0, NULL, &found);
        if (r != 0)
                return r == GLOB_NOSPACE ? -ENOMEM : 0;
        for (size_t i = 0; r >= 0 && i < found.gl_pathc; i++) {
                const char *name = found.gl_pathv[i] + strlen(root);
                const ImageCopyFile *f = find_merged(image, name);

                r = f ? is_same(image, f, found.gl_pathv[i]) : 0;
                if (r == 0)
                        r = add(ret, f ? DRIFT_DIFFERS : DRIFT_MISSING, name);
        }
        return MIN(r, 0);
}

static bool is_compared(const char *name) {
        if (!endswith(name, ".conf") && !endswith(name, ".yaml"))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(compared); i++)
                if (startswith(name, compared[i]))
                        return true;
        return false;
}

static int look_in_image(const ImageCopy *image, const char *root, Drifts *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < image->n_items; i++) {
                char buf[PATH_MAX], full[PATH_MAX];
                const char *name = merged_name(image->items[i].name, buf);

                if (!is_compared(name) || streq(name, LKMD_DENIED_IN_IMAGE))
                        continue;
                (void) snprintf(full, sizeof(full), "%s%s", root, name);
                if (faccessat(AT_FDCWD, full, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                        r = add(ret, DRIFT_ONLY_THERE, name);
        }
        return r;
}

/* The names that lkmd's policy denied when the image was made. */
static int look_at_denied(const ImageCopy *image, const char *denied, Drifts *ret) {
        const ImageCopyFile *f = image_copy_find(image, LKMD_DENIED_IN_IMAGE);

        if (denied && !f && strstr(denied, "\ninstall "))
                return add(ret, DRIFT_MISSING, LKMD_DENIED_IN_IMAGE);
        if (!denied || !f || f->kind != IMAGE_COPY_FILE || streq(f->content, denied))
                return 0;
        return add(ret, DRIFT_DIFFERS, LKMD_DENIED_IN_IMAGE);
}

/**
 * drifts_find() - compare an image with the disk
 * @root:   stands before all paths, for tests; ""
 * @denied: what lkmd's hook would write now; NULL: it is not known
 * @ret:    to be cleared, also after a failure
 *
 * Return: 0; -ENOMEM.
 */
int drifts_find(const ImageCopy *image, const char *root, const char *denied, Drifts *ret) {
        bool lkmds;
        int r = 0;

        assert(image && root && ret);

        lkmds = has_lkmds(image);
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(copied); i++)
                if (lkmds || !copied[i].lkmds)
                        r = look_on_disk(image, root, copied[i].pattern, ret);
        if (r >= 0)
                r = look_in_image(image, root, ret);
        return r < 0 ? r : look_at_denied(image, denied, ret);
}
