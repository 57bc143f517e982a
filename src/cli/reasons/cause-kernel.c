/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CauseKernel: see cause-kernel.h. The sentences are those of the failure that the load would end with, made of the
 * line that the kernel would log. Owns nothing.
 */

#include "cli/reasons/cause-kernel.h"

#include <assert.h>

#include "cli/machine/attribute.h"
#include "common/base/array.h"
#include "common/base/module-name.h"
#include "common/base/limits.h"
#include "common/explain/error-text.h"
#include "common/index/index-lookup.h"
#include "common/module/module-elf.h"
#include "common/words/kernel-command-line.h"

#define SYMBOLS_SHOWN_MAX 4U

/* @line: as the kernel would log it */
static int make(const Inquiry *q, CauseKind kind, int error, const char *line, Cause *ret) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        int r;

        r = error_text_insert(q->name, error, &line, 1, distribution_of_system(), &message, &hint);
        return r < 0 ? r : cause_make(ret, kind, q->name, hint, "%s", message);
}

static int on_modules_disabled(const Inquiry *q, Cause *ret) {
        uint64_t disabled;

        if (attribute_unsigned(q->machine->proc, "sys/kernel/modules_disabled", &disabled) < 0 ||
            disabled == 0)
                return 0;
        return cause_make(
                ret, CAUSE_MODULES_DISABLED, q->name, "reboot; grep -rs modules_disabled /etc/sysctl.*",
                "the kernel takes no module any more until it is restarted: kernel.modules_disabled is 1");
}

/* module_blacklist=, kernel/module/main.c blacklisted() */
static int on_kernel_blacklist(const Inquiry *q, Cause *ret) {
        _cleanup_(freep) char *line = NULL, *list = NULL;
        char logged[MODULE_NAME_MAX + 64];
        int r;

        r = attribute_new(q->machine->proc, "cmdline", &line);
        if (r >= 0)
                r = kernel_command_line_find(line, "module_blacklist", &list);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char *rest = list, *word; (word = strsep(&rest, ","));)
                if (strlen(word) == strlen(q->name) && module_name_equal(word, q->name, strlen(word))) {
                        (void) snprintf(logged, sizeof(logged), "Module %s is blacklisted", q->name);
                        return make(q, CAUSE_KERNEL_BLACKLIST, EPERM, logged, ret);
                }
        return 0;
}

/* Whether it trusts a signature, only the kernel knows; that there is none, the file shows. */
static int on_unsigned(const Inquiry *q, Cause *ret) {
        const ModuleFacts *facts = file_facts_get(q->module->path, q->policy->facts);
        _cleanup_(freep) char *enforced = NULL, *lockdown = NULL;
        int r;

        if (!facts || facts->is_signed)
                return 0;
        r = attribute_new(q->machine->sys, "module/module/parameters/sig_enforce", &enforced);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && streq(enforced, "Y"))
                return make(q, CAUSE_UNSIGNED, EKEYREJECTED, "Loading of unsigned module is rejected", ret);
        r = attribute_new(q->machine->sys, "kernel/security/lockdown", &lockdown);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && (strstr(lockdown, "[integrity]") || strstr(lockdown, "[confidentiality]")))
                return make(
                        q, CAUSE_LOCKDOWN, EPERM,
                        "Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7",
                        ret);
        return 0;
}

int cause_of_kernel(const Inquiry *q, Cause *ret) {
        static const cause_look_t looks[] = { on_modules_disabled, on_kernel_blacklist, on_unsigned };
        int r = 0;

        assert(q && q->module && q->module->path && ret);

        for (size_t i = 0; r == 0 && i < ARRAY_LEN(looks); i++)
                r = looks[i](q, ret);
        return r;
}

/* ------------------------------------------------------------------------------------------------------- symbols */

typedef struct Symbols {
        const char **names;             /* sorted later; borrowed from the file */
        bool *found;
        size_t n;
} Symbols;

static void symbols_clear(Symbols *s) {
        free(s->names);
        free(s->found);
}

static int take_symbol(const char *name, void *userdata) {
        Symbols *s = userdata;

        if (array_grow(&s->names, s->n, sizeof(*s->names)) < 0)
                return -ENOMEM;
        s->names[s->n++] = name;
        return 0;
}

static int by_name(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/*
 * Marks those that are in the kernel now, in whichever module. Return: 1; 0: it cannot be told, since the list has no
 * data (CONFIG_KALLSYMS_ALL), or cannot be read; -ENOMEM.
 */
static int look_in_kernel(const Inquiry *q, Symbols *s) {
        _cleanup_(freep) char *path = NULL, *line = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        bool has_data = false;
        size_t size = 0;

        if (asprintf(&path, "%s/kallsyms", q->machine->proc) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        f = fopen(path, "re");
        while (f && getline(&line, &size, f) > 0) {
                char *type = strchr(line, ' '), *name = type ? type + 3 : NULL;
                const char **at;

                if (!type || strlen(type) < 4)
                        continue;
                has_data |= type[1] == 'D' || type[1] == 'd';
                name[strcspn(name, "\t\n")] = '\0';
                at = bsearch(&name, s->names, s->n, sizeof(*s->names), by_name);
                if (at)
                        s->found[at - s->names] = true;
        }
        return has_data;
}

/* A module that has the symbol; NULL: none. @answer: of the look-up */
static const IndexModule *find_owner(const Inquiry *q, const char *symbol, IndexAnswer *answer) {
        char key[256];

        if (snprintf(key, sizeof(key), "symbol:%s", symbol) >= (int) sizeof(key) ||
            index_lookup(q->index, key, answer) < 0)
                return NULL;
        for (size_t i = 0; i < answer->n_matches; i++)
                if (answer->matches[i].module)
                        return answer->matches[i].module;
        return NULL;
}

static bool needs(const IndexModule *m, const IndexModule *other) {
        for (size_t i = 0; i < m->n_dependencies; i++)
                if (m->dependencies[i] == other)
                        return true;
        return m == other;
}

static int judge_symbols(const Inquiry *q, const Symbols *s, Cause *ret) {
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        char line[512] = "", *lines[SYMBOLS_SHOWN_MAX] = {};
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n && n < SYMBOLS_SHOWN_MAX; i++) {
                const IndexModule *owner;

                if (s->found[i])
                        continue;
                owner = find_owner(q, s->names[i], &answer);
                if (owner && needs(q->module, owner))
                        continue;
                if (owner && n == 0)
                        return cause_make(ret, CAUSE_INDEX_STALE, q->name, "depmod -a",
                                          "%s needs %s, which %s has, but modules.dep does not say so",
                                          q->name, s->names[i], owner->name);
                (void) snprintf(line, sizeof(line), "%s: Unknown symbol %s (err -2)", q->name, s->names[i]);
                lines[n] = strdup(line);
                if (!lines[n++])
                        r = -ENOMEM;
        }
        if (r >= 0 && n > 0)
                r = error_text_insert(q->name, ENOENT, (const char *const *) lines, n,
                                      distribution_of_system(), &message, &hint);
        if (r >= 0 && n > 0)
                r = cause_make(ret, CAUSE_UNKNOWN_SYMBOL, q->name, hint, "%s", message);
        for (size_t i = 0; i < n; i++)
                free(lines[i]);
        return r;
}

/* A module that came with this kernel fits it, so only others are looked into. */
int cause_of_symbols(const Inquiry *q, Cause *ret) {
        _cleanup_(module_elf_freep) ModuleElf *elf = NULL;
        _cleanup_(symbols_clear) Symbols s = {};
        int r;

        assert(q && q->module && q->module->path && ret);

        if (startswith(module_path_get_place(q->module->path), "kernel/") ||
            !streq(index_get_release(q->index), q->machine->release))
                return 0;
        r = module_elf_new(&elf, q->module->path);
        if (r >= 0)
                r = module_elf_undefined(elf, take_symbol, &s);
        if (r < 0 || s.n == 0)
                return r == -ENOMEM ? r : 0;
        s.found = calloc(s.n, sizeof(*s.found));
        if (!s.found)
                return -ENOMEM;
        qsort(s.names, s.n, sizeof(*s.names), by_name);
        r = look_in_kernel(q, &s);
        return r <= 0 ? r : judge_symbols(q, &s, ret);
}
