/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ServiceLive: parameters of modules that are in the kernel: what is configured, what the kernel has, and why these
 * differ. A load changes no parameter of a module that is there already.
 */

#include <assert.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/string-list.h"
#include "common/base/text.h"
#include "common/interface/interface.h"
#include "common/module/module-info.h"
#include "common/module/parameter-value.h"
#include "daemon/base/module-state.h"
#include "daemon/history/record-json.h"
#include "daemon/service/service-internal.h"

/* One parameter, as it is configured and as it is. */
typedef struct LiveParameter {
        const char *assignment;         /* "NAME=VALUE" or "NAME" */
        const char *file;               /* of the line; NULL: none */
        unsigned line;
        char name[PARAMETERS_MAX];
        char value[PARAMETERS_MAX];     /* if @state needs it */
        const char *state, *reason;     /* as in the interface; @reason may be NULL */
} LiveParameter;

static bool parameter_init(LiveParameter *p, const char *assignment, const char *file, unsigned line) {
        size_t n;

        assignment += *assignment == '"';
        n = strcspn(assignment, "=");
        if (n == 0 || n >= sizeof(p->name))
                return false;
        *p = (LiveParameter) { .assignment = assignment, .file = file, .line = line };
        (void) memcpy(p->name, assignment, n);
        return true;
}

/* Sets the value and the state. */
static void parameter_look(LiveParameter *p, const char *module, char *const *types) {
        static const char *const states[_PARAMETER_MATCH_MAX] = {
                [PARAMETER_EQUAL] = "same",
                [PARAMETER_DIFFERENT] = "differs",
                [PARAMETER_INCOMPARABLE] = "incomparable",
        };
        int r;

        r = module_parameter_read(module, p->name, p->value, sizeof(p->value));
        if (r < 0) {
                p->state = r == -EACCES || r == -EPERM ? "unreadable" : "not_shown";
                return;
        }
        p->state =
                states[parameter_compare(parameter_type_of(types, p->assignment), p->assignment, p->value)];
}

/* The last assignment to the parameter @name in parameters as the kernel got them; "" if there is none. */
static void find_assignment(const char *parameters, const char *name, char ret[static PARAMETERS_MAX]) {
        ret[0] = '\0';
        for (const char *p = parameters + strspn(parameters, " "); *p; p += strspn(p, " ")) {
                bool quoted = false;
                size_t n;

                for (n = 0; p[n] && (quoted || p[n] != ' '); n++)
                        quoted ^= p[n] == '"';
                if (n < PARAMETERS_MAX && parameter_name_equal(p, name)) {
                        (void) memcpy(ret, p, n);
                        ret[n] = '\0';
                }
                p += n;
        }
}

static bool is_newer(const char *file, uint64_t usec) {
        struct stat st;

        return file && stat(file, &st) >= 0 &&
               (uint64_t) st.st_mtim.tv_sec * 1000000U + (uint64_t) st.st_mtim.tv_nsec / 1000U > usec;
}

/* Why the kernel has another value than the configuration. */
static const char *find_reason(const LiveModule *m, const LiveParameter *p, char *const *types) {
        const Record *record = m->loaded_by;
        char given[PARAMETERS_MAX];
        bool unchanged;

        if (!record || record->outcome != OUTCOME_LOADED || !record_is_lkmds(record))
                return "loaded_elsewhere";
        find_assignment(record->parameters ?: "", p->name, given);
        unchanged = given[0] == '\0' ||
                    parameter_compare(parameter_type_of(types, given), given, p->value) == PARAMETER_EQUAL;
        if (unchanged && is_newer(p->file, record->time_usec))
                return "loaded_before";
        return unchanged && given[0] != '\0' ? "loaded_otherwise" : "changed";
}

static int parameter_to_json(const LiveParameter *p, sd_json_variant **ret) {
        _cleanup_(freep) char *name = NULL, *configured = NULL, *value = NULL, *file = NULL;
        bool has_value = !streq(p->state, "unreadable") && !streq(p->state, "not_shown");
        int r;

        if ((r = text_escape(p->name, &name)) < 0 || (r = text_escape(p->assignment, &configured)) < 0 ||
            (r = text_escape(p->value, &value)) < 0 || (r = text_escape(p->file ?: "", &file)) < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("name", name),
                SD_JSON_BUILD_PAIR_STRING("configured", configured),
                SD_JSON_BUILD_PAIR_CONDITION(p->file != NULL, "file", SD_JSON_BUILD_STRING(file)),
                SD_JSON_BUILD_PAIR_CONDITION(p->line > 0, "line", SD_JSON_BUILD_UNSIGNED(p->line)),
                SD_JSON_BUILD_PAIR_CONDITION(has_value, "value", SD_JSON_BUILD_STRING(value)),
                SD_JSON_BUILD_PAIR_STRING("state", p->state),
                SD_JSON_BUILD_PAIR_CONDITION(p->reason != NULL, "reason", SD_JSON_BUILD_STRING(p->reason)));
}

static int append_parameter(const LiveParameter *p, sd_json_variant **array) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        r = parameter_to_json(p, &v);
        return r < 0 ? r : sd_json_variant_append_array(array, v);
}

/* Is there a later assignment to the same parameter, which the kernel takes instead? */
static bool is_overridden(const PlanStep *step, size_t i) {
        for (size_t k = i + 1; k < step->n_parameter_origins; k++)
                if (parameter_name_equal(step->parameter_origins[k].text, step->parameter_origins[i].text))
                        return true;
        return false;
}

/* @path: NULL: none. Return: NULL if the types are not known. */
static char **read_types(const char *path) {
        char **types = NULL;

        return path && module_info_parameter_types(path, &types) >= 0 ? types : NULL;
}

/**
 * describe_live_parameters() - compare what is configured with what the kernel has
 * @step: that would load the module now
 * @ret:  an array of LiveParameter
 *
 * Return: 0; -ENOMEM.
 */
int describe_live_parameters(const LiveModule *m, const PlanStep *step, sd_json_variant **ret) {
        _cleanup_(string_list_freep) char **types = NULL;
        int r;

        assert(m && step && ret);

        r = sd_json_variant_new_array(ret, NULL, 0);
        if (r < 0 || step->n_parameter_origins == 0)
                return r;
        types = read_types(m->path);
        for (size_t i = 0; r >= 0 && i < step->n_parameter_origins; i++) {
                const PlanParameter *origin = step->parameter_origins + i;
                LiveParameter p;

                if (is_overridden(step, i) || module_parameter_is_universal(origin->text) ||
                    !parameter_init(&p, origin->text, origin->file, origin->line))
                        continue;
                parameter_look(&p, m->name, types);
                if (streq(p.state, "differs"))
                        p.reason = find_reason(m, &p, types);
                r = append_parameter(&p, ret);
        }
        return r;
}

/* Adds the assignments of a line of options that goes nowhere. */
static int append_line(const char *module, const ConfigEntry *e, sd_json_variant **array) {
        _cleanup_(freep) char *copy = strdup(e->value ?: "");
        int r = 0;

        if (!copy)
                return -ENOMEM;
        for (char *rest = copy, *word; r >= 0 && (word = strsep(&rest, " \t"));) {
                LiveParameter p;

                if (module_parameter_is_universal(word) || !parameter_init(&p, word, e->file, e->line))
                        continue;
                parameter_look(&p, module, NULL);
                p.reason = streq(p.state, "same") ? NULL : "built_in";
                r = append_parameter(&p, array);
        }
        return r;
}

/**
 * describe_builtin_parameters() - what modprobe.d configures for a module that is built in, where it goes nowhere
 *
 * Return: 0; -ENOMEM.
 */
int describe_builtin_parameters(const char *module, const ModprobeConfig *config, sd_json_variant **ret) {
        const ConfigEntry *e;
        size_t n;
        int r;

        assert(module && config && ret);

        r = sd_json_variant_new_array(ret, NULL, 0);
        e = modprobe_config_entries(config, CONFIG_OPTIONS, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (e[i].line > 0 && streq(e[i].name, module))
                        r = append_line(module, e + i, ret);
        return r;
}

/* ------------------------------------------------------------------------------------------ of a request */

/* Of the load of a requested module; NULL: it has none. */
static const Record *find_record(const RecordList *records, const PlanStep *step) {
        for (size_t i = 0; i < records->n_items; i++)
                if (!records->items[i]->removal &&
                    streq(record_file_module(records->items[i]), step->module))
                        return records->items[i];
        return NULL;
}

static bool got_them(const Record *record, const Request *request) {
        return record->outcome == OUTCOME_COMMAND_RUN ||
               (record->outcome == OUTCOME_LOADED && record->request == request);
}

/* "number=9 (it is 1), word=two (it is not shown)"; "" if the kernel has these values. */
static int list_lost(const char *module, const char *path, char *const *parameters, char **ret,
                     LiveParameter *ret_first) {
        _cleanup_(string_list_freep) char **types = read_types(path);
        size_t size, n = 0;
        FILE *f;

        f = open_memstream(ret, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; parameters[i]; i++) {
                LiveParameter p;

                if (module_parameter_is_universal(parameters[i]) ||
                    !parameter_init(&p, parameters[i], NULL, 0))
                        continue;
                parameter_look(&p, module, types);
                if (streq(p.state, "same"))
                        continue;
                if (n++ == 0)
                        *ret_first = p;
                fprintf(f, "%s%s", n > 1 ? ", " : "", parameters[i]);
                if (streq(p.state, "unreadable") || streq(p.state, "not_shown"))
                        (void) fputs(" (what it is cannot be read)", f);
                else
                        fprintf(f, " (it is %s)", p.value);
        }
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

static int make_hint(const Record *record, const LiveParameter *first, char **ret) {
        const char *module = record->module;
        int n;

        if (record->outcome == OUTCOME_BUILT_IN)
                n = asprintf(ret, "write %s.%s on the kernel command line%s%s%s%s", module,
                             first->assignment,
                             module_parameter_is_writable(module, first->name) ? ", or to /sys/module/" : "",
                             module_parameter_is_writable(module, first->name) ? module : "",
                             module_parameter_is_writable(module, first->name) ? "/parameters/" : "",
                             module_parameter_is_writable(module, first->name) ? first->name : "");
        else if (module_parameter_is_writable(module, first->name))
                n = asprintf(
                        ret,
                        "write the value to /sys/module/%s/parameters/%s; or lkmctl unload %s, then load it again",
                        module, first->name, module);
        else
                n = asprintf(ret, "lkmctl unload %s, then load it again with these parameters", module);
        if (n >= 0)
                return 0;
        *ret = NULL;
        return -ENOMEM;
}

static int reply_lost(sd_varlink *link, const PlanRun *run, const Record *record, const char *lost,
                      const LiveParameter *first) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *records = NULL;
        _cleanup_(freep) char *message = NULL, *hint = NULL, *clean_message = NULL, *clean_hint = NULL;
        int r;

        if (asprintf(&message, "%s is %s, and a load changes no parameter of it: %s", record->module,
                     record->outcome == OUTCOME_BUILT_IN ? "part of the kernel" : "loaded already",
                     lost) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = make_hint(record, first, &hint);
        if (r >= 0)
                r = text_escape(message, &clean_message);
        if (r >= 0)
                r = text_escape(hint, &clean_hint);
        if (r >= 0)
                r = describe_records(plan_run_get_records(run), &records);
        if (r < 0)
                return r;
        (void) sd_varlink_errorbo(
                link, LKMD_ERROR_LOAD_FAILED, SD_JSON_BUILD_PAIR_STRING("message", clean_message),
                SD_JSON_BUILD_PAIR_STRING("hint", clean_hint),
                SD_JSON_BUILD_PAIR_STRING("module", record->module),
                SD_JSON_BUILD_PAIR_INTEGER("errno", EEXIST), SD_JSON_BUILD_PAIR_EMPTY_ARRAY("kernelLog"),
                SD_JSON_BUILD_PAIR_VARIANT("records", records)); /* returns the errno of the error */
        return 1;
}

/**
 * load_parameters_check_taken() - did the parameters of a request reach its modules?
 * @run: over, and without a failure
 *
 * Not if a module was there already, or if another request for it was faster; then they may still be those that it
 * has.
 *
 * Return: 0: they did; 1: not, and the error was sent; -ENOMEM.
 */
int load_parameters_check_taken(sd_varlink *link, const PlanRun *run, const Request *request,
                                char *const *parameters) {
        const Plan *plan = plan_run_get_plan(run);

        assert(link && request && parameters);

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;
                const Record *record = find_record(plan_run_get_records(run), step);
                _cleanup_(freep) char *lost = NULL;
                LiveParameter first;
                int r;

                if (step->reason != PLAN_REQUESTED || !record || got_them(record, request))
                        continue;
                r = list_lost(record->module, step->path, parameters, &lost, &first);
                if (r < 0)
                        return r;
                if (lost[0] != '\0')
                        return reply_lost(link, run, record, lost, &first);
        }
        return 0;
}
