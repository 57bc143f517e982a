/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ImageFiles: see image-files.h. What comes later in an image replaces what has the same name, as when the kernel
 * unpacks it. Owns the names and contents.
 */

#include "cli/initramfs/image-files.h"

#include <assert.h>
#include <sys/stat.h>

#include "cli/initramfs/image-limits.h"
#include "common/base/array.h"
#include "common/base/text.h"

/* The directories of which all is shown, and what shows who made the image. */
static const char *const directories[] = {
        "etc/modprobe.d/",     "usr/lib/modprobe.d/",  "lib/modprobe.d/", "usr/local/lib/modprobe.d/",
        "run/modprobe.d/",     "etc/modules-load.d/",  "etc/lkmd/",       "usr/lib/lkmd/policy.d/",
        "usr/share/lkmd/lists/",
};

static const struct {
        const char *name;
        ImageMaker maker;
} marks[] = {
        { "conf/initramfs.conf", IMAGE_MAKER_INITRAMFS_TOOLS },
        { "scripts/init-top", IMAGE_MAKER_INITRAMFS_TOOLS },
        { "usr/lib/dracut", IMAGE_MAKER_DRACUT },
        { "lib/dracut", IMAGE_MAKER_DRACUT },
        { "usr/lib/initcpio", IMAGE_MAKER_MKINITCPIO },
        { "init_functions", IMAGE_MAKER_MKINITCPIO },
};

static const char *const makers[_IMAGE_MAKER_MAX] = {
        [IMAGE_MAKER_UNKNOWN] = "unknown",
        [IMAGE_MAKER_INITRAMFS_TOOLS] = "initramfs-tools",
        [IMAGE_MAKER_DRACUT] = "dracut",
        [IMAGE_MAKER_MKINITCPIO] = "mkinitcpio",
};

/* The name of the program that made it. */
const char *image_maker_to_string(ImageMaker maker) {
        assert(maker >= 0 && maker < _IMAGE_MAKER_MAX);

        return makers[maker];
}

/* "./etc//x", "/etc/x": "etc/x" */
static const char *plain_name(const char *name) {
        while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
                name++;
        return name;
}

static bool is_shown(const char *name) {
        for (size_t i = 0; i < ARRAY_LEN(directories); i++)
                if (startswith(name, directories[i]))
                        return true;
        return false;
}

/* A name with ".." is none that anybody means. */
static bool leads_up(const char *name) {
        for (const char *p = name; (p = strstr(p, "..")); p += 2)
                if ((p == name || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
                        return true;
        return false;
}

static void file_clear(ImageFile *f) {
        free(f->name);
        free(f->content);
        *f = (ImageFile) {};
}

static bool is_same_inode(const ImageFile *a, const ImageFile *b) {
        return !a->is_link && !b->is_link && a->archive == b->archive && a->inode == b->inode &&
               a->device[0] == b->device[0] && a->device[1] == b->device[1];
}

static int set_content(ImageFiles *f, ImageFile *file, const char *content, size_t size) {
        char *copy;

        if (size > CONTENTS_SIZE_MAX - f->size)
                return -EFBIG;
        copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, content, size);
        copy[size] = '\0';
        free(file->content);
        file->content = copy;
        file->size = size;
        f->size += size;
        return 0;
}

/* Of several hard links, only one has the content, mostly the last. Return: 0; negative errno. */
static int share_content(ImageFiles *f, const ImageFile *with) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n_items; i++)
                if (!f->items[i].content && is_same_inode(f->items + i, with))
                        r = set_content(f, f->items + i, with->content, with->size);
        return r;
}

static int find_content(ImageFiles *f, ImageFile *file) {
        for (size_t i = 0; i < f->n_items; i++)
                if (f->items[i].content && is_same_inode(f->items + i, file))
                        return set_content(f, file, f->items[i].content, f->items[i].size);
        return 0;
}

static int put(ImageFiles *f, ImageFile *file) {
        for (size_t i = 0; i < f->n_items; i++)
                if (streq(f->items[i].name, file->name)) {
                        file_clear(f->items + i);
                        f->items[i] = *file;
                        *file = (ImageFile) {};
                        return 0;
                }
        if (f->n_items >= FILES_MAX)
                return -EFBIG;
        if (array_grow(&f->items, f->n_items, sizeof(*f->items)) < 0)
                return -ENOMEM;
        f->items[f->n_items++] = *file;
        *file = (ImageFile) {};
        return 0;
}

static int take_content(ImageFiles *f, ImageFile *file, const CpioEntry *e, ByteSource *s) {
        _cleanup_(freep) char *content = NULL;
        int r;

        if (e->size > FILE_SIZE_MAX)
                return -EFBIG;
        content = malloc((size_t) e->size + 1);
        if (!content)
                return -ENOMEM;
        r = byte_source_take(s, content, e->size);
        if (r >= 0)
                r = set_content(f, file, content, e->size);
        if (r >= 0 && e->n_links > 1 && !file->is_link)
                r = share_content(f, file);
        return r;
}

static bool waits_for_content(const ImageFiles *f, const ImageFile *file) {
        for (size_t i = 0; i < f->n_items; i++)
                if (!f->items[i].content && is_same_inode(f->items + i, file))
                        return true;
        return false;
}

/**
 * image_files_take() - look at one entry of an archive
 *
 * Return: 1: its content was taken from @s; 0; -EFBIG: more than anybody configures; what the source says.
 */
int image_files_take(ImageFiles *f, const CpioEntry *e, ByteSource *s) {
        ImageFile file = { .archive = f->n_archives,
                           .inode = e->inode,
                           .device = { e->device[0], e->device[1] },
                           .is_link = S_ISLNK(e->mode) };
        const char *name = plain_name(e->name);
        bool shown = is_shown(name) && !leads_up(name), data = e->size > 0 || e->n_links < 2;
        int r = 0;

        for (size_t i = 0; i < ARRAY_LEN(marks); i++)
                if (streq(name, marks[i].name) && f->maker == IMAGE_MAKER_UNKNOWN)
                        f->maker = marks[i].maker;
        if (!S_ISREG(e->mode) && !S_ISLNK(e->mode))
                return 0;
        if (!shown && !(e->n_links > 1 && data && waits_for_content(f, &file)))
                return 0;
        if (data)
                r = take_content(f, &file, e, s);
        else
                r = find_content(f, &file);
        if (r >= 0 && shown) {
                file.name = strdup(name);
                r = file.name ? put(f, &file) : -ENOMEM;
        }
        file_clear(&file);
        return r < 0 ? r : data;
}

void image_files_clear(ImageFiles *f) {
        assert(f);

        for (size_t i = 0; i < f->n_items; i++)
                file_clear(f->items + i);
        free(f->items);
        *f = (ImageFiles) {};
}

/**
 * image_files_write() - for whoever asked, who reads it with image_copy_read()
 *
 * A line with the maker, and for each file "file SIZE NAME", or "link SIZE NAME", or "lost 0 NAME" if its content is
 * not known, with SIZE bytes and a newline below; "end". Names are escaped.
 *
 * Return: 0; -ENOMEM; -EIO.
 */
int image_files_write(const ImageFiles *f, FILE *out) {
        assert(f && out);

        (void) fprintf(out, "maker %s\n", image_maker_to_string(f->maker));
        for (size_t i = 0; i < f->n_items; i++) {
                const ImageFile *file = f->items + i;
                _cleanup_(freep) char *name = NULL;

                if (text_escape(file->name, &name) < 0)
                        return -ENOMEM;
                (void) fprintf(out, "%s %zu %s\n",
                               !file->content  ? "lost"
                               : file->is_link ? "link"
                                               : "file",
                               file->size, name);
                (void) fwrite(file->content ?: "", 1, file->size, out);
                (void) fputc('\n', out);
        }
        (void) fputs("end\n", out);
        return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
