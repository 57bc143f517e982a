/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * log: what happened to modules, from the journal; where it cannot be read, from what lkmd remembers of this boot.
 */

#include <assert.h>
#include <inttypes.h>

#include "cli/call/interrupt.h"
#include "cli/history/history.h"
#include "cli/history/journal-reader.h"
#include "cli/history/log-entry.h"
#include "cli/history/log-groups.h"
#include "cli/offline/device-argument.h"
#include "cli/offline/device.h"
#include "cli/offline/offline.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/usage/usage.h"
#include "cli/verbs/verbs.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/index/index-lookup.h"
#include "common/interface/interface.h"

typedef struct Log {
        Run *run;
        LogFilter filter;
        char module[MODULE_NAME_MAX + 1];
        char *device;                   /* of the filter, owned */
        JournalBoot boot;
        JournalState state;
        LogGroups *groups;              /* NULL: entries are shown one by one */
        bool forgotten;                 /* lkmd does not remember all of this boot */
        uint64_t n_entries;
        char *last_boot;                /* of the entry before, owned */
} Log;

static void log_clear(Log *l) {
        free(l->device);
        free(l->last_boot);
        log_groups_free(l->groups);
}

/* ----------------------------------------------------------------------------------------------- question */

static int take_device(Log *l, const char *argument) {
        _cleanup_(device_freep) Device *d = NULL;
        const char *below = startswith(argument, "/sys/devices/") ? argument + strlen("/sys") : NULL;
        int r = device_find(&d, argument);

        if (r == -ENOMEM)
                return r;
        if (r < 0 && !below)            /* one that is gone has a path only */
                return failure_print_own(&l->run->out, LKMD_ERROR_NO_SUCH_DEVICE, NO_SUCH_DEVICE_HINT,
                                         "there is no device '%s'", argument);
        if (r >= 0)
                r = device_climb(&d);
        if (r == -ENOMEM)
                return r;
        l->device = strdup(d ? d->path : below);
        if (!l->device)
                return -ENOMEM;
        for (size_t n = strlen(l->device); n > 1 && l->device[n - 1] == '/'; n--)
                l->device[n - 1] = '\0';
        l->filter.device = l->device;
        return 0;
}

/* Return: 0; an ExitStatus, after reporting why; negative errno. */
static int take_question(Log *l, const char *argument) {
        const Run *run = l->run;
        int r;

        l->filter.failed = run->failed;
        l->filter.denied = run->denied;
        l->boot = (JournalBoot) { run->boot.is_given, run->boot.value };
        if (run->since_usec == SINCE_BOOT)
                l->boot.is_given = true;
        else
                l->filter.since_usec = run->since_usec;
        if (run->since_usec == SINCE_BOOT && run->boot.is_given && run->boot.value != 0)
                return failure_print_own(&l->run->out, CLIENT_ERROR_USAGE, "lkmctl help log",
                                         "--since=boot is about this boot, and --boot about another");
        if (run->by == GROUP_BY_RULE)
                return failure_print_own(&l->run->out, CLIENT_ERROR_USAGE, "lkmctl policy audit --by rule",
                                         "'log' has its entries by 'requester', 'module' or 'device'");
        if (run->by != GROUP_BY_NOTHING && run->follow)
                return failure_print_own(&l->run->out, CLIENT_ERROR_USAGE, "lkmctl log --follow",
                                         "--by counts what is over, so --follow does not go with it");
        if (run->follow && l->boot.is_given && l->boot.number != 0)
                return failure_print_own(&l->run->out, CLIENT_ERROR_USAGE, "lkmctl log --follow",
                                         "an earlier boot does not go on, so --follow does not go with it");
        if (!argument)
                return 0;
        r = device_argument_is(argument);
        if (r != 0)
                return r < 0 ? r : take_device(l, argument);
        l->filter.argument = argument;
        if (module_name_normalize(argument, l->module, sizeof(l->module)) >= 0)
                l->filter.module = l->module;
        return 0;
}

/* ----------------------------------------------------------------------------------------------- entries */

static int print_boot(Log *l, const char *boot) {
        const Output *out = &l->run->out;

        if (!boot || streq_ptr(boot, l->last_boot))
                return 0;
        printf("%s-- boot ", output_tone(out, stdout, TONE_DIM));
        print_escaped(stdout, boot);
        printf(" --%s\n", output_tone(out, stdout, TONE_PLAIN));
        free(l->last_boot);
        l->last_boot = strdup(boot);
        return l->last_boot ? 0 : -ENOMEM;
}

static int show(Log *l, sd_json_variant *entry) {
        Output *out = &l->run->out;
        int r;

        l->n_entries++;
        if (l->groups)
                return log_groups_add(l->groups, entry);
        if (out->json != JSON_OFF)
                return output_json(out, entry);
        if (!output_wants_text(out))
                return 0;
        r = print_boot(l, field_string(entry, "boot"));
        return r < 0 ? r : log_entry_print(out, entry);
}

/* Return: 0; an ExitStatus, after reporting why; negative errno. */
static int read_journal(Log *l, JournalReader **ret) {
        _cleanup_(journal_reader_freep) JournalReader *reader = NULL;
        int r;

        r = journal_reader_new(&reader, &l->filter, l->boot, l->run->follow);
        if (r == -ENODATA)
                return failure_print_own(
                        &l->run->out, CLIENT_ERROR_LOCAL, "journalctl --list-boots",
                        l->state == JOURNAL_VOLATILE
                                ? "the journal has no such boot: it is not kept over boots, as there is no /var/log/journal"
                                : "the journal has no such boot");
        while (r >= 0) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *entry = NULL;

                r = journal_reader_next(reader, &entry);
                if (r <= 0)
                        break;
                r = show(l, entry);
        }
        if (r < 0)
                return r;
        *ret = STEAL_PTR(reader);
        return 0;
}

static int read_history(Log *l) {
        _cleanup_(history_clear) History history = {};
        int r;

        r = history_fetch(l->run->client, l->filter.module, &history);
        if (r != 0)
                return r;
        l->forgotten = !history.complete;
        for (size_t i = 0; r >= 0 && i < history.n_entries; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *entry = NULL;

                r = log_entry_from_record(history_record(&history, i), &entry);
                if (r > 0 && log_filter_matches(&l->filter, entry))
                        r = show(l, entry);
        }
        return r < 0 ? r : 0;
}

/* --------------------------------------------------------------------------------------------- following */

static int follow_journal(Log *l, JournalReader *reader) {
        for (;;) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *entry = NULL;
                int r = journal_reader_next(reader, &entry);

                if (r > 0)
                        r = show(l, entry);
                else if (r == 0)
                        r = output_flush();
                if (r >= 0 && !entry)
                        r = journal_reader_wait(reader);
                if (r < 0)
                        return r;
        }
}

/* Return: 0 to go on; negative errno. */
static int on_event(sd_json_variant *reply, void *userdata) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *entry = NULL;
        sd_json_variant *event = field_object(reply, "event");
        Log *l = userdata;
        int r;

        if (!streq_ptr(field_string(event, "kind"), "finished"))
                return 0;
        r = log_entry_from_record(field_object(event, "record"), &entry);
        if (r > 0 && log_filter_matches(&l->filter, entry))
                r = show(l, entry);
        if (r >= 0)
                r = output_flush();
        return r < 0 ? r : 0;
}

/* What lkmd tells has no end but that of lkmd. */
static int follow_lkmd(Log *l) {
        const CallHooks hooks = { .on_reply = on_event, .userdata = l, .ends_with_stdout = true };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        int r;

        r = output_flush();
        if (r >= 0)
                r = client_call(l->run->client, "Monitor", NULL, &hooks, &reply);
        if (r != 0)
                return r;
        return failure_print_own(&l->run->out, CLIENT_ERROR_DISCONNECTED, "systemctl status lkmd",
                                 "lkmd went away");
}

/* ------------------------------------------------------------------------------------------------ extent */

/* What the answer lacks; NULL: nothing. */
static const char *find_missing(const Log *l) {
        switch (l->state) {
        case JOURNAL_DENIED:
                return "earlier boots and refusals, which are in the journal: it is for root and the group systemd-journal";
        case JOURNAL_ABSENT:
                return "earlier boots and refusals: this machine has no journal to keep them";
        case JOURNAL_VOLATILE:
                return l->boot.is_given
                               ? NULL
                               : "earlier boots: the journal is not kept over boots, as there is no /var/log/journal";
        default:
                return NULL;
        }
}

static const char *find_remedy(const Log *l) {
        return l->state == JOURNAL_DENIED   ? "the same with sudo; for good: adduser USER systemd-journal"
               : l->state == JOURNAL_ABSENT ? "Storage= in journald.conf(5)"
                                            : "mkdir /var/log/journal && journalctl --flush";
}

static void print_missing(const Log *l) {
        const char *missing = find_missing(l);

        if (!missing || !output_wants_text(&l->run->out))
                return;
        (void) fflush(stdout);
        (void) fprintf(stderr, "lkmctl: this lacks %s%s\n        try: %s\n", missing,
                       l->forgotten ? ", and what lkmd has forgotten of this boot" : "", find_remedy(l));
}

/* The last object: where the entries are from, and what they lack. */
static int extent_to_json(Log *l) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        bool of_journal = l->state == JOURNAL_KEPT || l->state == JOURNAL_VOLATILE;
        const char *missing = find_missing(l);
        int r;

        r = sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("kind", "extent"),
                SD_JSON_BUILD_PAIR_STRING("source", of_journal ? "journal" : "lkmd"),
                SD_JSON_BUILD_PAIR_BOOLEAN("complete", !missing && !l->forgotten),
                SD_JSON_BUILD_PAIR_CONDITION(missing != NULL, "missing", SD_JSON_BUILD_STRING(missing)));
        return r < 0 ? r : output_json(&l->run->out, v);
}

/* Is the argument something that may have entries? Return: 0; an ExitStatus, after reporting; negative errno. */
static int check_argument(Log *l) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        int r;

        if (!l->filter.argument || l->n_entries > 0)
                return 0;
        r = index_new(&index, &(IndexSources) { .root = secure_getenv(LKMD_ROOT_ENV) }, &problems);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !index_is_complete(index))
                return 0;               /* it cannot be known */
        r = index_lookup(index, l->filter.argument, &answer);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && answer.n_matches > 0)
                return 0;
        return report_no_such_module(l->run, index, l->filter.argument);
}

static int finish(Log *l) {
        Output *out = &l->run->out;
        int r = 0;

        if (l->groups)
                r = log_groups_print(l->groups, out);
        if (r >= 0 && out->json != JSON_OFF) {
                r = extent_to_json(l);
                return r < 0 ? r : output_list_end(out);
        }
        if (r >= 0 && output_wants_text(out) && l->n_entries == 0)
                printf("There is nothing.\n");
        print_missing(l);
        return r;
}

/* Which of the two; the journal, unless it cannot be read. Return: as read_journal(). */
static int read_any(Log *l, JournalReader **ret) {
        if (l->state == JOURNAL_KEPT || l->state == JOURNAL_VOLATILE)
                return read_journal(l, ret);
        if (l->boot.is_given && l->boot.number != 0)
                return failure_print_own(
                        &l->run->out, CLIENT_ERROR_LOCAL, find_remedy(l),
                        l->state == JOURNAL_DENIED
                                ? "other boots are in the journal, which is for root and the group systemd-journal"
                                : "other boots are not known: this machine has no journal");
        return read_history(l);
}

int verb_log(Run *run, char **args, unsigned n_args) {
        _cleanup_(log_clear) Log log = { .run = run, .state = journal_find_state() };
        _cleanup_(journal_reader_freep) JournalReader *reader = NULL;
        bool is_list = run->out.json != JSON_OFF && !run->follow;
        int r;

        r = take_question(&log, n_args > 0 ? args[0] : NULL);
        if (r != 0)
                return r;
        r = run->by != GROUP_BY_NOTHING ? log_groups_new(&log.groups, run->by)
            : run->follow               ? interrupt_is_the_end()
                                        : 0;
        if (r < 0)
                return r;
        if (is_list)
                output_list_begin(&run->out);
        r = read_any(&log, &reader);
        if (r == 0 && !run->follow)
                r = check_argument(&log);
        if (r != 0) {
                if (is_list)
                        (void) output_list_end(&run->out);
                return r;
        }
        if (!run->follow)
                return finish(&log);
        print_missing(&log);
        return reader ? follow_journal(&log, reader) : follow_lkmd(&log);
}
