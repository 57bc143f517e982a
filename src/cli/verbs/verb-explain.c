/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * explain: why something would be loaded, or not. A module is explained for a person first, then for a device and for
 * the kernel, since blacklist lines and rules with an origin treat them differently.
 */

#include <assert.h>

#include "cli/machine/attribute.h"
#include "cli/offline/device-id.h"
#include "cli/offline/explanation.h"
#include "cli/offline/offline.h"
#include "cli/offline/plan-print.h"
#include "cli/offline/suggestion.h"
#include "cli/print/format.h"
#include "cli/verbs/explain-trace.h"
#include "cli/verbs/verbs.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "common/interface/interface.h"
#include "common/plan/kernel-names.h"

#define ORIGINS_MAX 3U

/* One key, and the explanation for each who may ask for it. */
typedef struct Question {
        const char *key;
        const Device *device;           /* NULL: there is none */
        Explanation *answers[ORIGINS_MAX];
        size_t n_answers;
} Question;

static void question_clear(Question *q) {
        for (size_t i = 0; i < q->n_answers; i++)
                explanation_free(q->answers[i]);
}

static int ask(Question *q, const Index *index, const OfflinePolicy *policy,
               const PolicyRequester *requester) {
        PolicyRequester complete = *requester;
        int r;

        assert(q->n_answers < ORIGINS_MAX);

        offline_policy_complete(&complete, q->key, q->device != NULL);
        r = explanation_new(q->answers + q->n_answers, index, policy, q->key, &complete);
        if (r >= 0)
                q->n_answers++;
        return r;
}

/* For the device, for the origin of the options, or for all that may ask. */
static int ask_all(Run *run, Question *q, const Index *index, const OfflinePolicy *policy) {
        static const RequestOrigin all[ORIGINS_MAX] = { ORIGIN_CLIENT, ORIGIN_DEVICE, ORIGIN_KERNEL };
        PolicyRequester requester = q->device ? device_get_requester(q->device) : (PolicyRequester) {};
        int r = 0;

        requester.has_uid = run->uid.is_given;
        requester.uid = (uid_t) run->uid.value;
        requester.unit = run->unit;
        requester.command = run->command;
        requester.container = run->container;
        if (run->container)
                requester.origin = ORIGIN_CONTAINER;
        if (run->command)
                requester.origin = ORIGIN_KERNEL; /* others have none */
        if (run->origin.is_given)
                requester.origin = (RequestOrigin) run->origin.value;
        if (q->device)
                return ask(q, index, policy, &requester);
        if (run->origin.is_given || run->command || run->container) {
                requester.has_uid = run->uid.is_given || requester.origin == ORIGIN_CLIENT;
                return ask(q, index, policy, &requester);
        }
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(all) && (i == 0 || !(run->uid.is_given || run->unit));
             i++) {
                requester.origin = all[i];
                requester.has_uid = run->uid.is_given || all[i] == ORIGIN_CLIENT; /* by default root */
                r = ask(q, index, policy, &requester);
        }
        return r;
}

/* ---------------------------------------------------------------------------------------------- printing */

/* For whom it is, as the options say: " on behalf of user 65534, command python3, unit a.service" */
static void print_process(const Run *run, RequestOrigin origin) {
        const char *separator = origin == ORIGIN_KERNEL ? " on behalf of " : ", ";

        if (run->uid.is_given && origin == ORIGIN_KERNEL) {
                printf("%suser %u", separator, (unsigned) run->uid.value);
                separator = ", ";
        }
        if (run->command) {
                printf("%scommand ", separator);
                print_escaped(stdout, run->command);
                separator = ", ";
        }
        if (run->unit) {
                printf("%sunit ", separator);
                print_escaped(stdout, run->unit);
                separator = ", ";
        }
        if (run->container && origin != ORIGIN_CONTAINER) {
                printf("%scontainer ", separator);
                print_escaped(stdout, run->container);
        }
}

/* The module of the driver that the device has already; NULL: of the kernel image, or there is none. */
static int find_driver_module(const Device *device, char **ret) {
        _cleanup_(freep) char *directory = NULL;
        int r;

        if (asprintf(&directory, "/sys%s/driver", device->path) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        r = attribute_link_new(directory, "module", ret);
        return r == -ENOMEM ? r : 0;
}

/* "driver uas of the module uas" */
static int print_driver(const Device *device) {
        const char *driver = device->uevent.facts.driver;
        _cleanup_(freep) char *module = NULL;
        int r;

        printf("driver ");
        if (!driver) {
                printf("none yet\n");
                return 0;
        }
        r = find_driver_module(device, &module);
        if (r < 0)
                return r;
        print_escaped(stdout, driver);
        if (module) {
                printf(" of the module ");
                print_escaped(stdout, module);
        } else
                printf(" of the kernel image");
        putchar('\n');
        return 0;
}

static int print_title(const Run *run, const Question *q, size_t i, bool same_for_kernel) {
        const Output *out = &run->out;
        RequestOrigin origin = q->answers[i]->origin;

        printf("%s", output_tone(out, stdout, TONE_STRONG));
        if (q->device) {
                printf("For device ");
                print_escaped(stdout, q->device->path);
        } else if (origin == ORIGIN_CLIENT && run->uid.is_given)
                printf("As user %u would ask for ", (unsigned) run->uid.value);
        else if (origin == ORIGIN_CLIENT)
                printf("As root would ask for ");
        else if (origin == ORIGIN_BOOT)
                printf("As a list for boot would ask for ");
        else if (origin == ORIGIN_CONTAINER) {
                printf(run->container ? "As container " : "As a container");
                print_escaped(stdout, run->container ?: "");
                printf(" would ask for ");
        } else
                printf("As %s would ask for ", same_for_kernel           ? "a device or the kernel"
                                               : origin == ORIGIN_DEVICE ? "a device"
                                                                         : "the kernel");
        if (!q->device)
                print_escaped(stdout, q->key);
        print_process(run, origin);
        printf("%s\n", output_tone(out, stdout, TONE_PLAIN));
        if (!q->device)
                return 0;
        printf("  it asks for ");
        print_escaped(stdout, q->key);
        if (q->device->uevent.facts.subsystem) {
                printf(", subsystem ");
                print_escaped(stdout, q->device->uevent.facts.subsystem);
        }
        printf(", ");
        return print_driver(q->device);
}

static int print_answer(const Run *run, const Question *q, size_t i, bool same_for_kernel) {
        const Explanation *answer = q->answers[i];
        int r;

        r = print_title(run, q, i, same_for_kernel);
        if (r < 0)
                return r;
        explanation_print_sentences(answer, stdout, "  ");
        r = explain_print_trace(&run->out, answer);
        if (r < 0 || !q->device || answer->plan->n_steps == 0)
                return r;
        printf("\nWhat will be loaded for it:\n");
        return plan_print(&run->out, answer->plan);
}

/* An explanation that is the same as the one before is not repeated. */
static int print_question(const Run *run, const Question *q) {
        bool any_other = false;
        int r;

        r = print_answer(run, q, 0, false);
        for (size_t i = 1; r >= 0 && i < q->n_answers; i++) {
                bool same_for_kernel;

                if (explanation_says_the_same(q->answers[0], q->answers[i]) ||
                    (i == 2 && explanation_says_the_same(q->answers[1], q->answers[2])))
                        continue;
                same_for_kernel = i == 1 && q->n_answers > 2 &&
                                  explanation_says_the_same(q->answers[1], q->answers[2]);
                putchar('\n');
                r = print_answer(run, q, i, same_for_kernel);
                any_other = true;
        }
        if (r >= 0 && q->n_answers > 1 && !any_other)
                printf("\nA device or the kernel that asks for it gets the same.\n");
        return r;
}

static int device_to_json(const Device *d, sd_json_variant **ret) {
        _cleanup_(freep) char *path = NULL, *module = NULL;
        int r;

        r = text_escape(d->path, &path);
        if (r >= 0)
                r = find_driver_module(d, &module);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("path", path),
                SD_JSON_BUILD_PAIR_CONDITION(d->uevent.facts.subsystem != NULL, "subsystem",
                                             SD_JSON_BUILD_STRING(d->uevent.facts.subsystem)),
                SD_JSON_BUILD_PAIR_CONDITION(d->uevent.facts.driver != NULL, "driver",
                                             SD_JSON_BUILD_STRING(d->uevent.facts.driver)),
                SD_JSON_BUILD_PAIR_CONDITION(module != NULL, "module", SD_JSON_BUILD_STRING(module)));
}

static int print_json(Run *run, const Question *q) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *answers = NULL, *object = NULL, *device = NULL;
        _cleanup_(freep) char *key = NULL;
        int r;

        r = text_escape(q->key, &key);
        for (size_t i = 0; r >= 0 && i < q->n_answers; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = explanation_to_json(q->answers[i], &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&answers, v);
        }
        if (r >= 0 && q->device)
                r = device_to_json(q->device, &device);
        if (r >= 0)
                r = sd_json_buildo(&object, SD_JSON_BUILD_PAIR_STRING("key", key),
                                   SD_JSON_BUILD_PAIR_CONDITION(device != NULL, "device",
                                                                SD_JSON_BUILD_VARIANT(device)),
                                   SD_JSON_BUILD_PAIR_VARIANT("answers", answers));
        return r < 0 ? r : output_json(&run->out, object);
}

/* ---------------------------------------------------------------------------------------------- the verb */

/* A protocol that is built in has no module; its sockets may be refused all the same: the only answer then. */
static bool has_answer(Question *q) {
        for (size_t i = 0; i < q->n_answers; i++) {
                Explanation *answer = q->answers[i];

                if (answer->plan->n_matches > 0)
                        return true;
                if (!socket_answer_says_something(&answer->socket))
                        continue;
                q->answers[i] = q->answers[0];
                q->answers[0] = answer;
                while (q->n_answers > 1)
                        explanation_free(q->answers[--q->n_answers]);
                return true;
        }
        return false;
}

static ExitStatus status_of(const Explanation *answer) {
        return answer->socket.verdict == POLICY_DENY ? STATUS_DENIED : plan_status(answer->plan);
}

/* Return: an ExitStatus; negative errno. */
static int explain(Run *run, const Index *index, const OfflinePolicy *policy, const char *key,
                   const Device *device) {
        _cleanup_(question_clear) Question q = { .key = key, .device = device };
        int r;

        r = ask_all(run, &q, index, policy);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !has_answer(&q))
                return STATUS_NO_SUCH_MODULE;

        if (run->out.json != JSON_OFF)
                r = print_json(run, &q);
        else if (output_wants_text(&run->out))
                r = print_question(run, &q);
        return r < 0 ? r : (int) status_of(q.answers[0]);
}

/* As explain(), also for the name in /sys/module of a module whose file is called otherwise. */
static int explain_name(Run *run, const Index *index, const OfflinePolicy *policy, const char *name) {
        char normalized[MODULE_NAME_MAX + 1];
        const IndexModule *known = NULL;
        int r;

        r = explain(run, index, policy, name, NULL);
        if (r != STATUS_NO_SUCH_MODULE)
                return r;
        if (module_name_normalize(name, normalized, sizeof(normalized)) >= 0)
                known = kernel_name_find(index, policy->facts, normalized);
        return known ? explain(run, index, policy, known->name, NULL) : STATUS_NO_SUCH_MODULE;
}

/* All keys of a device. Return: the worst ExitStatus, STATUS_NO_SUCH_MODULE if none of them means a module. */
static int explain_keys(Run *run, const Index *index, const OfflinePolicy *policy, const Device *device) {
        const char *keys[DEVICE_KEYS_MAX];
        size_t n = device_keys(&device->uevent.facts, keys);
        ExitStatus worst = STATUS_DONE;
        bool any = false;

        for (size_t i = 0; i < n; i++) {
                int r = explain(run, index, policy, keys[i], device);

                if (r < 0)
                        return r;
                if (r == STATUS_NO_SUCH_MODULE)
                        continue;
                any = true;
                worst = failure_worse(worst, (ExitStatus) r);
        }
        return any ? (int) worst : STATUS_NO_SUCH_MODULE;
}

/* No module is for it, and none is needed. */
static int explain_driver(Run *run, const Device *device) {
        const char *keys[DEVICE_KEYS_MAX] = { "" };
        int r;

        (void) device_keys(&device->uevent.facts, keys);
        if (run->out.json != JSON_OFF)
                return print_json(run, &(Question) { .key = keys[0], .device = device });
        if (!output_wants_text(&run->out))
                return STATUS_DONE;
        printf("%sFor device ", output_tone(&run->out, stdout, TONE_STRONG));
        print_escaped(stdout, device->path);
        printf("%s\n  it has the ", output_tone(&run->out, stdout, TONE_PLAIN));
        r = print_driver(device);
        printf("  nothing has to be loaded for it\n");
        return r < 0 ? r : (int) STATUS_DONE;
}

static int explain_nothing(Run *run, const Index *index, const Device *device) {
        const char *keys[DEVICE_KEYS_MAX];

        if (device->uevent.facts.driver)
                return explain_driver(run, device);
        if (device_keys(&device->uevent.facts, keys) == 0)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, NULL,
                                         "the device %s asks for no module: its uevent has no modalias",
                                         device->path);
        return failure_print_own(
                &run->out, LKMD_ERROR_NO_SUCH_MODULE, NULL,
                "no module in %s is for the device %s (%s), and no driver of the kernel image has it",
                index_get_module_dir(index), device->path, keys[0]);
}

static int explain_devices(Run *run, const Index *index, const OfflinePolicy *policy,
                           const DeviceList *devices) {
        ExitStatus worst = STATUS_DONE;
        bool any = false;
        int r;

        output_list_begin(&run->out);
        for (size_t i = 0; i < devices->n_items; i++) {
                if (any && output_wants_text(&run->out))
                        putchar('\n');
                r = explain_keys(run, index, policy, devices->items[i]);
                if (r < 0)
                        return r;
                any |= r != STATUS_NO_SUCH_MODULE;
                if (r != STATUS_NO_SUCH_MODULE)
                        worst = failure_worse(worst, (ExitStatus) r);
        }
        r = output_list_end(&run->out);
        if (r < 0)
                return r;
        return any ? (int) worst : explain_nothing(run, index, devices->items[0]);
}

/* A USB device has no modalias; its interfaces have. */
static int explain_device(Run *run, const Index *index, const OfflinePolicy *policy, const Device *device) {
        _cleanup_(device_list_clear) DeviceList interfaces = {};
        const char *keys[DEVICE_KEYS_MAX];
        size_t n = device_keys(&device->uevent.facts, keys);
        int r;

        if (n == 0) {
                r = device_interfaces(device, &interfaces);
                if (r < 0)
                        return r;
                if (interfaces.n_items > 0)
                        return explain_devices(run, index, policy, &interfaces);
        }
        if (n > 1)
                output_list_begin(&run->out);
        r = explain_keys(run, index, policy, device);
        if (n > 1 && r >= 0) {
                int e = output_list_end(&run->out);

                r = e < 0 ? e : r;
        }
        return r == STATUS_NO_SUCH_MODULE ? explain_nothing(run, index, device) : r;
}

/* Of USB devices, the interfaces. */
static int explain_id(Run *run, const Index *index, const OfflinePolicy *policy, const char *id) {
        _cleanup_(device_list_clear) DeviceList found = {}, asking = {};
        const char *keys[DEVICE_KEYS_MAX];
        int r;

        r = device_id_find(id, &found);
        for (size_t i = 0; r >= 0 && i < found.n_items; i++) {
                size_t before = asking.n_items;

                if (device_keys(&found.items[i]->uevent.facts, keys) == 0)
                        r = device_interfaces(found.items[i], &asking);
                if (r < 0 || asking.n_items > before)
                        continue;
                r = device_list_add(&asking, found.items[i]);
                if (r >= 0)
                        found.items[i] = NULL;
        }
        if (r < 0)
                return r;
        if (asking.n_items == 0)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_DEVICE, "lspci -nn; lsusb",
                                         "no device here has the numbers %s, on PCI or on USB", id);
        return explain_devices(run, index, policy, &asking);
}

static int report_no_device(Run *run, const Index *index, const char *argument, int error) {
        if (error == -ENOTUNIQ)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_DEVICE, NO_SUCH_DEVICE_HINT,
                                        "several devices are called '%s'", argument);
        if (error == -EACCES)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same with sudo",
                                         "'%s' may not be read", argument);
        if (error != -ENODEV)
                return error;
        if (!device_is_path(argument))
                return report_no_such_module(run, index, argument);
        return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_DEVICE, NO_SUCH_DEVICE_HINT,
                                "there is no device '%s'", argument);
}

/* Return: 0; 1 and *ret_status if the options contradict each other, which was said. */
static int check_options(Run *run, const char *argument, int *ret_status) {
        const struct {
                const char *option, *value;
                PolicyKey key;
        } options[] = {
                { "--command",   run->command,   POLICY_KEY_COMMAND   },
                { "--unit",      run->unit,      POLICY_KEY_UNIT      },
                { "--container", run->container, POLICY_KEY_CONTAINER },
        };
        RequestOrigin origin = run->origin.is_given ? (RequestOrigin) run->origin.value
                               : run->command       ? ORIGIN_KERNEL
                               : run->container     ? ORIGIN_CONTAINER
                                                    : ORIGIN_CLIENT;
        const char *option = NULL;

        for (size_t i = 0; i < ARRAY_LEN(options) && !option; i++)
                if (options[i].value &&
                    (device_is_path(argument) || !policy_key_is_known(options[i].key, origin)))
                        option = options[i].option;
        if (!option)
                return 0;
        *ret_status = failure_print_own(
                        &run->out, CLIENT_ERROR_USAGE, "lkmctl explain ALIAS --origin kernel",
                        "%s is about a process, and a request that is none of a process has none", option);
        return 1;
}

int verb_explain(Run *run, char **args, unsigned n_args) {
        _cleanup_(offline_policy_done) OfflinePolicy policy = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(device_freep) Device *device = NULL;
        char file_name[MODULE_NAME_MAX + 1];
        int r;

        if (check_options(run, args[0], &r))
                return r;
        r = offline_index(run, true, &index);
        if (r != 0)
                return r;
        r = offline_policy(run, &policy, NULL);
        if (r != 0)
                return r;

        if (!device_is_path(args[0])) {
                r = explain_name(run, index, &policy, args[0]);
                if (r != STATUS_NO_SUCH_MODULE)
                        return r;
        }
        if (suggestion_from_file(args[0], file_name))
                return report_no_such_module(run, index, args[0]);
        if (device_id_is(args[0]))
                return explain_id(run, index, &policy, args[0]);
        r = device_find(&device, args[0]);
        if (r < 0)
                return report_no_device(run, index, args[0], r);
        r = device_climb(&device);
        if (r < 0)
                return r;
        return explain_device(run, index, &policy, device);
}
