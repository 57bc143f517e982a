/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Grants: exceptions from the policy for a time. Owns the list and its file, which is in /run, so that it survives a
 * restart of lkmd and not a reboot. The file is a policy (POLICY_FILE_GRANTS), and the rules in force are made by
 * parsing it, as lkmctl does without lkmd. Each grant reads back as it was written; what could not be written is
 * never granted.
 */

#include "daemon/config/grants.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/base/string-arena.h"
#include "common/base/text.h"
#include "common/policy-files/policy-parse.h"
#include "common/policy-files/policy-pattern.h"
#include "common/policy/policy-grants.h"
#include "daemon/base/state-file.h"

#define ID_PREFIX "grant-"
#define EXPIRES_LAST 253402300799999999U /* the last microsecond of the year 9999: RFC 3339 has no later one */

struct Grants {
        char *path;                     /* NULL: no file */
        char boot_id[BOOT_ID_SIZE];
        Grant *items;
        size_t n_items;
        uint64_t last_number;
};

static void grant_clear(Grant *g) {
        free(g->id);
        free(g->module);
        free(g->reason);
        *g = (Grant) {};
}

/* ------------------------------------------------------------------------------------------------- checks */

/* What is wrong with the name or glob of a grant; NULL: nothing. Static. */
const char *grant_check_module(const char *module) {
        StringArena strings = {};
        PolicyPattern pattern;
        const char *problem = NULL;
        int r;

        assert(module);

        r = policy_pattern_parse(&pattern, POLICY_KEY_MODULE, module, &strings, &problem);
        string_arena_clear(&strings);
        if (r == -EINVAL)
                return problem;
        if (r < 0)
                return "out of memory";
        if (pattern.negated)
                return "expected the name of a module or a glob, which cannot be negated";
        for (const char *p = module; *p; p += text_printable_length(p))
                if (text_printable_length(p) == 0)
                        return "it has characters that cannot be printed";
        return NULL;
}

/* What is wrong with the reason of a grant; NULL: nothing. Static. */
const char *grant_check_reason(const char *reason) {
        return policy_grant_check_reason(reason);
}

/* --------------------------------------------------------------------------------------------------- file */

/* In single quotes only the quote itself has to be escaped. */
static void print_quoted(FILE *f, const char *text) {
        (void) fputc('\'', f);
        for (const char *c = text; *c; c++) {
                if (*c == '\'')
                        (void) fputc('\'', f);
                (void) fputc(*c, f);
        }
        (void) fputc('\'', f);
}

static void print_time(FILE *f, uint64_t usec) {
        time_t seconds = (time_t) (usec / 1000000U);
        char text[sizeof("9999-12-31T23:59:59")];
        struct tm tm;

        if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) > 0)
                (void) fprintf(f, "    expires: %s.%06uZ\n", text, (unsigned) (usec % 1000000U));
}

static void print_grant(FILE *f, const Grant *g) {
        (void) fprintf(f, "  - id: %s\n", g->id);
        if (g->created_usec > 0)
                (void) fprintf(f, "    given: %" PRIu64 "\n", g->created_usec);
        if (g->has_uid)
                (void) fprintf(f, "    by: %u\n", (unsigned) g->uid);
        (void) fputs("    match: {module: [", f);
        print_quoted(f, g->module);
        (void) fprintf(f, "]}\n    verdict: %s\n    reason: ", policy_verdict_to_string(g->verdict));
        print_quoted(f, g->reason);
        (void) fputc('\n', f);
        if (g->expires_usec != UINT64_MAX)
                print_time(f, g->expires_usec);
        if (g->ends_boot_usec != UINT64_MAX)
                (void) fprintf(f, "    uptime: %" PRIu64 ".%06u\n", g->ends_boot_usec / USEC_PER_SEC,
                               (unsigned) (g->ends_boot_usec % USEC_PER_SEC));
        if (g->once)
                (void) fputs("    once: yes\n", f);
}

/**
 * grants_print() - the text of the file
 *
 * Return: 0; -ENOMEM.
 */
int grants_print(const Grants *g, char **ret, size_t *ret_size) {
        FILE *f = open_memstream(ret, ret_size);

        if (!f)
                return -ENOMEM;
        (void) fputs("# Written by lkmd for \"lkmctl policy allow\" and \"deny\"; \"lkmctl policy revoke\" takes them back.\n"
                     "version: 1\n", f);
        if (*g->boot_id)
                (void) fprintf(f, "boot: %s\n", g->boot_id);
        if (g->n_items > 0)
                (void) fputs("rules:\n", f);
        for (size_t i = 0; i < g->n_items; i++)
                print_grant(f, g->items + i);
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

/**
 * grants_to_file() - the grants as rules of a policy
 * @ret: NULL if there are none
 *
 * Return: 0; -EBADMSG if a policy cannot express them; -ENOMEM.
 */
int grants_to_file(const Grants *g, PolicyFile **ret) {
        _cleanup_(policy_file_freep) PolicyFile *file = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        assert(g && ret);

        if (g->n_items == 0) {
                *ret = NULL;
                return 0;
        }
        r = grants_print(g, &text, &size);
        if (r < 0)
                return r;
        r = policy_file_parse(&file, g->path ?: LKMD_GRANTS_FILE, POLICY_FILE_GRANTS, text, size, NULL);
        if (r < 0)
                return r;
        if (file->n_rules != g->n_items)
                return -EBADMSG;        /* one of them was rejected */
        *ret = STEAL_PTR(file);
        return 0;
}

/**
 * grants_write() - write the file; without grants it is removed
 *
 * Return: 0 or why it could not be written.
 */
int grants_write(const Grants *g) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        assert(g);

        if (!g->path)
                return 0;
        if (g->n_items == 0)
                return unlink(g->path) < 0 && errno != ENOENT && errno != EISDIR ? -errno : 0;
        r = grants_print(g, &text, &size);
        return r < 0 ? r : state_file_replace(g->path, text, size);
}

static int take_rule(Grants *g, const PolicyRule *rule) {
        Grant grant = {
                .id = strdup(rule->id),
                .module = strdup(rule->match[POLICY_KEY_MODULE].items[0].glob),
                .verdict = rule->verdict,
                .reason = strdup(rule->reason),
                .expires_usec = rule->expires_usec,
                .ends_boot_usec = rule->ends_boot_usec,
                .once = rule->once,
                .has_uid = rule->has_giver,
                .uid = rule->giver,
                .created_usec = rule->given_usec,
        };

        if (!grant.id || !grant.module || !grant.reason) {
                grant_clear(&grant);
                return -ENOMEM;
        }
        if (startswith(grant.id, ID_PREFIX))
                g->last_number = MAX(g->last_number, (uint64_t) strtoull(grant.id + strlen(ID_PREFIX), NULL, 10));
        g->items[g->n_items++] = grant;
        return 0;
}

/* Only valid grants get past policy_finish_grant(). */
static int take_file(Grants *g, PolicyFile *f, const BootMoment *now, ProblemList *problems) {
        int r;

        r = policy_grants_settle(f, now, problems);
        for (size_t i = 0; r >= 0 && i < f->n_rules && g->n_items < GRANTS_MAX; i++)
                r = take_rule(g, f->rules + i);
        return r;
}

/* --------------------------------------------------------------------------------------------------- list */

static int make(Grants **ret, const BootMoment *now) {
        _cleanup_(grants_freep) Grants *g = NULL;

        g = calloc(1, sizeof(*g));
        if (!g)
                return -ENOMEM;
        g->items = calloc(GRANTS_MAX, sizeof(*g->items));
        if (!g->items)
                return -ENOMEM;
        memcpy(g->boot_id, now->id, sizeof(g->boot_id));

        *ret = STEAL_PTR(g);
        return 0;
}

/**
 * grants_parse() - grants from a text, without a file
 * @text:     @size bytes, need not end in NUL
 * @now:      in this boot, to drop entries that have expired or are of another boot
 * @problems: gets what is wrong with it, with file @path and line; each costs its entry, or everything if the text
 *            cannot be parsed
 *
 * Return: 0 or -ENOMEM.
 */
int grants_parse(Grants **ret, const char *path, const char *text, size_t size, const BootMoment *now,
                 ProblemList *problems) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        _cleanup_(grants_freep) Grants *g = NULL;
        int r;

        assert(ret && path && now);

        r = make(&g, now);
        if (r < 0)
                return r;
        r = policy_file_parse(&f, path, POLICY_FILE_GRANTS, text, size, problems);
        if (r >= 0)
                r = take_file(g, f, now, problems);
        if (r == -ENOMEM)
                return r;

        *ret = STEAL_PTR(g);
        return 0;
}

/**
 * grants_new() - the grants that an earlier lkmd of this boot wrote
 * @path:     NULL: no file
 * @now:      as for grants_parse()
 * @problems: likewise
 *
 * Return: 0 or -ENOMEM.
 */
int grants_new(Grants **ret, const char *path, const BootMoment *now, ProblemList *problems) {
        _cleanup_(grants_freep) Grants *g = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        assert(ret && now);

        if (path) {
                r = state_file_read(path, POLICY_FILE_MAX, &text, &size);
                if (r == -ENOMEM)
                        return r;
        }
        r = grants_parse(&g, path ?: LKMD_GRANTS_FILE, text ?: "version: 1\n", text ? size : strlen("version: 1\n"),
                         now, problems);
        if (r < 0)
                return r;
        if (path && !(g->path = strdup(path)))
                return -ENOMEM;

        *ret = STEAL_PTR(g);
        return 0;
}

/* Return: NULL. */
Grants *grants_free(Grants *g) {
        if (!g)
                return NULL;

        for (size_t i = 0; i < g->n_items; i++)
                grant_clear(g->items + i);
        free(g->items);
        free(g->path);
        free(g);
        return NULL;
}

size_t grants_count(const Grants *g) {
        assert(g);

        return g->n_items;
}

const Grant *grants_get(const Grants *g, size_t i) {
        assert(g && i < g->n_items);

        return g->items + i;
}

/* Return: NULL if there is none. */
const Grant *grants_find(const Grants *g, const char *id) {
        assert(g && id);

        for (size_t i = 0; i < g->n_items; i++)
                if (streq(g->items[i].id, id))
                        return g->items + i;
        return NULL;
}

/* The glob as a policy normalises it, so that it reads back the same. NULL: no memory. */
static char *normal_module(const char *module) {
        StringArena strings = {};
        PolicyPattern pattern;
        const char *problem;
        char *copy = NULL;

        if (policy_pattern_parse(&pattern, POLICY_KEY_MODULE, module, &strings, &problem) >= 0)
                copy = strdup(pattern.glob);
        string_arena_clear(&strings);
        return copy;
}

/* Converts @expires_usec from CLOCK_REALTIME to CLOCK_BOOTTIME. */
static uint64_t to_boot_clock(uint64_t expires_usec, uint64_t now_usec) {
        if (expires_usec == UINT64_MAX)
                return UINT64_MAX;
        return clock_usec(CLOCK_BOOTTIME) + (expires_usec - MIN(expires_usec, now_usec));
}

/**
 * grants_add() - add a grant; grants_write() writes it
 * @wanted: its module and reason have been checked; its id, created_usec and ends_boot_usec are set here
 * @ret:    borrowed until the next change
 *
 * Return: 0; -ENOSPC: there are too many; -ENOMEM.
 */
int grants_add(Grants *g, const Grant *wanted, const Grant **ret) {
        uint64_t now_usec = clock_usec(CLOCK_REALTIME);
        Grant grant = *wanted;

        assert(g && wanted && wanted->module && wanted->reason && ret);

        if (g->n_items >= GRANTS_MAX)
                return -ENOSPC;
        grant.module = normal_module(wanted->module);
        grant.reason = strdup(wanted->reason);
        if (asprintf(&grant.id, ID_PREFIX "%" PRIu64, g->last_number + 1) < 0)
                grant.id = NULL;
        if (!grant.id || !grant.module || !grant.reason) {
                grant_clear(&grant);
                return -ENOMEM;
        }
        if (grant.expires_usec != UINT64_MAX)
                grant.expires_usec = MIN(grant.expires_usec, (uint64_t) EXPIRES_LAST);
        grant.ends_boot_usec = to_boot_clock(grant.expires_usec, now_usec);
        grant.created_usec = now_usec;

        g->last_number++;
        g->items[g->n_items] = grant;
        *ret = g->items + g->n_items++;
        return 0;
}

static void remove_at(Grants *g, size_t i) {
        grant_clear(g->items + i);
        memmove(g->items + i, g->items + i + 1, (g->n_items - i - 1) * sizeof(*g->items));
        g->n_items--;
}

/* Return: 0; -ENOENT. */
int grants_remove(Grants *g, const char *id) {
        assert(g && id);

        for (size_t i = 0; i < g->n_items; i++)
                if (streq(g->items[i].id, id)) {
                        remove_at(g, i);
                        return 0;
                }
        return -ENOENT;
}

/* Removes grants that have expired by either clock. Return: how many. */
size_t grants_expire(Grants *g, uint64_t now_usec, uint64_t now_boot_usec) {
        size_t n = 0;

        assert(g);

        for (size_t i = g->n_items; i > 0; i--)
                if (g->items[i - 1].expires_usec <= now_usec || g->items[i - 1].ends_boot_usec <= now_boot_usec) {
                        remove_at(g, i - 1);
                        n++;
                }
        return n;
}

/* When the next grant expires, by each clock; UINT64_MAX: none does. */
void grants_next_expiry(const Grants *g, uint64_t *ret_usec, uint64_t *ret_boot_usec) {
        assert(g && ret_usec && ret_boot_usec);

        *ret_usec = *ret_boot_usec = UINT64_MAX;
        for (size_t i = 0; i < g->n_items; i++) {
                *ret_usec = MIN(*ret_usec, g->items[i].expires_usec);
                *ret_boot_usec = MIN(*ret_boot_usec, g->items[i].ends_boot_usec);
        }
}
