/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * bench-lookup [--json]: how long a look-up takes, lkmd's beside libkmod's with mapped indexes, in one process and
 * on the same keys, in time on the processor. The rounds of all contenders take turns, so that a machine that slows
 * down does so for all; the median of a key set's rounds counts.
 *
 * The keys: one for every alias pattern of Debian's kernel ($LKMD_GUEST_ROOT or this machine's), each once and in
 * no order; and, if there is $LKMD_CORPUS, what the kernels of real machines asked for, a file a machine, in their
 * order and as often as they did. Each machine begins with nothing remembered. "lkmd-matcher" never remembers.
 */

#include <glob.h>
#include <libkmod.h>
#include <malloc.h>
#include <stdint.h>
#include <time.h>

#include "common/alias/alias-lookup.h"
#include "common/base/util.h"
#include "common/index/index-file.h"
#include "common/index/index.h"
#include "common/index/lookup-cache.h"
#include "kernel.h"

#define ROUNDS 7U
#define CACHE_SIZE (128U << 10)         /* bytes, as in index-keeper.c */
#define BUSES_MAX 64U
#define MIDDLE "/lib/modules/"
#define NEXT_MACHINE ""                 /* a key that is none: what was asked before is forgotten */

typedef struct Keys {
        char **items;
        size_t n, n_allocated;
} Keys;

typedef struct Bus {
        char name[16];
        Keys keys;
} Bus;

typedef struct Fixture {
        char *directory, *root, *release;
        const Index *index, *index_configured; /* without and with a large modprobe.d */
        LookupCache *cache, *cache_configured;
        AliasMatcher *matcher;
        AliasLookup *lookup;
        struct kmod_ctx *kmod, *kmod_configured;
        uint64_t clock_ns;              /* what asking it takes */
        size_t n_answers;               /* so that nothing is optimised away */
} Fixture;

typedef struct Contender {
        const char *name;
        void (*prepare)(Fixture *f);    /* before each machine's keys; NULL: nothing */
        void (*ask)(Fixture *f, const char *key);
        unsigned repeat;                /* passes over the keys in a round */
} Contender;

static _Noreturn void die(const char *what, int error) {
        fprintf(stderr, "bench-lookup: %s: %s\n", what, strerror(-error));
        exit(EXIT_FAILURE);
}

/* Of this thread on a processor: what else the machine does at the time is not measured. */
static uint64_t now_ns(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

/* -------------------------------------------------------------------------------------------------- keys */

static void add_key(Keys *keys, const char *key) {
        if (keys->n == keys->n_allocated) {
                keys->n_allocated = MAX(keys->n_allocated * 2, (size_t) 1024);
                keys->items = reallocarray(keys->items, keys->n_allocated, sizeof(*keys->items));
                if (!keys->items)
                        die("keys", -ENOMEM);
        }
        keys->items[keys->n] = strdup(key);
        if (!keys->items[keys->n++])
                die("keys", -ENOMEM);
}

static int compare_keys(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Each key once, in an order that is no order: a sorted list would find the processor's caches warm. */
static void mix_keys(Keys *keys) {
        uint64_t state = 1;
        size_t n = 0;

        qsort(keys->items, keys->n, sizeof(*keys->items), compare_keys);
        for (size_t i = 0; i < keys->n; i++) {
                if (n > 0 && streq(keys->items[n - 1], keys->items[i]))
                        free(keys->items[i]);
                else
                        keys->items[n++] = keys->items[i];
        }
        keys->n = n;

        for (size_t i = n; i > 1; i--) {
                size_t j;
                char *key;

                state = state * 6364136223846793005U + 1442695040888963407U;
                j = (size_t) (state >> 33) % i;
                key = keys->items[i - 1];
                keys->items[i - 1] = keys->items[j];
                keys->items[j] = key;
        }
}

static void free_keys(Keys *keys) {
        for (size_t i = 0; i < keys->n; i++)
                free(keys->items[i]);
        free(keys->items);
}

/* What a device could say that this pattern is for: "1F" for '*', '0' for '?', the first byte of a "[..]". */
static int on_pattern(const char *pattern, const char *value, uint32_t priority, void *userdata) {
        char key[4096];
        size_t n = 0;

        for (; *pattern && n + 4 < sizeof(key); pattern++)
                if (*pattern == '*') {
                        key[n++] = '1';
                        key[n++] = 'F';
                } else if (*pattern == '?')
                        key[n++] = '0';
                else if (*pattern == '[' && strchr(pattern, ']')) {
                        key[n++] = pattern[1];
                        pattern = strchr(pattern, ']');
                } else
                        key[n++] = *pattern;
        key[n] = '\0';
        add_key(userdata, key);
        return 0;
}

static void read_corpus(Keys *keys) {
        const char *directory = getenv("LKMD_CORPUS");
        char pattern[4096];
        glob_t found;

        (void) snprintf(pattern, sizeof(pattern), "%s/*.txt", directory ?: "");
        if (!directory || glob(pattern, 0, NULL, &found) != 0)
                return;
        for (size_t i = 0; i < found.gl_pathc; i++) {
                _cleanup_(fclosep) FILE *f = fopen(found.gl_pathv[i], "re");
                _cleanup_(freep) char *line = NULL;
                size_t size = 0;
                ssize_t n;

                add_key(keys, NEXT_MACHINE);
                while (f && (n = getline(&line, &size, f)) > 0) {
                        line[n - 1] = line[n - 1] == '\n' ? '\0' : line[n - 1];
                        if (line[0] != '\0')
                                add_key(keys, line);
                }
        }
        globfree(&found);
}

/* The part of a key before its colon. Return: how many buses there are. */
static size_t split_by_bus(const Keys *keys, Bus *buses) {
        size_t n_buses = 0, b;

        for (size_t i = 0; i < keys->n; i++) {
                size_t n = strcspn(keys->items[i], ":");
                const char *name = keys->items[i];

                if (streq(name, NEXT_MACHINE)) {
                        for (b = 0; b < n_buses; b++)
                                add_key(&buses[b].keys, NEXT_MACHINE);
                        continue;
                }
                if (name[n] != ':' || n >= sizeof(buses->name)) {
                        name = "other";
                        n = strlen(name);
                }
                for (b = 0; b < n_buses; b++)
                        if (strlen(buses[b].name) == n && memcmp(buses[b].name, name, n) == 0)
                                break;
                if (b == BUSES_MAX)
                        continue;
                if (b == n_buses)
                        (void) snprintf(buses[n_buses++].name, sizeof(buses->name), "%.*s", (int) n, name);
                add_key(&buses[b].keys, keys->items[i]);
        }
        return n_buses;
}

/* -------------------------------------------------------------------------------------------- contenders */

static void ask_kmod_context(Fixture *f, struct kmod_ctx *kmod, const char *key) {
        struct kmod_list *list = NULL;

        if (kmod_module_new_from_lookup(kmod, key, &list) >= 0) {
                f->n_answers += list != NULL;
                kmod_module_unref_list(list);
        }
}

static void ask_kmod(Fixture *f, const char *key) {
        ask_kmod_context(f, f->kmod, key);
}

static void ask_kmod_configured(Fixture *f, const char *key) {
        ask_kmod_context(f, f->kmod_configured, key);
}

static void ask_cache(Fixture *f, LookupCache *cache, const Index *index, const char *key) {
        const IndexMatch *matches;
        size_t n;

        if (lookup_cache_find(cache, index, key, &matches, &n) >= 0)
                f->n_answers += n;
}

static void ask_index(Fixture *f, const char *key) {
        ask_cache(f, f->cache, f->index, key);
}

static void ask_index_configured(Fixture *f, const char *key) {
        ask_cache(f, f->cache_configured, f->index_configured, key);
}

static void ask_matcher(Fixture *f, const char *key) {
        const AliasMatch *matches;
        size_t n;

        if (alias_lookup_find(f->lookup, f->matcher, key, strlen(key), &matches, &n) >= 0)
                f->n_answers += n;
}

#define REPEAT 128U

/* The same key over and over: what the second device of a kind costs. */
static void ask_index_again(Fixture *f, const char *key) {
        for (unsigned i = 0; i < REPEAT; i++) {
                ask_index(f, key);
                __asm__ volatile("" ::: "memory"); /* or the compiler sees that once will do */
        }
}

/* The cache holds fewer answers than this. The processor, too, forgets what it has of them. */
static void fill_cache(Fixture *f, LookupCache *cache, const Index *index) {
        char key[32];

        for (unsigned i = 0; i < 10000; i++) {
                (void) snprintf(key, sizeof(key), "bench:v%08Xd%08X", i, i);
                ask_cache(f, cache, index, key);
        }
}

static void forget_index(Fixture *f) {
        fill_cache(f, f->cache, f->index);
}

static void forget_index_configured(Fixture *f) {
        fill_cache(f, f->cache_configured, f->index_configured);
}

static const Contender contenders[] = {
        { "libkmod",             NULL,                    ask_kmod,             1 },
        { "lkmd",                forget_index,            ask_index,            1 },
        { "lkmd-matcher",        NULL,                    ask_matcher,          1 },
        { "lkmd-repeated",       NULL,                    ask_index_again,      REPEAT },
        { "libkmod-2000-lines",  NULL,                    ask_kmod_configured,  1 },
        { "lkmd-2000-lines",     forget_index_configured, ask_index_configured, 1 },
};

#define N_CONTENDERS ARRAY_LEN(contenders)

typedef struct Result {
        double mean_ns;
        double by_bus[BUSES_MAX];
} Result;

typedef struct KeySet {
        const char *name, *title;
        bool mixed;                     /* each key once, in no order */
        Keys keys;
        Bus buses[BUSES_MAX];
        size_t n_buses;
        Result results[N_CONTENDERS];
} KeySet;

typedef struct Build {
        double ms;
        size_t n_bytes;
} Build;

/* --------------------------------------------------------------------------------------------- measuring */

static int compare_doubles(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

/* What asking the clock takes by itself, the least of many times: as much as some look-ups. */
static uint64_t clock_ns(void) {
        uint64_t least = UINT64_MAX;

        for (unsigned i = 0; i < 1000; i++) {
                uint64_t start = now_ns();

                least = MIN(least, now_ns() - start);
        }
        return least;
}

/* Keys until the next machine. Return: how many. */
static size_t one_stretch(Fixture *f, const Contender *c, char *const *keys, size_t n_max, uint64_t *sum) {
        uint64_t start, took;
        size_t n = 0;

        if (n_max == 0 || keys[0][0] == '\0')
                return 0;
        if (c->prepare)
                c->prepare(f);
        start = now_ns();
        for (; n < n_max && keys[n][0] != '\0'; n++)
                c->ask(f, keys[n]);
        took = now_ns() - start;
        *sum += took - MIN(took, f->clock_ns);
        return n;
}

static double one_round(Fixture *f, const Contender *c, const Keys *keys) {
        uint64_t sum = 0;
        size_t n = 0;

        for (size_t i = 0; i < keys->n; i++) { /* and over what ended the stretch */
                size_t asked = one_stretch(f, c, keys->items + i, keys->n - i, &sum);

                n += asked;
                i += asked;
        }
        return n > 0 ? (double) sum / (double) n / c->repeat : 0;
}

static size_t count_keys(const Keys *keys) {
        size_t n = 0;

        for (size_t i = 0; i < keys->n; i++)
                n += keys->items[i][0] != '\0';
        return n;
}

/*
 * The same keys one behind the other in memory: somebody has just received what he asks for, so it is in the
 * processor's cache, and fetching it there is no part of a look-up. Return: their bytes, to be freed.
 */
static char *pack_keys(const Keys *keys, Keys *ret) {
        size_t n_bytes = 0;
        char *bytes, *p;

        for (size_t i = 0; i < keys->n; i++)
                n_bytes += strlen(keys->items[i]) + 1;
        p = bytes = malloc(MAX(n_bytes, (size_t) 1));
        ret->items = reallocarray(NULL, MAX(keys->n, (size_t) 1), sizeof(*ret->items));
        if (!bytes || !ret->items)
                die("keys", -ENOMEM);
        for (size_t i = 0; i < keys->n; i++) {
                ret->items[i] = p;
                p = stpcpy(p, keys->items[i]) + 1;
        }
        ret->n = keys->n;
        return bytes;
}

/* Nanoseconds a look-up for each contender. */
static void measure_keys(Fixture *f, const Keys *keys, double *ret) {
        double rounds[N_CONTENDERS][ROUNDS];
        _cleanup_(freep) char *bytes = NULL;
        Keys packed = {};

        bytes = pack_keys(keys, &packed);
        for (size_t r = 0; r < ROUNDS; r++)
                for (size_t c = 0; c < N_CONTENDERS; c++)
                        rounds[c][r] = one_round(f, &contenders[c], &packed);
        free(packed.items);
        for (size_t c = 0; c < N_CONTENDERS; c++) {
                qsort(rounds[c], ROUNDS, sizeof(double), compare_doubles);
                ret[c] = rounds[c][ROUNDS / 2];
        }
}

static void measure(Fixture *f, KeySet *set) {
        double ns[N_CONTENDERS];

        measure_keys(f, &set->keys, ns);
        for (size_t c = 0; c < N_CONTENDERS; c++)
                set->results[c].mean_ns = ns[c];
        for (size_t b = 0; b < set->n_buses; b++) {
                measure_keys(f, &set->buses[b].keys, ns);
                for (size_t c = 0; c < N_CONTENDERS; c++)
                        set->results[c].by_bus[b] = ns[c];
        }
}

static size_t allocated_bytes(void) {
        struct mallinfo2 m = mallinfo2();

        return m.uordblks + m.hblkhd;
}

/* The whole snapshot, its files in the page cache. */
static Build measure_build(const Fixture *f) {
        const char *const nowhere[] = { "/nonexistent", NULL };
        double rounds[ROUNDS];
        Build build = {};

        for (size_t i = 0; i < ROUNDS; i++) {
                _cleanup_(index_unrefp) const Index *index = NULL;
                size_t before = allocated_bytes();
                uint64_t start = now_ns();
                int r;

                r = index_new(&index, &(IndexSources) {
                        .root = f->root,
                        .release = f->release,
                        .config_paths = nowhere,
                        .command_line = "",
                }, NULL);
                if (r < 0)
                        die("index_new()", r);
                rounds[i] = (double) (now_ns() - start) / 1e6;
                build.n_bytes = allocated_bytes() - before;
        }
        qsort(rounds, ROUNDS, sizeof(double), compare_doubles);
        build.ms = rounds[ROUNDS / 2];
        return build;
}

/* ----------------------------------------------------------------------------------------------- fixture */

static void find_directory(Fixture *f) {
        char root[KERNEL_ROOT_MAX], release[KERNEL_RELEASE_MAX];

        if (!kernel_find(root, release))
                die("no kernel with a modules.alias.bin below LKMD_GUEST_ROOT or /", -ENOENT);
        f->root = strdup(root);
        f->release = strdup(release);
        if (!f->root || !f->release || asprintf(&f->directory, "%s" MIDDLE "%s", root, release) < 0)
                die("directory", -ENOMEM);
}

static int add_to_matcher(const char *pattern, const char *value, uint32_t priority, void *userdata) {
        return alias_matcher_add(userdata, pattern, value, priority);
}

/* A modprobe.d of a thousand aliases and a thousand blacklist lines. */
static void write_configuration(char *path) {
        _cleanup_(fclosep) FILE *out = NULL;
        int fd = mkstemps(path, (int) strlen(".conf"));

        out = fd >= 0 ? fdopen(fd, "w") : NULL;
        if (!out)
                die(path, -errno);
        for (unsigned i = 0; i < 1000; i++)
                fprintf(out, "alias pci:v0000F%03Xd*sv*sd*bc*sc*i* bench_%u\nblacklist bench_%u\n", i, i, i);
        if (fflush(out) != 0)
                die(path, -errno);
}

static struct kmod_ctx *open_kmod(const Fixture *f, const char *config) {
        const char *const paths[] = { config, NULL };
        struct kmod_ctx *kmod = kmod_new(f->directory, paths);

        if (!kmod || kmod_load_resources(kmod) < 0)
                die("libkmod", -EIO);
        kmod_set_log_priority(kmod, 0);
        return kmod;
}

static const Index *open_index(const Fixture *f, const char *config) {
        const char *const paths[] = { config, NULL };
        const Index *index = NULL;
        int r;

        r = index_new(&index, &(IndexSources) {
                .root = f->root,
                .release = f->release,
                .config_paths = paths,
                .command_line = "",
        }, NULL);
        if (r < 0)
                die("index_new()", r);
        return index;
}

static void open_fixture(Fixture *f, Keys *patterns) {
        char config[] = "/tmp/bench-lookup-XXXXXX.conf", path[4096];
        _cleanup_(index_file_freep) IndexFile *file = NULL;
        int r;

        f->clock_ns = clock_ns();
        find_directory(f);
        (void) snprintf(path, sizeof(path), "%s/modules.alias.bin", f->directory);
        r = index_file_open(&file, path, NULL);
        if (r >= 0)
                r = index_file_foreach(file, on_pattern, patterns);
        if (r >= 0)
                r = alias_matcher_new(&f->matcher, ALIAS_INDEX);
        if (r >= 0)
                r = index_file_foreach(file, add_to_matcher, f->matcher);
        if (r >= 0)
                r = alias_matcher_seal(f->matcher);
        if (r >= 0)
                r = alias_lookup_new(&f->lookup);
        if (r < 0)
                die(path, r);

        write_configuration(config);
        f->kmod = open_kmod(f, "/nonexistent");
        f->kmod_configured = open_kmod(f, config);
        f->index = open_index(f, "/nonexistent");
        f->index_configured = open_index(f, config);
        if (lookup_cache_new(&f->cache, CACHE_SIZE) < 0 ||
            lookup_cache_new(&f->cache_configured, CACHE_SIZE) < 0)
                die("lookup_cache_new()", -ENOMEM);
        (void) unlink(config);
}

static void close_fixture(Fixture *f) {
        alias_lookup_free(f->lookup);
        alias_matcher_free(f->matcher);
        lookup_cache_free(f->cache);
        lookup_cache_free(f->cache_configured);
        index_unref(f->index);
        index_unref(f->index_configured);
        kmod_unref(f->kmod);
        kmod_unref(f->kmod_configured);
        free(f->directory);
        free(f->root);
        free(f->release);
}

/* ------------------------------------------------------------------------------------------------ output */

static void print_contenders(const Bus *buses, size_t n_buses, const Result *results) {
        printf("\"contenders\":{");
        for (size_t c = 0; c < N_CONTENDERS; c++) {
                printf("%s\"%s\":{\"meanNs\":%.1f,\"byBus\":{", c > 0 ? "," : "", contenders[c].name, results[c].mean_ns);
                for (size_t b = 0; b < n_buses; b++)
                        printf("%s\"%s\":%.1f", b > 0 ? "," : "", buses[b].name, results[c].by_bus[b]);
                printf("}}");
        }
        printf("}");
}

/* What real machines ask for comes first, if there is any; then all sets in full. */
static void print_json(const Fixture *f, const Build *build, const KeySet *sets, size_t n_sets) {
        const KeySet *first = &sets[n_sets - 1];

        printf("{\"bench\":\"lookup\",");
        print_contenders(first->buses, first->n_buses, first->results);
        printf(",\"keySets\":{");
        for (size_t i = 0; i < n_sets; i++) {
                printf("%s\"%s\":{\"keys\":%zu,", i > 0 ? "," : "", sets[i].name, count_keys(&sets[i].keys));
                print_contenders(sets[i].buses, sets[i].n_buses, sets[i].results);
                printf("}");
        }
        printf("},\"build\":{\"aliases\":%zu,\"ms\":%.2f,\"bytes\":%zu,\"matcherBytes\":%zu}}\n",
               alias_matcher_count(f->matcher), build->ms, build->n_bytes, alias_matcher_size_bytes(f->matcher));
}

static void print_row(const char *name, size_t n, const double *ns) {
        printf("  %-14s %7zu", name, n);
        for (size_t c = 0; c < N_CONTENDERS; c++)
                printf(" %18.1f", ns[c]);
        printf(" %8.0fx\n", ns[0] / ns[1]);
}

static void print_table(const KeySet *set) {
        double ns[N_CONTENDERS];

        printf("%s: nanoseconds a look-up, median of %u rounds\n  %-14s %7s", set->title, ROUNDS, "", "keys");
        for (size_t c = 0; c < N_CONTENDERS; c++)
                printf(" %18s", contenders[c].name);
        printf(" %9s\n", "gain");

        for (size_t c = 0; c < N_CONTENDERS; c++)
                ns[c] = set->results[c].mean_ns;
        print_row("all", count_keys(&set->keys), ns);
        for (size_t b = 0; b < set->n_buses; b++) {
                for (size_t c = 0; c < N_CONTENDERS; c++)
                        ns[c] = set->results[c].by_bus[b];
                if (count_keys(&set->buses[b].keys) >= 5)
                        print_row(set->buses[b].name, count_keys(&set->buses[b].keys), ns);
        }
        printf("\n");
}

int main(int argc, char *argv[]) {
        static KeySet sets[] = {
                { .name = "patterns", .title = "Instances of every pattern, each once", .mixed = true },
                { .name = "machines", .title = "What real machines ask for, in their order" },
        };
        size_t n_sets = ARRAY_LEN(sets);
        Fixture f = {};
        Build build;
        bool json;

        json = argc == 2 && streq(argv[1], "--json");
        if (argc != 1 && !json) {
                fprintf(stderr, "usage: bench-lookup [--json]\n");
                return EXIT_FAILURE;
        }

        open_fixture(&f, &sets[0].keys);
        read_corpus(&sets[1].keys);
        if (sets[1].keys.n == 0)
                n_sets--;

        build = measure_build(&f);
        for (size_t i = 0; i < n_sets; i++) {
                if (sets[i].mixed)
                        mix_keys(&sets[i].keys);
                sets[i].n_buses = split_by_bus(&sets[i].keys, sets[i].buses);
                measure(&f, &sets[i]);
        }

        if (json)
                print_json(&f, &build, sets, n_sets);
        else {
                printf("A snapshot of %s: %zu aliases, built in %.1f ms, %.2f MiB (the alias matcher %.2f MiB)\n\n", f.release,
                       alias_matcher_count(f.matcher), build.ms, (double) build.n_bytes / 1048576,
                       (double) alias_matcher_size_bytes(f.matcher) / 1048576);
                for (size_t i = 0; i < n_sets; i++)
                        print_table(&sets[i]);
        }

        for (size_t i = 0; i < n_sets; i++) {
                for (size_t b = 0; b < sets[i].n_buses; b++)
                        free_keys(&sets[i].buses[b].keys);
                free_keys(&sets[i].keys);
        }
        close_fixture(&f);
        return f.n_answers > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
