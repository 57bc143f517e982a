/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <endian.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/index/index-file.h"
#include "index-writer.h"

#define NAME "/lib/modules/x/modules.alias.bin"

static const WriterEntry sample[] = {
        { "acpi*:PNP0C0A:*", "battery", 7 },
        { "acpi*:PNP0C0B:*", "fan", 8 },
        { "fs_ext3", "ext4", 3 },
        { "fs_ext4", "ext4", 3 },
        { "pci:v00008086d00000C00sv*sd*bc*sc*i*", "first", 1 },
        { "pci:v00008086d00000C00sv*sd*bc*sc*i*", "second", 2 },
        { "pci:v00008086d00000C00sv*sd*bc*sc*i*", "third", 2 },
        { "pci:v00008086d*", "intel", 4000000000U },
        { "usb:v*p[0-9]*", "", 0 },
        { "usb", "usbcore", 9 },
};

typedef struct Seen {
        size_t n, n_bytes;
        int stop;                       /* what to return at the third entry */
} Seen;

static int on_entry(const char *key, const char *value, uint32_t priority, void *userdata) {
        Seen *seen = userdata;

        seen->n++;
        seen->n_bytes += strlen(key) + strlen(value);
        return seen->n == 3 ? seen->stop : 0;
}

typedef struct Expected {
        const WriterEntry *entries;
        size_t n, n_seen;
} Expected;

static int on_expected(const char *key, const char *value, uint32_t priority, void *userdata) {
        Expected *e = userdata;

        assert_true(e->n_seen < e->n);
        assert_string_equal(key, e->entries[e->n_seen].key);
        assert_string_equal(value, e->entries[e->n_seen].value);
        assert_int_equal(priority, e->entries[e->n_seen].priority);
        e->n_seen++;
        return 0;
}

/* Everything that can be asked of a file that was accepted; the sanitizers look on. */
static void use(const IndexFile *f) {
        const char *value = NULL;
        Seen seen = {};

        assert_ok(index_file_foreach(f, on_entry, &seen));
        assert_int_equal(seen.n, index_file_count(f));
        for (size_t i = 0; i < ARRAY_LEN(sample); i++)
                if (index_file_search(f, sample[i].key, &value) >= 0)
                        assert_true(strlen(value) < 4096);
}

static void expect_broken(const void *data, size_t size, const char *what) {
        ProblemList problems = {};
        IndexFile *f = NULL;

        assert_int_equal(index_file_new(&f, NAME, data, size, &problems), -EBADMSG);
        assert_null(f);
        assert_int_equal(problems.n_items, 1);
        assert_string_equal(problems.items[0].file, NAME);
        if (what && !strstr(problems.items[0].message, what))
                fail_msg("'%s' is not in '%s'", what, problems.items[0].message);
        problem_list_clear(&problems);
}

static void test_gives_back_what_was_written(void **state) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        _cleanup_(freep) uint8_t *data = NULL;
        WriterEntry shuffled[ARRAY_LEN(sample)];
        size_t size;

        for (size_t i = 0; i < ARRAY_LEN(sample); i++)
                shuffled[i] = sample[ARRAY_LEN(sample) - 1 - i];
        /* the values of one key stay as they came */
        WriterEntry first = shuffled[5];
        shuffled[5] = shuffled[3];
        shuffled[3] = first;

        data = index_write(shuffled, ARRAY_LEN(shuffled), &size);
        assert_ok(index_file_new(&f, NAME, data, size, NULL));
        assert_int_equal(index_file_count(f), ARRAY_LEN(sample));

        WriterEntry sorted[ARRAY_LEN(sample)];
        memcpy(sorted, sample, sizeof(sorted));
        sorted[4] = sample[7];          /* "...d*" before "...d0" */
        memcpy(sorted + 5, sample + 4, 3 * sizeof(*sorted));
        sorted[8] = sample[9];          /* "usb" before "usb:..." */
        sorted[9] = sample[8];
        Expected e = { .entries = sorted, .n = ARRAY_LEN(sorted) };
        assert_ok(index_file_foreach(f, on_expected, &e));
        assert_int_equal(e.n_seen, e.n);
}

static void test_search(void **state) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        _cleanup_(freep) uint8_t *data = NULL;
        const char *value = NULL;
        Seen seen = {};
        size_t size;

        data = index_write(sample, ARRAY_LEN(sample), &size);
        assert_ok(index_file_new(&f, NAME, data, size, NULL));

        assert_ok(index_file_search(f, "fs_ext4", &value));
        assert_string_equal(value, "ext4");
        assert_ok(index_file_search(f, "pci:v00008086d00000C00sv*sd*bc*sc*i*", &value));
        assert_string_equal(value, "first");
        assert_ok(index_file_search(f, "usb:v*p[0-9]*", &value));
        assert_string_equal(value, "");

        const char *absent[] = {
                "", "f", "fs_ext", "fs_ext5", "fs_ext44", "usb:", "\xff", "pci:v00008086dx"
        };
        for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
                value = NULL;
                assert_int_equal(index_file_search(f, absent[i], &value), -ENOENT);
                assert_null(value);
                assert_int_equal(index_file_search_all(f, absent[i], on_entry, &seen), -ENOENT);
        }
        assert_int_equal(seen.n, 0);

        Expected e = { .entries = sample + 4, .n = 3 };
        assert_ok(index_file_search_all(f, sample[4].key, on_expected, &e));
        assert_int_equal(e.n_seen, 3);
}

static void test_callback_ends_the_walk(void **state) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        _cleanup_(freep) uint8_t *data = NULL;
        Seen seen = { .stop = -ECANCELED };
        size_t size;

        data = index_write(sample, ARRAY_LEN(sample), &size);
        assert_ok(index_file_new(&f, NAME, data, size, NULL));
        assert_int_equal(index_file_foreach(f, on_entry, &seen), -ECANCELED);
        assert_int_equal(seen.n, 3);

        seen = (Seen) { .stop = -ECANCELED };
        assert_int_equal(index_file_search_all(f, sample[4].key, on_entry, &seen), -ECANCELED);
}

static void test_empty_index(void **state) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        _cleanup_(freep) uint8_t *data = NULL;
        const char *value;
        Seen seen = {};
        size_t size;

        data = index_write(NULL, 0, &size);
        assert_int_equal(size, 12);
        assert_ok(index_file_new(&f, NAME, data, size, NULL));
        assert_int_equal(index_file_count(f), 0);
        assert_ok(index_file_foreach(f, on_entry, &seen));
        assert_int_equal(seen.n, 0);
        assert_int_equal(index_file_search(f, "", &value), -ENOENT);
        assert_int_equal(index_file_search(f, "a", &value), -ENOENT);
}

static void test_truncated_at_every_length(void **state) {
        _cleanup_(freep) uint8_t *data = NULL;
        size_t size;

        data = index_write(sample, ARRAY_LEN(sample), &size);
        for (size_t n = 0; n < size; n++) {
                uint8_t *cut = malloc(n + !n);          /* its own block, so that the sanitizer sees its end */

                assert_non_null(cut);
                memcpy(cut, data, n);
                expect_broken(cut, n, NULL);
                free(cut);
        }
}

/* The rest of a truncated file comes back as zeroes when a disk lost it. */
static void test_zeroed_from_every_length(void **state) {
        _cleanup_(freep) uint8_t *data = NULL;
        size_t size;

        data = index_write(sample, ARRAY_LEN(sample), &size);
        for (size_t n = size; n-- > 0;) {
                bool changed = data[n] != 0;

                data[n] = 0;
                if (changed && n < 12)
                        expect_broken(data, size, NULL);
                else {
                        _cleanup_(index_file_freep) IndexFile *f = NULL;

                        if (index_file_new(&f, NAME, data, size, NULL) >= 0)
                                use(f);
                }
        }
}

static void test_every_bit_flipped(void **state) {
        _cleanup_(freep) uint8_t *data = NULL;
        size_t size;

        data = index_write(sample, ARRAY_LEN(sample), &size);
        for (size_t i = 0; i < size * 9; i++) {
                _cleanup_(index_file_freep) IndexFile *f = NULL;
                uint8_t flip = i % 9 == 8 ? 0xff : (uint8_t) (1U << i % 9);

                data[i / 9] ^= flip;
                if (index_file_new(&f, NAME, data, size, NULL) >= 0)
                        use(f);
                data[i / 9] ^= flip;
        }
}

static void put(uint8_t *p, uint32_t v) {
        v = htobe32(v);
        memcpy(p, &v, sizeof(v));
}

static void put_header(uint8_t *data, uint32_t root) {
        put(data, 0xB007F457U);
        put(data + 4, 0x00020001U);
        put(data + 8, root);
}

static void test_header(void **state) {
        uint8_t data[12];

        put_header(data, 12);
        put(data, 0xB007F458U);
        expect_broken(data, sizeof(data), "no module index");
        put_header(data, 12);
        put(data + 4, 0x00030001U);
        expect_broken(data, sizeof(data), "unknown version");
        put_header(data, 13);
        expect_broken(data, sizeof(data), "outside");
        put_header(data, 0);
        expect_broken(data, sizeof(data), "outside");
        put_header(data, 12 | 0x80000000U);
        expect_broken(data, sizeof(data), "does not end");
        expect_broken("", 0, "cut short");
}

static void test_cycles(void **state) {
        uint8_t data[12 + 10];

        /* a root that is its own child */
        put_header(data, 12 | 0x20000000U);
        memcpy(data + 12, "ab", 2);
        put(data + 14, 12 | 0x20000000U);
        put(data + 18, 0);
        expect_broken(data, sizeof(data), "overlap");

        /* and into the middle of itself, where the table reads as something else */
        put(data + 14, 13 | 0x80000000U);
        expect_broken(data, sizeof(data), NULL);
        put(data + 14, 14 | 0x40000000U);
        expect_broken(data, sizeof(data), NULL);
}

static void test_shared_nodes(void **state) {
        enum { LEVELS = 40, SIZE = 12 + LEVELS * 10 + 6 };
        uint8_t data[SIZE];
        uint32_t below = 12;

        /* Both children of each node are the same: with 40 of them a plain walk would take years. */
        put(data + below, 1);
        memcpy(data + below + 4, "\0\0", 2);
        below |= 0x80000000U;
        for (uint32_t i = 0; i < LEVELS; i++) {
                uint32_t at = 18 + i * 10;

                memcpy(data + at, "ab", 2);
                put(data + at + 2, below);
                put(data + at + 6, below);
                below = at | 0x20000000U;
        }
        put_header(data, below);
        expect_broken(data, sizeof(data), "overlap");
}

static void test_impossible_nodes(void **state) {
        uint8_t data[64];

        memset(data, 0, sizeof(data));
        put_header(data, 12 | 0x20000000U);
        memcpy(data + 12, "ba", 2);
        expect_broken(data, sizeof(data), "range of children");
        memcpy(data + 12, "a\x80", 2);
        expect_broken(data, sizeof(data), "range of children");
        memcpy(data + 12, "\0a", 2);
        expect_broken(data, sizeof(data), "range of children");
        memcpy(data + 12, "\1\x7f", 2);
        expect_broken(data, sizeof(data), "does not end");
        memcpy(data + 12, "aa", 2);
        put(data + 14, 4 | 0x80000000U);
        expect_broken(data, sizeof(data), "outside");
        put(data + 14, 0x0FFFFFFFU | 0x80000000U);
        expect_broken(data, sizeof(data), "outside");
        put(data + 14, 0);
        expect_broken(data, sizeof(data), "belong to no node");

        put_header(data, 12 | 0x40000000U);
        put(data + 12, 0xFFFFFFFFU);
        expect_broken(data, sizeof(data), "more values");
        memset(data + 16, 'x', sizeof(data) - 16);
        put(data + 12, 9);
        expect_broken(data, sizeof(data), "does not end");
}

static void test_unterminated_strings(void **state) {
        uint8_t data[64];

        memset(data, 'x', sizeof(data));
        put_header(data, 12 | 0x80000000U);
        expect_broken(data, sizeof(data), "a key does not end");

        put_header(data, 12 | 0x40000000U);
        put(data + 12, 1);
        expect_broken(data, sizeof(data), "a value does not end");
        put(data + 12, 2);
        data[30] = 0;
        expect_broken(data, sizeof(data), "a value does not end");
}

/* A chain of @n nodes with one child each. */
static uint8_t *chain(uint32_t n, size_t *ret_size) {
        size_t size = 12 + 9 + (size_t) n * 6;
        uint8_t *data = calloc(size, 1);
        uint32_t below = 12 | 0x40000000U;

        assert_non_null(data);
        put(data + 12, 1);
        for (uint32_t i = 0; i < n; i++) {
                uint32_t at = 21 + i * 6;

                memcpy(data + at, "aa", 2);
                put(data + at + 2, below);
                below = at | 0x20000000U;
        }
        put_header(data, below);
        *ret_size = size;
        return data;
}

static void test_deep_chains(void **state) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        _cleanup_(freep) uint8_t *deep = NULL, *deeper = NULL;
        Seen seen = {};
        size_t size;

        deep = chain(60000, &size);
        assert_ok(index_file_new(&f, NAME, deep, size, NULL));
        assert_ok(index_file_foreach(f, on_entry, &seen));
        assert_int_equal(seen.n_bytes, 60000);

        deeper = chain(1000000, &size);
        expect_broken(deeper, size, "too long");
}

/* One more part of the format may come with a new minor version; it is not for us to refuse it. */
static void test_newer_minor_version(void **state) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        uint8_t data[32];

        memset(data, 'x', sizeof(data));
        put_header(data, 12);
        expect_broken(data, sizeof(data), "belong to no node");
        put(data + 4, 0x00020002U);
        assert_ok(index_file_new(&f, NAME, data, sizeof(data), NULL));
}

static void write_file(const char *path, const void *data, size_t size) {
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, size), size);
}

static void test_files(void **state) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        _cleanup_(freep) uint8_t *data = NULL;
        char dir[] = "/tmp/test-index-file-XXXXXX", path[64], fifo[64];
        ProblemList problems = {};
        const char *value;
        size_t size;

        assert_non_null(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/modules.alias.bin", dir);
        (void) snprintf(fifo, sizeof(fifo), "%s/fifo", dir);

        assert_int_equal(index_file_open(&f, path, &problems), -ENOENT);
        assert_int_equal(problems.n_items, 0);

        assert_int_equal(index_file_open(&f, dir, &problems), -EISDIR);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(index_file_open(&f, fifo, &problems), -EBADF);
        assert_int_equal(problems.n_items, 2);
        assert_string_equal(problems.items[0].file, dir);
        assert_string_equal(problems.items[1].file, fifo);

        data = index_write(sample, ARRAY_LEN(sample), &size);
        write_file(path, data, size - 1);
        assert_int_equal(index_file_open(&f, path, &problems), -EBADMSG);
        assert_string_equal(problems.items[2].file, path);

        /* What happens to the file later is no business of the one that was read. */
        write_file(path, data, size);
        assert_ok(index_file_open(&f, path, &problems));
        assert_int_equal(truncate(path, 0), 0);
        assert_ok(index_file_search(f, "fs_ext4", &value));
        assert_string_equal(value, "ext4");

        IndexFile *huge = NULL;
        assert_int_equal(truncate(path, (off_t) 1 << 40), 0);
        assert_int_equal(index_file_open(&huge, path, &problems), -EFBIG);
        assert_int_equal(problems.n_items, 4);

        problem_list_clear(&problems);
        (void) unlink(path);
        (void) unlink(fifo);
        (void) rmdir(dir);
}

static int on_any(const char *key, const char *value, uint32_t priority, void *userdata) {
        assert_true(strlen(value) < 65536);
        return 0;
}

/* A file that is used without having been checked: an answer or an error, and an end. */
static void test_broken_and_unchecked(void **state) {
        static const char *const keys[] = { "", "fs_ext4", "usb:v0525pA4A5", "pci:v00008086", "x" };
        char path[] = "/tmp/test-index-file-XXXXXX";
        _cleanup_(freep) uint8_t *data = NULL;
        _cleanup_(closep) int fd = mkstemp(path);
        size_t size, n_broken = 0;

        assert_true(fd >= 0);
        data = index_write(sample, ARRAY_LEN(sample), &size);
        for (size_t i = 0; i < size * 9 + size; i++) {  /* every bit flipped, every byte, every length */
                size_t n = i < size * 9 ? size : i - size * 9, at = i / 9;
                uint8_t flip = i % 9 == 8 ? 0xff : (uint8_t) (1U << i % 9);
                _cleanup_(index_file_freep) IndexFile *f = NULL;
                int r;

                if (n == size)
                        data[at] ^= flip;
                assert_int_equal(ftruncate(fd, 0), 0);
                assert_int_equal(pwrite(fd, data, n, 0), n);
                if (n == size)
                        data[at] ^= flip;
                r = index_file_map(&f, path);
                if (r < 0) {
                        assert_int_equal(r, -EBADMSG);
                        n_broken++;
                        continue;
                }
                for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
                        const char *value;

                        r = index_file_search(f, keys[k], &value);
                        assert_true(r == 0 || r == -ENOENT || r == -EBADMSG);
                        r = index_file_search_wild(f, keys[k], on_any, NULL);
                        assert_true(r == 0 || r == -EBADMSG);
                        n_broken += r < 0;
                }
        }
        assert_true(n_broken > 12);
        assert_int_equal(unlink(path), 0);
}

/* What depmod left in the root of the virtual machines, or on this machine. */
static void test_files_of_depmod(void **state) {
        char pattern[PATH_MAX];
        glob_t found;

        (void) snprintf(pattern, sizeof(pattern), "%s/lib/modules/*/modules.*.bin",
                        getenv("LKMD_GUEST_ROOT") ?: "");
        if (glob(pattern, 0, NULL, &found) != 0)
                skip();
        for (size_t i = 0; i < found.gl_pathc; i++) {
                _cleanup_(index_file_freep) IndexFile *f = NULL;
                ProblemList problems = {};
                Seen seen = {};

                if (index_file_open(&f, found.gl_pathv[i], &problems) < 0)
                        fail_msg("%s: %s", found.gl_pathv[i],
                                 problems.n_items > 0 ? problems.items[0].message : "?");
                assert_ok(index_file_foreach(f, on_entry, &seen));
                assert_int_equal(seen.n, index_file_count(f));
                assert_int_equal(problems.n_items, 0);
        }
        globfree(&found);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_gives_back_what_was_written),
                cmocka_unit_test(test_search),
                cmocka_unit_test(test_callback_ends_the_walk),
                cmocka_unit_test(test_empty_index),
                cmocka_unit_test(test_truncated_at_every_length),
                cmocka_unit_test(test_zeroed_from_every_length),
                cmocka_unit_test(test_every_bit_flipped),
                cmocka_unit_test(test_header),
                cmocka_unit_test(test_cycles),
                cmocka_unit_test(test_shared_nodes),
                cmocka_unit_test(test_impossible_nodes),
                cmocka_unit_test(test_unterminated_strings),
                cmocka_unit_test(test_deep_chains),
                cmocka_unit_test(test_newer_minor_version),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_broken_and_unchecked),
                cmocka_unit_test(test_files_of_depmod),
        };

        return RUN_TESTS(tests);
}
