/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* reload: has lkmd read its files again, and shows the problems. */

#include "cli/verbs/reload-text.h"
#include "cli/verbs/verbs.h"

int verb_reload(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        int r;

        r = client_call(run->client, "Reload", NULL, NULL, &reply);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                return output_json(&run->out, reply);

        reload_print(&run->out, reply);
        return STATUS_DONE;
}
