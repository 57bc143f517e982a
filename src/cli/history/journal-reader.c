/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JournalReader: see journal-reader.h. Owns the journal; borrows the filter. It believes only what journald says was
 * written by lkmd.service (systemd.journal-fields(7), _SYSTEMD_UNIT=): anybody may write entries with any other field.
 * Fields may nevertheless be of another version of lkmd, or damaged: what makes no sense is left out.
 */

#include "cli/history/journal-reader.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "cli/print/fields.h"
#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/number.h"
#include "common/base/paths.h"
#include "common/base/text.h"

struct JournalReader {
        sd_journal *journal;
        const LogFilter *filter;
};

/* --------------------------------------------------------------------------------------------- the files */

/* Return: 0; -errno of access(2). */
static int check_file(const char *directory, sd_id128_t machine) {
        char id[SD_ID128_STRING_MAX], path[128];

        (void) snprintf(path, sizeof(path), "%s/%s/system.journal", directory,
                        sd_id128_to_string(machine, id));
        return access(path, R_OK) < 0 ? -errno : 0;
}

/* By its files: sd_journal_open(3) succeeds whether or not there is one, and leaves out what it may not read. */
JournalState journal_find_state(void) {
        sd_id128_t machine;
        int kept, of_this_boot;

        if (secure_getenv(LKMD_JOURNAL_ENV))
                return access(secure_getenv(LKMD_JOURNAL_ENV), R_OK | X_OK) >= 0 ? JOURNAL_KEPT
                       : errno == ENOENT                                         ? JOURNAL_ABSENT
                                                                                 : JOURNAL_DENIED;
        if (sd_id128_get_machine(&machine) < 0)
                return JOURNAL_ABSENT;
        kept = check_file("/var/log/journal", machine);
        of_this_boot = check_file("/run/log/journal", machine);
        if (kept == 0)
                return JOURNAL_KEPT;
        if (kept != -ENOENT && kept != -ENOTDIR)
                return JOURNAL_DENIED;
        if (of_this_boot == 0)
                return JOURNAL_VOLATILE;
        return of_this_boot != -ENOENT && of_this_boot != -ENOTDIR ? JOURNAL_DENIED : JOURNAL_ABSENT;
}

/* ----------------------------------------------------------------------------------------------- matches */

static int match(JournalReader *j, const char *field, const char *value) {
        _cleanup_(freep) char *text = NULL;

        if (asprintf(&text, "%s=%s", field, value) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return sd_journal_add_match(j->journal, text, 0);
}

/*
 * Only a superset, of few terms, since each is looked up for each entry: finish() leaves out what else lkmd writes,
 * and log_filter_matches() decides.
 */
static int match_filter(JournalReader *j) {
        const LogFilter *f = j->filter;
        int r = 0;

        if (f->argument) {              /* terms with "or" between them come first */
                r = match(j, "LKMD_KEY", f->argument);
                if (r >= 0 && f->module) {
                        r = sd_journal_add_disjunction(j->journal);
                        if (r >= 0)
                                r = match(j, "LKMD_MODULE", f->module);
                }
                if (r >= 0)
                        r = sd_journal_add_conjunction(j->journal);
        }
        if (r >= 0)
                r = match(j, "_SYSTEMD_UNIT", "lkmd.service");
        if (r >= 0 && f->device)
                r = match(j, "LKMD_ORIGIN", "device");
        return r;
}

/* ------------------------------------------------------------------------------------------------- boots */

typedef struct Boot {
        sd_id128_t id;
        uint64_t first_usec;            /* CLOCK_REALTIME, of its first entry */
} Boot;

static int by_time(const void *a, const void *b) {
        uint64_t x = ((const Boot *) a)->first_usec, y = ((const Boot *) b)->first_usec;

        return (x > y) - (x < y);
}

/* When did a boot write its first entry? Return: as sd_journal_next(3). */
static int find_first(sd_journal *journal, const char *match_boot, uint64_t *ret_usec) {
        int r;

        sd_journal_flush_matches(journal);
        if ((r = sd_journal_add_match(journal, match_boot, 0)) < 0 ||
            (r = sd_journal_seek_head(journal)) < 0 || (r = sd_journal_next(journal)) <= 0)
                return r;
        r = sd_journal_get_realtime_usec(journal, ret_usec);
        return r < 0 ? r : 1;
}

/* "_BOOT_ID=0123..." as the journal has it */
static int parse_boot(const void *data, size_t size, char ret[static sizeof("_BOOT_ID=") + 32],
                      sd_id128_t *ret_id) {
        if (size != strlen("_BOOT_ID=") + 32)
                return -EINVAL;
        memcpy(ret, data, size);
        ret[size] = '\0';
        return sd_id128_from_string(ret + strlen("_BOOT_ID="), ret_id);
}

static int list_boots(sd_journal *journal, Boot **ret, size_t *ret_n) {
        _cleanup_(freep) char **lines = NULL;
        _cleanup_(freep) Boot *boots = NULL;
        const void *data;
        size_t size, n = 0, n_found = 0;
        int r;

        r = sd_journal_query_unique(journal, "_BOOT_ID");
        if (r < 0)
                return r;
        SD_JOURNAL_FOREACH_UNIQUE(journal, data, size) {
                char line[sizeof("_BOOT_ID=") + 32];
                sd_id128_t id;

                if (n >= JOURNAL_BOOTS_MAX || parse_boot(data, size, line, &id) < 0)
                        continue;
                if (array_grow(&boots, n, sizeof(*boots)) < 0)
                        return -ENOMEM;
                boots[n++].id = id;
        }
        for (size_t i = 0; i < n; i++) {
                char line[sizeof("_BOOT_ID=") + 32], id[SD_ID128_STRING_MAX];
                uint64_t usec = 0;

                (void) snprintf(line, sizeof(line), "_BOOT_ID=%s", sd_id128_to_string(boots[i].id, id));
                r = find_first(journal, line, &usec);
                if (r < 0)
                        return r;
                if (r > 0)
                        boots[n_found++] = (Boot) { boots[i].id, usec };
        }
        sd_journal_flush_matches(journal);
        if (n_found > 0)
                qsort(boots, n_found, sizeof(*boots), by_time);
        *ret = STEAL_PTR(boots);
        *ret_n = n_found;
        return 0;
}

/* As journalctl --boot: from this one back, or from the oldest on. Return: 0; -ENODATA: there is no such boot. */
static int find_boot(JournalReader *j, int64_t number, sd_id128_t *ret) {
        _cleanup_(freep) Boot *boots = NULL;
        sd_id128_t now;
        size_t n = 0, current;
        int64_t i;
        int r;

        r = sd_id128_get_boot(&now);
        if (r < 0 || number == 0) {
                *ret = now;
                return r;
        }
        r = list_boots(j->journal, &boots, &n);
        if (r < 0)
                return r;
        for (current = 0; current < n && !sd_id128_equal(boots[current].id, now);)
                current++;              /* behind the last, if it has no entry yet */
        if (number < -(int64_t) JOURNAL_BOOTS_MAX || number > (int64_t) JOURNAL_BOOTS_MAX)
                return -ENODATA;
        i = number > 0 ? number - 1 : (int64_t) current + number;
        if (i < 0 || i >= (int64_t) n)
                return -ENODATA;
        *ret = boots[i].id;
        return 0;
}

/* --------------------------------------------------------------------------------------------- the reader */

static int open_journal(sd_journal **ret) {
        const char *directory = secure_getenv(LKMD_JOURNAL_ENV);

        return directory ? sd_journal_open_directory(ret, directory, 0)
                         : sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
}

/**
 * journal_reader_new() - read the journal from its beginning, or from the time of the filter on
 * @filter: borrowed
 * @follow: journal_reader_wait() is going to be called
 *
 * Return: 0; -ENODATA: there is no such boot; what sd-journal says.
 */
int journal_reader_new(JournalReader **ret, const LogFilter *filter, JournalBoot boot, bool follow) {
        _cleanup_(journal_reader_freep) JournalReader *j = NULL;
        sd_id128_t boot_id;
        int r;

        assert(ret && filter);

        j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        j->filter = filter;
        r = open_journal(&j->journal);
        if (r < 0)
                return r;
        if (follow && (r = sd_journal_get_fd(j->journal)) < 0) /* now, so that nothing is missed */
                return r;
        (void) sd_journal_set_data_threshold(j->journal, JOURNAL_FIELD_MAX);
        r = boot.is_given ? find_boot(j, boot.number, &boot_id) : 0;
        if (r >= 0)
                r = match_filter(j);
        if (r >= 0 && boot.is_given) {
                char id[SD_ID128_STRING_MAX];

                r = match(j, "_BOOT_ID", sd_id128_to_string(boot_id, id));
        }
        if (r >= 0)
                r = filter->since_usec > 0 ? sd_journal_seek_realtime_usec(j->journal, filter->since_usec)
                                           : sd_journal_seek_head(j->journal);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(j);
        return 0;
}

/* Return: NULL. */
JournalReader *journal_reader_free(JournalReader *j) {
        if (!j)
                return NULL;

        sd_journal_close(j->journal);
        free(j);
        return NULL;
}

/* ---------------------------------------------------------------------------------------------- an entry */

typedef struct Field {
        const char *name;               /* in the journal */
        const char *key;                /* in the entry */
        bool of_requester;
        bool is_number;
} Field;

static const Field fields[] = {
        { "LKMD_MODULE",              "module",       false, false },
        { "LKMD_OUTCOME",             "outcome",      false, false },
        { "LKMD_REASON",              "reason",       false, false },
        { "LKMD_PARENT",              "parent",       false, false },
        { "LKMD_RULE",                "rule",         false, false },
        { "LKMD_DURATION_USEC",       "durationUSec", false, true  },
        { "ERRNO",                    "errno",        false, true  },
        { "MESSAGE",                  "message",      false, false },
        { "_BOOT_ID",                 "boot",         false, false },
        { "LKMD_ORIGIN",              "origin",       true,  false },
        { "LKMD_KEY",                 "key",          true,  false },
        { "LKMD_DEVICE",              "device",       true,  false },
        { "LKMD_SUBSYSTEM",           "subsystem",    true,  false },
        { "LKMD_REQUESTER_UID",       "uid",          true,  true  },
        { "LKMD_REQUESTER_PID",       "pid",          true,  true  },
        { "LKMD_REQUESTER_LOGINUID",  "loginUid",     true,  true  },
        { "LKMD_REQUESTER_COMM",      "command",      true,  false },
        { "LKMD_REQUESTER_EXE",       "executable",   true,  false },
        { "LKMD_REQUESTER_UNIT",      "unit",         true,  false },
        { "LKMD_REQUESTER_CONTAINER", "container",    true,  false },
};

static const Field *find_field(const char *data, size_t length) {
        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
                if (strlen(fields[i].name) == length && memcmp(fields[i].name, data, length) == 0)
                        return fields + i;
        return NULL;
}

/* An object in the making: names and values in turn, owned. Setting fields one by one would copy it each time. */
typedef struct Pairs {
        sd_json_variant *items[2 * (ARRAY_LEN(fields) + 4)];
        size_t n_items;
} Pairs;

static void pairs_clear(Pairs *p) {
        for (size_t i = 0; i < p->n_items; i++)
                sd_json_variant_unref(p->items[i]);
        p->n_items = 0;
}

static sd_json_variant *pairs_find(const Pairs *p, const char *key) {
        for (size_t i = 0; i < p->n_items; i += 2)
                if (streq(sd_json_variant_string(p->items[i]), key))
                        return p->items[i + 1];
        return NULL;
}

static const char *pairs_string(const Pairs *p, const char *key) {
        sd_json_variant *v = pairs_find(p, key);

        return v ? sd_json_variant_string(v) : NULL;
}

/* A field of the journal may have several values: the first counts. @value: NULL: leave it out. Return: 0; -ENOMEM. */
static int pairs_add(Pairs *p, const char *key, sd_json_variant *value) {
        int r;

        if (!value || p->n_items + 2 > ARRAY_LEN(p->items) || pairs_find(p, key))
                return 0;
        r = sd_json_variant_new_string(p->items + p->n_items, key);
        if (r < 0)
                return r;
        p->items[p->n_items + 1] = sd_json_variant_ref(value);
        p->n_items += 2;
        return 0;
}

static int pairs_add_string(Pairs *p, const char *key, const char *value) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r = sd_json_variant_new_string(&v, value);

        return r == -ENOMEM ? r : pairs_add(p, key, v);
}

static int pairs_add_number(Pairs *p, const char *key, uint64_t value) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r = sd_json_variant_new_unsigned(&v, value);

        return r < 0 ? r : pairs_add(p, key, v);
}

static int pairs_to_object(const Pairs *p, sd_json_variant **ret) {
        return sd_json_variant_new_object(ret, (sd_json_variant **) p->items, p->n_items);
}

/* Bytes that are no text are escaped; what comes behind a NUL is dropped. Return: 0; -ENOMEM. */
static int add_field(Pairs *p, const Field *field, const char *value) {
        _cleanup_(freep) char *escaped = NULL;
        uint64_t number;

        if (field->is_number)
                return number_take(&value, INT64_MAX, &number) < 0 || *value != '\0'
                               ? 0
                               : pairs_add_number(p, field->key, number);
        return text_escape(value, &escaped) < 0 ? -ENOMEM : pairs_add_string(p, field->key, escaped);
}

typedef struct Parts {
        Pairs entry, requester;
        char message_id[SD_ID128_STRING_MAX];
} Parts;

static void parts_clear(Parts *p) {
        pairs_clear(&p->entry);
        pairs_clear(&p->requester);
}

static int add_inferred(Parts *p) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r = sd_json_variant_new_boolean(&v, true);

        return r < 0 ? r : pairs_add(&p->requester, "inferred", v);
}

static bool is_named(const char *data, size_t length, const char *name) {
        return strlen(name) == length && memcmp(data, name, length) == 0;
}

static int take_field(Parts *p, const char *data, size_t size) {
        const char *equals = memchr(data, '=', size);
        size_t length = equals ? (size_t) (equals - data) : 0;
        _cleanup_(freep) char *value = NULL;
        const Field *field;

        if (!equals)
                return 0;
        field = find_field(data, length);
        if (!field && is_named(data, length, "LKMD_REQUESTER_INFERRED"))
                return add_inferred(p);
        if (!field && !is_named(data, length, "MESSAGE_ID"))
                return 0;
        value = strndup(equals + 1, MIN(size - length - 1, (size_t) JOURNAL_FIELD_MAX));
        if (!value)
                return -ENOMEM;
        if (field)
                return add_field(field->of_requester ? &p->requester : &p->entry, field, value);
        (void) snprintf(p->message_id, sizeof(p->message_id), "%s", value);
        return 0;
}

static int read_fields(sd_journal *journal, Parts *p) {
        const void *data;
        size_t size;
        int r = 1;

        sd_journal_restart_data(journal);
        while (r > 0) {
                r = sd_journal_enumerate_available_data(journal, &data, &size);
                if (r > 0 && take_field(p, data, size) < 0)
                        return -ENOMEM;
        }
        return r;
}

/* Of a failure, the message has the module in front of the sentence that a record has. */
static int shorten_message(Parts *p, LogKind kind) {
        const char *message = pairs_string(&p->entry, "message"),
                   *module = pairs_string(&p->entry, "module"), *rest;
        sd_json_variant *shorter = NULL;
        int r;

        if (kind != LOG_KIND_FAILED && kind != LOG_KIND_KEPT_OUT)
                return 0;
        if (!message || !module || !startswith(message, module))
                return 0;
        rest = message + strlen(module);
        if (!startswith(rest, ": "))
                return 0;
        r = sd_json_variant_new_string(&shorter, rest + strlen(": "));
        for (size_t i = 0; r >= 0 && i < p->entry.n_items; i += 2)
                if (streq(sd_json_variant_string(p->entry.items[i]), "message")) {
                        sd_json_variant_unref(p->entry.items[i + 1]);
                        p->entry.items[i + 1] = STEAL_PTR(shorter);
                        break;
                }
        sd_json_variant_unref(shorter);
        return r;
}

/* Return: 1; 0: it is not about what belongs here; -ENOMEM. */
static int finish(JournalReader *j, Parts *p, sd_json_variant **ret) {
        LogKind kind = log_kind_of_message(p->message_id, pairs_string(&p->entry, "outcome"));
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *requester = NULL;
        uint64_t usec;
        int r;

        if (kind < 0 || sd_journal_get_realtime_usec(j->journal, &usec) < 0)
                return 0;
        if ((r = shorten_message(p, kind)) < 0 || (r = pairs_to_object(&p->requester, &requester)) < 0 ||
            (r = pairs_add_number(&p->entry, "timeUSec", usec)) < 0 ||
            (r = pairs_add_string(&p->entry, "kind", log_kind_to_string(kind))) < 0 ||
            (r = pairs_add(&p->entry, "requester", requester)) < 0 ||
            (r = pairs_to_object(&p->entry, ret)) < 0)
                return r;
        return 1;
}

/**
 * journal_reader_next() - the next entry that the filter wants
 * @ret: owned by the caller
 *
 * Return: 1; 0: there are no more so far; what sd-journal says.
 */
int journal_reader_next(JournalReader *j, sd_json_variant **ret) {
        int r;

        assert(j && ret);

        while ((r = sd_journal_next(j->journal)) > 0) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *entry = NULL;
                _cleanup_(parts_clear) Parts parts = {};

                r = read_fields(j->journal, &parts);
                if (r == -EBADMSG || r == -EADDRNOTAVAIL)
                        continue;       /* it is damaged */
                if (r >= 0)
                        r = finish(j, &parts, &entry);
                if (r < 0)
                        return r;
                if (r == 0 || !log_filter_matches(j->filter, entry))
                        continue;
                *ret = STEAL_PTR(entry);
                return 1;
        }
        return r;
}

/**
 * journal_reader_wait() - wait until there may be more
 *
 * Return: 0; -EPIPE: the reader of standard output is gone; negative errno.
 */
int journal_reader_wait(JournalReader *j) {
        struct pollfd fds[2] = { { .events = 0 }, { .fd = STDOUT_FILENO } };
        uint64_t until = UINT64_MAX;
        int events, timeout = -1, r;

        assert(j);

        fds[0].fd = sd_journal_get_fd(j->journal);
        if (fds[0].fd < 0)
                return fds[0].fd;
        events = sd_journal_get_events(j->journal);
        if (events < 0)
                return events;
        fds[0].events = (short) events;
        r = sd_journal_get_timeout(j->journal, &until);
        if (r < 0)
                return r;
        if (until != UINT64_MAX) {
                uint64_t now = clock_usec(CLOCK_MONOTONIC);

                timeout = until > now ? (int) MIN((until - now) / 1000U + 1, (uint64_t) 3600 * 1000) : 0;
        }
        if (poll(fds, ARRAY_LEN(fds), timeout) < 0)
                return errno == EINTR ? 0 : -errno;
        if (fds[1].revents & (POLLERR | POLLHUP))
                return -EPIPE;
        r = sd_journal_process(j->journal);
        return r < 0 ? r : 0;
}
