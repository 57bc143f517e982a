/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An image of an index with numbers in it that others wrote, under a right checksum: eight bytes of input
 * are where, by how much and what. Refused, or everything that can be asked of it is in bounds and comes to
 * an end.
 */

#include "common/alias/alias-lookup.h"
#include "common/index/index-image.h"
#include "common/index/index-tree.h"
#include "fake-image.h"
#include "fake-modules.h"
#include "support.h"

#define CHANGES_MAX 16U

static const WriterEntry aliases[] = {
        { "pci:v00001234d*sv*sd*bc*sc*i*", "top", 0 },
        { "pci:v00001234d00005678sv*sd*bc*sc*i*", "other", 3 },
        { "pci:v*d*sv*sd*bc01sc*i*", "leaf", 2 },
        { "usb:v0001p0001d*", "top", 4 },
        { "usb:v0001p0002d*", "leaf", 5 },
        { "usb:v0001p0003d*", "middle", 6 },
        { "usb:v0001p0004d*", "middle", 7 },
        { "usb:v0001p0005d*", "middle", 8 },
        { "usb:v0001p0006d*", "middle", 9 },
        { "usb:v0001p0007d*", "leaf", 10 },
        { "usb:v0001p000[89]d*", "leaf", 11 },
        { "usb:v0001p000[!0-9]d*", "leaf", 12 },
        { "of:N*T*Cvendor,one", "top", 13 },
        { "of:N*T*Cvendor,oneC*", "top", 14 },
        { "of:N*T*Cother,two*", "leaf", 16 },
        { "a?c", "leaf", 17 },
        { "abc", "middle", 18 },
        { "**", "other", 19 },
        { "x\\*y", "leaf", 20 },
        { "x[[:alpha:]]y", "leaf", 21 },
        {},
};

static const FakeTree tree = {
        .modules = (const FakeModule[]) { { "top", "middle leaf" }, { "middle", "leaf" }, { "leaf" }, { "other" }, {} },
        .aliases = aliases,
        .symbols = (const WriterEntry[]) { { "symbol:do_it", "leaf", 2 }, { "symbol:do_it", "middle", 3 }, {} },
        .builtin = (const char *const[]) { "in_kernel", NULL },
        .builtin_aliases = (const WriterEntry[]) { { "acpi*:PNP0C0A:*", "in_kernel", 0 }, {} },
};

static const char *const keys[] = {
        "top", "in_kernel", "none", "", "symbol:do_it", "abc", "a?c", "axc", "x*y", "xay", "**", "[ab]",
        "pci:v00001234d00005678sv0sd0bc01sc0i0", "usb:v0001p0001d0", "usb:v0001p0008d0", "usb:v0001p000Ad0",
        "of:NnameTtypeCvendor,one", "of:NnameTtypeCvendor,oneCmore", "acpi:PNP0C0A:",
};

static void *original;
static size_t image_size;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        Scratch scratch;

        scratch_open(&scratch);
        fake_tree_write(&scratch, &tree);
        original = fake_image(scratch_path(&scratch, FAKE_DIR), &image_size);
        scratch_close(&scratch);
        return 0;
}

static int on_value(const char *key, const char *value, uint32_t priority, void *userdata) {
        size_t *n = userdata;

        *n += strlen(value);
        return 0;
}

static void use_aliases(AliasLookup *l, const IndexTree *t, const AliasTable *table, const char *key) {
        const AliasMatch *found;
        size_t n;

        if (!table->matcher)
                return;
        must(alias_lookup_find(l, table->matcher, key, strlen(key), &found, &n) == 0);
        for (size_t i = 0; i < n; i++) {
                uint32_t module = table->modules[found[i].value_id];

                must(strlen(found[i].pattern) < image_size && strlen(found[i].value) < image_size);
                must(module == MODULE_NONE ||
                     strlen(module_table_get(t->modules, module)->name) < image_size);
        }
}

static void use(const IndexTree *t) {
        AliasLookup *l = NULL;
        size_t n = 0;

        must(alias_lookup_new(&l) == 0);
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
                const IndexModule *m = module_table_find(t->modules, keys[i]);

                must(!m || streq(m->name, keys[i]));
                (void) index_file_search_all(t->symbols, keys[i], on_value, &n);
                use_aliases(l, t, &t->aliases, keys[i]);
                use_aliases(l, t, &t->builtin_aliases, keys[i]);
        }
        alias_lookup_free(l);
        for (size_t i = 0; i < module_table_count(t->modules); i++) {
                const IndexModule *m = module_table_get(t->modules, i);

                n += strlen(m->path ?: "");
                for (size_t k = 0; k < m->n_dependencies; k++)
                        n += strlen(m->dependencies[k]->name);
        }
        must(n < SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct iovec parts[_IMAGE_PART_MAX];
        const char *reason = NULL;
        _cleanup_(freep) uint8_t *image = malloc(image_size);
        IndexOrigin origin;
        IndexTree t;
        int r;

        must(image != NULL);
        memcpy(image, original, image_size);
        for (size_t i = 0; i < CHANGES_MAX && size >= 8; i++, data += 8, size -= 8) {
                uint32_t where = (uint32_t) data[0] | (uint32_t) data[1] << 8 | (uint32_t) data[2] << 16, is;
                uint8_t *place = image + where % (image_size / sizeof(is)) * sizeof(is);

                memcpy(&is, data + 4, sizeof(is));
                if (data[3] & 1) {      /* near what was there */
                        uint32_t was;

                        memcpy(&was, place, sizeof(was));
                        is = was + (uint32_t) (int8_t) is;
                }
                memcpy(place, &is, sizeof(is));
        }
        index_image_seal(image, image_size);

        must((index_image_parse(original, image_size, parts)) == NULL);
        origin = (IndexOrigin) { .bytes = parts[IMAGE_ORIGIN].iov_base,
                                 .size = parts[IMAGE_ORIGIN].iov_len };
        r = index_tree_read(&t, &(struct iovec) { image, image_size }, &origin, &reason);
        must(r == 0 || r == -EBADMSG || r == -ESTALE);
        must((r < 0) == (reason != NULL));
        if (r < 0)
                return 0;
        use(&t);
        index_tree_clear(&t);
        return 0;
}
