/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An initramfs, compressed or not, as lkmd-initramfs reads it. What it prints of it, lkmctl doctor reads, and finds
 * the same files: names that can be shown and lead nowhere else, and contents within bounds.
 */

#include "cli/doctor/image-copy.h"
#include "cli/initramfs/image-limits.h"
#include "cli/initramfs/image-reader.h"
#include "common/base/text.h"
#include "support.h"

#define UNPACKED_MAX ((uint64_t) 8 << 20) /* bytes: a bomb would only cost time */

static void check_files(const ImageFiles *files) {
        size_t size = 0;

        must(files->n_items <= FILES_MAX);
        for (size_t i = 0; i < files->n_items; i++) {
                const ImageFile *f = files->items + i;

                must(f->name && f->name[0] != '/' && f->size <= FILE_SIZE_MAX);
                must(!strstr(f->name, "/../") && !startswith(f->name, "../") && !endswith(f->name, "/.."));
                must(f->content || f->size == 0);
                size += f->size;
                for (size_t k = 0; k < i; k++)
                        must(!streq(files->items[k].name, f->name));
        }
        must(size <= files->size && files->size <= CONTENTS_SIZE_MAX);
}

static void check_copy(const ImageFiles *files, const ImageCopy *copy) {
        must(streq(copy->maker, image_maker_to_string(files->maker)));
        must(copy->n_items == files->n_items);
        for (size_t i = 0; i < copy->n_items; i++) {
                const ImageCopyFile *c = copy->items + i;
                const ImageFile *f = files->items + i;
                _cleanup_(freep) char *name = NULL;

                must(text_escape(f->name, &name) >= 0);
                must(streq(c->name + 1, name) && c->name[0] == '/');
                fuzz_must_be_printable(c->name);
                must(c->size == f->size && memcmp(c->content, f->content ?: "", f->size) == 0);
                must((c->kind == IMAGE_COPY_LOST) == !f->content);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(image_files_clear) ImageFiles files = {};
        _cleanup_(image_copy_clear) ImageCopy copy = {};
        _cleanup_(freep) char *text = NULL;
        size_t printed = 0;
        FuzzFile file;
        FILE *out;
        int r;

        fuzz_file_open(&file, "initramfs");
        fuzz_file_write(&file, data, size);
        must(lseek(file.fd, 0, SEEK_SET) == 0);
        r = image_read(file.fd, UNPACKED_MAX, &files);
        closep(&file.fd);
        check_files(&files);
        if (r < 0) {
                must(image_error_words(r)[0] != '\0');
                return 0;
        }

        out = open_memstream(&text, &printed);
        must(out && image_files_write(&files, out) >= 0 && fclose(out) == 0);
        must(image_copy_parse(text, printed, &copy) >= 0);
        check_copy(&files, &copy);
        return 0;
}
