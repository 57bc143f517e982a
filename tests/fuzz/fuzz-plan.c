/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a configuration beside a small module directory, with a modules.dep that has circles: every
 * plan has the shape that its users rely on. What stands before the first line break is a request of its
 * own.
 */

#include "common/plan/plan-builder.h"
#include "common/plan/plan.h"
#include "fake-modules.h"
#include "support.h"

static const FakeTree tree = {
        .modules = (const FakeModule[]) {
                { "a" }, { "b", "a" }, { "c", "b a" }, { "d", "a" }, { "e", "d b a" }, { "f_g" },
                { "x", "y z" }, { "y", "z x" }, { "z", "x y" }, { "s", "s a" }, {}
        },
        .aliases = (const WriterEntry[]) {
                { "al:*", "a", 0 }, { "al:e*", "e", 1 }, { "al:?", "c", 2 }, { "lost", "nothing", 3 }, {}
        },
        .builtin = (const char *const[]) { "k", NULL },
        .builtin_aliases = (const WriterEntry[]) { { "al_k", "k", 0 }, {} },
        .symbols = (const WriterEntry[]) { { "symbol:f", "f_g", 5 }, {} },
};

static Scratch scratch;
static FuzzFile config = { .fd = -EBADF };

static void at_exit(void) {
        scratch_close(&scratch);
}

static void make_tree(void) {
        scratch_open(&scratch);
        fake_tree_write(&scratch, &tree);
        fuzz_file_open(&config, "modprobe.conf");
        must(atexit(at_exit) == 0);
}

static void check_step(const Plan *p, size_t i) {
        const PlanStep *s = &p->steps[i];
        size_t n_above = 0;

        must(s->module && s->parameters);
        must((s->path != NULL) == (s->action == PLAN_INSERT));
        must((s->command != NULL) == (s->action == PLAN_COMMAND));
        must((s->parent == SIZE_MAX) == (s->reason == PLAN_REQUESTED));
        must(s->parent == SIZE_MAX || s->parent < p->n_steps);
        for (size_t up = i; up != SIZE_MAX; up = p->steps[up].parent)
                must(n_above++ < p->n_steps);
        for (size_t k = 0; k < s->n_after; k++)
                must(s->after[k].step < i);
        for (size_t k = 0; s->required && k < s->n_after; k++)
                must(!s->after[k].required || p->steps[s->after[k].step].required);
        for (size_t k = 0; k < i; k++)
                must(!streq(s->module, p->steps[k].module));
        for (size_t k = 0; k < s->n_parameter_origins; k++)
                must(strstr(s->parameters, s->parameter_origins[k].text) != NULL);
}

static void check_plan(const Index *index, const PlanRequest *request) {
        _cleanup_(plan_freep) Plan *p = NULL;
        size_t n_requested = 0;

        must(plan_new(&p, index, request) == 0);
        for (size_t i = 0; i < p->n_steps; i++) {
                check_step(p, i);
                n_requested += p->steps[i].reason == PLAN_REQUESTED;
        }
        must(n_requested <= p->n_matches);
        for (size_t i = 0; i < p->n_omissions; i++) {
                must(p->omissions[i].module &&
                     (p->omissions[i].ruling.file || p->omissions[i].ruling.line == 0));
                must(!p->omissions[i].required || n_requested == 0);
        }
        if (p->n_matches > n_requested) /* what was left out has its reason */
                must(p->n_omissions > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const keys[] = {
                "a", "c", "e", "f-g", "x", "s", "k", "al:e", "al:q", "al-k", "lost", "symbol:f",
        };
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(freep) char *own = NULL;
        const uint8_t *end;

        if (config.fd < 0)
                make_tree();
        end = size > 0 ? memchr(data, '\n', MIN(size, (size_t) 4096)) : NULL;
        own = strndup((const char *) data, end ? (size_t) (end - data) : 0);
        must(own != NULL);
        fuzz_file_write(&config, data, size);

        must(index_new(&index, &(IndexSources) {
                .root = scratch.dir,
                .release = FAKE_RELEASE,
                .config_paths = (const char *const[]) { config.path, NULL },
                .command_line = "a.from=cmdline",
        }, NULL) == 0);
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                check_plan(index,
                           &(PlanRequest) { .key = keys[i], .mode = i % 2 ? PLAN_NAMED : PLAN_AUTOLOAD });
        check_plan(index, &(PlanRequest) {
                .key = own,
                .mode = PLAN_NAMED,
                .parameters = "p=1",
                .ignore_install = size % 2,
        });
        return 0;
}
