/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * bench-policy [--json]: what a verdict and a reload cost with 1,000 rules, of the kinds that people write: most
 * name a module, some have a glob, some are about who asks. The subjects are the modules of Debian's kernel of
 * $LKMD_GUEST_ROOT, or this machine's, each judged once a round; the fastest of the rounds' means is what the code
 * costs, the rest is the computer's doing. Allocations are counted by taking malloc()'s place.
 */

#include <dlfcn.h>
#include <glob.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/util.h"
#include "common/index/index.h"
#include "common/policy-files/policy-sources.h"
#include "common/policy/policy.h"

#define RULES 1000U
#define ROUNDS 51U

static uint64_t n_allocated;

void *malloc(size_t n) {
        static void *(*real)(size_t);

        if (!real)
                *(void **) &real = dlsym(RTLD_NEXT, "malloc");
        n_allocated++;
        return real(n);
}

static _Noreturn void die(const char *what, int error) {
        fprintf(stderr, "bench-policy: %s: %s\n", what, strerror(error));
        exit(EXIT_FAILURE);
}

static uint64_t now_ns(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

static const Index *open_index(void) {
        const char *guest = getenv("LKMD_GUEST_ROOT"), *root = guest ?: "";
        char pattern[4200], *release, *end;
        const Index *index;
        glob_t found;
        int r;

        (void) snprintf(pattern, sizeof(pattern), "%s/lib/modules/*/modules.dep.bin", root);
        if (glob(pattern, 0, NULL, &found) != 0)
                die(pattern, ENOENT);
        end = strrchr(found.gl_pathv[0], '/');
        *end = '\0';
        release = strrchr(found.gl_pathv[0], '/') + 1;
        r = index_new(&index, &(IndexSources) { .root = root, .release = release, .command_line = "" }, NULL);
        if (r < 0)
                die("index", -r);
        globfree(&found);
        return index;
}

/* 700 name a module, 200 have a glob, 100 are about the request. */
static void write_rule(FILE *f, const Index *index, unsigned i) {
        const IndexModule *m = index_get_module(index, (i * 3U) % index_count_modules(index));

        fprintf(f, "  - id: rule-%u\n", i);
        if (i % 10 < 7)
                fprintf(f, "    match: {module: %s}\n", m->name);
        else if (i % 10 < 9)
                fprintf(f, "    match: {module: [\"%.5s*_%u\", \"%.3s?%u*\"]}\n", m->name, i, m->name, i);
        else
                fprintf(f, "    match: {origin: kernel, alias: \"net-pf-%u*\"}\n", i);
        fprintf(f, "    verdict: %s\n    reason: measured\n", i % 3 ? "deny" : "allow");
}

static char *write_policy(const Index *index, unsigned n_rules) {
        static char dir[64];
        char path[128];
        FILE *f;

        (void) snprintf(dir, sizeof(dir), "/tmp/bench-policy-XXXXXX");
        if (!mkdtemp(dir))
                die(dir, errno);
        (void) snprintf(path, sizeof(path), "%s/bench.yaml", dir);
        f = fopen(path, "we");
        if (!f)
                die(path, errno);
        fprintf(f, "version: 1\nrules:\n"); /* which may be none */
        for (unsigned i = 0; i < n_rules; i++)
                write_rule(f, index, i);
        if (fclose(f) != 0)
                die(path, errno);
        return dir;
}

static void remove_policy(const char *dir) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/bench.yaml", dir);
        (void) unlink(path);
        (void) rmdir(dir);
}

static Policy *read_policy(const char *dir) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        Policy *p;
        int r;

        r = policy_sources_read(&p, &(PolicySources) {
                                            .dirs = (const char *const[]) { dir, NULL },
                                            .grants_file = "",
                                            .command_line = "",
                                    },
                                &(PolicyOptions) { .mode = POLICY_ENFORCE }, NULL, &problems);
        if (r < 0)
                die(problems.n_items > 0 ? problems.items[0].message : "policy", -r);
        return p;
}

typedef struct Result {
        double judge_ns, allocations, reload_ms;
        size_t rules, denied;
} Result;

static double judge_all(const Policy *p, const Index *index, size_t *ret_denied) {
        const PolicyRequester requester = { .origin = ORIGIN_DEVICE,
                                            .key = "pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00",
                                            .subsystem = "pci" };
        size_t n = index_count_modules(index);
        uint64_t begun = now_ns();

        *ret_denied = 0;
        for (size_t i = 0; i < n; i++) {
                PolicyDecision d;

                policy_judge(p,
                             &(PolicySubject) { .requester = &requester,
                                                .module = index_get_module(index, i)->name },
                             1, &d, NULL, NULL);
                *ret_denied += d.actual.verdict == POLICY_DENY;
        }
        return (double) (now_ns() - begun) / (double) n;
}

static Result measure(const Index *index, unsigned n_rules) {
        char *dir = write_policy(index, n_rules);
        Result result = { .judge_ns = 1e18, .reload_ms = 1e18, .rules = n_rules };
        uint64_t before;
        Policy *p;

        for (unsigned i = 0; i < ROUNDS; i++) {
                uint64_t begun = now_ns();

                policy_free(read_policy(dir));
                result.reload_ms = MIN(result.reload_ms, (double) (now_ns() - begun) / 1e6);
        }
        p = read_policy(dir);
        if (policy_count_rules(p) != n_rules)
                die("the policy has not all of its rules", EINVAL);
        before = n_allocated;
        for (unsigned i = 0; i < ROUNDS; i++)
                result.judge_ns = MIN(result.judge_ns, judge_all(p, index, &result.denied));
        result.allocations = (double) (n_allocated - before);
        policy_free(p);
        remove_policy(dir);
        return result;
}

static void show(bool json, const Result *r, size_t n) {
        if (json)
                printf("{\"bench\":\"policy\",\"contenders\":{");
        else
                printf("%8s  %12s  %12s  %12s  %s\n", "RULES", "VERDICT NS", "ALLOCATIONS", "RELOAD MS", "DENIED");
        for (size_t i = 0; i < n; i++)
                if (json)
                        printf("%s\"%zu\":{\"judgeNs\":%.1f,\"allocations\":%.0f,\"reloadMs\":%.3f,\"denied\":%zu}",
                               i > 0 ? "," : "", r[i].rules, r[i].judge_ns, r[i].allocations, r[i].reload_ms,
                               r[i].denied);
                else
                        printf("%8zu  %12.1f  %12.0f  %12.3f  %zu\n", r[i].rules, r[i].judge_ns, r[i].allocations,
                               r[i].reload_ms, r[i].denied);
        if (json)
                printf("}}\n");
}

int main(int argc, char *argv[]) {
        bool json = argc > 1 && streq(argv[1], "--json");
        const Index *index = open_index();
        Result results[] = { measure(index, 0), measure(index, RULES) };

        show(json, results, ARRAY_LEN(results));
        index_unref(index);
        return 0;
}
