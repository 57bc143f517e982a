/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LoadsFetch: asks lkmd for the loads of the boot, and tells them as JSON. Owns nothing. */

#include "cli/picture/loads-fetch.h"

#include <assert.h>
#include <time.h>

#include "common/base/clock.h"

/**
 * loads_fetch() - the loads of this boot, or of all of it with --all
 * @ret_history: cleared by history_clear() after @ret, by loads_clear(); both also after a failure
 *
 * Return: 0; an ExitStatus, after reporting why; negative errno.
 */
int loads_fetch(Run *run, History *ret_history, Loads *ret) {
        int r;

        assert(run && ret_history && ret);

        r = history_fetch(run->client, NULL, ret_history);
        if (r != 0)
                return r;
        /* the clock of another machine is another one */
        return loads_new(ret_history, run->all, run->out.host ? 0 : clock_usec(CLOCK_MONOTONIC), ret);
}

/* Return: 0; negative errno. */
int loads_print_json(Run *run, const Loads *loads) {
        int r;

        assert(run && loads);

        output_list_begin(&run->out);
        for (size_t i = 0; i < loads->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = load_to_json(loads->items + i, &v);
                if (r >= 0)
                        r = output_json(&run->out, v);
                if (r < 0)
                        return r;
        }
        return output_list_end(&run->out);
}

/* Below a list: what it does not have, and how to see that. */
void loads_print_left_out(const Run *run, const Loads *loads, const char *verb) {
        assert(run && loads && verb);

        if (loads->n_later > 0) {
                printf("%sNot shown: %zu load%s after the boot had settled; ",
                       output_tone(&run->out, stdout, TONE_DIM), loads->n_later,
                       loads->n_later == 1 ? "" : "s");
                output_command(&run->out, stdout);
                printf("%s --all%s\n", verb, output_tone(&run->out, stdout, TONE_PLAIN));
        }
        if (loads->n_untimed > 0)
                printf("%sNot shown: %zu load%s, since it is not known when that was.%s\n",
                       output_tone(&run->out, stdout, TONE_DIM), loads->n_untimed,
                       loads->n_untimed == 1 ? "" : "s", output_tone(&run->out, stdout, TONE_PLAIN));
        if (!loads->complete)
                printf("%slkmd has forgotten the oldest loads of this boot.%s\n",
                       output_tone(&run->out, stdout, TONE_DIM), output_tone(&run->out, stdout, TONE_PLAIN));
}
