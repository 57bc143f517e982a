/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/alias/alias-lookup.h"
#include "common/base/paths.h"
#include "common/index/index-image.h"
#include "common/index/index-lookup.h"
#include "common/index/index-tree.h"
#include "common/index/index.h"
#include "fake-image.h"
#include "fake-modules.h"

#define PAGE 4096U
#define MANY 4000U                      /* patterns: dozens of pages */

/* All kinds of nodes, edges and leaves. */
static const WriterEntry some[] = {
        { "pci:v00001234d*sv*sd*bc*sc*i*", "top", 0 },
        { "pci:v00001234d00005678sv*sd*bc*sc*i*", "other_one", 3 },
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
        { "of:N*T*Cvendor,two", "leaf", 15 },
        { "of:N*T*Cother,two*", "leaf", 16 },
        { "a?c", "leaf", 17 },
        { "a?c", "top", 17 },
        { "abc", "middle", 18 },
        { "**", "other_one", 19 },
        { "x\\*y", "leaf", 20 },
        { "x[[:alpha:]]y", "leaf", 21 },
        { "fs_some", "middle", 22 },
        { "nowhere", "missing", 23 },
        {},
};

static const FakeTree tree = {
        .modules = (const FakeModule[]) { { "top", "middle leaf" },
                                          { "middle", "leaf" },
                                          { "leaf" },
                                          { "other_one" },
                                          { "both" },
                                          {} },
        .aliases = some,
        .symbols = (const WriterEntry[]) { { "symbol:do_it", "leaf", 2 }, { "symbol:do_it", "middle", 3 }, {} },
        .builtin = (const char *const[]) { "in_kernel", "both", NULL },
        .builtin_aliases = (const WriterEntry[]) { { "acpi*:PNP0C0A:*", "in_kernel", 0 }, {} },
};

static const char *const keys[] = {
        "top", "middle", "leaf", "other-one", "both", "in-kernel", "none", "", "symbol:do_it", "symbol:other", "abc", "a?c", "a*c",
        "axc", "fs-some", "nowhere", "x*y", "xay", "x\\*y", "**", "*", "[ab]", "pci:v00001234d00005678sv0sd0bc01sc0i0",
        "pci:v00001234d00009999sv0sd0bc00sc0i0", "usb:v0001p0001d0", "usb:v0001p0007d0", "usb:v0001p0008d0", "usb:v0001p000Ad0",
        "usb:v0001", "of:NnameTtypeCvendor,one", "of:NnameTtypeCvendor,oneCmore", "of:NTCother,two3", "acpi:PNP0C0A:",
};

typedef struct Fixture {
        Scratch scratch;
        void *image;
        size_t size;
} Fixture;

static const Index *read_index(Fixture *f, bool with_image) {
        const Index *x = NULL;

        assert_ok(index_new(
                &x,
                &(IndexSources) {
                        .root = f->scratch.dir,
                        .release = FAKE_RELEASE,
                        .config_paths = (const char *const[]) { scratch_path(&f->scratch, "conf"), NULL },
                        .command_line = "",
                        .image_dir = with_image ? scratch_path(&f->scratch, "images") : NULL,
                },
                NULL));
        return x;
}

static void write_image(Fixture *f) {
        scratch_write_bytes(&f->scratch, "images/" FAKE_RELEASE, f->image, f->size);
        assert_int_equal(chmod(scratch_path(&f->scratch, "images/" FAKE_RELEASE), 0600), 0);
}

static void make_image(Fixture *f) {
        free(f->image);
        f->image = fake_image(scratch_path(&f->scratch, FAKE_DIR), &f->size);
        write_image(f);
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        scratch_open(&f->scratch);
        fake_tree_write(&f->scratch, &tree);
        make_image(f);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        scratch_close(&f->scratch);
        free(f->image);
        free(f);
        return 0;
}

static void assert_same_module(const IndexModule *a, const IndexModule *b) {
        assert_true(!a == !b);
        if (!a)
                return;
        assert_string_equal(a->name, b->name);
        assert_true(streq_ptr(a->path, b->path));
        assert_int_equal(a->n_dependencies, b->n_dependencies);
        for (size_t i = 0; i < a->n_dependencies; i++)
                assert_string_equal(a->dependencies[i]->name, b->dependencies[i]->name);
}

static void assert_same_answer(const Index *a, const Index *b, const char *key) {
        IndexAnswer x = {}, y = {};

        assert_ok(index_lookup(a, key, &x));
        assert_ok(index_lookup(b, key, &y));
        assert_int_equal(x.n_matches, y.n_matches);
        for (size_t i = 0; i < x.n_matches; i++) {
                assert_string_equal(x.matches[i].name, y.matches[i].name);
                assert_true(streq_ptr(x.matches[i].alias, y.matches[i].alias));
                assert_int_equal(x.matches[i].source, y.matches[i].source);
                assert_same_module(x.matches[i].module, y.matches[i].module);
        }
        index_answer_clear(&x);
        index_answer_clear(&y);
}

static void assert_mapped(Fixture *f, bool expected) {
        const Index *with = read_index(f, true), *without = read_index(f, false);
        const char *reason;

        assert_int_equal(index_is_mapped(with, &reason), expected);
        assert_true(expected == !reason);
        assert_false(index_is_mapped(without, &reason));
        assert_null(reason);

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                assert_same_answer(with, without, keys[i]);
        assert_int_equal(index_count_modules(with), index_count_modules(without));
        assert_int_equal(index_count_aliases(with), index_count_aliases(without));
        for (size_t i = 0; i < index_count_modules(with); i++)
                assert_same_module(index_get_module(with, i), index_get_module(without, i));
        assert_true(index_is_whole(with));
        index_rest(with);
        assert_same_answer(with, without, keys[0]);
        index_unref(with);
        index_unref(without);
}

static void test_answers(void **state) {
        Fixture *f = *state;

        assert_mapped(f, true);
        /* The configuration is none of the image's. */
        scratch_write(
                &f->scratch, "conf/a.conf",
                "alias abc top\ninstall nowhere /bin/true\nalias usb:v0001* other-one\nsoftdep top pre: leaf\n");
        assert_mapped(f, true);
}

static void test_an_image_makes_the_same_image(void **state) {
        Fixture *f = *state;
        const Index *x;
        size_t size;
        void *image;

        make_image(f);
        x = read_index(f, true);
        assert_ok(index_compose_image(x, &image, &size));
        assert_int_equal(size, f->size);
        assert_memory_equal(image, f->image, size);
        free(image);
        index_unref(x);
}

/* The same files, the same bytes: what is between the values is no remainder of the heap. */
static void test_gaps_are_empty(void **state) {
        struct iovec parts[_IMAGE_PART_MAX], *values = &parts[IMAGE_ALIASES + ALIAS_VALUES];
        Fixture *f = *state;
        const char *bytes;

        assert_null(index_image_parse(f->image, f->size, parts));
        bytes = values->iov_base;
        assert_true(values->iov_len > 16);
        for (size_t i = 0; i < values->iov_len; i += 8)
                for (size_t k = i + strnlen(bytes + i, 8); k < MIN(i + 8, values->iov_len); k++)
                        assert_int_equal(bytes[k], 0);
}

/* Files that were written right now may be written again without looking different. */
static void test_young_files_make_no_image(void **state) {
        Fixture *f = *state;
        const Index *x = read_index(f, false);
        size_t size;
        void *image;

        assert_int_equal(index_compose_image(x, &image, &size), -EAGAIN);
        index_unref(x);
}

static void test_other_files(void **state) {
        static const char *const names[] = { "modules.dep.bin", "modules.builtin.bin", "modules.alias.bin",
                                             "modules.builtin.alias.bin", "modules.symbols.bin" };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                const char *path = scratch_path(&f->scratch, FAKE_DIR);
                char file[256], other[256];

                (void) snprintf(file, sizeof(file), "%s/%s", path, names[i]);
                (void) snprintf(other, sizeof(other), "%s/other", path);

                make_image(f);
                assert_mapped(f, true);
                assert_int_equal(
                        utimensat(AT_FDCWD, file, (const struct timespec[]) { { 1, 2 }, { 3, 4 } }, 0), 0);
                assert_mapped(f, false); /* another mtime */
                make_image(f);
                assert_mapped(f, true);
                assert_int_equal(chmod(file, 0640), 0);
                assert_mapped(f, false); /* another ctime */
                make_image(f);
                assert_int_equal(link(file, other), 0); /* another ctime again, and soon another inode */
                assert_mapped(f, false);
                assert_int_equal(unlink(other), 0);
        }
        make_image(f);
        scratch_remove(&f->scratch, FAKE_DIR "/modules.builtin.alias.bin");
        assert_false(({
                const Index *x = read_index(f, true);
                const char *reason;
                bool mapped = index_is_mapped(x, &reason);

                index_unref(x);
                mapped;
        }));
        make_image(f);
        assert_mapped(f, true);         /* a file that need not be there */
}

static void test_whose_file(void **state) {
        Fixture *f = *state;
        char file[256], other[256];

        (void) snprintf(file, sizeof(file), "%s", scratch_path(&f->scratch, "images/" FAKE_RELEASE));
        (void) snprintf(other, sizeof(other), "%s", scratch_path(&f->scratch, "images/other"));

        assert_int_equal(chmod(file, 0660), 0);
        assert_mapped(f, false);
        assert_int_equal(chmod(file, 0606), 0);
        assert_mapped(f, false);
        assert_int_equal(chmod(file, 0600), 0);
        assert_mapped(f, true);
        assert_int_equal(link(file, other), 0);
        assert_mapped(f, false);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(symlink("other", file), 0);
        assert_mapped(f, false);
        assert_int_equal(unlink(file), 0);
        assert_mapped(f, false);
        assert_int_equal(mkfifo(file, 0600), 0);
        assert_mapped(f, false);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(mkdir(file, 0700), 0);
        assert_mapped(f, false);
        assert_int_equal(rmdir(file), 0);
        if (geteuid() == 0) {
                write_image(f);
                assert_int_equal(chown(file, 65534, 0), 0);
                assert_mapped(f, false);
                assert_int_equal(chown(file, 0, 0), 0);
                assert_mapped(f, true);
        }
}

/* Of another machine, format or version, or no image at all. */
static void test_what_is_no_image(void **state) {
        Fixture *f = *state;
        uint8_t *bytes = f->image, *version;

        for (size_t i = 0; i < 4; i++) { /* the magic number in the other byte order */
                uint8_t b = bytes[i];

                bytes[i] = bytes[7 - i];
                bytes[7 - i] = b;
        }
        write_image(f);
        assert_mapped(f, false);

        make_image(f);
        bytes = f->image;
        bytes[0]++;                     /* the format */
        write_image(f);
        assert_mapped(f, false);

        make_image(f);
        version = memmem(f->image, f->size, LKMD_VERSION, strlen(LKMD_VERSION));
        assert_non_null(version);
        *version ^= 1;
        index_image_seal(f->image, f->size);
        write_image(f);
        assert_mapped(f, false);

        scratch_write(&f->scratch, "images/" FAKE_RELEASE, "");
        assert_mapped(f, false);
        scratch_write(&f->scratch, "images/" FAKE_RELEASE, "not an image\n");
        assert_mapped(f, false);
}

/* ---------------------------------------------------------------------------------------------- damage */

static int read_image(const void *image, size_t size, const IndexOrigin *origin, IndexTree *ret) {
        const char *reason = NULL;
        int r = index_tree_read(ret, &(struct iovec) { (void *) image, size }, origin, &reason);

        assert_true((r < 0) == (reason != NULL));
        return r;
}

static void test_damage_everywhere(void **state) {
        _cleanup_(index_origin_clear) IndexOrigin origin = {};
        static WriterEntry entries[MANY + 1];
        static char patterns[MANY][48];
        FakeTree many = tree;
        Fixture *f = *state;
        IndexTree t;

        for (size_t i = 0; i < MANY; i++) {
                (void) snprintf(patterns[i], sizeof(patterns[i]), "pci:v%08zXd%08zXsv*sd*bc*sc*i*", i / 40,
                                i);
                entries[i] = (WriterEntry) { patterns[i], "leaf", (uint32_t) i };
        }
        many.aliases = entries;
        fake_tree_write(&f->scratch, &many);
        make_image(f);
        assert_true(f->size > 50 * PAGE);
        assert_ok(index_origin_read(&origin, scratch_path(&f->scratch, FAKE_DIR)));
        assert_ok(read_image(f->image, f->size, &origin, &t));
        index_tree_clear(&t);

        for (size_t at = 0; at < f->size; at += PAGE) {
                uint8_t *byte = (uint8_t *) f->image + at, *copy;

                for (unsigned bit = 1; bit < 256; bit <<= 1) {
                        *byte ^= (uint8_t) bit;
                        assert_int_equal(read_image(f->image, f->size, &origin, &t), -EBADMSG);
                        *byte ^= (uint8_t) bit;
                }

                copy = malloc(at + 1);  /* what is behind the end is nobody's */
                assert_non_null(copy);
                memcpy(copy, f->image, at);
                assert_int_equal(read_image(copy, at, &origin, &t), -EBADMSG);
                free(copy);
        }
        for (size_t at = 0; at < f->size; at += PAGE) { /* a page that never came to the disk */
                size_t n = MIN((size_t) PAGE, f->size - at);
                uint8_t page[PAGE], zeroes[PAGE] = {};

                memcpy(page, (uint8_t *) f->image + at, n);
                if (memcmp(page, zeroes, n) == 0)
                        continue;
                memset((uint8_t *) f->image + at, 0, n);
                assert_int_equal(read_image(f->image, f->size, &origin, &t), -EBADMSG);
                memcpy((uint8_t *) f->image + at, page, n);
        }
        assert_ok(read_image(f->image, f->size, &origin, &t));
        index_tree_clear(&t);
}

/* Everything that can be asked of a tree; the sanitizers watch. */
static void use_tree(const IndexTree *t) {
        static const AliasTable none;
        const AliasTable *tables[] = { &t->aliases, &t->builtin_aliases, &none };
        AliasLookup *l = NULL;
        size_t n_bytes = 0;

        assert_ok(alias_lookup_new(&l));
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
                const IndexModule *m = module_table_find(t->modules, keys[i]);
                const char *value;

                n_bytes += m ? strlen(m->name) + strlen(m->path ?: "") : 0;
                if (index_file_search(t->symbols, keys[i], &value) >= 0)
                        n_bytes += strlen(value);
                for (size_t k = 0; tables[k]->matcher; k++) {
                        const AliasMatch *found;
                        size_t n;

                        assert_ok(alias_lookup_find(l, tables[k]->matcher, keys[i], strlen(keys[i]), &found,
                                                    &n));
                        for (size_t j = 0; j < n; j++) {
                                uint32_t module = tables[k]->modules[found[j].value_id];

                                n_bytes += strlen(found[j].pattern) + strlen(found[j].value);
                                if (module != MODULE_NONE)
                                        n_bytes += strlen(module_table_get(t->modules, module)->name);
                        }
                }
        }
        alias_lookup_free(l);
        for (size_t i = 0; i < module_table_count(t->modules); i++) {
                const IndexModule *m = module_table_get(t->modules, i);

                for (size_t k = 0; k < m->n_dependencies; k++)
                        n_bytes += strlen(m->dependencies[k]->name);
        }
        assert_true(n_bytes < SIZE_MAX);
}

/* A right checksum over wrong numbers: refused, or at least nothing outside of the image is touched. */
static void test_evil_numbers(void **state) {
        static const uint32_t evil[] = { 0,          1,          2,          3,          7,
                                         0x100,      0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF8,
                                         0x20000000, 0x10000000, 0x01000000, 0x02000000, 0x00FFFFFF };
        struct iovec parts[_IMAGE_PART_MAX];
        IndexOrigin origin;
        Fixture *f = *state;
        size_t n_taken = 0, n_refused = 0;

        assert_null(index_image_parse(f->image, f->size, parts));
        origin = (IndexOrigin) { .size = parts[IMAGE_ORIGIN].iov_len };
        origin.bytes = malloc(origin.size);
        assert_non_null(origin.bytes);
        memcpy(origin.bytes, parts[IMAGE_ORIGIN].iov_base, origin.size);

        for (size_t at = 0; at + sizeof(uint32_t) <= f->size; at += sizeof(uint32_t))
                for (size_t k = 0; k < 2 * ARRAY_LEN(evil); k++) {
                        uint8_t *place = (uint8_t *) f->image + at;
                        uint32_t was, is;
                        IndexTree t;

                        memcpy(&was, place, sizeof(was));
                        is = k < ARRAY_LEN(evil) ? evil[k]
                                                 : was ^ (evil[k - ARRAY_LEN(evil)] | 1U << (k % 32));
                        memcpy(place, &is, sizeof(is));
                        index_image_seal(f->image, f->size);
                        if (read_image(f->image, f->size, &origin, &t) >= 0) {
                                use_tree(&t);
                                index_tree_clear(&t);
                                n_taken++;
                        } else
                                n_refused++;
                        memcpy(place, &was, sizeof(was));
                }
        assert_true(n_taken > 0 && n_refused > n_taken / 4);
        free(origin.bytes);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_an_image_makes_the_same_image, setup, teardown),
                cmocka_unit_test_setup_teardown(test_gaps_are_empty, setup, teardown),
                cmocka_unit_test_setup_teardown(test_young_files_make_no_image, setup, teardown),
                cmocka_unit_test_setup_teardown(test_other_files, setup, teardown),
                cmocka_unit_test_setup_teardown(test_whose_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_is_no_image, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damage_everywhere, setup, teardown),
                cmocka_unit_test_setup_teardown(test_evil_numbers, setup, teardown),
        };

        return RUN_TESTS(tests);
}
