/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Grants: what is allowed or denied for a time. Owns the list and its file, which lies in /run, so that it
 * survives lkmd and not the machine. The file is a policy (POLICY_FILE_GRANTS), and what is in force is what
 * comes of reading it: lkmctl reads the same, also without lkmd. What a policy has no word for stands in a
 * comment beside each.
 */

#include "daemon/grants.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>

#include "common/name-normal.h"
#include "common/names.h"
#include "common/policy-pattern.h"
#include "common/string-arena.h"
#include "common/text.h"
#include "daemon/clock.h"
#include "daemon/state-file.h"

#define ID_PREFIX "grant-"
#define NOTE "    # given "             /* USEC, then "by UID" if that is known */

struct Grants {
        char *path;                     /* NULL: no file */
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
        assert(reason);

        if (reason[strspn(reason, " \t")] == '\0')
                return "a reason is needed: whoever meets the grant is told";
        if (strlen(reason) > GRANT_REASON_MAX)
                return "it is too long";
        for (const char *p = reason; *p; p += text_printable_length(p))
                if (text_printable_length(p) == 0)
                        return "it has to be one line of text";
        return NULL;
}

/* --------------------------------------------------------------------------------------------------- file */

/* In single quotes nothing but these themselves has a meaning. */
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
        (void) fprintf(f, "  - id: %s\n" NOTE "%" PRIu64, g->id, g->created_usec);
        if (g->has_uid)
                (void) fprintf(f, " by %u", (unsigned) g->uid);
        (void) fputs("\n    match: {module: [", f);
        print_quoted(f, g->module);
        (void) fprintf(f, "]}\n    verdict: %s\n    reason: ", policy_verdict_to_string(g->verdict));
        print_quoted(f, g->reason);
        (void) fputc('\n', f);
        if (g->expires_usec != UINT64_MAX)
                print_time(f, g->expires_usec);
        if (g->once)
                (void) fputs("    once: yes\n", f);
}

static int grants_print(const Grants *g, char **ret, size_t *ret_size) {
        FILE *f = open_memstream(ret, ret_size);

        if (!f)
                return -ENOMEM;
        (void) fputs("# Written by lkmd for \"lkmctl policy allow\" and \"deny\"; \"lkmctl policy revoke\" takes them back.\n"
                     "version: 1\n", f);
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
 * Return: 0; -EBADMSG if a policy cannot say this; -ENOMEM.
 */
int grants_to_file(const Grants *g, PolicyFile **ret) {
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
        return policy_file_parse(ret, g->path ?: LKMD_GRANTS_FILE, POLICY_FILE_GRANTS, text, size, NULL);
}

/**
 * grants_write() - bring the file up to date; without a grant there is none
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

static void take_note(Grants *g, const char *id, const char *note) {
        for (size_t i = 0; i < g->n_items; i++) {
                Grant *grant = g->items + i;
                unsigned uid;
                int n;

                if (!streq(grant->id, id))
                        continue;
                n = sscanf(note, NOTE "%" SCNu64 " by %u", &grant->created_usec, &uid);
                grant->has_uid = n == 2;
                grant->uid = n == 2 ? uid : 0;
        }
}

/* Who gave them and when; no harm is done if it is not there. @text is cut into lines. */
static void read_notes(Grants *g, char *text) {
        char id[TEXT_SHOWN_MAX] = "", *rest = text;
        const char *line;

        while ((line = strsep(&rest, "\n"))) {
                if (startswith(line, "  - id: "))
                        (void) snprintf(id, sizeof(id), "%s", line + strlen("  - id: "));
                else if (startswith(line, NOTE))
                        take_note(g, id, line);
        }
}

static int take_rule(Grants *g, const PolicyRule *rule) {
        const PolicyPatterns *names = rule->match + POLICY_KEY_MODULE;
        Grant grant;

        if (names->n_items != 1 || !rule->id || g->n_items >= GRANTS_MAX ||
            (rule->verdict != POLICY_ALLOW && rule->verdict != POLICY_DENY))
                return 0;               /* not written by us */
        grant = (Grant) {
                .id = strdup(rule->id),
                .module = strdup(names->items[0].glob),
                .verdict = rule->verdict,
                .reason = strdup(rule->reason ?: ""),
                .expires_usec = rule->expires_usec,
                .once = rule->once,
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

static int grants_read(Grants *g, ProblemList *problems) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        r = state_file_read(g->path, POLICY_FILE_MAX, &text, &size);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = policy_file_parse(&f, g->path, POLICY_FILE_GRANTS, text, size, problems);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; i < f->n_rules; i++) {
                r = take_rule(g, f->rules + i);
                if (r < 0)
                        return r;
        }
        read_notes(g, text);
        return 0;
}

/* --------------------------------------------------------------------------------------------------- list */

/**
 * grants_new() - with what an earlier lkmd of this boot gave
 * @path:     NULL: no file
 * @problems: gets what is wrong with it; nothing of it holds then
 *
 * Return: 0 or -ENOMEM.
 */
int grants_new(Grants **ret, const char *path, ProblemList *problems) {
        _cleanup_(grants_freep) Grants *g = NULL;
        int r;

        assert(ret);

        g = calloc(1, sizeof(*g));
        if (!g)
                return -ENOMEM;
        g->items = calloc(GRANTS_MAX, sizeof(*g->items));
        if (!g->items)
                return -ENOMEM;
        if (path) {
                g->path = strdup(path);
                if (!g->path)
                        return -ENOMEM;
                r = grants_read(g, problems);
                if (r < 0)
                        return r;
        }

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

/* Return: NULL if there is none of that name. */
const Grant *grants_find(const Grants *g, const char *id) {
        assert(g && id);

        for (size_t i = 0; i < g->n_items; i++)
                if (streq(g->items[i].id, id))
                        return g->items + i;
        return NULL;
}

/**
 * grants_add() - one more, which is written down by grants_write() only
 * @wanted: its module and reason have been checked; id and time of creation are given to it
 * @ret:    borrowed until the next change
 *
 * Return: 0; -ENOSPC: there are too many; -ENOMEM.
 */
int grants_add(Grants *g, const Grant *wanted, const Grant **ret) {
        Grant grant = *wanted;

        assert(g && wanted && wanted->module && wanted->reason && ret);

        if (g->n_items >= GRANTS_MAX)
                return -ENOSPC;
        grant.module = strdup(wanted->module);
        grant.reason = strdup(wanted->reason);
        if (asprintf(&grant.id, ID_PREFIX "%" PRIu64, g->last_number + 1) < 0)
                grant.id = NULL;
        if (!grant.id || !grant.module || !grant.reason) {
                grant_clear(&grant);
                return -ENOMEM;
        }
        (void) name_normalize_in_place(grant.module); /* a glob with broken brackets was refused before */
        grant.created_usec = clock_usec(CLOCK_REALTIME);

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

/* Removes those whose time is over. Return: how many there were. */
size_t grants_expire(Grants *g, uint64_t now_usec) {
        size_t n = 0;

        assert(g);

        for (size_t i = g->n_items; i > 0; i--)
                if (g->items[i - 1].expires_usec <= now_usec) {
                        remove_at(g, i - 1);
                        n++;
                }
        return n;
}

/* When the next one's time is over, CLOCK_REALTIME; UINT64_MAX: none's ever is. */
uint64_t grants_next_expiry(const Grants *g) {
        uint64_t next = UINT64_MAX;

        assert(g);

        for (size_t i = 0; i < g->n_items; i++)
                next = MIN(next, g->items[i].expires_usec);
        return next;
}
