/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * check_images(): is the configuration in each initramfs the one on disk? What is loaded before the root file system
 * is there follows the copy. Owns nothing.
 */

#include <assert.h>

#include "cli/doctor/boot-images.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/image-drift.h"
#include "cli/machine/attribute.h"
#include "cli/offline/denied-lines.h"

#define SHOWN_MAX 10U                   /* files of an image */

/* What makes images, most common first. */
static const struct {
        const char *maker, *program;
        const char *hook;               /* of lkmd's; NULL: there is none for it */
} makers[] = {
        { "initramfs-tools", "/usr/sbin/update-initramfs", "/usr/share/initramfs-tools/hooks/lkmd" },
        { "dracut", "/usr/bin/dracut", "/usr/lib/dracut/modules.d/99lkmd" },
        { "mkinitcpio", "/usr/bin/mkinitcpio", NULL },
};

/* How the image is made again: by what made it, else by what is installed. @maker: NULL: not known */
static int make_command(const Doctor *d, const char *maker, const BootImage *image, char **ret) {
        const char *path = image->path + strlen(d->root);
        size_t i = 0;
        int n;

        while (i < ARRAY_LEN(makers) && !streq_ptr(makers[i].maker, maker))
                i++;
        if (i == ARRAY_LEN(makers))
                for (i = 0; i < ARRAY_LEN(makers) && !doctor_has(d, makers[i].program);)
                        i++;
        switch (i) {
        case 0:
                n = asprintf(ret, "update-initramfs -u -k %s", image->release);
                break;
        case 1:
                n = asprintf(ret, "dracut --force %s %s", path, image->release);
                break;
        case 2:
                n = asprintf(ret, "mkinitcpio -P");
                break;
        default:
                *ret = NULL;            /* nobody knows */
                return 0;
        }
        if (n < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

static int on_drifts(const Drifts *drifts, const BootImage *image, const char *path, const char *command,
                     Diagnoses *ret) {
        DiagnosisState state = image->is_running ? DIAGNOSIS_REPAIR : DIAGNOSIS_NOTE;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < MIN(drifts->n_items, (size_t) SHOWN_MAX); i++)
                r = diagnoses_add(ret, state, command, "in %s%s, %s %s", path,
                                  image->is_running ? "" : ", which is of another kernel",
                                  drifts->items[i].path, drift_kind_words(drifts->items[i].kind));
        if (r >= 0 && drifts->n_items > SHOWN_MAX)
                r = diagnoses_add(ret, state, command, "in %s, %zu more files are not as on disk", path,
                                  drifts->n_items - SHOWN_MAX);
        return r;
}

static bool has_hook(const Doctor *d, const char *maker) {
        for (size_t i = 0; i < ARRAY_LEN(makers); i++)
                if (streq(makers[i].maker, maker))
                        return makers[i].hook && doctor_has(d, makers[i].hook);
        return false;
}

/* What lkmd's hook would write into the image now. @ret: NULL: it is not known. Return: 0; -ENOMEM. */
static int make_denied(const Doctor *d, const ImageCopy *copy, const BootImage *image, char **ret) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(offline_policy_done) OfflinePolicy policy = {};
        int r;

        if (!has_hook(d, copy->maker) || !image->is_running || !index_is_complete(d->asker->index))
                return 0;
        r = offline_policy_read_lasting(&policy, &problems);
        if (r >= 0 && !policy.broken && !policy.kept_out_of_initramfs)
                r = denied_lines_new(&policy, d->asker->index, ret);
        return r == -ENOMEM ? r : 0;
}

static int compare(const Doctor *d, const BootImage *image, const ImageCopy *copy, Diagnoses *ret) {
        const char *path = image->path + strlen(d->root);
        _cleanup_(drifts_clear) Drifts drifts = {};
        _cleanup_(freep) char *command = NULL, *denied = NULL;
        int r;

        r = make_denied(d, copy, image, &denied);
        if (r >= 0)
                r = drifts_find(copy, d->root, denied, &drifts);
        if (r >= 0)
                r = make_command(d, copy->maker, image, &command);
        if (r < 0)
                return r;
        if (drifts.n_items > 0)
                return on_drifts(&drifts, image, path, command, ret);
        return diagnoses_add(ret, DIAGNOSIS_OK, NULL, "%s has the configuration that is on disk", path);
}

static int look_at_image(const Doctor *d, const BootImage *image, Diagnoses *ret) {
        const char *path = image->path + strlen(d->root);
        _cleanup_(image_copy_clear) ImageCopy copy = {};
        _cleanup_(freep) char *error = NULL, *command = NULL;
        int r;

        if (access(image->path, R_OK) < 0)
                return errno == ENOENT ? 0
                                       : diagnoses_add(ret, DIAGNOSIS_UNKNOWN, "sudo lkmctl doctor",
                                                       "%s may be read by root only", path);
        r = image_copy_read(d->image_reader, image->path, &copy, &error);
        if (r == -EPROTO && make_command(d, NULL, image, &command) < 0)
                return -ENOMEM;
        if (r == -EPROTO)
                return diagnoses_add(ret, image->is_running ? DIAGNOSIS_REPAIR : DIAGNOSIS_NOTE, command,
                                     "%s %s", path, error);
        if (r == -ENOENT)
                return diagnoses_add(ret, DIAGNOSIS_UNKNOWN, "reinstall lkmd",
                                     "no image could be looked into: %s is missing", d->image_reader);
        return r < 0 ? r : compare(d, image, &copy, ret);
}

int check_images(const Doctor *d, Diagnoses *ret) {
        const Machine *machine = &d->asker->machine;
        _cleanup_(boot_images_clear) BootImages images = {};
        _cleanup_(freep) char *package = NULL, *directory = NULL;
        int r;

        assert(ret);

        if (access(machine->boot, R_OK | X_OK) < 0 && errno == EACCES)
                return diagnoses_add(ret, DIAGNOSIS_UNKNOWN, "sudo lkmctl doctor",
                                     "what is in /boot may be read by root only");
        if (asprintf(&directory, "%s/%s", machine->modules, machine->release) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        r = attribute_new(directory, "pkgbase", &package); /* Arch */
        if (r != -ENOMEM)
                r = boot_images_find(machine->boot, machine->release, package, &images);
        for (size_t i = 0; r >= 0 && i < images.n_items; i++)
                r = look_at_image(d, images.items + i, ret);
        if (r >= 0 && images.n_items == 0)
                r = diagnoses_add(ret, DIAGNOSIS_OK, NULL,
                                  "there is none in /boot, so none has an old copy of the configuration");
        return r;
}
