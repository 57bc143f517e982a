/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * diff-lookup tree MODULE-DIR [FILE...]: every alias pattern of a module directory made into keys, every
 * line of the files, and as many keys again with something broken in them, to libkmod and to lkmd's index;
 * what this says has to be what the same index says when it is mapped from its image.
 *
 * diff-lookup random DIRECTORY: the same with indexes of random patterns, written to DIRECTORY.
 *
 * Prints how many keys were asked, how many led to something, and every key that got different answers;
 * fails if any did.
 */

#include <libkmod.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "common/index/index-direct.h"
#include "common/index/index-file.h"
#include "common/index/index-lookup.h"
#include "common/index/index.h"
#include "fake-image.h"
#include "index-writer.h"

#define FUZZED_KEYS 100000U
#define RANDOM_TREES 300U
#define RANDOM_KEYS 400U
#define REPORTS_MAX 20U
#define DIRECT_EVERY 8U                 /* key: that way takes as long as libkmod's */

typedef struct Comparison {
        struct kmod_ctx *kmod;
        const Index *index, *mapped;
        IndexAnswer answer, mapped_answer;
        IndexDirect *direct;
        size_t n_keys, n_found, n_modules, n_different;
        char **keys;                    /* a sample to break */
        size_t n_sample, n_sample_allocated;
} Comparison;

static uint64_t random_state = 0x9E3779B97F4A7C15U;

/* The same numbers everywhere, so that a difference can be found again. */
static uint32_t random_number(uint32_t below) {
        random_state = random_state * 6364136223846793005U + 1442695040888963407U;
        return (uint32_t) (random_state >> 33) % below;
}

static _Noreturn void die(const char *what, int error) {
        fprintf(stderr, "diff-lookup: %s: %s\n", what, strerror(-error));
        exit(EXIT_FAILURE);
}

static void print_key(const char *key) {
        for (; *key; key++)
                printf(*key >= ' ' && *key <= '~' ? "%c" : "\\x%02x", (unsigned char) *key);
}

static size_t count_kmod(struct kmod_list *list) {
        struct kmod_list *l;
        size_t n = 0;

        kmod_list_foreach(l, list)
                n++;
        return n;
}

static void report(Comparison *c, const char *key, struct kmod_list *list, const IndexMatch *matches,
                   size_t n) {
        struct kmod_list *l;

        if (c->n_different++ >= REPORTS_MAX)
                return;
        printf("different: '");
        print_key(key);
        printf("'\n  libkmod:");
        kmod_list_foreach(l, list) {
                struct kmod_module *m = kmod_module_get_module(l);

                printf(" %s", kmod_module_get_name(m));
                kmod_module_unref(m);
        }
        printf("\n  lkmd:   ");
        for (size_t i = 0; i < n; i++)
                printf(" %s (%s)", matches[i].name, matches[i].alias ?: "");
        printf("\n");
}

/* What somebody is told one after the other, beside what is right. */
typedef struct Told {
        const IndexMatch *matches;
        size_t n, n_told;
        bool same;
} Told;

static int on_told(const char *name, void *userdata) {
        Told *t = userdata;

        t->same = t->same && t->n_told < t->n && streq(name, t->matches[t->n_told].name);
        t->n_told++;
        return 0;
}

/* From the files themselves: the same as from the index, which is the same as libkmod's. */
static bool direct_is_same(Comparison *c, const char *key, const IndexMatch *matches, size_t n) {
        Told t = { .matches = matches, .n = n, .same = true };

        return index_direct_lookup(c->direct, key, on_told, &t) >= 0 && t.same && t.n_told == n;
}

static bool modules_are_same(const IndexModule *a, const IndexModule *b) {
        if (!a || !b)
                return a == b;
        if (!streq(a->name, b->name) || !streq_ptr(a->path, b->path) ||
            a->n_dependencies != b->n_dependencies)
                return false;
        for (size_t i = 0; i < a->n_dependencies; i++)
                if (!streq(a->dependencies[i]->name, b->dependencies[i]->name))
                        return false;
        return true;
}

/* From the image: the same as from the index, in all that there is to know. */
static bool mapped_is_same(Comparison *c, const char *key, const IndexMatch *matches, size_t n) {
        IndexAnswer *a = &c->mapped_answer;

        if (index_lookup(c->mapped, key, a) < 0)
                return n == 0;
        for (size_t i = 0; i < n && a->n_matches == n; i++)
                if (!streq(a->matches[i].name, matches[i].name) ||
                    !streq_ptr(a->matches[i].alias, matches[i].alias) ||
                    a->matches[i].source != matches[i].source ||
                    !modules_are_same(a->matches[i].module, matches[i].module))
                        return false;
        return a->n_matches == n;
}

/* One key to both; the names have to be the same in the same order. */
static void compare(Comparison *c, const char *key) {
        struct kmod_list *list = NULL, *l;
        const IndexMatch *matches;
        size_t n, i = 0;
        bool same;
        int r;

        if (kmod_module_new_from_lookup(c->kmod, key, &list) < 0)
                list = NULL;
        r = index_lookup(c->index, key, &c->answer);
        matches = c->answer.matches;
        n = r < 0 ? 0 : c->answer.n_matches;

        same = count_kmod(list) == n;
        kmod_list_foreach(l, list) {
                struct kmod_module *m = kmod_module_get_module(l);

                same = same && streq(kmod_module_get_name(m), matches[i++].name);
                kmod_module_unref(m);
        }
        if (!same)
                report(c, key, list, matches, n);
        else if (c->n_keys % DIRECT_EVERY == 0 && !direct_is_same(c, key, matches, n)) {
                if (c->n_different < REPORTS_MAX)
                        printf("from the files themselves: ");
                report(c, key, list, matches, n);
        } else if (!mapped_is_same(c, key, matches, n)) {
                if (c->n_different < REPORTS_MAX)
                        printf("from the image: ");
                report(c, key, list, matches, n);
        }
        kmod_module_unref_list(list);

        c->n_keys++;
        c->n_found += n > 0;
        c->n_modules += n;
}

static void keep(Comparison *c, const char *key) {
        if (c->n_sample == c->n_sample_allocated) {
                c->n_sample_allocated = MAX(c->n_sample_allocated * 2, (size_t) 1024);
                c->keys = reallocarray(c->keys, c->n_sample_allocated, sizeof(*c->keys));
                if (!c->keys)
                        die("keys", -ENOMEM);
        }
        c->keys[c->n_sample] = strdup(key);
        if (!c->keys[c->n_sample++])
                die("keys", -ENOMEM);
}

/* A key that a pattern matches: random text for '*', a byte for '?', one of the bytes for "[..]". */
static void instantiate(const char *pattern, char *key, size_t size) {
        static const char filling[] = "0123456789ABCDEFabcdefvpdsci:_-,T";
        size_t n = 0;

        for (; *pattern && n + 16 < size; pattern++) {
                const char *end;

                switch (*pattern) {
                case '*':
                        for (uint32_t i = random_number(10); i > 0; i--)
                                key[n++] = filling[random_number(sizeof(filling) - 1)];
                        break;
                case '?':
                        key[n++] = filling[random_number(sizeof(filling) - 1)];
                        break;
                case '[':
                        end = strchr(pattern, ']');
                        key[n++] = end ? pattern[1 + random_number((uint32_t) (end - pattern - 1) | 1)]
                                       : '[';
                        pattern = end ?: pattern;
                        break;
                default:
                        key[n++] = *pattern;
                }
        }
        key[n] = '\0';
}

static int on_pattern(const char *pattern, const char *value, uint32_t priority, void *userdata) {
        char key[4096];

        for (unsigned i = 0; i < 2; i++) {
                instantiate(pattern, key, sizeof(key));
                compare(userdata, key);
        }
        keep(userdata, key);
        return 0;
}

/* Something in a key that was right: a byte more, less or other, two keys in one, a wildcard. */
static void break_key(const Comparison *c, char *key, size_t size) {
        static const char bytes[] = "*?[]\\:_-,0aAzvT!^. \x01\x7f\x80\xff";
        const char *other = c->keys[random_number((uint32_t) c->n_sample)];
        size_t n, at;

        (void) snprintf(key, size - 8, "%s", c->keys[random_number((uint32_t) c->n_sample)]);
        for (uint32_t i = random_number(4) + 1; i > 0; i--) {
                n = strlen(key);
                if (n == 0 || n > size - 8)
                        return;
                at = random_number((uint32_t) n);
                switch (random_number(5)) {
                case 0:
                        key[at] = bytes[random_number(sizeof(bytes) - 1)];
                        break;
                case 1:
                        memmove(key + at, key + at + 1, n - at);
                        break;
                case 2:
                        memmove(key + at + 1, key + at, n - at + 1);
                        key[at] = bytes[random_number(sizeof(bytes) - 1)];
                        break;
                case 3:
                        key[at] = '\0';
                        break;
                case 4:
                        (void) snprintf(key + at, size - 8 - at, "%s",
                                        other + random_number((uint32_t) strlen(other) + 1));
                        break;
                }
        }
}

static void compare_broken(Comparison *c, unsigned n) {
        char key[2048];

        for (; n > 0 && c->n_sample > 0; n--) {
                break_key(c, key, sizeof(key));
                compare(c, key);
        }
}

static void compare_lines(Comparison *c, const char *path) {
        _cleanup_(fclosep) FILE *f = fopen(path, "re");
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        ssize_t n;

        if (!f)
                die(path, -errno);
        while ((n = getline(&line, &size, f)) > 0) {
                if (line[n - 1] == '\n')
                        line[n - 1] = '\0';
                compare(c, line);
                keep(c, line);
        }
}

/* The same index once more, mapped from an image that was written for it. */
static void open_mapped(Comparison *c, const char *directory, const IndexSources *sources) {
        char dir[] = "/tmp/diff-lookup-XXXXXX", path[PATH_MAX];
        _cleanup_(freep) void *image = NULL;
        IndexSources with = *sources;
        const char *reason;
        size_t size;
        FILE *f;
        int r;

        image = fake_image(directory, &size);
        if (!mkdtemp(dir))
                die(dir, -errno);
        (void) snprintf(path, sizeof(path), "%s/%s", dir, sources->release);
        f = fopen(path, "we");
        if (!f || fwrite(image, 1, size, f) != size || fclose(f) != 0)
                die(path, -errno);
        with.image_dir = dir;
        r = index_new(&c->mapped, &with, NULL);
        if (r < 0)
                die("index_new()", r);
        if (!index_is_mapped(c->mapped, &reason))
                die(reason, -EBADMSG);
        (void) unlink(path);
        (void) rmdir(dir);
}

/* Both sides without any modprobe.d or command line. @directory ends in lib/modules/RELEASE. */
static void open_both(Comparison *c, const char *directory) {
        static const char middle[] = "/lib/modules/";
        const char *const nowhere[] = { "/nonexistent", NULL }, *at = NULL;
        _cleanup_(freep) char *root = NULL;
        IndexSources sources;
        int r;

        for (const char *p = directory; (p = strstr(p, middle)); p++)
                at = p;
        root = at ? strndup(directory, (size_t) (at - directory)) : NULL;
        if (!root)
                die("the module directory is not below lib/modules", -EINVAL);

        c->kmod = kmod_new(directory, nowhere);
        if (!c->kmod)
                die("kmod_new()", -ENOMEM);
        kmod_set_log_priority(c->kmod, 0);
        r = kmod_load_resources(c->kmod);
        if (r < 0)
                die("kmod_load_resources()", r);
        sources = (IndexSources) {
                .root = root,
                .release = at + strlen(middle),
                .config_paths = nowhere,
                .command_line = "",
        };
        r = index_new(&c->index, &sources, NULL);
        if (r < 0)
                die("index_new()", r);
        open_mapped(c, directory, &sources);
        r = index_direct_new(&c->direct, directory, nowhere, NULL);
        if (r < 0)
                die("index_direct_new()", r);
}

static void close_both(Comparison *c) {
        c->kmod = kmod_unref(c->kmod);
        index_answer_clear(&c->answer);
        index_answer_clear(&c->mapped_answer);
        c->index = index_unref(c->index);
        c->mapped = index_unref(c->mapped);
        c->direct = index_direct_free(c->direct);
        for (size_t i = 0; i < c->n_sample; i++)
                free(c->keys[i]);
        c->n_sample = 0;
}

static void compare_tree(Comparison *c, const char *directory, char *const *files) {
        static const char *const indexes[] = { "modules.alias.bin", "modules.symbols.bin",
                                               "modules.builtin.alias.bin", "modules.builtin.bin",
                                               "modules.dep.bin" };

        open_both(c, directory);
        for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
                _cleanup_(index_file_freep) IndexFile *f = NULL;
                char path[PATH_MAX];
                int r;

                (void) snprintf(path, sizeof(path), "%s/%s", directory, indexes[i]);
                r = index_file_open(&f, path, NULL);
                if (r >= 0)
                        r = index_file_foreach(f, on_pattern, c);
                if (r < 0)
                        die(path, r);
        }
        for (; *files; files++)
                compare_lines(c, *files);
        compare_broken(c, FUZZED_KEYS);
        close_both(c);
}

/*
 * ------------------------------------------------------------------------------------------------- random
 * indexes
 */

static void write_index(const char *directory, const char *name, const WriterEntry *entries, size_t n) {
        _cleanup_(freep) uint8_t *data = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        char path[PATH_MAX];
        size_t size;

        data = index_write(entries, n, &size);
        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "we");
        if (!f || fwrite(data, 1, size, f) != size || fflush(f) != 0)
                die(path, -errno);
}

static void random_text(char *text, uint32_t n, const char *const *words, size_t n_words) {
        text[0] = '\0';
        for (n = random_number(n + 1); n > 0; n--)
                strcat(text, words[random_number((uint32_t) n_words)]);
}

static void compare_random(Comparison *c, const char *directory) {
        static const char *const pattern_words[] = { "a",           "b",    "c",   "a",    "b",
                                                     "*",           "*",    "?",   "[ab]", "[!a]",
                                                     "[a-b]",       "[]a]", "\\a", "\\*",  "\\",
                                                     "[[:alpha:]]", "[^b]", ":",   "_" };
        static const char *const key_words[] = { "a", "b",   "c",    "a",  "b", "a", "b", "*",
                                                 "?", "[a]", "[ab]", "\\", "-", ":", "_", "\xe4" };
        enum { PATTERNS_MAX = 80 };
        char texts[PATTERNS_MAX][128], values[PATTERNS_MAX][16], key[128];
        WriterEntry entries[PATTERNS_MAX], none[1] = {};
        uint32_t n = random_number(PATTERNS_MAX) + 1, shape = random_number(3);

        for (uint32_t i = 0; i < n; i++) {
                random_text(texts[i], shape == 0 ? 3 : 7, pattern_words, ARRAY_LEN(pattern_words));
                (void) snprintf(values[i], sizeof(values[i]), "module%u", i);
                entries[i] = (WriterEntry) { texts[i], values[i], shape == 1 ? 0 : random_number(n) };
        }
        write_index(directory, "modules.alias.bin", entries, n);
        write_index(directory, "modules.dep.bin", none, 0);
        write_index(directory, "modules.symbols.bin", none, 0);
        write_index(directory, "modules.builtin.bin", none, 0);
        write_index(directory, "modules.builtin.alias.bin", entries, n / 2);

        open_both(c, directory);
        for (uint32_t i = 0; i < n; i++) {
                compare(c, texts[i]);
                keep(c, texts[i]);
        }
        for (unsigned i = 0; i < RANDOM_KEYS; i++) {
                random_text(key, 6, key_words, ARRAY_LEN(key_words));
                compare(c, key);
                keep(c, key);
        }
        compare_broken(c, RANDOM_KEYS);
        close_both(c);
}

int main(int argc, char *argv[]) {
        Comparison c = {};

        if (argc >= 3 && streq(argv[1], "tree"))
                compare_tree(&c, argv[2], argv + 3);
        else if (argc == 3 && streq(argv[1], "random"))
                for (unsigned i = 0; i < RANDOM_TREES; i++)
                        compare_random(&c, argv[2]);
        else {
                fprintf(stderr, "usage: diff-lookup tree MODULE-DIR [FILE...] | random DIRECTORY\n");
                return EXIT_FAILURE;
        }

        free(c.keys);
        printf("%zu keys, %zu found, %zu modules, %zu different\n", c.n_keys, c.n_found, c.n_modules,
               c.n_different);
        return c.n_different > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
