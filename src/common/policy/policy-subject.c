/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicySubject: see policy-subject.h. Has the one table of the keys of "match:", policy_keys[], which the parser,
 * the matcher, lkmctl policy show and lkmctl policy lint use.
 */

#include "common/policy/policy-subject.h"

#include <assert.h>
#include <string.h>

#include "common/base/module-name.h"
#include "common/base/util.h"

/*
 * Sets the alias that rules match. A person who asks for a module by its name does not ask for an alias; the
 * kernel always asks for a text of its own, which sometimes is the name of a module. A key that cannot be
 * normalised (an open bracket) is used as it is, so that rules can match every request.
 */
static void set_alias(PolicyQuestion *q, const char *key) {
        size_t n = strlen(key);

        if (n > REQUEST_KEY_MAX)
                return;                 /* plan_new() refuses it */
        memcpy(q->alias_buffer, key, n + 1);
        if (!module_name_normalize_in_place(q->alias_buffer))
                memcpy(q->alias_buffer, key, n + 1);
        if (q->subject->part == POLICY_REQUESTED && q->subject->requester->origin != ORIGIN_KERNEL &&
            streq(q->alias_buffer, q->subject->module))
                return;                 /* it was requested by its name */
        q->alias = q->alias_buffer;
}

void policy_question_init(PolicyQuestion *q, const PolicySubject *subject, policy_facts_t find_facts,
                          void *facts_userdata) {
        assert(q && subject);

        q->subject = subject;
        q->find_facts = find_facts;
        q->facts_userdata = facts_userdata;
        q->alias = NULL;
        q->facts_asked = false;
        q->facts = NULL;
        memset(q->keys_of_cost, 0, sizeof(q->keys_of_cost));
        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                q->keys_of_cost[policy_keys[key].cost] |= POLICY_KEY_BIT(key);
        if (subject->requester && subject->requester->key)
                set_alias(q, subject->requester->key);
}

/* -------------------------------------------------------------------------------------------- the module */

static const char *get_module(PolicyQuestion *q) {
        return q->subject->module;
}

/* Of a link, the place of the link. */
static const char *get_path(PolicyQuestion *q) {
        return q->subject->path ? module_path_get_place(q->subject->path) : NULL;
}

/* Return: NULL: it has no file, or the file cannot be read. */
static const ModuleFacts *get_facts(PolicyQuestion *q) {
        if (!q->facts_asked && q->subject->path && q->find_facts)
                q->facts = q->find_facts(q->subject->path, q->facts_userdata);
        q->facts_asked = true;
        return q->facts;
}

static const char *get_license(PolicyQuestion *q) {
        const ModuleFacts *facts = get_facts(q);

        return facts ? facts->license ?: "" : NULL;
}

static const char *yes_or_no(bool value) {
        return value ? "yes" : "no";
}

static const char *get_signed(PolicyQuestion *q) {
        const ModuleFacts *facts = get_facts(q);

        return facts ? yes_or_no(facts->is_signed) : NULL;
}

static const char *get_signer(PolicyQuestion *q) {
        const ModuleFacts *facts = get_facts(q);

        return facts ? facts->signer ?: "" : NULL;
}

static const char *get_intree(PolicyQuestion *q) {
        const ModuleFacts *facts = get_facts(q);

        return facts ? yes_or_no(facts->in_tree) : NULL;
}

/* ------------------------------------------------------------------------------------------- the request */

static const PolicyRequester *get_requester(const PolicyQuestion *q) {
        static const PolicyRequester nobody = { .origin = _ORIGIN_INVALID };

        return q->subject->requester ?: &nobody;
}

static const char *get_alias(PolicyQuestion *q) {
        return q->alias;
}

static const char *get_modalias(PolicyQuestion *q) {
        return q->alias && strchr(q->alias, ':') ? q->alias : NULL;
}

static const char *get_origin(PolicyQuestion *q) {
        return request_origin_to_string(get_requester(q)->origin);
}

static const char *get_subsystem(PolicyQuestion *q) {
        return get_requester(q)->subsystem;
}

static const char *get_driver(PolicyQuestion *q) {
        return get_requester(q)->driver;
}

/*
 * When the kernel asks for a process that is not known, its user is not either. A rule for all but root, uid:
 * "!0", has to match it: whoever manages to remain unknown must not get what is denied to users who are known. So
 * it is a user who has none of the numbers that patterns can have.
 */
static bool get_uid(const PolicyQuestion *q, uint32_t *ret) {
        const PolicyRequester *r = get_requester(q);

        if (!r->has_uid && (r->origin != ORIGIN_KERNEL || (r->unknown & POLICY_KEY_BIT(POLICY_KEY_UID))))
                return false;
        *ret = r->has_uid ? r->uid : POLICY_UID_UNKNOWN;
        return true;
}

static const char *get_unit(PolicyQuestion *q) {
        return get_requester(q)->unit;
}

static const char *get_command(PolicyQuestion *q) {
        return get_requester(q)->command;
}

static const char *get_container(PolicyQuestion *q) {
        return get_requester(q)->container;
}

/* ------------------------------------------------------------------------------------------------ the keys */

const PolicyKeyInfo policy_keys[_POLICY_KEY_MAX] = {
        [POLICY_KEY_MODULE] = { "module", POLICY_VALUE_MODULE, POLICY_KEY_OF_MODULE, POLICY_COST_NAME,
                                get_module },
        [POLICY_KEY_PATH] = { "path", POLICY_VALUE_TEXT, POLICY_KEY_OF_MODULE, POLICY_COST_NAME, get_path },
        [POLICY_KEY_LICENSE] = { "license", POLICY_VALUE_TEXT, POLICY_KEY_OF_MODULE, POLICY_COST_FILE,
                                 get_license },
        [POLICY_KEY_SIGNED] = { "signed", POLICY_VALUE_BOOLEAN, POLICY_KEY_OF_MODULE, POLICY_COST_FILE,
                                get_signed },
        [POLICY_KEY_SIGNER] = { "signer", POLICY_VALUE_TEXT, POLICY_KEY_OF_MODULE, POLICY_COST_FILE,
                                get_signer },
        [POLICY_KEY_INTREE] = { "intree", POLICY_VALUE_BOOLEAN, POLICY_KEY_OF_MODULE, POLICY_COST_FILE,
                                get_intree },
        [POLICY_KEY_ALIAS] = { "alias", POLICY_VALUE_ALIAS, POLICY_KEY_OF_REQUEST, POLICY_COST_ALIAS,
                               get_alias },
        [POLICY_KEY_MODALIAS] = { "modalias", POLICY_VALUE_ALIAS, POLICY_KEY_OF_REQUEST, POLICY_COST_ALIAS,
                                  get_modalias },
        [POLICY_KEY_ORIGIN] = { "origin", POLICY_VALUE_ORIGIN, POLICY_KEY_OF_REQUEST, POLICY_COST_WORD,
                                get_origin },
        [POLICY_KEY_SUBSYSTEM] = { "subsystem", POLICY_VALUE_TEXT, POLICY_KEY_OF_DEVICE, POLICY_COST_WORD,
                                   get_subsystem },
        [POLICY_KEY_DRIVER] = { "driver", POLICY_VALUE_TEXT, POLICY_KEY_OF_DEVICE, POLICY_COST_WORD,
                                get_driver },
        [POLICY_KEY_UID] = { "uid", POLICY_VALUE_NUMBER, POLICY_KEY_OF_PROCESS, POLICY_COST_WORD, NULL,
                             get_uid },
        [POLICY_KEY_UNIT]      = { "unit",      POLICY_VALUE_TEXT,    POLICY_KEY_OF_PROCESS, POLICY_COST_WORD,  get_unit },
        [POLICY_KEY_COMMAND] = { "command", POLICY_VALUE_TEXT, POLICY_KEY_OF_PROGRAM, POLICY_COST_WORD,
                                 get_command },
        [POLICY_KEY_CONTAINER] = { "container", POLICY_VALUE_TEXT, POLICY_KEY_OF_CONTAINER, POLICY_COST_WORD,
                                   get_container },
};

/* A module without a file is not signed by somebody, nor has it a license. */
bool policy_question_lacks(const PolicyQuestion *q, PolicyKey key) {
        assert(q);

        return (get_requester(q)->unknown & POLICY_KEY_BIT(key)) &&
               (policy_keys[key].cost != POLICY_COST_FILE || q->subject->path);
}

uint32_t policy_keys_of(PolicyKeyOwner owner) {
        uint32_t keys = 0;

        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                keys |= policy_keys[key].owner == owner ? POLICY_KEY_BIT(key) : 0;
        return keys;
}

bool policy_key_is_known(PolicyKey key, RequestOrigin origin) {
        assert(key >= 0 && key < _POLICY_KEY_MAX);

        switch (policy_keys[key].owner) {
        case POLICY_KEY_OF_DEVICE:
                return origin == ORIGIN_DEVICE;
        case POLICY_KEY_OF_PROCESS:
                return origin == ORIGIN_CLIENT || origin == ORIGIN_KERNEL || origin == ORIGIN_CONTAINER;
        case POLICY_KEY_OF_PROGRAM:
                return origin == ORIGIN_KERNEL;
        case POLICY_KEY_OF_CONTAINER:
                return origin == ORIGIN_KERNEL || origin == ORIGIN_CONTAINER;
        default:
                return true;
        }
}

const char *policy_key_to_string(PolicyKey key) {
        return key >= 0 && key < _POLICY_KEY_MAX ? policy_keys[key].name : NULL;
}

PolicyKey policy_key_from_string(const char *s) {
        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                if (streq_ptr(s, policy_keys[key].name))
                        return key;
        return _POLICY_KEY_INVALID;
}
