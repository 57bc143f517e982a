/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RequesterJson: see requester-json.h. Owns nothing. Texts are read as they were printed: escaped bytes stay
 * escaped. A chain that is longer than REQUESTER_CHAIN_MAX is cut off: what comes first in it is the nearest.
 */

#include "daemon/history/requester-json.h"

#include <assert.h>
#include <limits.h>

#include "common/base/limits.h"
#include "common/base/text.h"
#include "daemon/base/json-read.h"

/* NULL: no field. */
static int add_text(sd_json_variant **v, const char *name, const char *text) {
        _cleanup_(freep) char *escaped = NULL;
        int r;

        if (!text)
                return 0;
        r = text_escape(text, &escaped);
        return r < 0 ? r : sd_json_variant_set_field_string(v, name, escaped);
}

/* The fields of the varlink type Process. */
static int add_process(const Requester *p, sd_json_variant **v) {
        int r = 0;

        if (p->has_process) {
                r = sd_json_variant_set_field_unsigned(v, "uid", p->uid);
                if (r >= 0)
                        r = sd_json_variant_set_field_unsigned(v, "pid", (uint64_t) p->pid);
        }
        if (r >= 0 && p->has_login_uid)
                r = sd_json_variant_set_field_unsigned(v, "loginUid", p->login_uid);
        if (r >= 0)
                r = add_text(v, "command", p->command);
        if (r >= 0)
                r = add_text(v, "executable", p->executable);
        if (r >= 0)
                r = add_text(v, "unit", p->unit);
        return r < 0 ? r : add_text(v, "container", p->container);
}

static int add_chain(const Requester *parent, sd_json_variant **v) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *chain = NULL;

        for (unsigned n = 0; parent && n < REQUESTER_CHAIN_MAX; parent = parent->parent, n++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *process = NULL;
                int r;

                r = sd_json_variant_new_object(&process, NULL, 0);
                if (r >= 0)
                        r = add_process(parent, &process);
                if (r >= 0)
                        r = sd_json_variant_append_array(&chain, process);
                if (r < 0)
                        return r;
        }
        return chain ? sd_json_variant_set_field(v, "chain", chain) : 0;
}

int requester_add_fields(const Requester *r, sd_json_variant **v) {
        int error;

        assert(r && v);

        error = add_process(r, v);
        if (error >= 0 && r->inferred)
                error = sd_json_variant_set_field_boolean(v, "inferred", true);
        return error < 0 ? error : add_chain(r->parent, v);
}

/* ------------------------------------------------------------------------------------------------ back */

static int read_numbers(sd_json_variant *v, Requester *to) {
        uint64_t uid, pid, login_uid;
        int r;

        if ((r = json_read_number(v, "uid", JSON_UID_MAX, &uid)) < 0 ||
            (r = json_read_number(v, "pid", INT_MAX, &pid)) < 0 ||
            (r = json_read_number(v, "loginUid", JSON_UID_MAX, &login_uid)) < 0)
                return r;
        to->has_process = sd_json_variant_by_key(v, "uid") != NULL;
        to->uid = (uid_t) uid;
        to->pid = to->has_process ? (pid_t) pid : 0;
        to->has_login_uid = sd_json_variant_by_key(v, "loginUid") != NULL;
        to->login_uid = (uid_t) login_uid;
        return 0;
}

static int process_from_json(sd_json_variant *v, Requester **ret) {
        _cleanup_(requester_unrefp) Requester *p = NULL;
        int r;

        if (!sd_json_variant_is_object(v))
                return -EBADMSG;
        r = requester_new(&p);
        if (r < 0)
                return r;
        if ((r = read_numbers(v, p)) < 0 || (r = json_read_text(v, "command", &p->command)) < 0 ||
            (r = json_read_text(v, "executable", &p->executable)) < 0 ||
            (r = json_read_text(v, "unit", &p->unit)) < 0 ||
            (r = json_read_text(v, "container", &p->container)) < 0)
                return r;

        *ret = STEAL_PTR(p);
        return 0;
}

static int read_chain(sd_json_variant *v, Requester *to) {
        sd_json_variant *chain = sd_json_variant_by_key(v, "chain");

        if (!chain)
                return 0;
        if (!sd_json_variant_is_array(chain) || sd_json_variant_elements(chain) > REQUESTER_CHAIN_MAX)
                return -EBADMSG;
        for (size_t i = 0; i < sd_json_variant_elements(chain); i++) {
                int r = process_from_json(sd_json_variant_by_index(chain, i), &to->parent);

                if (r < 0)
                        return r;
                to = to->parent;
        }
        return 0;
}

static bool is_known(const Requester *p) {
        return p->has_process || p->has_login_uid || p->command || p->executable || p->unit ||
               p->container || p->parent;
}

int requester_from_fields(sd_json_variant *v, Requester **ret) {
        _cleanup_(requester_unrefp) Requester *p = NULL;
        int r;

        assert(v && ret);

        r = process_from_json(v, &p);
        if (r >= 0)
                r = json_read_flag(v, "inferred", &p->inferred);
        if (r >= 0)
                r = read_chain(v, p);
        if (r < 0)
                return r;
        *ret = is_known(p) ? STEAL_PTR(p) : NULL;
        return 0;
}
