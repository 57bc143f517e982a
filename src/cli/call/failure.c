/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Failure: the one place where an error, of the daemon or of lkmctl, becomes a sentence, a hint and an exit
 * status. Owns nothing. Text goes to standard error; with --json the error is an object of the answer on
 * standard output.
 */

#include "cli/call/failure.h"

#include <assert.h>
#include <stdarg.h>
#include <systemd/sd-varlink.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/interface/interface-broker.h"
#include "common/interface/interface.h"

typedef struct Explanation {
        const char *error_id;
        ExitStatus status;
        const char *message, *hint;     /* where the error carries none */
        const char *field;              /* its value, in quotes, ends the message */
} Explanation;

static const Explanation explanations[] = {
        { LKMD_ERROR_NO_SUCH_MODULE,    STATUS_NO_SUCH_MODULE, "there is no such module or alias" },
        { LKMD_ERROR_NO_SUCH_DEVICE,    STATUS_NO_SUCH_MODULE, "there is no such device" },
        { LKMD_ERROR_DENIED,            STATUS_DENIED,         "the configuration denies it" },
        { LKMD_ERROR_LOAD_FAILED,       STATUS_FAILED,         "the kernel refused to load" , NULL, "module" },
        { LKMD_ERROR_UNLOAD_FAILED,     STATUS_FAILED,         "the kernel refused to unload", NULL, "module" },
        { LKMD_ERROR_NOT_LOADED,        STATUS_FAILED,         "the module is not loaded" },
        { LKMD_ERROR_BUILT_IN,          STATUS_FAILED,         "the module is part of the kernel image" },
        { LKMD_ERROR_IN_USE,            STATUS_FAILED,         "still in use", NULL, "module" },
        { LKMD_ERROR_NEEDED,            STATUS_FAILED,         "this machine needs", NULL, "module" },
        { LKMD_ERROR_UNKNOWN_PARAMETER, STATUS_FAILED,         "the module has no parameter", NULL, "parameter" },
        { LKMD_ERROR_NOT_IN_CHARGE,     STATUS_NOT_REACHABLE,  "lkmd leaves that to others" },
        { LKMD_ERROR_TIMEOUT,           STATUS_FAILED,         "the time is over" },
        { LKMD_ERROR_NO_SUCH_GRANT,     STATUS_FAILED,         "nothing with that name is allowed or denied for a time",
          "lkmctl status lists what is" },
        { LKMD_ERROR_RELOAD_FAILED,     STATUS_FAILED,         "a file is broken, nothing was changed" },
        { LKMD_ERROR_TOO_MANY_CLIENTS,  STATUS_NOT_REACHABLE,  "there are too many connections to lkmd", "try again in a moment" },
        { LKMD_ERROR_MESSAGE_TOO_LARGE, STATUS_FAILED,         "the request is larger than lkmd accepts",
          "ask for less at once" },

        { BROKER_ERROR_NOT_ALLOWED,     STATUS_DENIED,         "the host's policy does not allow this container to load it" },
        { BROKER_ERROR_NO_SUCH_MODULE,  STATUS_NO_SUCH_MODULE, "the host has no such module or alias" },
        { BROKER_ERROR_LOAD_FAILED,     STATUS_FAILED,         "the host could not load it" },
        { BROKER_ERROR_NOT_A_CONTAINER, STATUS_FAILED,         "this process is in no container that lkmd knows" },
        { BROKER_ERROR_BUSY,            STATUS_NOT_REACHABLE,  "this container asks for modules too often",
          "try again in a moment" },
        { BROKER_ERROR_TOO_MANY_CLIENTS, STATUS_NOT_REACHABLE, "there are too many connections to lkmd", "try again in a moment" },
        { BROKER_ERROR_MESSAGE_TOO_LARGE, STATUS_FAILED,       "the request is larger than lkmd accepts",
          "ask for less at once" },

        { CLIENT_ERROR_USAGE,           STATUS_USAGE },
        { CLIENT_ERROR_NOT_REACHABLE,   STATUS_NOT_REACHABLE },
        { CLIENT_ERROR_DISCONNECTED,    STATUS_NOT_REACHABLE,  "lkmd ended the connection" },
        { CLIENT_ERROR_NO_ANSWER,       STATUS_NOT_REACHABLE,  "lkmd does not answer" },
        { CLIENT_ERROR_BAD_REPLY,       STATUS_FAILED,         "the answer of lkmd makes no sense",
          "use lkmctl and lkmd of the same version: lkmctl version; systemctl restart lkmd" },
        { CLIENT_ERROR_LOCAL,           STATUS_FAILED },

        { SD_VARLINK_ERROR_PERMISSION_DENIED, STATUS_FAILED,
          "only root and members of the group " LKMD_ADMIN_GROUP " may do this", "the same with sudo" },
        { SD_VARLINK_ERROR_INTERACTIVE_AUTHENTICATION_REQUIRED, STATUS_FAILED,
          "only root and members of the group " LKMD_ADMIN_GROUP " may do this", "the same with sudo" },
        { SD_VARLINK_ERROR_INVALID_PARAMETER, STATUS_FAILED,
          "lkmd does not accept what was given as", NULL, "parameter" },
        { SD_VARLINK_ERROR_METHOD_NOT_FOUND, STATUS_FAILED,
          "the running lkmd is older than lkmctl and does not know", "systemctl restart lkmd", "method" },
        { SD_VARLINK_ERROR_METHOD_NOT_IMPLEMENTED, STATUS_FAILED,
          "the running lkmd is older than lkmctl and does not know", "systemctl restart lkmd", "method" },
        { SD_VARLINK_ERROR_INTERFACE_NOT_FOUND, STATUS_FAILED,
          "what answers is not lkmd, it does not know", NULL, "interface" },
};

/* A name that lkmd does not accept, for its length perhaps, means nothing. */
static const Explanation impossible_name = {
        SD_VARLINK_ERROR_INVALID_PARAMETER, STATUS_NO_SUCH_MODULE, "no module or alias can have such a name",
};

static const Explanation impossible_device = {
        SD_VARLINK_ERROR_INVALID_PARAMETER, STATUS_NO_SUCH_MODULE, "no device can have such a path",
        NO_SUCH_DEVICE_HINT,
};

static const Explanation *explanation_find(const char *error_id, sd_json_variant *fields) {
        const char *parameter = field_string(fields, "parameter");

        if (streq(error_id, SD_VARLINK_ERROR_INVALID_PARAMETER) &&
            (streq_ptr(parameter, "name") || streq_ptr(parameter, "module")))
                return &impossible_name;
        if (streq(error_id, SD_VARLINK_ERROR_INVALID_PARAMETER) && streq_ptr(parameter, "device"))
                return &impossible_device;
        for (size_t i = 0; i < ARRAY_LEN(explanations); i++)
                if (streq(error_id, explanations[i].error_id))
                        return &explanations[i];
        return NULL;
}

/* The sentence for an error that came without one. */
static int compose_message(const Explanation *x, const char *error_id, sd_json_variant *fields, char **ret) {
        const char *value = x && x->field ? field_string(fields, x->field) : NULL;
        uint64_t error;
        int n;

        if (streq(error_id, SD_VARLINK_ERROR_SYSTEM) && field_unsigned(fields, "errno", &error) && error < 4096)
                n = asprintf(ret, "lkmd: %s", strerror((int) error));
        else if (!x || !x->message)
                n = asprintf(ret, "lkmd answered with the error %s", error_id);
        else if (value)
                n = asprintf(ret, "%s '%s'", x->message, value);
        else
                n = asprintf(ret, "%s", x->message);
        if (n < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

/* "  LABEL: TEXT" on standard error; the caller prints the text and the end of line. */
static void begin_detail(const Output *out, const char *label) {
        (void) fprintf(stderr, "  %s%s:%s ", output_tone(out, stderr, TONE_DIM), label,
                       output_tone(out, stderr, TONE_PLAIN));
}

/* Unless the sentence names them already. */
static void report_list(const Output *out, const char *label, const char *message, sd_json_variant *array) {
        const char *first = sd_json_variant_string(sd_json_variant_by_index(array, 0));

        if (!array || sd_json_variant_elements(array) == 0 || (first && strstr(message, first)))
                return;
        begin_detail(out, label);
        print_strings(stderr, array);
        (void) fputc('\n', stderr);
}

/* What was done before the failure, which has been printed. */
static void report_records(const Output *out, const char *message, sd_json_variant *records) {
        ARRAY_FOREACH_INDEX(records, i) {
                sd_json_variant *record = sd_json_variant_by_index(records, i);

                if (record_is_old(record) || streq_ptr(field_string(record, "message"), message))
                        continue;
                begin_detail(out, "done");
                print_escaped(stderr, field_string(record, "module"));
                (void) fputc(' ', stderr);
                print_outcome(stderr, record);
                (void) fputc('\n', stderr);
        }
}

static void report_details(const Output *out, const char *message, sd_json_variant *fields) {
        sd_json_variant *array = field_array(fields, "kernelLog");
        const char *file = field_string(fields, "file");

        ARRAY_FOREACH_INDEX(array, i) {
                begin_detail(out, "kernel");
                print_escaped(stderr, sd_json_variant_string(sd_json_variant_by_index(array, i)));
                (void) fputc('\n', stderr);
        }

        if (file && !strstr(message, file)) {
                begin_detail(out, "decided by");
                print_place(stderr, fields);
                (void) fputc('\n', stderr);
        }

        array = field_array(fields, "problems");
        ARRAY_FOREACH_INDEX(array, i) {
                (void) fputs("  ", stderr);
                print_problem(stderr, sd_json_variant_by_index(array, i));
                (void) fputc('\n', stderr);
        }

        array = field_array(fields, "heldBy");
        ARRAY_FOREACH_INDEX(array, i) {
                begin_detail(out, "held by");
                print_escaped(stderr, sd_json_variant_string(sd_json_variant_by_index(array, i)));
                (void) fputc('\n', stderr);
        }

        report_list(out, "used by", message, field_array(fields, "holders"));
        report_list(out, "known parameters", message, field_array(fields, "known"));
        report_records(out, message, field_array(fields, "records"));
}

static void report_text(const Output *out, const char *message, const char *hint, sd_json_variant *fields) {
        (void) fflush(stdout);          /* keeps the order of both streams */
        (void) fprintf(stderr, "%slkmctl:%s ", output_tone(out, stderr, TONE_BAD), output_tone(out, stderr, TONE_PLAIN));
        print_escaped(stderr, message);
        (void) fputc('\n', stderr);
        report_details(out, message, fields);
        if (hint) {
                begin_detail(out, "try");
                print_escaped(stderr, hint);
                (void) fputc('\n', stderr);
        }
}

/* {"error": ID, what the error carried..., and in any case a message} */
static int report_json(Output *out, const char *error_id, const char *message, const char *hint,
                       sd_json_variant *fields) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL;
        int r;

        r = sd_json_buildo(&object, SD_JSON_BUILD_PAIR_STRING("error", error_id));
        if (r < 0)
                return r;
        if (fields) {
                r = sd_json_variant_merge_object(&object, fields);
                if (r < 0)
                        return r;
                r = sd_json_variant_set_field_string(&object, "error", error_id);
                if (r < 0)
                        return r;
        }
        r = sd_json_variant_set_field_string(&object, "message", message);
        if (r < 0)
                return r;
        if (hint) {
                r = sd_json_variant_set_field_string(&object, "hint", hint);
                if (r < 0)
                        return r;
        }
        return output_json(out, object);
}

/**
 * failure_print() - print an error
 * @error_id: varlink name
 * @fields:   of the error, borrowed; NULL: none
 *
 * Return: what to exit with, even if printing failed.
 */
ExitStatus failure_print(Output *out, const char *error_id, sd_json_variant *fields) {
        const char *message = field_string(fields, "message"), *hint = field_string(fields, "hint");
        const Explanation *x;
        _cleanup_(freep) char *composed = NULL;

        assert(out && error_id);

        x = explanation_find(error_id, fields);
        if (!message) {
                message = compose_message(x, error_id, fields, &composed) < 0 ? error_id : composed;
                if (!hint && x)
                        hint = x->hint;
        }

        if (out->json == JSON_OFF || report_json(out, error_id, message, hint, fields) < 0)
                report_text(out, message, hint, fields);
        return x ? x->status : STATUS_FAILED;
}

/**
 * failure_print_own() - print an error that lkmctl found
 * @error_id: one of CLIENT_ERROR_* or of the interface's
 * @hint:     what to type next; NULL: no advice
 * @format:   one sentence without a full stop
 */
ExitStatus failure_print_own(Output *out, const char *error_id, const char *hint, const char *format, ...) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *fields = NULL;
        _cleanup_(freep) char *message = NULL, *escaped = NULL;
        va_list ap;
        int n, r;

        assert(out && error_id && format);

        va_start(ap, format);
        n = vasprintf(&message, format, ap);
        va_end(ap);
        if (n < 0)
                message = NULL;

        r = text_escape(message ?: error_id, &escaped);
        if (r >= 0)
                r = sd_json_buildo(&fields,
                                   SD_JSON_BUILD_PAIR_STRING("message", escaped),
                                   SD_JSON_BUILD_PAIR_CONDITION(hint != NULL, "hint", SD_JSON_BUILD_STRING(hint)));
        if (r < 0)
                fields = NULL;
        return failure_print(out, error_id, fields);
}

/*
 * The one of two outcomes to exit with: the worse is what the user could know less of beforehand.
 */
ExitStatus failure_worse(ExitStatus a, ExitStatus b) {
        static const unsigned weight[] = {
                [STATUS_DONE] = 0,
                [STATUS_USAGE] = 1,
                [STATUS_NO_SUCH_MODULE] = 2,
                [STATUS_DENIED] = 3,
                [STATUS_FAILED] = 4,
                [STATUS_NOT_REACHABLE] = 5,
        };

        return weight[a] >= weight[b] ? a : b;
}
