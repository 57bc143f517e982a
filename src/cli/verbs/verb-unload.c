/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* unload: have lkmd make a plan, and carry it out; with --unbind, take the devices from their drivers before. */

#include "cli/call/argument.h"
#include "cli/machine/login-path.h"
#include "cli/verbs/unbind.h"
#include "cli/print/fields.h"
#include "cli/verbs/action.h"
#include "cli/verbs/unload-text.h"
#include "cli/verbs/verbs.h"
#include "common/base/string-list.h"

/* The interfaces that this login comes through have to go on. One whose way is not known is not protected. */
static int add_login(sd_json_variant **parameters) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
        _cleanup_(string_list_freep) char **interfaces = NULL;
        int r;

        r = login_interfaces_new(&interfaces);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (!interfaces || !interfaces[0])
                return 0;
        r = sd_json_variant_new_array_strv(&list, interfaces);
        if (r >= 0)
                r = sd_json_variant_set_field(parameters, "keepInterfaces", list);
        return r < 0 ? r : 0;
}

/* What every call of Unload is given. */
static int make_parameters(Run *run, const char *name, sd_json_variant **ret) {
        int r;

        r = argument_to_name(run, name, ret, "name");
        if (r == 0)
                r = parameters_set_flag(ret, "force", run->force_removal);
        if (r == 0)
                r = parameters_set_flag(ret, "ignoreNeeds", run->force);
        if (r == 0)
                r = parameters_set_flag(ret, "holders", run->holders);
        if (r == 0)
                r = add_login(ret);
        return r;
}

/* @ret: the reply. Return: as client_call(). */
static int ask_plan(Run *run, const char *name, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
        int r;

        r = make_parameters(run, name, &parameters);
        if (r == 0)
                r = parameters_set_flag(&parameters, "plan", true);
        return r != 0 ? r : client_call(run->client, "Unload", parameters, NULL, ret);
}

/* Return: STATUS_FAILED if it would be refused; otherwise as client_call(). */
static int show_plan(Run *run, const char *name) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        int r;

        r = ask_plan(run, name, &reply);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                r = output_json(&run->out, reply);
        else if (output_wants_text(&run->out)) {
                r = print_unload_plan(&run->out, reply);
                if (r >= 0)
                        r = output_flush();
        }
        if (r < 0)
                return r;
        return field_elements(reply, "needed") > 0 && !run->force ? STATUS_FAILED : STATUS_DONE;
}

/* Takes the devices from the drivers of all modules that go, unless this machine needs one of them. */
static int unbind(Run *run, const char *name, Unbound **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        _cleanup_(string_list_freep) char **modules = NULL;
        sd_json_variant *steps;
        int r;

        r = ask_plan(run, name, &reply);
        if (r != 0 || (field_elements(reply, "needed") > 0 && !run->force))
                return r;               /* the call itself says why it is refused */
        steps = field_array(reply, "steps");
        ARRAY_FOREACH_INDEX(steps, i) {
                const char *module = field_string(sd_json_variant_by_index(steps, i), "module");

                r = module ? string_list_append(&modules, module, strlen(module)) : 0;
                if (r < 0)
                        return r;
        }
        return unbind_devices(&run->out, modules, ret);
}

static int remove_one(Run *run, char **arg) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
        _cleanup_(unbound_freep) Unbound *unbound = NULL;
        Action action = { .run = run, .verb = "unload", .method = "Unload", .args = arg, .n_args = 1 };
        int r;

        r = make_parameters(run, *arg, &parameters);
        if (r == 0 && run->unload_wait_usec > 0)
                r = MIN(sd_json_variant_set_field_unsigned(&parameters, "waitUSec", run->unload_wait_usec),
                        0);
        if (r == 0 && run->unbind)
                r = unbind(run, *arg, &unbound);
        if (r != 0)
                return r;
        r = action_call(&action, parameters);
        if (r != 0 && unbound)
                bind_again(&run->out, unbound);
        return r;
}

static int unload_one(Run *run, char **arg) {
        return run->plan_only ? show_plan(run, arg[0]) : remove_one(run, arg);
}

int verb_unload(Run *run, char **args, unsigned n_args) {
        return arguments_run_each(run, args, n_args, unload_one);
}
