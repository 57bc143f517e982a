/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/limits.h"
#include "common/base/origin.h"
#include "common/modprobe/modprobe-config.h"
#include "common/module/module-info.h"

/*
 * PolicySubject: what is judged, a module and the request that it is wanted for; and the keys of match:, by which
 * rules speak of it.
 */

/* Who asks, for what. What is not known is NULL, or has_uid false. Borrowed. */
typedef struct PolicyRequester {
        RequestOrigin origin;           /* _ORIGIN_INVALID: not known, a question without a request */
        const char *key;                /* as asked: name, alias or modalias */
        const char *subsystem;          /* of the device */
        const char *driver;             /* that the device has already */
        const char *unit;               /* systemd unit of the client */
        bool has_uid;
        uid_t uid;
} PolicyRequester;

typedef enum PolicyPart {               /* what a module is to its request */
        POLICY_REQUESTED,
        POLICY_DEPENDENCY,              /* comes with what was allowed: the default is not asked */
        POLICY_SOFTDEP,
        _POLICY_PART_MAX,
} PolicyPart;

typedef struct PolicySubject {
        const PolicyRequester *requester; /* NULL: nothing is known of it */
        PolicyPart part;
        const char *module;             /* normalised */
        const char *path;               /* of its file; NULL: none */
        const ConfigEntry *install;     /* an install line that denies; NULL: none */
        const ConfigEntry *blacklist;   /* a blacklist line that holds for this part; NULL: none */
        const ConfigEntry *command_line_blacklist; /* likewise, of the kernel command line */
} PolicySubject;

/* Return: NULL if it cannot be told. Called only when a rule asks; what it gives lives as long as the policy. */
typedef const ModuleFacts *(*policy_facts_t)(const char *path, void *userdata);

/*
 * PolicyQuestion: a subject on its way through the rules, with what of it had to be worked out first. Lives
 * for one judgement.
 */
typedef struct PolicyQuestion {
        const PolicySubject *subject;
        policy_facts_t find_facts;      /* NULL: nothing is known of files */
        void *facts_userdata;
        const char *alias;              /* the key as asked, normalised; NULL: the module's own name, or nothing */
        char alias_buffer[REQUEST_KEY_MAX + 1];
        bool facts_asked;
        const ModuleFacts *facts;
} PolicyQuestion;

void policy_question_init(PolicyQuestion *q, const PolicySubject *subject, policy_facts_t find_facts,
                          void *facts_userdata);

typedef enum PolicyKey {                /* the keys of match:, policy_keys[] */
        POLICY_KEY_MODULE,
        POLICY_KEY_LICENSE,
        POLICY_KEY_SIGNED,
        POLICY_KEY_INTREE,
        POLICY_KEY_ALIAS,
        POLICY_KEY_MODALIAS,
        POLICY_KEY_ORIGIN,
        POLICY_KEY_SUBSYSTEM,
        POLICY_KEY_DRIVER,
        POLICY_KEY_UID,
        POLICY_KEY_UNIT,
        _POLICY_KEY_MAX,
        _POLICY_KEY_INVALID = -EINVAL,
} PolicyKey;

typedef enum PolicyValueKind {          /* how the values of a key are written: policy-pattern.c reads them */
        POLICY_VALUE_MODULE,            /* globs of names of modules */
        POLICY_VALUE_ALIAS,             /* globs of aliases */
        POLICY_VALUE_TEXT,              /* globs of anything else */
        POLICY_VALUE_BOOLEAN,           /* yes or no */
        POLICY_VALUE_ORIGIN,            /* words of RequestOrigin */
        POLICY_VALUE_NUMBER,            /* of users: numbers, or the first and the last of several */
        _POLICY_VALUE_KIND_MAX,
} PolicyValueKind;

typedef enum PolicyKeyOwner {           /* of what a key says something, and for which requests that is known */
        POLICY_KEY_OF_MODULE,           /* the module itself, whoever asks for it */
        POLICY_KEY_OF_REQUEST,
        POLICY_KEY_OF_DEVICE,           /* requests of devices only */
        POLICY_KEY_OF_PROCESS,          /* requests of clients and programs only */
        _POLICY_KEY_OWNER_MAX,
} PolicyKeyOwner;

typedef struct PolicyKeyInfo {
        const char *name;               /* as in files */
        PolicyValueKind value;
        PolicyKeyOwner owner;
        bool opens_file;                /* the module's: matched last, when most rules are decided */
        /* What the key is in this question: one of the two, by @value. NULL or false: not known. */
        const char *(*get_text)(PolicyQuestion *q);
        bool (*get_number)(const PolicyQuestion *q, uint32_t *ret);
} PolicyKeyInfo;

extern const PolicyKeyInfo policy_keys[_POLICY_KEY_MAX];

bool policy_key_is_known(PolicyKey key, RequestOrigin origin); /* for requests of that origin */
const char *policy_key_to_string(PolicyKey key);
PolicyKey policy_key_from_string(const char *s);
