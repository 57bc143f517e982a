/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModprobeAsk: what lkmd answers, in kmod's words. What kmod has no words for, lkmd's own sentence says: what denies a
 * module, and why a load failed.
 *
 * lkmd may be waiting for an install command that has this modprobe run: so the call names the module of the command,
 * and lkmd refuses what it would wait for itself with.
 */

#include "cli/kmod/modprobe-ask.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <systemd/sd-varlink.h>

#include "cli/kmod/kmod-library.h"
#include "cli/kmod/tool-ask.h"
#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-insert.h"
#include "cli/kmod/tool-message.h"
#include "cli/print/fields.h"
#include "common/base/clock.h"
#include "common/base/paths.h"
#include "common/base/util.h"
#include "common/interface/interface.h"

/* Is it about the modules and the configuration of this kernel, and to be done? */
static bool is_for_lkmd(const Modprobe *m, const char *name) {
        const ModprobeOptions *o = &m->options;
        struct utsname u;

        if (o->dry_run || o->resolve || o->config_paths || o->root || modprobe_is_path(name))
                return false;
        return !o->release || (uname(&u) >= 0 && streq(u.release, o->release));
}

/* ---------------------------------------------------------------------------------------------- parameters */

static int set_flag(sd_json_variant **parameters, const char *field, bool value) {
        return value ? sd_json_variant_set_field_boolean(parameters, field, true) : 0;
}

/* The name, and the module whose install or remove command has this program run. */
static int set_names(sd_json_variant **parameters, const char *name) {
        const char *caller = getenv("MODPROBE_MODULE");
        int r;

        r = sd_json_variant_set_field_string(parameters, "name", name);
        if (r >= 0 && caller && *caller != '\0')
                r = sd_json_variant_set_field_string(parameters, "commandOf", caller);
        return r;
}

static int set_words(sd_json_variant **parameters, char *const *words, int n) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
        int r = 0;

        for (int i = 0; r >= 0 && i < n; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *word = NULL;

                if (*words[i] == '\0')
                        continue;       /* means nothing to the kernel */
                r = sd_json_variant_new_string(&word, words[i]);
                if (r >= 0)
                        r = sd_json_variant_append_array(&list, word);
        }
        return r >= 0 && list ? sd_json_variant_set_field(parameters, "parameters", list) : r;
}

static int make_load(const Modprobe *m, const char *name, sd_json_variant **ret) {
        const ModprobeOptions *o = &m->options;
        int r;

        r = set_names(ret, name);
        if (r >= 0 && !o->all)
                r = set_words(ret, o->args + 1, o->n_args - 1);
        if (r >= 0)
                r = set_flag(ret, "forceVermagic", o->force_vermagic);
        if (r >= 0)
                r = set_flag(ret, "forceModversion", o->force_modversion);
        if (r >= 0)
                r = set_flag(ret, "ignoreInstall", o->ignore_commands);
        if (r >= 0)
                r = set_flag(ret, "blacklistNames", o->use_blacklist);
        if (r >= 0)
                r = set_flag(ret, "anyParameters", true);
        return r;
}

static int make_unload(const Modprobe *m, const char *name, sd_json_variant **ret) {
        const ModprobeOptions *o = &m->options;
        int r;

        r = set_names(ret, name);
        if (r >= 0)
                r = set_flag(ret, "force", o->force);
        if (r >= 0)
                r = set_flag(ret, "ignoreNeeds", true);
        if (r >= 0)
                r = set_flag(ret, "holders", o->remove_holders);
        if (r >= 0)
                r = set_flag(ret, "ignoreRemove", o->ignore_commands);
        if (r >= 0 && o->wait_msec > 0)
                r = sd_json_variant_set_field_unsigned(
                        ret, "waitUSec",
                        MIN(o->wait_msec, (uint64_t) INT64_MAX / USEC_PER_MSEC) * USEC_PER_MSEC);
        return r;
}

/* ------------------------------------------------------------------------------------------------- answers */

/* With -v: what modprobe would have printed for the records. Modules that were there are not mentioned. */
static int show_records(Modprobe *m, sd_json_variant *records) {
        int r;

        if (!modprobe_shows(m))
                return 0;
        r = modprobe_open(m);
        if (r < 0)
                return r;
        ARRAY_FOREACH_INDEX(records, i) {
                _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
                sd_json_variant *record = sd_json_variant_by_index(records, i);
                const char *outcome = field_string(record, "outcome") ?: "";
                const char *name = field_string(record, "module") ?: "";
                const char *parameters = field_string(record, "parameters") ?: "";

                if (streq(outcome, "unloaded"))
                        (void) printf("rmmod %s\n", name);
                if (kmod.kmod_module_new_from_name(m->ctx, field_string(record, "fileModule") ?: name,
                                                   &module) < 0)
                        continue;
                if (streq(outcome, "command_run"))
                        (void) printf("install %s %s\n", kmod.kmod_module_get_install_commands(module) ?: "",
                                      parameters);
                else if (streq(outcome, "loaded") || streq(outcome, "failed"))
                        (void) printf("insmod %s %s\n", kmod.kmod_module_get_path(module) ?: name,
                                      parameters);
        }
        return 0;
}

/* The module that was asked for, as far as the records tell. */
static const char *requested_module(sd_json_variant *records, const char *fallback) {
        ARRAY_FOREACH_INDEX(records, i) {
                sd_json_variant *record = sd_json_variant_by_index(records, i);

                if (streq(field_string(record, "reason") ?: "", "requested"))
                        return field_string(record, "module") ?: fallback;
        }
        return fallback;
}

/* Were all that were asked for there before? */
static bool nothing_was_loaded(sd_json_variant *records) {
        bool any = false;

        ARRAY_FOREACH_INDEX(records, i) {
                sd_json_variant *record = sd_json_variant_by_index(records, i);
                const char *outcome = field_string(record, "outcome") ?: "";

                if (!streq(field_string(record, "reason") ?: "", "requested"))
                        continue;
                any = true;
                if (!streq(outcome, "already_loaded") && !streq(outcome, "built_in"))
                        return false;
        }
        return any;
}

static int say_not_found(Modprobe *m, const char *name) {
        struct utsname u;

        if (m->module_dir)
                modprobe_say(m, "Module %s not found in directory %s\n", name, m->module_dir);
        else
                modprobe_say(m, "Module %s not found in directory " MODULE_ROOT "/%s\n", name,
                             uname(&u) < 0 ? "?" : u.release);
        return -ENOENT;
}

static int say_denied(const ToolAnswer *a) {
        _cleanup_(freep) char *sentence = NULL;
        const char *hint = field_string(a->fields, "hint");

        if (streq(field_string(a->fields, "source") ?: "", "blacklist"))
                return 0;               /* kmod says nothing either, and nothing has failed */
        if (asprintf(&sentence, "%s%s%s", tool_answer_sentence(a), hint ? "; " : "", hint ?: "") < 0) {
                sentence = NULL;
                return -ENOMEM;
        }
        return tool_say_denied(sentence) == TOOL_DONE ? 0 : -EPERM;
}

static void say_reason(const ToolAnswer *a) {
        const char *hint = field_string(a->fields, "hint");

        tool_message(LOG_ERR, "%s%s%s\n", tool_answer_sentence(a), hint ? "; " : "", hint ?: "");
}

/* Kmod's line, which scripts may look for, and why. */
static int say_failed(Modprobe *m, const ToolAnswer *a, const char *name) {
        sd_json_variant *records = field_array(a->fields, "records");
        int error = tool_answer_errno(a), r;

        r = show_records(m, records);
        if (r < 0)
                return r;
        modprobe_say_failure(requested_module(records, name), error);
        if (!tool_answer_is(a, SD_VARLINK_ERROR_PERMISSION_DENIED))
                say_reason(a);
        return error;
}

static int take_load(Modprobe *m, const ToolAnswer *a, const char *name) {
        sd_json_variant *records = field_array(a->fields, "records");

        if (tool_answer_is(a, LKMD_ERROR_NO_SUCH_MODULE))
                return say_not_found(m, name);
        if (tool_answer_is(a, LKMD_ERROR_DENIED))
                return say_denied(a);
        if (a->error)
                return say_failed(m, a, name);
        if (m->options.first_time && nothing_was_loaded(records)) {
                modprobe_say_failure(requested_module(records, name), -EEXIST);
                return -EEXIST;
        }
        return show_records(m, records);
}

/* Not in the kernel, which may have a remove command nevertheless. libkmod says it, or runs that. */
static bool is_not_there(const ToolAnswer *a) {
        return tool_answer_is(a, LKMD_ERROR_NO_SUCH_MODULE) || tool_answer_is(a, LKMD_ERROR_NOT_LOADED) ||
               tool_answer_is(a, LKMD_ERROR_BUILT_IN);
}

static void say_not_removed(const char *name, int error) {
        tool_message(LOG_ERR, "could not remove '%s': %s\n", name, strerror(-error));
}

static int take_unload(Modprobe *m, const ToolAnswer *a, const char *name) {
        const char *module = field_string(a->fields, "module") ?: name;
        int error = tool_answer_errno(a);

        if (!a->error)
                return show_records(m, field_array(a->fields, "records"));
        if (tool_answer_is(a, LKMD_ERROR_IN_USE)) {
                modprobe_say(m, "Module %s is in use.\n", module);
                return -EBUSY;
        }
        say_not_removed(module, error);
        if (!tool_answer_is(a, SD_VARLINK_ERROR_PERMISSION_DENIED))
                say_reason(a);
        return error;
}

/* --------------------------------------------------------------------------------------------------- calls */

/* What lkmd can be asked to do in the place of libkmod. */
typedef struct Errand {
        const char *method;
        int (*make)(const Modprobe *m, const char *name, sd_json_variant **ret_parameters);
        /* Is the answer one that libkmod gives better? NULL: none is. */
        bool (*is_left_to_libkmod)(const ToolAnswer *answer);
        int (*take)(Modprobe *m, const ToolAnswer *answer, const char *name);
        void (*say_failure)(const char *name, int error);
} Errand;

/* Return: whether it is settled, with *ret the result, which was said; else it is libkmod's. */
static bool run_errand(Modprobe *m, const Errand *e, const char *name, int *ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
        _cleanup_(tool_answer_clear) ToolAnswer answer = {};
        int r;

        if (!is_for_lkmd(m, name) || !tool_ask_is_possible())
                return false;
        r = e->make(m, name, &parameters);
        if (r < 0) {                    /* JSON cannot say it, so it is the name of nothing */
                *ret = r;
                e->say_failure(name, r == -ENOMEM ? r : -EINVAL);
                return true;
        }
        r = tool_ask(e->method, parameters, &answer);
        if (r == -ENOTCONN || (r >= 0 && e->is_left_to_libkmod && e->is_left_to_libkmod(&answer)))
                return false;
        *ret = r < 0 ? r : e->take(m, &answer, name);
        if (r < 0)
                e->say_failure(name, r);
        return true;
}

/**
 * modprobe_ask_load() - have lkmd load what a name means
 *
 * With -q too: what keeps a module out has to, and is in lkmd's records.
 *
 * Return: as run_errand().
 */
bool modprobe_ask_load(Modprobe *m, const char *name, int *ret) {
        static const Errand load = { "Load", make_load, NULL, take_load, modprobe_say_failure };

        assert(m && name && ret);

        return run_errand(m, &load, name, ret);
}

/**
 * modprobe_ask_unload() - have lkmd remove what a name means
 *
 * Return: as run_errand().
 */
bool modprobe_ask_unload(Modprobe *m, const char *name, int *ret) {
        static const Errand unload = { "Unload", make_unload, is_not_there, take_unload, say_not_removed };

        assert(m && name && ret);

        return run_errand(m, &unload, name, ret);
}

/* ---------------------------------------------------------------------------------------- loads by libkmod */

typedef struct Steps {
        struct kmod_module **modules;   /* referenced */
        size_t n;
        bool failed;                    /* there was no memory for one */
} Steps;

static Steps steps;                     /* of the dry run under way: libkmod passes no userdata */

static void steps_clear(void) {
        for (size_t i = 0; i < steps.n; i++)
                (void) kmod.kmod_module_unref(steps.modules[i]);
        free(steps.modules);
        steps = (Steps) {};
}

static void note_step(struct kmod_module *module, bool install, const char *options) {
        struct kmod_module **grown;

        grown = reallocarray(steps.modules, steps.n + 1, sizeof(struct kmod_module *));
        if (!grown) {
                steps.failed = true;
                return;
        }
        steps.modules = grown;
        steps.modules[steps.n++] = kmod.kmod_module_ref(module);
}

/* Return: 0: it is let in; 1: it is not, and that is a success; negative errno; either was said. */
static int judge_one(struct kmod_module *module) {
        ToolStatus status = TOOL_FAILED;
        int r;

        r = tool_insert_is_allowed(module, &status);
        if (r < 0)
                modprobe_say_failure(kmod.kmod_module_get_name(module), r);
        return r < 0 ? r : r > 0 ? 0 : status == TOOL_DONE ? 1 : -EPERM;
}

/**
 * modprobe_judge() - does lkmd's policy let in all that a load by libkmod would insert?
 * @flags: KMOD_PROBE_*
 *
 * Lists it by a dry run, with the modules in whose place a command runs: what is denied has such lines in lkmd's
 * file. Without lkmd, all is let in.
 */
int modprobe_judge(Modprobe *m, struct kmod_module *module, unsigned flags) {
        int r;

        assert(m && module);

        if (!tool_ask_is_possible())
                return 0;
        r = judge_one(module);          /* also where the denial for kmod stands in its place (LKMD_DENIED_CONF) */
        if (r != 0)
                return r;
        r = kmod.kmod_module_probe_insert_module(module, flags | KMOD_PROBE_DRY_RUN, NULL, NULL, NULL,
                                                 note_step);
        if (steps.failed)
                r = -ENOMEM;
        if (r > 0 || r == -EEXIST)
                r = 0;                  /* kept out by a blacklist, or there already: the load itself says so */
        else if (r < 0)
                modprobe_say_failure(kmod.kmod_module_get_name(module), r);
        for (size_t i = 0; r == 0 && i < steps.n; i++)
                r = steps.modules[i] == module ? 0 : judge_one(steps.modules[i]);
        steps_clear();
        return r;
}
