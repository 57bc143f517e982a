/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PolicyIdle: yes, no, or a time such as 10min. */

#include "common/policy-files/policy-idle.h"

#include <assert.h>

#include "common/base/time-span.h"

static bool is_one_of(const char *text, const char *a, const char *b, const char *c) {
        return strcasecmp(text, a) == 0 || strcasecmp(text, b) == 0 || strcasecmp(text, c) == 0;
}

int policy_read_idle_unload(PolicyReading *r, const YamlNode *value, int argument) {
        uint64_t usec = 0;

        assert(r && value);

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "yes, no or a time");
        if (is_one_of(value->text, "no", "false", "off"))
                usec = POLICY_IDLE_NO;
        else if (is_one_of(value->text, "yes", "true", "on"))
                usec = POLICY_IDLE_YES;
        else if (time_span_parse(value->text, &usec) < 0)
                return policy_complain_about_text(r, value, "expected yes, no or a time such as 10min");
        r->rule->has_idle_unload = true;
        r->rule->idle_unload_usec = usec;
        return 0;
}
