/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * bench-growth [--json]: what a device costs lkmd when there are many of them: 100, 1,000 and 10,000, all
 * with one modalias or each with its own, in an index of as many aliases as Debian's and in one of ten times
 * as many. The manager is a whole one in this process; its devices are made up, and what they need is built
 * in, so that nothing is loaded.
 */

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>

#include "common/index/index.h"
#include "daemon/manager.h"
#include "index-writer.h"
#include "scratch.h"

#define ALIASES 27000U                  /* of Debian's kernel */
#define ALIASES_FACTOR 10U
#define MODULES 4000U                   /* for as many aliases */
#define ROUNDS 21U
#define WARM_UP 1024U                   /* devices before those that are measured: as many as caches hold */
#define DEVICES_AT_ONCE 16U
#define GOAL 1.2                        /* the largest figure of a device / the smallest */
#define ALIAS_MAX 128U

static const size_t counts[] = { 100, 1000, 10000 };

typedef struct Figure {
        double ns, bytes;               /* for a device */
} Figure;

/* Standard error is where lkmd complains of a machine that is none. */
static _Noreturn void die(const char *what, int error) {
        printf("bench-growth: %s: %s\n", what, strerror(error));
        exit(EXIT_FAILURE);
}

static double cpu_ns(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

static double heap_bytes(void) {
        struct mallinfo2 m = mallinfo2();

        return (double) m.uordblks + (double) m.hblkhd;
}

/* ------------------------------------------------------------------------------------------------- the index */

static void write_index(const Scratch *s, const char *name, const WriterEntry *entries, size_t n) {
        char path[512];
        struct utsname here;
        size_t size;
        uint8_t *data = index_write(entries, n, &size);

        (void) uname(&here);
        (void) snprintf(path, sizeof(path), "lib/modules/%s/%s", here.release, name);
        scratch_write_bytes(s, path, data, size);
        free(data);
}

/* A modalias, or with wildcards the alias that matches it. */
static void name_device(char ret[static ALIAS_MAX], size_t i, bool as_alias) {
        (void) snprintf(ret, ALIAS_MAX,
                        as_alias ? "pci:v%08zXd%08zXsv*sd*bc*sc*i*"
                                 : "pci:v%08zXd%08zXsv00000000sd00000000bc02sc00i00",
                        i / 100, i);
}

static void make_tree(const Scratch *s, size_t factor) {
        size_t n_aliases = ALIASES * factor, n_modules = MODULES * factor;
        WriterEntry *aliases = calloc(n_aliases, sizeof(*aliases)),
                    *modules = calloc(n_modules, sizeof(*modules));
        char(*patterns)[ALIAS_MAX] = calloc(n_aliases, sizeof(*patterns)),
        (*names)[ALIAS_MAX] = calloc(n_modules, sizeof(*names));

        if (!aliases || !modules || !patterns || !names)
                die("a tree", ENOMEM);
        for (size_t i = 0; i < n_modules; i++) {
                (void) snprintf(names[i], sizeof(names[i]), "module_%zu", i);
                modules[i] = (WriterEntry) { names[i], "", 0 };
        }
        for (size_t i = 0; i < n_aliases; i++) {
                name_device(patterns[i], i, /* as_alias= */ true);
                aliases[i] = (WriterEntry) { patterns[i], names[i % n_modules], (uint32_t) i };
        }
        write_index(s, "modules.dep.bin", NULL, 0);
        write_index(s, "modules.symbols.bin", NULL, 0);
        write_index(s, "modules.builtin.bin", modules, n_modules);
        write_index(s, "modules.alias.bin", aliases, n_aliases);
        free(aliases);
        free(modules);
        free(patterns);
        free(names);
}

/* ------------------------------------------------------------------------------------------------ the devices */

/* A socket in the place of lkmd-loader's, which nobody reads. */
static void open_loader(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 8) < 0)
                die(path, errno);
}

static Manager *open_manager(const Scratch *s) {
        static unsigned n;
        Manager *m = NULL;
        char varlink[256];
        int r;

        scratch_write(s, "in-charge", "");
        (void) snprintf(varlink, sizeof(varlink), "%s/varlink-%u", s->dir, n++);
        r = manager_new(&m, &(ManagerOptions) {
                                    .varlink_fd = -EBADF,
                                    .broker_fd = -EBADF,
                                    .varlink_address = varlink,
                                    .kmsg_fd = -EBADF,
                                    .request_fd = -EBADF,
                                    .in_charge_fd = open(scratch_path(s, "in-charge"), O_RDONLY | O_CLOEXEC),
                                    .loader_address = scratch_path(s, "loader"),
                                    .command_address = scratch_path(s, "command"),
                                    .trail_address = scratch_path(s, "trail"),
                                    .reader_address = scratch_path(s, "reader"),
                                    .policy_root = s->dir,
                                    .root = s->dir,
                            });
        if (r < 0)
                die("no manager", -r);
        return m;
}

static void announce(Manager *m, size_t i, bool distinct) {
        char modalias[ALIAS_MAX], path[ALIAS_MAX], name[ALIAS_MAX / 2];

        name_device(modalias, distinct ? i : 0, /* as_alias= */ false);
        (void) snprintf(name, sizeof(name), "device-%zu", i);
        (void) snprintf(path, sizeof(path), "/devices/growth/%s", name);
        manager_take_uevent(
                m,
                &(DeviceFacts) {
                        .action = "add", .subsystem = "pci", .sysname = name, .modalias = modalias },
                path);
}

typedef struct Drive {                  /* of the devices through one manager */
        Manager *manager;
        size_t n, n_announced;
        bool distinct, started;
        double ns, bytes;
} Drive;

/* First those before the first one that counts, so that all is in its place; each turn of the loop has a few. */
static int on_turn(sd_event_source *source, uint64_t usec, void *userdata) {
        Drive *d = userdata;
        size_t until = d->started ? WARM_UP + d->n : WARM_UP;

        for (unsigned i = 0; i < DEVICES_AT_ONCE && d->n_announced < until; i++)
                announce(d->manager, d->n_announced++, d->distinct);
        if (d->n_announced == until && manager_is_idle(d->manager)) {
                if (d->started) {
                        d->ns = cpu_ns() - d->ns;
                        d->bytes = heap_bytes() - d->bytes;
                        return sd_event_exit(sd_event_source_get_event(source), 0);
                }
                d->started = true;
                d->bytes = heap_bytes();
                d->ns = cpu_ns();
        }
        (void) sd_event_source_set_time_relative(source, 0);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* One manager for each: what an earlier device left in a cache is a later one's gain. */
static Figure measure_once(const Scratch *s, size_t n, bool distinct) {
        Drive d = { .manager = open_manager(s), .n = n, .distinct = distinct };
        sd_event *event = NULL;
        int r;

        r = sd_event_default(&event);
        if (r >= 0)
                r = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 0, 1, on_turn, &d);
        if (r >= 0)
                r = manager_run(d.manager);
        if (r < 0)
                die("the event loop", -r);
        manager_free(d.manager);
        sd_event_unref(event);
        return (Figure) { .ns = d.ns / (double) n, .bytes = d.bytes / (double) n };
}

static Figure measure(const Scratch *s, size_t n, bool distinct) {
        Figure least = { .ns = -1 };

        for (unsigned i = 0; i < ROUNDS; i++) {
                Figure f = measure_once(s, n, distinct);

                if (least.ns < 0 || f.ns < least.ns)
                        least = f;
        }
        return least;
}

/* For an alias: to build the index, and what it takes. */
static Figure measure_index(const Scratch *s, size_t factor) {
        Figure least = { .ns = -1 };

        for (unsigned i = 0; i < ROUNDS; i++) {
                const Index *x = NULL;
                double bytes = heap_bytes(), ns = cpu_ns();
                int r = index_new(&x, &(IndexSources) { .root = s->dir, .command_line = "" }, NULL);

                if (r < 0 || index_count_aliases(x) != ALIASES * factor)
                        die("no index", r < 0 ? -r : EBADMSG);
                ns = (cpu_ns() - ns) / (double) (ALIASES * factor);
                bytes = (heap_bytes() - bytes) / (double) (ALIASES * factor);
                if (least.ns < 0 || ns < least.ns)
                        least = (Figure) { .ns = ns, .bytes = bytes };
                index_unref(x);
        }
        return least;
}

/* ---------------------------------------------------------------------------------------------------- results */

static void print_row(const char *name, size_t factor, size_t n, Figure f, bool json) {
        printf(json ? "{\"bench\":\"growth\",\"of\":\"%s\",\"aliasesFactor\":%zu,\"n\":%zu,\"ns\":%.1f,\"bytes\":%.1f}\n"
                    : "  %-20s %7zux %9zu %10.0f %10.0f\n",
               name, factor, n, f.ns, f.bytes);
}

static void print_ratio(const char *what, double least, double most) {
        printf("  %-44s %5.2f  %s\n", what, most / least, most / least <= GOAL ? "yes" : "no");
}

int main(int argc, char *argv[]) {
        static const size_t factors[] = { 1, ALIASES_FACTOR };
        bool json = argc == 2 && streq(argv[1], "--json");
        Figure figures[ARRAY_LEN(factors)][2][ARRAY_LEN(counts)], indexes[ARRAY_LEN(factors)];

        if (argc != 1 && !json) {
                fprintf(stderr, "usage: bench-growth [--json]\n");
                return EXIT_FAILURE;
        }
        if (!freopen("/dev/null", "we", stderr))
                die("/dev/null", errno);
        if (!json)
                printf("For a device, or an alias: the least of %u rounds\n  %-20s %8s %9s %10s %10s\n",
                       ROUNDS, "", "aliases", "n", "CPU ns", "heap bytes");
        for (size_t f = 0; f < ARRAY_LEN(factors); f++) {
                Scratch s;

                scratch_open(&s);
                make_tree(&s, factors[f]);
                open_loader(scratch_path(&s, "loader"));
                for (size_t distinct = 0; distinct < 2; distinct++)
                        for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
                                figures[f][distinct][i] = measure(&s, counts[i], distinct);
                                print_row(distinct ? "distinct modaliases" : "the same modalias", factors[f],
                                          counts[i], figures[f][distinct][i], json);
                        }
                indexes[f] = measure_index(&s, factors[f]);
                print_row("the index", factors[f], ALIASES * factors[f], indexes[f], json);
                scratch_close(&s);
        }
        if (json)
                return EXIT_SUCCESS;

        printf("\nTime for one, the most / the least; 1.2 at most:\n");
        for (size_t f = 0; f < ARRAY_LEN(factors); f++)
                for (size_t distinct = 0; distinct < 2; distinct++) {
                        const Figure *row = figures[f][distinct];
                        double least = row[0].ns, most = row[0].ns;
                        char what[96];

                        for (size_t i = 1; i < ARRAY_LEN(counts); i++) {
                                least = row[i].ns < least ? row[i].ns : least;
                                most = row[i].ns > most ? row[i].ns : most;
                        }
                        (void) snprintf(what, sizeof(what), "devices, %s, %zux aliases",
                                        distinct ? "distinct" : "the same", factors[f]);
                        print_ratio(what, least, most);
                }
        print_ratio("10,000 distinct devices, 10x / 1x aliases", figures[0][1][2].ns, figures[1][1][2].ns);
        print_ratio("an alias of the index, 10x / 1x", indexes[0].ns, indexes[1].ns);
        print_ratio("memory of an alias, 10x / 1x", indexes[0].bytes, indexes[1].bytes);
        return EXIT_SUCCESS;
}
