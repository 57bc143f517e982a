/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* BootImages: finds the images in /boot by the names that distributions give them. Owns the strings. */

#include "cli/doctor/boot-images.h"

#include <assert.h>
#include <glob.h>

#include "common/base/array.h"

/* Debian, Ubuntu; Fedora, Arch; SUSE. */
static const struct {
        const char *begin, *end;
} forms[] = {
        { "initrd.img-", "" },
        { "initramfs-", ".img" },
        { "initrd-", "" },
};

/* Copies of packages and tools, and images that start something else than the system. */
static bool is_other(const char *release) {
        static const char *const ends[] = { ".old", ".old-dkms", ".bak",  ".new",      ".dpkg-bak",
                                            "~",    "kdump", "kdump.img", "-fallback" };

        for (size_t i = 0; i < ARRAY_LEN(ends); i++)
                if (endswith(release, ends[i]))
                        return true;
        return startswith(release, "0-rescue-") || startswith(release, "rescue");
}

static int add(BootImages *l, const char *path, const char *release, size_t length) {
        BootImage image = { .path = strdup(path), .release = strndup(release, length) };

        if (image.path && image.release && is_other(image.release)) {
                free(image.path);
                free(image.release);
                return 0;
        }
        if (!image.path || !image.release || array_grow(&l->items, l->n_items, sizeof(*l->items)) < 0) {
                free(image.path);
                free(image.release);
                return -ENOMEM;
        }
        l->items[l->n_items++] = image;
        return 0;
}

static int find_form(const char *boot, size_t form, BootImages *l) {
        _cleanup_(globfree) glob_t found = {};
        _cleanup_(freep) char *pattern = NULL;
        int r = 0;

        if (asprintf(&pattern, "%s/%s*%s", boot, forms[form].begin, forms[form].end) < 0) {
                pattern = NULL;
                return -ENOMEM;
        }
        r = glob(pattern, 0, NULL, &found);
        if (r != 0)
                return r == GLOB_NOSPACE ? -ENOMEM : 0;
        for (size_t i = 0; r >= 0 && i < found.gl_pathc; i++) {
                const char *release = strrchr(found.gl_pathv[i], '/') + 1 + strlen(forms[form].begin);

                r = add(l, found.gl_pathv[i], release, strlen(release) - strlen(forms[form].end));
        }
        return r;
}

/**
 * boot_images_find() - the images that are there
 * @boot:    such as /boot
 * @running: the release of the running kernel
 * @package: what names of images have in its place, as on Arch; NULL: nothing
 * @ret:     to be cleared, also after a failure
 *
 * Return: 0, also without any; -ENOMEM.
 */
int boot_images_find(const char *boot, const char *running, const char *package, BootImages *ret) {
        int r = 0;

        assert(boot && running && ret);

        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(forms); i++)
                r = find_form(boot, i, ret);
        for (size_t i = 0; i < ret->n_items; i++)
                ret->items[i].is_running = streq(ret->items[i].release, running) ||
                                           (package && streq(ret->items[i].release, package));
        return r;
}

void boot_images_clear(BootImages *l) {
        assert(l);

        for (size_t i = 0; i < l->n_items; i++) {
                free(l->items[i].path);
                free(l->items[i].release);
        }
        free(l->items);
        *l = (BootImages) {};
}
