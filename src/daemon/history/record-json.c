/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RecordJson: records, requests and problems as types of the varlink interface, and records back from there, since
 * the file of the ledger holds the same objects.
 */

#include "daemon/history/record-json.h"

#include <assert.h>
#include <limits.h>

#include "common/base/text.h"
#include "common/plan/plan-json.h"
#include "daemon/base/json-read.h"
#include "daemon/history/requester-json.h"

#define ERRNO_MAX 4095U                 /* MAX_ERRNO, linux/err.h */

typedef int (*describe_item_t)(const void *item, sd_json_variant **ret);

/* An array of @n items of @size bytes each; an empty one is empty, not null. */
static int describe_array(const void *items, size_t n, size_t size, describe_item_t describe,
                          sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r;

        r = sd_json_variant_new_array(&array, NULL, 0);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = describe((const char *) items + i * size, &v);
                if (r < 0)
                        return r;
                r = sd_json_variant_append_array(&array, v);
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(array);
        return 0;
}

/* NULL stays NULL. */
static int escape_optional(const char *text, char **ret) {
        *ret = NULL;
        return text ? text_escape(text, ret) : 0;
}

/* The process: of the client, or what the kernel or another source told of it. */
static int add_requester(const Request *request, sd_json_variant **v) {
        const Requester client = {
                .has_process = request->has_peer,
                .uid = request->uid,
                .pid = request->pid,
                .command = request->command,
                .unit = request->unit,
        };

        return requester_add_fields(request->requester ?: &client, v);
}

/**
 * describe_request() - the varlink type Requester
 *
 * Return: 0 or what sd-json says, as for all functions here.
 */
int describe_request(const Request *request, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(freep) char *key = NULL, *device = NULL, *subsystem = NULL, *driver = NULL, *file = NULL;
        int r;

        assert(request && ret);

        r = text_escape(request->key, &key);
        if (r < 0)
                return r;
        r = escape_optional(request->device, &device);
        if (r < 0)
                return r;
        r = escape_optional(request->subsystem, &subsystem);
        if (r < 0)
                return r;
        r = escape_optional(request->driver, &driver);
        if (r < 0)
                return r;
        r = escape_optional(request->file, &file);
        if (r < 0)
                return r;
        r = sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("origin", request_origin_to_string(request->origin)),
                SD_JSON_BUILD_PAIR_STRING("key", key),
                SD_JSON_BUILD_PAIR_CONDITION(device != NULL, "device", SD_JSON_BUILD_STRING(device)),
                SD_JSON_BUILD_PAIR_CONDITION(subsystem != NULL, "subsystem",
                                             SD_JSON_BUILD_STRING(subsystem)),
                SD_JSON_BUILD_PAIR_CONDITION(driver != NULL, "driver", SD_JSON_BUILD_STRING(driver)),
                SD_JSON_BUILD_PAIR_CONDITION(file != NULL, "file", SD_JSON_BUILD_STRING(file)),
                SD_JSON_BUILD_PAIR_CONDITION(request->line > 0, "line", SD_JSON_BUILD_UNSIGNED(request->line)),
                SD_JSON_BUILD_PAIR_CONDITION(request->force != 0, "forced", SD_JSON_BUILD_BOOLEAN(true)));
        if (r >= 0)
                r = add_requester(request, &v);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}

int describe_record(const Record *record, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *requester = NULL, *allowed_by = NULL;
        _cleanup_(freep) char *module = NULL, *file_module = NULL, *parent = NULL, *parameters = NULL,
                              *message = NULL, *hint = NULL;
        const char *outcome;
        int r;

        assert(record && ret);

        outcome = outcome_to_string(record->outcome);
        r = describe_request(record->request, &requester);
        if (r < 0)
                return r;
        r = text_escape(record->module, &module);
        if (r < 0)
                return r;
        r = escape_optional(record->file_module, &file_module);
        if (r < 0)
                return r;
        r = escape_optional(record->parent, &parent);
        if (r < 0)
                return r;
        r = escape_optional(record->parameters, &parameters);
        if (r < 0)
                return r;
        if (record->allowed_by.file) {
                r = plan_ruling_to_json(&record->allowed_by, &allowed_by);
                if (r < 0)
                        return r;
        }
        r = escape_optional(record->message, &message);
        if (r < 0)
                return r;
        r = escape_optional(record->hint, &hint);
        if (r < 0)
                return r;

        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_UNSIGNED("timeUSec", record->time_usec),
                SD_JSON_BUILD_PAIR_STRING("module", module),
                SD_JSON_BUILD_PAIR_CONDITION(file_module != NULL, "fileModule", SD_JSON_BUILD_STRING(file_module)),
                SD_JSON_BUILD_PAIR_CONDITION(outcome != NULL, "outcome", SD_JSON_BUILD_STRING(outcome)),
                SD_JSON_BUILD_PAIR_VARIANT("requester", requester),
                SD_JSON_BUILD_PAIR_CONDITION(!record->removal, "reason",
                                             SD_JSON_BUILD_STRING(plan_reason_to_string(record->reason))),
                SD_JSON_BUILD_PAIR_CONDITION(parent != NULL, "parent", SD_JSON_BUILD_STRING(parent)),
                SD_JSON_BUILD_PAIR_CONDITION(record->also_requested, "alsoRequested",
                                             SD_JSON_BUILD_BOOLEAN(true)),
                SD_JSON_BUILD_PAIR_CONDITION(allowed_by != NULL, "allowedBy", SD_JSON_BUILD_VARIANT(allowed_by)),
                SD_JSON_BUILD_PAIR_CONDITION(parameters != NULL, "parameters",
                                             SD_JSON_BUILD_STRING(parameters)),
                SD_JSON_BUILD_PAIR_CONDITION(record->submitted_usec > 0, "queuedUSec",
                                             SD_JSON_BUILD_UNSIGNED(record->submitted_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(record->began_usec > 0, "beganUSec",
                                             SD_JSON_BUILD_UNSIGNED(record->began_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(record->ended_usec > 0, "endedUSec",
                                             SD_JSON_BUILD_UNSIGNED(record->ended_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(record->duration_usec > 0, "durationUSec",
                                             SD_JSON_BUILD_UNSIGNED(record->duration_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(record->live_usec > 0, "liveUSec",
                                             SD_JSON_BUILD_UNSIGNED(record->live_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(record->slow, "slow", SD_JSON_BUILD_BOOLEAN(true)),
                SD_JSON_BUILD_PAIR_CONDITION(record->thread_id > 0, "threadId",
                                             SD_JSON_BUILD_INTEGER(record->thread_id)),
                SD_JSON_BUILD_PAIR_CONDITION(record->kernel_stack != NULL, "kernelStack",
                                             SD_JSON_BUILD_STRV(record->kernel_stack)),
                SD_JSON_BUILD_PAIR_CONDITION(record->error != 0, "errno",
                                             SD_JSON_BUILD_INTEGER(-record->error)),
                SD_JSON_BUILD_PAIR_CONDITION(message != NULL, "message", SD_JSON_BUILD_STRING(message)),
                SD_JSON_BUILD_PAIR_CONDITION(hint != NULL, "hint", SD_JSON_BUILD_STRING(hint)));
}

static int describe_record_item(const void *item, sd_json_variant **ret) {
        return describe_record(*(Record *const *) item, ret);
}

int describe_records(const RecordList *list, sd_json_variant **ret) {
        assert(list);

        return describe_array(list->items, list->n_items, sizeof(*list->items), describe_record_item, ret);
}

int describe_problem(const Problem *problem, sd_json_variant **ret) {
        _cleanup_(freep) char *file = NULL, *message = NULL;
        int r;

        assert(problem && ret);

        r = text_escape(problem->file, &file);
        if (r < 0)
                return r;
        r = text_escape(problem->message, &message);
        if (r < 0)
                return r;

        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("file", file),
                              SD_JSON_BUILD_PAIR_CONDITION(problem->line > 0, "line",
                                                           SD_JSON_BUILD_UNSIGNED(problem->line)),
                              SD_JSON_BUILD_PAIR_CONDITION(problem->column > 0, "column",
                                                           SD_JSON_BUILD_UNSIGNED(problem->column)),
                              SD_JSON_BUILD_PAIR_STRING("message", message));
}

static int describe_problem_item(const void *item, sd_json_variant **ret) {
        return describe_problem(item, ret);
}

/* One more problem that counts those which the list had no room for, at the place of the last one. */
static int describe_dropped(const ProblemList *list, sd_json_variant **array) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        char message[64];
        int r;

        if (list->n_dropped == 0 || list->n_items == 0)
                return 0;
        (void) snprintf(message, sizeof(message), "and %zu more, which are not listed", list->n_dropped);
        r = describe_problem(&(Problem) { .file = list->items[list->n_items - 1].file, .message = message }, &v);
        return r < 0 ? r : sd_json_variant_append_array(array, v);
}

int describe_problems(const ProblemList *list, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r;

        assert(list);

        r = describe_array(list->items, list->n_items, sizeof(*list->items), describe_problem_item, &array);
        if (r >= 0)
                r = describe_dropped(list, &array);
        if (r >= 0)
                *ret = STEAL_PTR(array);
        return r;
}

/* ------------------------------------------------------------------------------------------------ back */

static int replace_member(sd_json_variant *v, const char *name, char **field) {
        char *value = NULL;
        int r;

        r = json_read_text(v, name, &value);
        if (r < 0)
                return r;
        if (!value)
                return -EBADMSG;
        free(*field);
        *field = value;
        return 0;
}

static const char *string_member(sd_json_variant *v, const char *name) {
        sd_json_variant *member = sd_json_variant_by_key(v, name);

        return member && sd_json_variant_is_string(member) ? sd_json_variant_string(member) : NULL;
}

/* A client is a process as others are, of which a request knows less. */
static int read_requester(sd_json_variant *v, Request *request) {
        _cleanup_(requester_unrefp) Requester *process = NULL;
        int r;

        r = requester_from_fields(v, &process);
        if (r < 0)
                return r;
        if (request->origin != ORIGIN_CLIENT) {
                request->requester = STEAL_PTR(process);
                return 0;
        }
        if (!process)
                return 0;
        request->has_peer = process->has_process;
        request->uid = process->uid;
        request->pid = process->pid;
        request->command = STEAL_PTR(process->command);
        request->unit = STEAL_PTR(process->unit);
        return 0;
}

/*
 * The key is read as it was printed: escaped bytes stay escaped, so it may be longer than REQUEST_KEY_MAX.
 */
static int request_from_json(sd_json_variant *v, Request **ret) {
        _cleanup_(request_unrefp) Request *request = NULL;
        RequestOrigin origin = request_origin_from_string(string_member(v, "origin"));
        uint64_t line;
        bool forced;
        int r;

        if (origin < 0)
                return -EBADMSG;

        r = request_new(&request, origin, "");
        if (r < 0)
                return r;
        if ((r = replace_member(v, "key", &request->key)) < 0 || (r = json_read_text(v, "device", &request->device)) < 0 ||
            (r = json_read_text(v, "subsystem", &request->subsystem)) < 0 ||
            (r = json_read_text(v, "driver", &request->driver)) < 0 ||
            (r = json_read_text(v, "file", &request->file)) < 0 ||
            (r = json_read_number(v, "line", UINT_MAX, &line)) < 0 ||
            (r = json_read_flag(v, "forced", &forced)) < 0 || (r = read_requester(v, request)) < 0)
                return r;
        request->line = (unsigned) line;
        request->force = forced ? REQUEST_FORCE_UNKNOWN : 0;

        *ret = STEAL_PTR(request);
        return 0;
}

/**
 * plan_ruling_from_json() - the reverse of plan_ruling_to_json()
 * @v:   NULL: nothing
 * @ret: empty; what is in it is to be cleared also after a failure
 *
 * Return: 0; -EBADMSG for something else; -ENOMEM.
 */
int plan_ruling_from_json(sd_json_variant *v, PlanRuling *ret) {
        uint64_t line, column;
        int r;

        assert(ret);

        *ret = (PlanRuling) { .source = _POLICY_SOURCE_INVALID };
        for (PolicySource s = 0; s < _POLICY_SOURCE_MAX; s++)
                if (streq_ptr(policy_source_to_string(s), string_member(v, "source")))
                        ret->source = s;
        if (sd_json_variant_by_key(v, "source") && ret->source < 0)
                return -EBADMSG;
        if ((r = json_read_number(v, "line", UINT_MAX, &line)) < 0 || (r = json_read_number(v, "column", UINT_MAX, &column)) < 0)
                return r;
        ret->line = (unsigned) line;
        ret->column = (unsigned) column;
        if ((r = json_read_text(v, "file", &ret->file)) < 0 || (r = json_read_text(v, "rule", &ret->rule)) < 0)
                return r;
        return json_read_text(v, "reason", &ret->reason);
}

/* What happened, and when. */
static int read_outcome(sd_json_variant *v, Record *record) {
        const char *outcome = string_member(v, "outcome");
        uint64_t error;

        if (sd_json_variant_by_key(v, "outcome") && !outcome)
                return -EBADMSG;
        record->outcome = outcome ? outcome_from_string(outcome) : OUTCOME_UNDER_WAY;
        if (record->outcome < 0 || json_read_number(v, "errno", ERRNO_MAX, &error) < 0 ||
            json_read_number(v, "timeUSec", JSON_USEC_MAX, &record->time_usec) < 0 ||
            json_read_number(v, "queuedUSec", JSON_USEC_MAX, &record->submitted_usec) < 0 ||
            json_read_number(v, "beganUSec", JSON_USEC_MAX, &record->began_usec) < 0 ||
            json_read_number(v, "endedUSec", JSON_USEC_MAX, &record->ended_usec) < 0 ||
            json_read_number(v, "durationUSec", JSON_USEC_MAX, &record->duration_usec) < 0 ||
            json_read_number(v, "liveUSec", JSON_USEC_MAX, &record->live_usec) < 0)
                return -EBADMSG;
        record->error = -(int) error;
        return json_read_flag(v, "slow", &record->slow);
}

/* Why it was loaded. A removal has no reason. */
static int read_reason(sd_json_variant *v, Record *record) {
        const char *reason = string_member(v, "reason");
        PlanReason p = 0;

        record->removal = !sd_json_variant_by_key(v, "reason");
        if (!record->removal) {
                while (p < _PLAN_REASON_MAX && !streq_ptr(reason, plan_reason_to_string(p)))
                        p++;
                if (p == _PLAN_REASON_MAX)
                        return -EBADMSG;
                record->reason = p;
        }
        return json_read_flag(v, "alsoRequested", &record->also_requested);
}

static int read_allowed_by(sd_json_variant *v, Record *record) {
        int r = plan_ruling_from_json(sd_json_variant_by_key(v, "allowedBy"), &record->allowed_by);

        if (r >= 0 && !record->allowed_by.file) { /* a ruling without a place is not written */
                plan_ruling_clear(&record->allowed_by);
                record->allowed_by = (PlanRuling) { .source = _POLICY_SOURCE_INVALID };
        }
        return r;
}

/**
 * record_from_json() - the reverse of describe_record()
 *
 * Return: 0; -EBADMSG for something else; -ENOMEM.
 */
int record_from_json(sd_json_variant *v, Record **ret) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *record = NULL;
        sd_json_variant *requester = sd_json_variant_by_key(v, "requester");
        int r;

        assert(ret);

        if (!requester)
                return -EBADMSG;
        r = request_from_json(requester, &request);
        if (r < 0)
                return r;
        r = record_new(&record, "", request);
        if (r < 0)
                return r;
        if ((r = replace_member(v, "module", &record->module)) < 0 || (r = read_outcome(v, record)) < 0 ||
            (r = read_reason(v, record)) < 0 || (r = read_allowed_by(v, record)) < 0 ||
            (r = json_read_text(v, "fileModule", &record->file_module)) < 0 ||
            (r = json_read_text(v, "parent", &record->parent)) < 0 ||
            (r = json_read_text(v, "parameters", &record->parameters)) < 0 ||
            (r = json_read_text(v, "message", &record->message)) < 0 || (r = json_read_text(v, "hint", &record->hint)) < 0)
                return r;
        if (*record->module == '\0')
                return -EBADMSG;

        *ret = STEAL_PTR(record);
        return 0;
}
