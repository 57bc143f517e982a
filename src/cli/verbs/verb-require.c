/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * require: a precondition, for units and scripts: ends when all that is named can be used, with nothing to say, or
 * says what cannot and why. In a container, the broker is asked, and /lib/modules need not be there.
 */

#include "cli/call/argument.h"
#include "cli/call/interrupt.h"
#include "cli/offline/suggestion.h"
#include "cli/verbs/verbs.h"
#include "common/base/paths.h"
#include "common/interface/interface.h"

/* @userdata: what was asked for */
typedef struct Requirement {
        Run *run;
        const char *name;
} Requirement;

/* "snd-hda-intel" as the instance of a unit is "snd/hda/intel" when systemd has unescaped it. */
static int on_error(const char *error_id, sd_json_variant **fields, void *userdata) {
        const Requirement *q = userdata;
        int r;

        if (!streq(error_id, LKMD_ERROR_NO_SUCH_MODULE) || !strchr(q->name, '/'))
                return suggestion_add(q->run, error_id, q->name, fields);
        r = sd_json_variant_set_field_string(
                fields, "hint",
                "in the name of a unit '-' stands for '/': write '_' in the name of a module, and an alias as systemd-escape has it");
        return r < 0 ? r : 0;
}

static int require_one(Run *run, char **arg) {
        const char *name = arg[0];
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
        Requirement q = { .run = run, .name = name };
        int r;

        r = argument_to_name(run, name, &parameters, "name");
        if (r != 0)
                return r;
        if (client_asks_broker(run->client))
                r = client_call(run->client, LKMD_BROKER_INTERFACE ".Require", parameters, NULL, &reply);
        else
                r = client_call(run->client, "Load", parameters,
                                &(CallHooks) { .on_error = on_error, .userdata = &q }, &reply);
        if (r != 0)
                return r;
        return run->out.json != JSON_OFF ? output_json(&run->out, reply) : STATUS_DONE;
}

int verb_require(Run *run, char **args, unsigned n_args) {
        int r;

        r = interrupt_says(
                "\nlkmctl: stopped waiting; lkmd goes on, and \"lkmctl status\" shows how it ends\n");
        return r < 0 ? r : arguments_run_each(run, args, n_args, require_one);
}
