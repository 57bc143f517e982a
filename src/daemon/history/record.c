/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Record: one operation on one module. Made before the system call and completed after it; kept by the ledger,
 * shown by replies and monitors. Owns its strings and a reference to its request.
 */

#include "daemon/history/record.h"

#include <assert.h>

#include "common/base/enum-names.h"
#include "common/base/string-list.h"

static const char *const outcome_names[_OUTCOME_MAX] = {
        [OUTCOME_LOADED] = "loaded",
        [OUTCOME_ALREADY_LOADED] = "already_loaded",
        [OUTCOME_BUILT_IN] = "built_in",
        [OUTCOME_COMMAND_RUN] = "command_run",
        [OUTCOME_UNLOADED] = "unloaded",
        [OUTCOME_FAILED] = "failed",
        [OUTCOME_KEPT_OUT] = "kept_out",
        [OUTCOME_DEPENDENCY_FAILED] = "dependency_failed",
};

/* NULL for OUTCOME_UNDER_WAY. */
const char *outcome_to_string(Outcome o) {
        return ENUM_NAME(outcome_names, o);
}

Outcome outcome_from_string(const char *s) {
        return (Outcome) ENUM_VALUE(outcome_names, s);
}

/**
 * record_new() - a record that is under way
 * @request: a reference is taken
 *
 * Return: 0 or -ENOMEM.
 */
int record_new(Record **ret, const char *module, Request *request) {
        _cleanup_(record_unrefp) Record *r = NULL;

        assert(ret && module && request);

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->n_ref = 1;
        r->request = request_ref(request);
        r->allowed_by.source = _POLICY_SOURCE_INVALID;
        r->module = strdup(module);
        if (!r->module)
                return -ENOMEM;

        *ret = STEAL_PTR(r);
        return 0;
}

/**
 * record_set_kernel_name() - the file of the module has one that the kernel calls otherwise
 *
 * Return: 0; -ENOMEM with nothing changed.
 */
int record_set_kernel_name(Record *r, const char *name) {
        char *copy;

        assert(r && name);

        if (streq(r->module, name))
                return 0;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        if (r->file_module)
                free(r->module);
        else
                r->file_module = r->module;
        r->module = copy;
        return 0;
}

/* The name by which modules.dep and modprobe.d have it. */
const char *record_file_module(const Record *r) {
        assert(r);

        return r->file_module ?: r->module;
}

/* Does either of its names match? */
bool record_is_about(const Record *r, const char *module) {
        assert(r && module);

        return streq(r->module, module) || streq_ptr(r->file_module, module);
}

Record *record_ref(Record *r) {
        assert(r && r->n_ref > 0);

        r->n_ref++;
        return r;
}

/* Return: NULL. */
Record *record_unref(Record *r) {
        if (!r || --r->n_ref > 0)
                return NULL;

        request_unref(r->request);
        free(r->module);
        free(r->file_module);
        free(r->parent);
        plan_ruling_clear(&r->allowed_by);
        free(r->parameters);
        free(r->command_file);
        free(r->message);
        free(r->hint);
        string_list_free(r->kernel_log);
        string_list_free(r->kernel_stack);
        free(r);
        return NULL;
}

/* Splits lines into an array, without the prefix of proc_pid_stack(). Return: NULL: no lines, or no memory. */
static char **lines_of_stack(const char *stack) {
        char **lines = NULL;

        while (*stack) {
                size_t length = strcspn(stack, "\n");
                const char *function = stack;

                if (startswith(function, "[<") && memchr(function, ' ', length))
                        function = strchr(function, ' ') + 1;
                if (string_list_append(&lines, function, length - (size_t) (function - stack)) < 0)
                        break;
                stack += length + (stack[length] == '\n');
        }
        return lines;
}

/**
 * record_set_whereabouts() - note where a slow job is in the kernel
 * @thread_id: of lkmd-loader; 0: not known, or over
 * @stack:     functions of the kernel, one per line, innermost first; "" if they are not known
 */
void record_set_whereabouts(Record *r, pid_t thread_id, const char *stack) {
        assert(r && stack);

        string_list_free(r->kernel_stack);
        r->kernel_stack = lines_of_stack(stack);
        r->thread_id = thread_id;
}

/*
 * Did lkmd do it, rather than somebody else, who left lkmd to write it down? What lkmd has loaded took at least a
 * microsecond.
 */
bool record_is_lkmds(const Record *r) {
        assert(r);

        return r->request->origin < _ORIGIN_ASKED_MAX &&
               (r->request->origin != ORIGIN_BOOT || r->request->file || r->duration_usec > 0);
}

/* Was the module requested itself, rather than only needed by another? */
bool record_is_wanted(const Record *r) {
        assert(r);

        return !r->removal && outcome_is_success(r->outcome) &&
               (r->reason == PLAN_REQUESTED || r->also_requested);
}

/*
 * Is this a failure that an administrator should see? An alias often matches more drivers than those of that
 * device, and a driver that finds no device returns ENODEV, which is normal; what is listed for the boot is tried
 * again when a device comes (boot-list.c).
 */
bool record_is_remarkable(const Record *r) {
        assert(r);

        return r->outcome == OUTCOME_FAILED &&
               !(r->error == -ENODEV &&
                 (r->request->origin == ORIGIN_DEVICE || r->request->origin == ORIGIN_BOOT));
}

/**
 * record_list_add() - append, taking a reference
 *
 * Return: 0 or -ENOMEM.
 */
int record_list_add(RecordList *list, Record *r) {
        Record **items;

        assert(list && r);

        items = reallocarray(list->items, list->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;
        list->items[list->n_items++] = record_ref(r);
        return 0;
}

void record_list_clear(RecordList *list) {
        assert(list);

        for (size_t i = 0; i < list->n_items; i++)
                record_unref(list->items[i]);
        free(list->items);
        *list = (RecordList) {};
}
