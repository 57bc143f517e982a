/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LintNames: names in modprobe.d that mean no module. Configuration is often written for many kernels, so only what
 * looks like a misspelt name is a mistake where lines keep modules out.
 */

#include "cli/offline/lint-names.h"

#include <assert.h>
#include <ctype.h>

#include "common/base/glob.h"
#include "common/base/nearest-name.h"
#include "common/index/index-lookup.h"

static Finding finding_of(const ConfigEntry *e, FindingKind kind, const char *instead) {
        return (Finding) { kind, e->file, e->line, 0, instead, e->name };
}

/* Without what LintLines and LintText complain about. */
bool lint_name_is_plain(const char *name) {
        for (const char *p = name; *p; p++)
                if (!isalnum((unsigned char) *p) && *p != '_' && *p != '-')
                        return false;
        return *name;
}

/* ------------------------------------------------------------------------------------------------ spelling */

/* nfsv3 and nfsv4 are names of their own. */
static bool differ_by_number(const char *a, const char *b) {
        while (*a || *b) {
                while (isdigit((unsigned char) *a))
                        a++;
                while (isdigit((unsigned char) *b))
                        b++;
                if (*a != *b)
                        return false;
                a += *a != '\0';
                b += *b != '\0';
        }
        return true;
}

/*
 * Is one the other with something added, rather than with a letter forgotten? nvidia and nvidiafb, intel8x0 and
 * intel8x0m.
 */
static bool is_longer_name(const char *a, const char *b) {
        size_t n_a = strlen(a), n_b = strlen(b), n = MIN(n_a, n_b);

        return strncmp(a, b, n) == 0 &&
               (MAX(n_a, n_b) > n + 1 || (n > 0 && isdigit((unsigned char) a[n - 1])));
}

/* brcmsmac and brcmfmac: one letter stands for another in names of different modules, too. */
static bool differ_by_letter(const char *a, const char *b) {
        size_t n_different = 0;

        for (; *a && *b; a++, b++)
                n_different += tolower((unsigned char) *a) != tolower((unsigned char) *b);
        return !*a && !*b && n_different == 1;
}

/**
 * lint_likely_name() - the module that a name was probably meant to be
 *
 * One letter of six may differ. Short names are all near to each other, and names with another number mean another
 * device.
 */
const char *lint_likely_name(const Lint *l, const char *name) {
        size_t length = strlen(name);
        NearestName n;

        if (length < 5 || !lint_name_is_plain(name))
                return NULL;
        nearest_name_begin(&n, name);
        for (size_t i = 0; i < index_count_modules(l->index); i++) {
                const char *offered = index_get_module(l->index, i)->name;

                if (!differ_by_number(name, offered) && !is_longer_name(name, offered))
                        nearest_name_offer(&n, offered);
        }
        if (!n.name || n.distance > MAX(length / 6, (size_t) 1) ||
            (length < 10 && differ_by_letter(name, n.name)))
                return NULL;
        return n.name;
}

static int report_misspelt(Lint *l, const ConfigEntry *e, const char *name, const char *likely) {
        Finding finding = finding_of(e, FINDING_NO_SUCH_MODULE, NULL);
        _cleanup_(freep) char *instead = NULL;

        if (asprintf(&instead, "%s, if that is what is meant", likely) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(l, &finding, "no module of %s is called '%s'", index_get_release(l->index), name);
}

static bool means_something(const Lint *l, const char *name) {
        IndexAnswer answer = {};
        bool known = index_lookup(l->index, name, &answer) >= 0 && answer.n_matches > 0;

        index_answer_clear(&answer);
        return known;
}

/**
 * lint_misspelt() - a line for no module, which is a mistake only if its name is near to that of one
 */
int lint_misspelt(Lint *l, const ConfigEntry *e, const char *name) {
        const char *likely = lint_likely_name(l, name);

        return likely ? report_misspelt(l, e, name, likely) : 0;
}

/**
 * lint_no_module() - a line for no module, which does nothing
 */
int lint_no_module(Lint *l, const ConfigEntry *e, const char *name) {
        Finding finding = finding_of(e, FINDING_ABSENT_MODULE,
                                     "nothing, if its module is still to be installed");
        const char *likely = lint_likely_name(l, name);

        if (likely)
                return report_misspelt(l, e, name, likely);
        if (!lint_name_is_plain(name))
                return 0;
        return lint_report(l, &finding, "no module of %s is called '%s', so the line does nothing for it",
                           index_get_release(l->index), name);
}

/**
 * lint_built_in() - a line that is to keep out what is a part of the kernel
 * @consequence: "no blacklist line keeps out"
 */
int lint_built_in(Lint *l, const ConfigEntry *e, const ShownNames *modules, const char *consequence) {
        bool is_ipv6 = modules->n == 1 && streq(modules->names[0], "ipv6");
        Finding finding = finding_of(
                e, FINDING_BUILT_IN,
                is_ipv6 ? "write ipv6.disable=1 on the kernel command line"
                        : "initcall_blacklist=FUNCTION on the kernel command line, with its init function");
        char names[256];

        shown_names_print(modules, names, sizeof(names));
        return lint_report(l, &finding, "%s what is built into the kernel: %s", consequence, names);
}

/* -------------------------------------------------------------------------------------------------- aliases */

/* "alias X off" of module-init-tools: for a module, it now only makes its name useless. */
static int lint_off(Lint *l, const ConfigEntry *e) {
        const IndexModule *m = index_find_module(l->index, e->name);
        _cleanup_(freep) char *instead = NULL;
        Finding finding = finding_of(e, FINDING_ALIAS_OFF, NULL);

        if (!m)
                return 0;               /* an alias that leads nowhere keeps out what asks for it */
        if (asprintf(&instead, "install %s /bin/false", e->name) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(
                l, &finding,
                "this does not keep %s out: only its name leads to nothing; devices, and modules that "
                "need it, still load it",
                e->name);
}

static int lint_alias(Lint *l, const ConfigEntry *e) {
        Finding finding = finding_of(e, FINDING_ALIAS_TO_NOTHING, NULL);
        _cleanup_(freep) char *instead = NULL;
        const char *likely;

        if (index_find_module(l->index, e->value) ||
            modprobe_config_find_command(index_get_config(l->index), CONFIG_INSTALL, e->value))
                return 0;
        if (config_entry_turns_off(e))
                return lint_off(l, e);
        if (!lint_name_is_plain(e->value))
                return 0;
        if (means_something(l, e->value)) {
                finding.instead = "the module that is meant";
                return lint_report(
                        l, &finding,
                        "'%s' is an alias, and an alias cannot lead to another one: this one leads to nothing",
                        e->value);
        }
        likely = lint_likely_name(l, e->value);
        if (likely && asprintf(&instead, "%s, if that is what is meant", likely) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(l, &finding, "this alias leads to nothing: no module of %s is called '%s'",
                           index_get_release(l->index), e->value);
}

/* ------------------------------------------------------------------------------------------------- softdeps */

static const IndexModule *first_match(const Lint *l, const char *pattern) {
        for (size_t i = 0; i < index_count_modules(l->index); i++)
                if (glob_match(pattern, index_get_module(l->index, i)->name))
                        return index_get_module(l->index, i);
        return NULL;
}

static int lint_softdep(Lint *l, const ConfigEntry *e) {
        const IndexModule *m = first_match(l, e->name);
        _cleanup_(freep) IndexSoftdep *deps = NULL;
        size_t n_deps;
        int r;

        if (!m)
                return lint_no_module(l, e, e->name);
        if (!m->path && !strpbrk(e->name, "*?[")) {
                Finding finding = finding_of(e, FINDING_BUILT_IN,
                                             "its modules in a file of /etc/modules-load.d");

                return lint_report(
                        l, &finding,
                        "this line does nothing: %s is built into the kernel, so it is never loaded",
                        m->name);
        }
        r = index_softdeps(l->index, m->name, &deps, &n_deps);
        for (size_t i = 0; r >= 0 && i < n_deps; i++) {
                if (deps[i].config != e)
                        continue;
                if (*deps[i].key == '#')
                        break;          /* LintLines tells of the comment */
                if (!means_something(l, deps[i].key) && lint_name_is_plain(deps[i].key))
                        r = lint_no_module(l, e, deps[i].key);
        }
        return r;
}

int lint_names(Lint *l) {
        const ModprobeConfig *config = index_get_config(l->index);
        const ConfigEntry *aliases, *softdeps;
        size_t n_aliases, n_softdeps;
        int r = 0;

        assert(l);

        aliases = modprobe_config_entries(config, CONFIG_ALIAS, &n_aliases);
        softdeps = modprobe_config_entries(config, CONFIG_SOFTDEP, &n_softdeps);
        for (size_t i = 0; r >= 0 && i < n_aliases; i++)
                r = lint_alias(l, aliases + i);
        for (size_t i = 0; r >= 0 && i < n_softdeps; i++)
                if (!lint_is_distributions(l, softdeps[i].file))
                        r = lint_softdep(l, softdeps + i);
        return r;
}
