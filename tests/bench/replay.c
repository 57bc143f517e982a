/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * replay LIST THREADS: what loading costs where nobody has to find out what is to be loaded. THREADS threads take
 * modules in the order of the list as soon as those are over that they need, and do nothing but finit_module(2):
 * no program can load the same modules in the same kernel much faster. ./dev bench coldplug copies it into the
 * machine; it is installed nowhere.
 *
 * LIST has a line for each module: its file, a tab, its parameters, a tab, and the numbers of the lines, counted
 * from 0 and separated by blanks, that have to be over before. A failed load is told and counts as over.
 */

#include <fcntl.h>
#include <linux/module.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "common/base/util.h"

#define MODULES_MAX 1024U
#define THREADS_MAX 16UL

typedef struct Load {
        char *path, *parameters;
        unsigned *needs;                /* positions in the list */
        size_t n_needs;
        bool taken, over;
} Load;

static Load loads[MODULES_MAX];
static size_t n_loads, n_taken, n_failed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static _Noreturn void die(const char *what, const char *why) {
        fprintf(stderr, "replay: %s: %s\n", what, why);
        exit(EXIT_FAILURE);
}

static void parse_needs(Load *load, char *words) {
        char *rest = NULL;

        for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
                unsigned long need = strtoul(word, NULL, 10);

                if (need >= MODULES_MAX)
                        die(load->path, "needs a line that cannot be");
                load->needs = reallocarray(load->needs, load->n_needs + 1, sizeof(*load->needs));
                if (!load->needs)
                        die("list", strerror(ENOMEM));
                load->needs[load->n_needs++] = (unsigned) need;
        }
}

static void read_list(const char *path) {
        _cleanup_(fclosep) FILE *f = fopen(path, "re");
        _cleanup_(freep) char *line = NULL;
        size_t n_line = 0;

        if (!f)
                die(path, strerror(errno));

        while (getline(&line, &n_line, f) > 0) {
                Load *load = &loads[n_loads];
                char *rest = line, *words[3];

                if (n_loads == MODULES_MAX)
                        die(path, "has too many lines");
                for (size_t i = 0; i < ARRAY_LEN(words); i++) {
                        words[i] = strsep(&rest, "\t\n");
                        if (!words[i])
                                die(path, "has a line without its two tabs");
                }
                load->path = strdup(words[0]);
                load->parameters = strdup(words[1]);
                if (!load->path || !load->parameters)
                        die("list", strerror(ENOMEM));
                parse_needs(load, words[2]);
                n_loads++;
        }
}

static bool is_ready(const Load *load) {
        for (size_t i = 0; i < load->n_needs; i++)
                if (!loads[load->needs[i]].over)
                        return false;
        return true;
}

/* The first of the list that can be loaded now, waiting for it; NULL when there will be none. */
static Load *take(void) {
        while (n_taken < n_loads) {
                for (size_t i = 0; i < n_loads; i++)
                        if (!loads[i].taken && is_ready(&loads[i])) {
                                loads[i].taken = true;
                                n_taken++;
                                return &loads[i];
                        }
                pthread_cond_wait(&changed, &mutex);
        }
        return NULL;
}

/* Also what another caller, the kernel's own modprobe say, has loaded meanwhile is loaded. */
static int insert(const Load *load) {
        _cleanup_(closep) int fd = open(load->path, O_RDONLY | O_CLOEXEC);
        const char *end = strrchr(load->path, '.');
        int flags = end && !streq(end, ".ko") ? MODULE_INIT_COMPRESSED_FILE : 0;

        if (fd < 0)
                return -errno;
        if (syscall(SYS_finit_module, fd, load->parameters, flags) < 0 && errno != EEXIST)
                return -errno;
        return 0;
}

static void *work(_unused_ void *userdata) {
        Load *load;

        pthread_mutex_lock(&mutex);
        while ((load = take())) {
                int r;

                pthread_mutex_unlock(&mutex);
                r = insert(load);
                pthread_mutex_lock(&mutex);
                if (r < 0) {
                        fprintf(stderr, "replay: %s: %s\n", load->path, strerror(-r));
                        n_failed++;
                }
                load->over = true;
                pthread_cond_broadcast(&changed);
        }
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
        return NULL;
}

int main(int argc, char **argv) {
        pthread_t threads[THREADS_MAX];
        unsigned long n_threads = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

        if (n_threads < 1 || n_threads > THREADS_MAX)
                die("usage", "replay LIST THREADS, 1 to 16 threads");
        read_list(argv[1]);

        for (size_t i = 0; i < n_threads; i++)
                if (pthread_create(&threads[i], NULL, work, NULL) != 0)
                        die("thread", "cannot be started");
        for (size_t i = 0; i < n_threads; i++)
                pthread_join(threads[i], NULL);
        return n_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
